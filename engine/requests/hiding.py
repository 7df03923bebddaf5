"""What must not be shown of a webhook's request, also where its receiver repeats it.

Each value as it is written, and as it stands in JSON, in HTML, in a query and in base64: receivers
answer with what they got in any of these forms.
"""

import base64
import json
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, quote_plus

from hookbundle.engine.delivery.urls import secrets_of as secrets_of_url
from hookbundle.engine.requests import fields
from hookbundle.engine.requests.request import SECRET_FIELDS, Basic, OAuth2, Request, kind_of

HIDDEN = "[hidden]"  # in the place of the value of a header field
# A shorter value of a header is a word like `1` or `json`, and to blot it out hides nothing.
VALUE_CHARS_MIN = 6
SECRET_CHARS_MIN = 3


def headers_shown(request: Request) -> dict[str, str]:
    """The header fields that the request adds, without their values."""
    shown = {name: HIDDEN for name, _ in request.headers}
    if name := fields.credentials_name(request):
        shown[name] = HIDDEN
    return shown


def secrets_of(request: Request, tokens: Iterable[str] = ()) -> tuple[str, ...]:
    """Whatever must not be shown, in each form; the longest first. `tokens`: that were fetched."""
    found = {value for _, value in request.headers if len(value) >= VALUE_CHARS_MIN}
    secrets = [getattr(request.auth, name) for name in SECRET_FIELDS[kind_of(request.auth)]]
    secrets += tokens
    if isinstance(request.auth, OAuth2):
        found |= set(secrets_of_url(request.auth.token_url))
    if isinstance(request.auth, Basic):
        whole = fields.user_pass(request.auth)
        secrets += [whole, base64.b64encode(whole.encode()).decode("ascii")]
    found |= {each for each in secrets if len(each) >= SECRET_CHARS_MIN}
    return tuple(sorted({form for each in found for form in _forms(each)}, key=len, reverse=True))


def _forms(value: str) -> Iterable[str]:
    yield value
    yield escape(value)
    for as_json in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        yield as_json
        yield as_json.replace("/", "\\/")
    yield quote(value, safe="")
    yield quote(value)
    yield quote_plus(value)
    yield base64.b64encode(value.encode()).decode("ascii")

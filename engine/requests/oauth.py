"""The request for an access token by client credentials, and its answer (RFC 6749). Pure.

What the endpoint says is never repeated: it may hold a secret. Of an error only a code that the RFC
lists is said.
"""

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from hookbundle.engine.requests.fields import TOKEN
from hookbundle.engine.requests.request import OAuth2

FORM = "application/x-www-form-urlencoded"
LASTS_S = 300.0  # where the endpoint does not say
LASTS_S_MAX = 86_400.0
MARGIN_S = 60.0  # it is not used in its last minute
TOKEN_CHARS_MAX = 8_192
CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"}
    | {"unsupported_grant_type", "invalid_scope", "temporarily_unavailable", "server_error"}
)


@dataclass(frozen=True, slots=True)
class Token:
    """`for_s`: how long it may be used."""

    value: str
    for_s: float


def token_request(auth: OAuth2) -> tuple[dict[str, str], bytes]:
    """The header fields and the body of the POST."""
    form = {"grant_type": "client_credentials"}
    if auth.scope:
        form["scope"] = auth.scope
    headers = {"Content-Type": FORM, "Accept": "application/json"}
    if auth.style == "body":
        form |= {"client_id": auth.client_id, "client_secret": auth.client_secret}
    else:  # each is form-encoded first: RFC 6749, 2.3.1
        both = f"{quote_plus(auth.client_id)}:{quote_plus(auth.client_secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode('ascii')}"
    return headers, urlencode(form).encode("ascii")


def token_of(status: int, body: bytes, *, is_whole: bool) -> Token | str:
    """The token of an answer, or why there is none."""
    try:
        found = msgspec.json.decode(body) if is_whole else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # arrays within arrays
        found = None
    said = found if isinstance(found, dict) else {}
    if not 200 <= status < 300:
        code = said.get("error")
        known = f" ({code})" if isinstance(code, str) and code in CODES else ""
        return f"the token endpoint answered {status}{known}"
    value = said.get("access_token")
    if not isinstance(value, str) or len(value) > TOKEN_CHARS_MAX or not TOKEN.fullmatch(value):
        return "the answer of the token endpoint holds no access token that can be used"
    kind = said.get("token_type", "bearer")
    if not isinstance(kind, str) or not kind.lower().startswith("bearer"):
        return "the token endpoint gives tokens of another type than bearer"
    return Token(value, min(_lasts_s(said.get("expires_in")), LASTS_S_MAX) - MARGIN_S)


def _lasts_s(said: Any) -> float:
    """Some endpoints write the number as text. One that makes no sense is as one that is absent."""
    try:
        lasts_s = float(said)
    except (TypeError, ValueError, OverflowError):  # the last one: of 400 digits
        return LASTS_S + MARGIN_S
    return lasts_s if lasts_s >= 0 else LASTS_S + MARGIN_S

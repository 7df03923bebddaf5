"""A receiver repeats what it got, in many forms and cut off; none of it is shown."""

import base64
import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from hookbundle.engine.delivery.urls import hidden, hidden_in_bytes, without_beginning
from hookbundle.engine.requests.hiding import headers_shown, secrets_of
from hookbundle.engine.requests.request import Basic, Bearer, HeaderAuth, OAuth2, Request

SECRET = 'a/b "canary" <é>&+='
VALUE = "value/of a=header"
FORMS = (
    str,
    escape,
    json.dumps,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: json.dumps(text, ensure_ascii=False).replace("/", "\\/"),
    lambda text: base64.b64encode(text.encode()).decode(),
)


@pytest.mark.parametrize("form", range(len(FORMS)))
@pytest.mark.parametrize(
    "auth",
    [
        Bearer(token=SECRET),
        Basic(username="u", password=SECRET),
        Basic(username=SECRET, password=""),
        HeaderAuth(name="X-Key", value=SECRET),
        OAuth2(token_url="https://id.example/t?k=v", client_id="c", client_secret=SECRET),
    ],
)
def test_a_secret_is_hidden_in_each_form(form: int, auth: Bearer) -> None:
    secrets = secrets_of(Request(headers=(("X-A", VALUE),), auth=auth))
    text = "; ".join(FORMS[form](each) for each in (SECRET, VALUE))

    shown = hidden(text, secrets)

    for each in ("canary", "header", FORMS[form](SECRET).strip('"'), FORMS[form](VALUE).strip('"')):
        assert each not in shown
        assert each.encode() not in hidden_in_bytes(text.encode(), secrets)


@pytest.mark.parametrize("size", range(4, len(VALUE) + 1))
def test_of_a_secret_that_was_cut_off_the_beginning_is_hidden(size: int) -> None:
    secrets = secrets_of(Request(headers=(("X-A", VALUE),)))
    text = f"you sent {VALUE[:size]}"

    assert without_beginning(text, secrets) == "you sent ..."
    assert hidden_in_bytes(text.encode(), secrets, is_cut=True) == b"you sent ..."


def test_a_token_that_was_fetched_is_hidden_and_words_are_not() -> None:
    request = Request(headers=(("X-Version", "1"), ("X-Format", "json")))
    secrets = secrets_of(request, ["fetched-canary"])

    assert hidden('{"1": "json", "t": "fetched-canary"}', secrets) == '{"1": "json", "t": "..."}'
    assert headers_shown(request) == {"X-Version": "[hidden]", "X-Format": "[hidden]"}

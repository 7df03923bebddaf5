"""What is kept of a request holds no secret, wherever the other system put it."""

import pytest

from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.intake import hiding
from hookbundle.engine.sources.kinds import KINDS

EVOLUTION = KINDS["evolution"]
KEY = b"s3cr3t-key"


def test_every_secret_of_the_source_is_hidden() -> None:
    written = {"app_secret": ["first-one", "second-one"], "verify_token": "third-one"}
    header = {"name": "X-A", "value": "fourth-one"}
    settings = source_settings.parse("meta", {**written, "header": header}, None)

    secrets = hiding.secrets_in(settings, "src_token")

    body = b" ".join([*secrets, b"src_token", b"first-one second-one third-one fourth-one"])
    assert hiding.body(body, 1_000, EVOLUTION, secrets) == b" ".join([b"***"] * 10)


@pytest.mark.parametrize(
    "body",
    [
        b'{"apikey": "s3cr3t-key"}',
        b'{"APIKEY" :\n"s3cr3t-key"}',
        b'{"a": [{"instanceToken": "s3cr3t-key"}]}',
        b'{"token": "with \\" s3cr3t-key"}',
        b'{"password": "s3cr3t-key',
        b'{"password": "s3cr3t-key\\',
        b'{"api_key": 31337, "secret": 3.1e7}',
        b'{"a": {"token": -31337',
        b"token=s3cr3t-key",
        b"Body=Hi&APIKEY=s3cr3t-key&From=whatsapp%3A%2B1",
        b'Body=Hi&password=31337 "s3cr3t-key',
    ],
)
def test_fields_that_hold_secrets_of_the_other_system_are_hidden(body: bytes) -> None:
    hidden = hiding.body(body, 1_000, EVOLUTION, ())

    assert KEY not in hidden
    assert b"31" not in hidden
    assert b"***" in hidden


@pytest.mark.parametrize("size", range(1, len(KEY) + 1))
def test_a_secret_that_the_end_of_what_is_kept_cuts_is_hidden(size: int) -> None:
    body = b"text " + KEY + b" and more of it"

    hidden = hiding.body(body, len(b"text ") + size, EVOLUTION, (KEY,))

    assert KEY[:size] not in hidden


def test_what_is_beside_a_secret_stays() -> None:
    number = hiding.body(b'{"token": 31337, "id": 42}', 1_000, EVOLUTION, ())
    form = hiding.body(b"Body=Hi&token=s3cr3t-key&From=1", 1_000, EVOLUTION, ())

    assert number == b'{"token": "***", "id": 42}'
    assert form == b"Body=Hi&token=***&From=1"


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "my token is lost", "tokens": "none"}',
        b'{"token": null, "tokens": 7}',
        b"Body=my+token%3D1&tokens=none",
    ],
)
def test_a_text_that_only_looks_like_a_field_stays(body: bytes) -> None:
    assert hiding.body(body, 1_000, EVOLUTION, ()) == body


def test_of_headers_only_those_are_shown_that_hold_no_secret() -> None:
    given = {"content-type": "application/json", "authorization": "Bearer x", "x-own": "y"}

    assert dict(hiding.headers(given)) == {
        "content-type": "application/json",
        "authorization": "***",
        "x-own": "***",
    }


def test_what_is_no_text_can_be_kept() -> None:
    given = {f"x-{n}": "\udcff" for n in range(100)}

    kept = hiding.headers({"user-agent": "\udcff" * 1_000, **given})

    assert len(kept) == hiding.HEADERS_MAX
    assert kept[0][1] == "?" * hiding.HEADER_CHARS_MAX
    assert hiding.tail("\udcff" * 1_000, ()) == "?" * hiding.TAIL_CHARS_MAX

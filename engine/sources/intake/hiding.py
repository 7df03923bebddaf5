"""Replaces secrets in what is kept of a request for its owner.

Of headers only those are kept with their values that are known to hold no secret: of all others it
is said that they were there. In the body the values of fields that hold a secret of the other
system are replaced, and every secret of the source itself, wherever it stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from hookbundle.engine.sources.kinds import Kind
from hookbundle.engine.sources.settings import SECRETS, SourceSettings, secrets_of

HIDDEN = "***"
HIDDEN_BYTES = HIDDEN.encode()
SECRET_BYTES_MIN = 6  # of one that is looked for in bodies; a shorter one is in too many words
HEADERS_MAX = 40
HEADER_CHARS_MAX = 256
TAIL_CHARS_MAX = 128
SHOWN = frozenset(
    (
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "user-agent",
        "x-chatwoot-timestamp",
        "x-request-id",
        "x-webhook-hmac-algorithm",
        "x-webhook-request-id",
        "x-webhook-timestamp",
    )
)
JSON_BEGINS = (b"{", b"[")
FIELDS_OF_ALL = ("apikey", "api_key", "token", "access_token", "password", "secret")


def secrets_in(settings: SourceSettings, token: str) -> tuple[bytes, ...]:
    """Every secret of the source: of its settings, and its token. The longest first."""
    found = [secret for name in SECRETS for secret in secrets_of(getattr(settings, name))]
    if settings.header is not None:
        found += secrets_of(settings.header.value)
    every = {each.encode("utf-8", "replace") for each in (token, *found)}
    long = [each for each in every if len(each) >= SECRET_BYTES_MIN]
    return tuple(sorted(long, key=len, reverse=True))


def headers(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers, names in lower case, without the values that may be secret."""
    return tuple(
        (_text(name, HEADER_CHARS_MAX), _text(value, HEADER_CHARS_MAX) if name in SHOWN else HIDDEN)
        for name, value in list(given.items())[:HEADERS_MAX]
    )


def tail(given: str, secrets: Iterable[bytes]) -> str:
    hidden = without(given.encode("utf-8", "replace"), secrets)
    return _text(hidden.decode("utf-8", "replace"), TAIL_CHARS_MAX)


def body(given: bytes, bytes_max: int, kind: Kind, secrets: Sequence[bytes]) -> bytes:
    """The beginning of the body, without secrets."""
    begins = given[:bytes_max]
    if len(given) > bytes_max:
        begins = _without_torn(begins, secrets)
    of_json, of_form = _fields(kind.secret_fields)
    hidden = of_json.sub(_hidden, without(begins, secrets))
    if begins.lstrip()[:1] not in JSON_BEGINS:
        hidden = of_form.sub(rb"\1" + HIDDEN_BYTES, hidden)
    return hidden[:bytes_max]


def without(given: bytes, secrets: Iterable[bytes]) -> bytes:
    for secret in secrets:
        given = given.replace(secret, HIDDEN_BYTES)
    return given


def _without_torn(begins: bytes, secrets: Iterable[bytes]) -> bytes:
    """The bytes without a secret that the cut has left the beginning of."""
    for secret in secrets:
        for size in range(min(len(secret) - 1, len(begins)), 0, -1):
            if begins.endswith(secret[:size]):
                return begins[:-size]
    return begins


@lru_cache(maxsize=32)
def _fields(names: tuple[str, ...]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Find the value of a field with one of the names: of JSON a text or a number, and of a form.

    The first group is what is before it, the second what ends a text; one that the cut has torn
    ends with the bytes.
    """
    either = b"|".join(re.escape(each.encode()) for each in _all(names))
    text, number = rb'"(?:[^"\\]|\\.)*+("|\\?\Z)', rb"[-0-9][-+.0-9Ee]*+"
    of_json = rb'("(?i:' + either + rb')"\s*+:\s*+)(?:' + text + b"|" + number + b")"
    of_form = rb"((?:\A|&)(?i:" + either + rb")=)[^&]*+"
    return re.compile(of_json, re.DOTALL), re.compile(of_form)


def _hidden(match: re.Match[bytes]) -> bytes:
    """A number becomes a text."""
    before, end = match.groups(b'"')
    return before + b'"' + HIDDEN_BYTES + end


def _all(names: Iterable[str]) -> Iterator[str]:
    yield from dict.fromkeys((*names, *FIELDS_OF_ALL))


def _text(given: str, chars_max: int) -> str:
    """The text as it can be stored: bytes that are no UTF-8 become `?`."""
    return given.encode("utf-8", "replace").decode()[:chars_max]

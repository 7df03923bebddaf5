"""Which header fields a webhook may add, and how credentials are written into one.

A name that hookbundle, the connection or the body decides is refused: two fields that differ may be
read either way, and what lies between here and the receiver goes by them.
"""

import base64
import re
import unicodedata
from collections.abc import Iterable

from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault, given
from hookbundle.engine.requests.request import Basic, Bearer, HeaderAuth, NoAuth, Request

HEADERS_MAX = 20
NAME_CHARS_MAX = 64
VALUE_CHARS_MAX = 4_096
USER_PASS_BYTES_MAX = 3_000  # in UTF-8; base64 makes 4,000 characters of it
AUTHORIZATION = "Authorization"
ACCEPT = "accept"

NAME = re.compile(rf"[A-Za-z0-9-]{{1,{NAME_CHARS_MAX}}}")
VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
TOKEN = re.compile(r"[!-~]+")
# Hop-by-hop (RFC 9110, 7.6.1), and what says how to read the request.
RESERVED = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"http2-settings", "host", "accept-encoding", "expect", "user-agent"}
)
RESERVED_STARTS = ("proxy-", "content-", "webhook-")
OF_AUTH = frozenset({"authorization", "cookie"})


def name_fault(path: str, name: object, *, of_auth: bool = False) -> Fault | None:
    """What is wrong with a header's name. `of_auth`: it is to hold the credentials, for which
    `Authorization` and `Cookie` are meant."""
    if not isinstance(name, str):
        return fault(path, FaultCode.NOT_TEXT, given=given(name))
    if not NAME.fullmatch(name):
        return fault(path, FaultCode.NO_HEADER_NAME, got=quoted(name), most=NAME_CHARS_MAX)
    lower = name.lower()
    if lower in RESERVED or lower.startswith(RESERVED_STARTS):
        return fault(path, FaultCode.HEADER_RESERVED, got=quoted(name))
    if lower in OF_AUTH and not of_auth:
        return fault(path, FaultCode.HEADER_OF_AUTH, got=quoted(name))
    return None


def value_fault(path: str, value: object) -> Fault | None:
    """What is wrong with a header's value; it never says the value."""
    if not isinstance(value, str):
        return fault(path, FaultCode.NOT_TEXT, given=given(value))
    if len(value) > VALUE_CHARS_MAX or not VALUE.fullmatch(value):
        return fault(path, FaultCode.NO_HEADER_VALUE, most=VALUE_CHARS_MAX)
    return None


def token_fault(path: str, token: object) -> Fault | None:
    """What is wrong with a bearer token. One that begins with `Bearer ` has a space in it."""
    if not isinstance(token, str):
        return fault(path, FaultCode.NOT_TEXT, given=given(token))
    if len(token) > VALUE_CHARS_MAX or not TOKEN.fullmatch(token):
        return fault(path, FaultCode.NO_BEARER, most=VALUE_CHARS_MAX)
    return None


def basic_faults(path: str, username: object, password: object) -> Iterable[Fault]:
    """By RFC 7617, 2: no colon in the user name, no control characters; any other letters."""
    for name, text in (("username", username), ("password", password)):
        at = f"{path}.{name}"
        if not isinstance(text, str):
            yield fault(at, FaultCode.NOT_TEXT, given=given(text))
        elif any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
            yield fault(at, FaultCode.NOT_ONE_LINE)
        elif name == "username" and ":" in text:
            yield fault(at, FaultCode.HAS_COLON)
    if isinstance(username, str) and isinstance(password, str):
        size = len(f"{username}{password}".encode(errors="replace"))
        if not size:
            yield fault(f"{path}.username", FaultCode.EMPTY)
        if size > USER_PASS_BYTES_MAX:
            most = USER_PASS_BYTES_MAX
            yield fault(path, FaultCode.TOO_LONG_AS_BYTES, most=most, size=size)


def user_pass(auth: Basic) -> str:
    """Both in Unicode's form C, as RFC 7617 has it where the charset is UTF-8."""
    return unicodedata.normalize("NFC", f"{auth.username}:{auth.password}")


def credentials(request: Request) -> tuple[str, str] | None:
    """The field that holds the credentials; None without any, and for a token that has to be
    fetched first."""
    match request.auth:
        case Bearer(token=token):
            return bearer(token)
        case Basic() as auth:
            encoded = base64.b64encode(user_pass(auth).encode()).decode("ascii")
            return AUTHORIZATION, f"Basic {encoded}"
        case HeaderAuth(name=name, value=value):
            return name, value
        case _:
            return None


def bearer(token: str) -> tuple[str, str]:
    return AUTHORIZATION, f"Bearer {token}"


def credentials_name(request: Request) -> str:
    """The name of that field; empty if there is none."""
    match request.auth:
        case HeaderAuth(name=name):
            return name
        case auth:
            return "" if isinstance(auth, NoAuth) else AUTHORIZATION


def without_accept(headers: dict[str, str], request: Request) -> dict[str, str]:
    """The fields of all requests without `Accept`, where the webhook has one of its own."""
    if not has_accept(request):
        return headers
    return {name: value for name, value in headers.items() if name.lower() != ACCEPT}


def has_accept(request: Request) -> bool:
    """Whether it says itself what it accepts; else hookbundle does."""
    names = [name for name, _ in request.headers]
    if isinstance(request.auth, HeaderAuth):
        names.append(request.auth.name)
    return any(name.lower() == ACCEPT for name in names)

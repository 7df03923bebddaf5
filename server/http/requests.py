"""What a resource reads from a request: headers, its body, its limit and cursor.

What a client sent is text, or it is refused; a number in it has as many digits as it may have.
tests/test_bounded_input.py sees to it that nothing in server/ reads a request in another way.
"""

import base64
import binascii
from hashlib import blake2b
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import BadRequest, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import mistaken, parsing
from hookbundle.server.http.bodies import body_bytes
from hookbundle.server.http.routes import Query

T = TypeVar("T", bound=msgspec.Struct)

LIMIT_MAX = 1_000
LIMIT = Query(
    name="limit",
    meaning="how many at most",
    kind=Annotated[int, msgspec.Meta(ge=1, le=LIMIT_MAX)],
)
CURSOR = Query(name="cursor", meaning="where the last page ended; from its answer")
VERSION_MAX = 2**53
DIGEST_BYTES = 6  # of a cursor; against mistakes, not against forgers, who only find less
POSITION_BYTES_MAX = limits.CHAT_ID_BYTES_MAX + limits.KEY_BYTES_BESIDE_CHAT_ID


def header_of(request: web.Request, name: str, default: str = "") -> str:
    """The header's text. Raises: BadRequest if it is none."""
    value = request.headers.get(name, default)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # aiohttp keeps bytes that are no UTF-8 as lone surrogates
            raise BadRequest.of(Code.HEADER_NOT_UTF8, header=name) from None
    return value


def all_headers_of(request: web.Request) -> dict[str, str]:
    """Every header by its name in lower case, the first of several; as it came, which may be no
    text: for those who look at what another system sends."""
    lines = [*request.headers.items()]
    return {name.lower(): value for name, value in reversed(lines)}


def header_lines_of(request: web.Request) -> list[tuple[str, str]]:
    """Every line with its name, as it came, which may be no text: for another node, who asks."""
    return [(str(name), value) for name, value in request.headers.items()]


def origin_of(request: web.Request) -> str:
    """`http://HOST`, as the caller wrote it. Raises: BadRequest if that is no text."""
    return f"{request.scheme}://{header_of(request, 'Host')}"


def conditions_of(request: web.Request) -> tuple[str, ...]:
    """The names of the conditions that the request sets: RFC 9110, 13.1."""
    headers = request.headers
    if "If-Match" not in headers and "If-None-Match" not in headers:
        return ()  # as nearly all; this is asked of every message
    return tuple(name for name in ("If-Match", "If-None-Match") if name in headers)


def lines_of(request: web.Request, name: str) -> str | None:
    """The text of a header that is a list: all its lines, with commas between; None without one.

    Raises: BadRequest if it is no text.
    """
    lines = request.headers.getall(name, [])
    try:
        return ", ".join(line.encode().decode() for line in lines) if lines else None
    except UnicodeEncodeError:
        raise BadRequest.of(Code.HEADER_NOT_UTF8, header=name) from None


def hint_of(request: web.Request, name: str) -> str:
    """The text of a header that is only a wish; empty without one, or if it is no text."""
    value = request.headers.get(name, "")
    return value if value.isascii() else ""


def cookie_of(request: web.Request, name: str) -> str | None:
    """The cookie's value; None without one, or if it is none that we would give.

    Cookies of other programs on the same host come along, whatever is in them: they are ignored.
    """
    for given in request.headers.getall("Cookie", []):
        for pair in given.split(";"):
            its_name, is_pair, value = pair.strip().partition("=")
            if is_pair and its_name == name:
                return value if value.isascii() and value.isprintable() else None
    return None


def media_of(request: web.Request) -> str:
    """The media type of the body, without its parameters: a body is UTF-8, whatever they say."""
    return media_in(header_of(request, "Content-Type"))


def media_in(content_type: str) -> str:
    """The media type that a Content-Type header names."""
    return content_type.partition(";")[0].strip().lower()


def number_of(text: str, most: int) -> int | None:
    """The whole number that the text is, 0 to `most`; None for all others.

    A number has as many digits as it needs, so what is not bounded is never converted.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if number <= most else None


async def read_body(request: web.Request, bytes_max: int = limits.REQUEST_BYTES_MAX) -> bytes:
    """The request's body, if it comes in time.

    Raises: InvalidInput if there is none; otherwise as `body_bytes`.
    """
    body = await body_bytes(request, bytes_max)
    if not body or body.isspace():
        raise InvalidInput((fault("", FaultCode.NO_BODY),))
    return body


async def body_of(request: web.Request, kind: type[T]) -> T:
    """The JSON body as a `kind`; an empty one is the default.

    Raises: InvalidInput, also if a field is given twice: nobody could say which one is meant.
    """
    if not request.can_read_body:
        return parsing.parse_as(b"{}", kind)
    body = await read_body(request, limits.SETTINGS_BYTES_MAX)
    wanted = parsing.parse_as(body, kind)
    twice = mistaken.given_twice(body)
    if twice is not None:
        raise InvalidInput((twice,))
    return wanted


def limit_of(request: web.Request, default: int) -> int:
    """`?limit=`, 1 to 1,000. Raises: InvalidInput."""
    text = request.query.get("limit")
    if text is None:
        return default
    limit = number_of(text, LIMIT_MAX)
    if not limit:
        raise InvalidInput((fault("limit", FaultCode.NO_LIMIT, most=LIMIT_MAX, got=quoted(text)),))
    return limit


def cursor_of(position: bytes | None, of: str = "") -> str | None:
    """The place where a page ended, as text that means nothing to a client.

    `of`: the list, where its positions could be taken for those of another one. With the position
    goes a digest of both, since most texts are places in a list, where nothing would be found.
    """
    if position is None:
        return None
    return base64.urlsafe_b64encode(_digest_of(position, of) + position).decode().rstrip("=")


def position_of(request: web.Request, of: str = "") -> bytes:
    """Where `?cursor=` points to in that list; empty without one.

    Raises: InvalidInput for a cursor that is none of this list.
    """
    cursor = request.query.get("cursor", "")
    if not cursor:
        return b""
    try:
        given = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        given = b""
    digest, position = given[:DIGEST_BYTES], given[DIGEST_BYTES:]
    if len(position) > POSITION_BYTES_MAX or digest != _digest_of(position, of):
        raise InvalidInput((fault("cursor", FaultCode.NO_CURSOR),))
    return position


def text_position_of(request: web.Request, of: str) -> bytes:
    """As `position_of`, in a list whose places are texts. Raises: InvalidInput."""
    position = position_of(request, of)
    try:
        position.decode()
    except UnicodeDecodeError:
        raise InvalidInput((fault("cursor", FaultCode.NO_CURSOR),)) from None
    return position


def _digest_of(position: bytes, of: str) -> bytes:
    return blake2b(position, digest_size=DIGEST_BYTES, person=of.encode()).digest()

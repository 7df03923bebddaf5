"""What a resource reads from a request: its body, its limit and cursor, its precondition."""

import asyncio
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.messages import parsing
from hookbundle.server.http.routes import Query

T = TypeVar("T", bound=msgspec.Struct)

BODY_S = web.AppKey("body_s", float)  # how long a request's body may take to arrive
LIMIT_MAX = 1_000
LIMIT = Query(
    name="limit",
    meaning="how many at most",
    kind=Annotated[int, msgspec.Meta(ge=1, le=LIMIT_MAX)],
)
IF_MATCH = Query(name="If-Match", meaning="the ETag of the version to change; refused with 412")
CURSOR = Query(name="cursor", meaning="where the last page ended; from its answer")


async def read_body(request: web.Request) -> bytes:
    """The request's body, if it comes in time.

    Raises: InvalidInput if there is none; an HTTP error if it is garbled (400), too large (413)
        or slow (408).
    """
    try:
        if request.content.is_eof():  # came with the head, as short ones do: nothing to wait for
            body = await request.read()
        else:
            async with asyncio.timeout(request.app[BODY_S]):
                body = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body took too long to arrive") from None
    except web.RequestPayloadError:
        raise web.HTTPBadRequest(
            text="the body is not what Content-Encoding or Transfer-Encoding say"
        ) from None
    except web.HTTPRequestEntityTooLarge:
        size = limits.REQUEST_BYTES_MAX
        raise web.HTTPRequestEntityTooLarge(
            max_size=size, actual_size=size, text=f"the body is larger than {size} bytes"
        ) from None
    if not body or body.isspace():
        raise InvalidInput((Fault("", "is empty; send a message, an array or NDJSON"),))
    return body


async def body_of(request: web.Request, kind: type[T]) -> T:
    """The JSON body as a `kind`; an empty one is the default. Raises: InvalidInput."""
    body = await read_body(request) if request.can_read_body else b"{}"
    return parsing.parse_as(body, kind)


def version_of(request: web.Request) -> int | None:
    """The version in If-Match; None without one. Raises: InvalidInput."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return None
    try:
        return int(wanted.strip().strip('"'))
    except ValueError:
        raise InvalidInput((Fault("If-Match", f"{wanted!r} is not an ETag of this API"),)) from None


def limit_of(request: web.Request, default: int) -> int:
    """`?limit=`, 1 to 1,000. Raises: InvalidInput."""
    text = request.query.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= LIMIT_MAX:
        raise InvalidInput((Fault("limit", f"must be 1 to {LIMIT_MAX}; got {text!r}"),))
    return int(text)

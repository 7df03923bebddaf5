"""What is asked of the connection that a request came on."""

from collections.abc import Callable

from aiohttp import web

from hookbundle.engine import limits
from hookbundle.server.http.wire import Connection

READ_AWAY_BYTES_MAX = limits.REQUEST_BYTES_MAX  # of a body that was answered before it was read

OwnerOf = Callable[[web.Request], str]


def waited_s(request: web.Request) -> float:
    """How long the request had been there before aiohttp got it."""
    connection = request.protocol
    return connection.waited_s if isinstance(connection, Connection) else 0.0


def when_lost(request: web.Request, call: Callable[[], None]) -> None:
    """`call` is called when the request's connection is lost. Raises: ConnectionError if it is."""
    if not isinstance(request.protocol, Connection) or request.transport is None:
        raise ConnectionResetError("the client has left")
    request.protocol.on_lost = call


def end_if_unread(request: web.Request, response: web.StreamResponse, owner_of: OwnerOf) -> None:
    """The connection ends with this answer, if the rest of the body is not worth reading away."""
    length, connection = request.content_length, request.protocol
    if not isinstance(connection, Connection) or connection.body.is_eof():
        return
    connection.owner = owner_of(request)
    is_bounded = length is not None and length <= READ_AWAY_BYTES_MAX
    if not is_bounded or response.status == 408 or connection.body.exception():
        response.force_close()

"""What aiohttp does with a connection, where its own way would be seen from outside.

aiohttp answers by itself what it can't read as a request, in a text that names it and its version,
past everything that every other request meets. It lets a client that `Expect`s something send its
body before anybody has asked who it is. And it keeps what nobody will read: heads of a megabyte, 32
requests sent ahead, and errors that quote all of what is no request.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiohttp import web, web_protocol
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo
from multidict import CIMultiDict, CIMultiDictProxy

from hookbundle.server.http.problems import as_bytes, problem
from hookbundle.server.http.responses import add_common_headers

if TYPE_CHECKING:
    from hookbundle.server.http.connection_guard import Guard

READ_AHEAD_BYTES = 32 * 1024  # twice as much is kept of a body that nobody reads
LINE_BYTES_MAX = 8_190
RECEIVED_AT_ONCE_BYTES = 64 * 1024

# How many requests a client may send ahead of its answers: each may have a body that waits.
web_protocol.MAX_MSG_QUEUE_SIZE = 2

log = structlog.get_logger(__name__)

Refused = Callable[[int], None]

EXPECTED = web.RequestKey("expected", str)
"""What a request's Expect header said, which aiohttp does not get to see."""

HEAD_BYTES_MAX = 64 * 1024  # of all of a request's head; aiohttp bounds only each line of it
FULL = as_bytes(503, "all connections are in use; try again soon", "Retry-After: 1")


class Inner(Protocol):
    """What reads the requests of a connection: an asyncio.Protocol that counts their heads."""

    @property
    def heads(self) -> int: ...
    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> bool | None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...


class GuardedConnection(asyncio.Protocol):
    """Stands between a connection and aiohttp; passes everything on, and knows how it stands."""

    def __init__(self, guard: "Guard", make_inner: Callable[[], Inner]) -> None:
        self._guard = guard
        self._make_inner = make_inner
        self._inner: Inner | None = None
        self.transport: asyncio.Transport | None = None
        self.owner: str | None = None
        """Empty: of one who may do everything. None: unauthenticated."""
        self.until_s = 0.0
        self.started = True
        self.served = False
        self.expects_head = True
        self.head_bytes = 0
        self._is_deaf = False
        self.refused = False
        """The caller has its share already: this one is closed once that is said."""
        self.taken_bytes = 0
        self.unread_since_s = 0.0
        """Since when the peer has taken nothing of what waits to be sent; 0: nothing waits."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not self._guard.enter(self):
            transport.write(FULL)
            transport.close()
            return
        self._inner = self._make_inner()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is None or self._is_deaf:
            return
        if not self.started:
            self._guard.heard(self)
        if not self.expects_head:
            self._inner.data_received(data)
            return
        heads = self._inner.heads
        self._inner.data_received(data)
        if self._inner.heads != heads:
            self.expects_head, self.head_bytes = False, 0
            return
        self.head_bytes += len(data)
        if self.head_bytes > HEAD_BYTES_MAX:
            self._is_deaf = True
            self._guard.refuse_head(self)

    def expect_head(self) -> None:
        """What comes from now on is the head of the next request."""
        self.expects_head, self.head_bytes = True, 0

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.leave(self)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def belong_to(self, owner: str) -> None:
        """It counts among the owner's from now on. Raises: TooManyRequests, Overloaded."""
        if self.owner != owner:
            self.refused = True
            self._guard.known(self, owner)
            self.refused = False

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class OwnRunner(web.AppRunner):
    """An AppRunner whose connections are ours. `refused` is told a status that no handler gave."""

    def __init__(self, app: web.Application, refused: Refused, **options: Any) -> None:
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,  # nothing is unpacked for somebody whom we don't know; bodies.py
            read_bufsize=READ_AHEAD_BYTES,
            max_line_size=LINE_BYTES_MAX,
            max_field_size=LINE_BYTES_MAX,
            **options,
        )
        self._refused = refused

    async def _make_server(self) -> web.Server:
        return OwnServer(await super()._make_server(), self._refused)


class OwnServer(web.Server):
    """A Server that makes requests without their Expect header."""

    def __init__(self, made: web.Server, refused: Refused) -> None:
        super().__init__(
            made.request_handler,
            request_factory=self._request,
            handler_cancellation=made.handler_cancellation,
            loop=asyncio.get_running_loop(),
            **made._kwargs,
        )
        self.refused = refused
        self._made = made

    def __call__(self) -> "Connection":
        return Connection(self, loop=self._loop, **self._kwargs)

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        expected = message.headers.get("Expect")
        if expected is None:
            return self._made.request_factory(message, payload, protocol, writer, task)
        headers = CIMultiDict(message.headers)
        headers.popall("Expect")
        message = message._replace(headers=CIMultiDictProxy(headers))
        request = self._made.request_factory(message, payload, protocol, writer, task)
        request[EXPECTED] = expected
        return request


class Connection(RequestHandler):
    """A RequestHandler that answers in our words."""

    __slots__ = ("_is_garbled",)

    def __init__(self, manager: OwnServer, **options: Any) -> None:
        super().__init__(manager, **options)
        self._is_garbled = False

    @property
    def heads(self) -> int:
        """How many heads of requests are complete."""
        return self._request_count

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if hasattr(transport, "max_size"):  # of asyncio's own transports, four times as much
            transport.max_size = RECEIVED_AT_ONCE_BYTES
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """What follows something that can't be read is not looked at, and neither is kept.

        The error quotes all that was received, and its frames hold it as well, in a circle: each
        client that sends nonsense would leave that much behind until garbage is collected.
        """
        if self._is_garbled:
            return
        super().data_received(data)
        if self._messages and isinstance(error := self._messages[-1][0], _ErrInfo):
            self._is_garbled = True
            self._messages[-1] = _ErrInfo(error.status, _forgetting(error.exc), ""), EMPTY_PAYLOAD

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._messages.clear()  # with their bodies; nobody will ask for them

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What can't be read as a request is nobody's fault but the client's: it is not logged."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client has left, or had to make room: there is nobody to be answered
        if exc is not None and status == 400:
            _forgetting(exc)
        if status == 400 and isinstance(exc, LineTooLong):
            status, detail = 431, f"a line of the head is longer than {LINE_BYTES_MAX} bytes"
        elif status == 400:
            detail = "this can't be read as a request of HTTP/1.1"
        else:
            log.error("request failed", path=request.path, exc_info=exc)
            status, detail = 500, "the daemon failed over this request; its log says why"
        if not isinstance(self._manager, OwnServer) or request.writer.output_size > 0:
            raise ConnectionResetError("the client has left, or the answer has begun already")
        self._manager.refused(status)
        response = problem(status, detail)
        add_common_headers(response)
        response.force_close()
        return response


def guarded_connection_of(request: web.Request) -> GuardedConnection | None:
    """Who watches the request's connection; None behind the Unix socket."""
    connection = request.transport.get_protocol() if request.transport else None
    return connection if isinstance(connection, GuardedConnection) else None


def _forgetting(error: BaseException) -> BaseException:
    """The error, which says no more than its class."""
    error.args, error.__traceback__ = (), None
    if isinstance(error, HttpProcessingError):
        error.message = ""
    return error

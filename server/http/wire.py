"""What aiohttp does with a connection, where its own way would be seen from outside.

aiohttp answers by itself what it can't read as a request, in a text that names it and its version,
past what every other request meets. It lets a client that `Expect`s something send its body before
anybody has asked who it is. And it keeps what nobody will read: 32 requests sent ahead, heads of a
megabyte, and errors that quote all of what is no request.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import web, web_protocol
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo
from multidict import CIMultiDict, CIMultiDictProxy

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.fairness.loop_share import Pace
from hookbundle.server.http.problems import REQUEST_ID, answer_for, shown_path
from hookbundle.server.http.responses import add_common_headers
from hookbundle.server.http.sockets.framing import Framing

READ_AHEAD_BYTES = 32 * 1024  # twice as much is kept of a body that nobody reads
LINE_BYTES_MAX = 8_190
READ_AWAY_S = 10.0
# From one owner, on all connections: a twentieth of the loop's time. The largest takes .5 s.
READ_AWAY_BYTES_A_SECOND = 16 * 1024 * 1024

# How many requests a client may send ahead of its answers: each may have a body that waits.
web_protocol.MAX_MSG_QUEUE_SIZE = 2

log = structlog.get_logger(__name__)

Refused = Callable[[int], None]
MakeConnection = Callable[..., "Connection"]

EXPECTED = web.RequestKey("expected", str)
"""What a request's Expect header said, which aiohttp does not get to see."""


class SmallChunks(web.RequestPayloadError):
    """A body whose framing takes more than it may, beside what is framed."""


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
    """A Server that makes requests without their Expect header, and connections by `connection`."""

    def __init__(self, made: web.Server, refused: Refused) -> None:
        super().__init__(
            made.request_handler,
            request_factory=self._request,
            handler_cancellation=made.handler_cancellation,
            loop=asyncio.get_running_loop(),
            **made._kwargs,
        )
        self.refused = refused
        self.connection: MakeConnection = Connection
        self.pace = Pace(READ_AWAY_BYTES_A_SECOND)
        self.is_ending = False  # each answer is its connection's last
        self._made = made

    def __call__(self) -> "Connection":
        return self.connection(self, loop=self._loop, **self._kwargs)

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        assert isinstance(protocol, Connection)
        protocol.body = payload
        protocol.waited_s, protocol.held_s = protocol.held_s, 0.0
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
    """A RequestHandler that answers in our words.

    `body`: that of the last request which was begun. `owner`: whose it is, if it is known.
    `waited_s`: how long that request had been there before aiohttp got it; `held_s`: the same of
    the one that is begun next.
    `on_lost`: what a handler that waits for something else wants to be called with the connection's
    end; handlers are not cancelled.
    """

    __slots__ = (
        "_framing",
        "_is_deaf",
        "_pace",
        "body",
        "held_s",
        "on_lost",
        "owner",
        "waited_s",
    )

    def __init__(self, manager: OwnServer, **options: Any) -> None:
        super().__init__(manager, lingering_time=0.0, **options)  # see finish_response
        self._is_deaf = False
        self._pace = manager.pace
        self._framing = Framing()
        self.owner = ""
        self.held_s = self.waited_s = 0.0
        self.body: StreamReader = EMPTY_PAYLOAD
        self.on_lost: Callable[[], None] | None = None

    @property
    def heads(self) -> int:
        """How many heads of requests are complete."""
        return self._request_count

    @property
    def is_in_body(self) -> bool:
        """Whether what comes next belongs to the last of these, or is not even looked at."""
        return self._is_deaf or not self._last_body.is_eof()

    @property
    def _last_body(self) -> StreamReader:
        return self._messages[-1][1] if self._messages else self.body

    def takes(self, data: bytes) -> bool:
        """Whether it has begun a request with these bytes, past aiohttp; `data_received` gets them
        otherwise. Asked by who stands in front of the connection, of all that is received."""
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._framing.begin(transport)

    def data_received(self, data: bytes) -> None:
        """What follows something that can't be read is not looked at, and neither is kept.

        The error quotes all that was received, and its frames hold it as well, in a circle: each
        client that sends nonsense would leave that much behind until garbage is collected.
        """
        if self._is_deaf:
            if data:
                self._rest(len(data))
            return
        body = self._messages[-1][1] if self._messages else self.body
        super().data_received(data)
        if self._messages and isinstance(error := self._messages[-1][0], _ErrInfo):
            self._is_deaf = True
            self._messages[-1] = _ErrInfo(error.status, _forgetting(error.exc), ""), EMPTY_PAYLOAD
            if not body.is_eof():
                body.set_exception(web.RequestPayloadError("garbled"))
        elif body.is_eof():
            self._framing.end(self.transport)
        elif self._framing.is_too_much(self.transport, len(data), body.total_bytes):
            self._is_deaf = True
            body.set_exception(SmallChunks("the chunks are too small"))

    def _rest(self, size: int) -> None:
        """So much was received in vain; nothing more is for a while."""
        if isinstance(transport := self.transport, asyncio.ReadTransport):
            transport.pause_reading()
            self._loop.call_later(self._pace.rest_s(self.owner, size), transport.resume_reading)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """The answer is sent, and what nobody read of the body is read away.

        If the connection ends with this answer, what still comes is not even looked at. It is
        received nevertheless: a client that is still sending would be reset, and lose the answer.
        """
        if isinstance(self._manager, OwnServer) and self._manager.is_ending:
            resp.force_close()
        resp, is_lost = await super().finish_response(request, resp, start_time)
        if is_lost or self._force_close or not (self._is_deaf or self.is_in_body):
            return resp, is_lost
        self._request_in_progress = False  # nobody has to wait for this if the daemon stops
        try:
            async with asyncio.timeout(READ_AWAY_S):
                if not (resp.keep_alive and await self._read_away()):
                    await self._until_lost()
        except TimeoutError:
            pass  # aiohttp closes the connection, because the body has not come to its end
        return resp, False

    async def _read_away(self) -> bool:
        """Whether the body came to its end. Raises: ConnectionError if the client left."""
        lost = asyncio.Event()
        self.on_lost = lost.set
        try:
            while self.transport is not None and not self.body.is_eof():
                size = len(await self.body.readany())
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), self._pace.rest_s(self.owner, size))
        except web.RequestPayloadError:
            return False
        return self.body.is_eof()

    async def _until_lost(self) -> None:
        """The client has heard that this was the last answer, and has hung up."""
        lost = asyncio.Event()
        self.on_lost = lost.set
        self._is_deaf = True
        self.resume_reading()
        if self.transport is None:
            return
        try:
            self.transport.write_eof()
        except OSError as exc:  # the kernel knows already that the client has left
            raise ConnectionResetError(str(exc)) from None
        await lost.wait()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Who reads or writes meets a ConnectionError, whatever the network's own was.

        Not by way of the future that a writer waits for: error, frames and future would be a
        circle, and keep what was to be written until garbage is collected.
        """
        super().connection_lost(None)
        self._messages.clear()  # with their bodies; nobody will ask for them
        if not self.body.is_eof() and self.body.exception() is None:
            self.body.set_exception(ConnectionResetError("the client has left"))
        if self.on_lost is not None:
            self.on_lost()

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
        code = Code.UNREADABLE_REQUEST if status == 400 else Code.INTERNAL_ERROR
        error = HookbundleError.of(code)
        if status == 400 and isinstance(exc, LineTooLong):
            error = HookbundleError.of(Code.HEAD_LINE_TOO_LONG, most=LINE_BYTES_MAX)
        response = answer_for(error)
        if error.status == 500:
            request_id = response.headers[REQUEST_ID]
            path = shown_path(request)
            log.error("request failed", path=path, request_id=request_id, exc_info=exc)
        if not isinstance(self._manager, OwnServer) or request.writer.output_size > 0:
            raise ConnectionResetError("the client has left, or the answer has begun already")
        self._manager.refused(error.status)
        add_common_headers(response)
        response.force_close()
        return response


def holds(request: web.Request, key: web.RequestKey[Any]) -> bool:
    """As `key in request`, without the KeyError that this raises and catches if it is not there."""
    return key in iter(request)


def _forgetting(error: BaseException) -> BaseException:
    """The error, which says no more than its class."""
    error.args, error.__traceback__ = (), None
    if isinstance(error, HttpProcessingError):
        error.message = ""
    return error

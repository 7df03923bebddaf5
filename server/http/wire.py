"""What aiohttp does with a connection, where its own way would be seen from outside.

aiohttp answers by itself what it can't read as a request, in a text that names it and its version,
past everything that every other request meets. And it lets a client that `Expect`s something send
its body before anybody has asked who it is. Both are ours here.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict, CIMultiDictProxy

from hookbundle.server.http.bodies import EXPECTED
from hookbundle.server.http.problems import problem
from hookbundle.server.http.responses import add_common_headers

READ_AHEAD_BYTES = 32 * 1024  # twice as much is kept of a body that nobody reads
LINE_BYTES_MAX = 8_190

log = structlog.get_logger(__name__)

Refused = Callable[[int], None]


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

    def __call__(self) -> RequestHandler:
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
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What can't be read as a request is nobody's fault but the client's: it is not logged."""
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

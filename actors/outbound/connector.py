"""The connections beneath a webhook request: what aiohttp's connector must do differently.

aiohttp does not say how far a request got when it fails. `RequestProgress` records it, in a context
variable, because aiohttp passes nothing of the caller's down to its connector and sockets.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection, SocketFactoryType
from aiohttp.http import HttpProcessingError
from aiohttp.tracing import Trace

# A reused connection may have been closed by the receiver a moment ago, and then it is unknown
# whether the receiver saw the request. Few receivers close within two seconds, and the next
# delivery of a busy queue comes sooner than that.
IDLE_S_MAX = 2.0
# Of what a receiver sends for one request; then it is cut off. Of a body 16 KiB are read. The rest
# are heads, and there may be thousands: `100 Continue` again and again, or answers that nobody
# asked for. Each costs work and memory.
RECEIVED_BYTES_MAX = 256 * 1024
RECEIVED_AT_ONCE_BYTES = 16 * 1024


class ForbiddenAddressError(OSError):
    """Raised in place of a socket. An OSError, so that the next address of the name is tried."""


@dataclass(slots=True)
class RequestProgress:
    """How far one request has got. `owner`: the number of the workspace it is made for.

    `refusals`: why addresses of its host may not be called.
    """

    owner: int = 0
    refusals: list[str] = field(default_factory=list)
    sockets: int = 0
    connected: bool = False
    response: aiohttp.ClientResponse | None = None
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False


PROGRESS: ContextVar[RequestProgress] = ContextVar("progress")


class HeadFirstProtocol(ResponseHandler):
    """Parses the head of a response before the bytes that follow it, and not without end.

    Fed both at once, aiohttp's parser drops a head it has understood when the bytes behind it are
    bad. Receivers that miscount their Content-Length are common (characters for bytes), and a
    delivery they accepted would be sent to them again and again.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.received_bytes = 0  # since the last request began

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if hasattr(transport, "max_size"):  # of asyncio's own transports, sixteen times as much
            transport.max_size = RECEIVED_AT_ONCE_BYTES
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.received_bytes += len(data)
        if self.received_bytes > RECEIVED_BYTES_MAX:
            if self.transport is not None:
                self.transport.abort()
            self.set_exception(HttpProcessingError(message="there is no end to it"))
            return
        cut = data.find(b"\r\n\r\n") + 4
        if 4 <= cut < len(data):
            super().data_received(data[:cut])
            data = data[cut:]
        super().data_received(data)


class WebhookConnector(aiohttp.TCPConnector):
    """Records when a request has got its connection: from then on the receiver may see it."""

    def __init__(self, *, socket_factory: SocketFactoryType, resolver: AbstractResolver) -> None:
        super().__init__(
            socket_factory=socket_factory,
            resolver=resolver,
            use_dns_cache=False,  # LookUps has one, which knows who asks
            keepalive_timeout=IDLE_S_MAX,
            limit=0,
            limit_per_host=0,
        )
        # A private name of aiohttp. The pinned version and the tests of miscounted bodies would
        # show if it went away.
        self._factory = cast(partial[ResponseHandler], partial(HeadFirstProtocol, loop=self._loop))

    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        # Bytes that the receiver sent while the connection was idle would be taken for the
        # response to this request.
        while connection.protocol is not None and connection.protocol.should_close:
            connection.close()
            connection = await super().connect(req, traces, timeout)
        if isinstance(connection.protocol, HeadFirstProtocol):
            connection.protocol.received_bytes = 0
        PROGRESS.get().connected = True
        return connection

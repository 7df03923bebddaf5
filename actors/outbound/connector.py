"""The connections beneath a webhook request: what aiohttp's connector must do differently.

aiohttp does not say how far a request got when it fails. `RequestProgress` records it, in a context
variable, because aiohttp passes nothing of the caller's down to its connector and sockets.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, cast

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest, ConnectionKey
from aiohttp.connector import Connection, SocketFactoryType
from aiohttp.tracing import Trace

from hookbundle.actors.outbound.answer import Answer
from hookbundle.actors.outbound.connection import IDLE_S_MAX, ReceiverConnection
from hookbundle.actors.outbound.proxy import Handshake, Proxy, judge, reach, start_tls, tunnel
from hookbundle.actors.outbound.request import Route
from hookbundle.engine.delivery.addresses import AddressPolicy

# A look-up, or the way to a proxy, must leave time to connect.
SHARE_OF_CONNECT = 0.8


class ForbiddenAddressError(OSError):
    """Raised in place of a socket. An OSError, so that the next address of the name is tried."""


@dataclass(slots=True)
class RequestProgress:
    """How far one request has got. `owner`: the number of the workspace it is made for.

    `refusals`: why addresses of its host may not be called. `wants_new`: a connection that was used
    before won't do. `sent`: how many times the request went out. `tokens`: it was sent with; while
    `is_fetching`, one is being fetched.
    """

    owner: int = 0
    refusals: list[str] = field(default_factory=list)
    sockets: int = 0
    wants_new: bool = False
    connected: bool = False
    sent: int = 0
    answer: Answer | None = None
    tokens: list[str] = field(default_factory=list)
    is_fetching: bool = False


PROGRESS: ContextVar[RequestProgress] = ContextVar("progress")


class WebhookConnector(aiohttp.TCPConnector):
    """Makes connections, and records when a request has got one: from then on the receiver may see
    it. Keeps them for as long as they are fit.

    For aiohttp they are in use until they are closed, so its own store of them stays empty: it
    would make an object for each request. `_factory` is a private name of aiohttp. The pinned
    version and the tests of answers would show if it went away.
    """

    def __init__(
        self,
        *,
        socket_factory: SocketFactoryType,
        resolver: AbstractResolver,
        connect_timeout_s: float,
        now_s: Callable[[], float],
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        policy: AddressPolicy | None = None,
    ) -> None:
        """`policy`: of what the proxy is asked for; without a proxy the sockets are judged."""
        super().__init__(
            socket_factory=socket_factory,
            resolver=resolver,
            use_dns_cache=False,  # LookUps has one, which knows who asks
            limit=0,
            limit_per_host=0,
            ssl=True if tls is None else tls,
        )
        self._proxy = proxy
        self._policy = policy or AddressPolicy()
        self._reach_within_s = SHARE_OF_CONNECT * connect_timeout_s
        self._kept: dict[ConnectionKey, list[Connection]] = {}  # the last used is the last one
        self._sweep_alarm: asyncio.TimerHandle | None = None
        self._factory = cast(Any, partial(ReceiverConnection, self._loop, now_s))
        self._limits = aiohttp.ClientTimeout(
            total=None,  # the caller has one deadline; a second would cost time
            connect=connect_timeout_s,
            ceil_threshold=3_600,  # longer ones would be rounded up to whole seconds
        )

    async def connection(self, route: Route) -> Connection:
        """Raises: aiohttp.ClientError, OSError."""
        progress = PROGRESS.get()
        found = None if progress.wants_new else self._taken(route.key)
        if found is None:
            try:
                found = await self.connect(route.request(), [], self._limits)
            except TimeoutError as exc:
                raise aiohttp.ConnectionTimeoutError("no connection in time") from exc
        progress.connected = True
        return found

    def give_back(self, route: Route, connection: Connection) -> None:
        """It is kept only if another request may follow; else it is closed."""
        if self.closed or cast(ReceiverConnection, connection.protocol).should_close:
            connection.close()
            return
        self._kept.setdefault(route.key, []).append(connection)
        if self._sweep_alarm is None:
            self._sweep_alarm = self._loop.call_later(IDLE_S_MAX, self._sweep)

    async def close(self, *, abort_ssl: bool = False) -> None:
        if self._sweep_alarm is not None:
            self._sweep_alarm.cancel()
        await super().close(abort_ssl=abort_ssl)  # all of them, as they are in use
        for connection in chain.from_iterable(self._kept.values()):
            connection.close()
        self._kept.clear()

    def _taken(self, key: ConnectionKey) -> Connection | None:
        kept = self._kept.get(key)
        while kept:
            found = kept.pop()
            if _is_fit(found):
                return found
            found.close()
        return None

    def _sweep(self) -> None:
        """Closes those that nobody may use any more."""
        before, self._kept = self._kept, {}
        for key, connections in before.items():
            fit = [each for each in connections if _is_fit(each)]
            for each in connections:
                if not _is_fit(each):
                    each.close()
            if fit:
                self._kept[key] = fit
        again = bool(self._kept)
        self._sweep_alarm = self._loop.call_later(IDLE_S_MAX, self._sweep) if again else None

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        if self._proxy is None:
            return await super()._create_connection(req, traces, timeout)
        proxy, host, port = self._proxy, req.url.raw_host or "", req.url.port or 0
        refusal = await judge(self._policy, proxy, host, port, partial(self._look_up, req))
        if refusal is not None:
            PROGRESS.get().refusals.append(refusal)
            raise ForbiddenAddressError(refusal)
        context = self._get_ssl_context(req)
        factory = Handshake if context else self._factory
        transport, protocol = await reach(proxy, self._resolver, factory, self._reach_within_s)
        if context is None:
            return cast(ResponseHandler, protocol)
        try:
            authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            await tunnel(proxy, transport, cast(Handshake, protocol), authority)
            own = self._factory()
            await start_tls(transport, own, context, host.rstrip("."))
        except ssl.CertificateError as exc:
            transport.abort()
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, exc) from exc
        except ssl.SSLError as exc:
            transport.abort()
            raise aiohttp.ClientConnectorSSLError(req.connection_key, exc) from exc
        except ConnectionError as exc:
            transport.abort()
            raise aiohttp.ClientConnectorError(req.connection_key, exc) from exc
        except BaseException:
            transport.abort()
            raise
        return own

    async def _look_up(self, req: ClientRequest) -> list[str]:
        """Addresses of the receiver's host. Raises: aiohttp.ClientConnectorDNSError."""
        try:
            found = await self._resolver.resolve(req.url.raw_host or "", req.url.port or 0)
        except OSError as exc:
            raise aiohttp.ClientConnectorDNSError(req.connection_key, exc) from exc
        return [one["host"] for one in found]


def _is_fit(connection: Connection) -> bool:
    return cast(ReceiverConnection, connection.protocol).is_fit

"""The only module that sends HTTP requests: one attempt in, its result out, never an error.

A receiver is not trusted. Its address may be inside the operator's network, so the address of
every socket is checked when the socket is made, after the last DNS look-up. It may send without
end, so time and bytes are bounded. There are no redirects, cookies, proxies or decompression here.
The result is a `Response` if a status line was read, else a `NoResponse`. The caller bounds how
many attempts run at once; nothing queues here.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Protocol, cast

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType

from hookbundle.actors.outbound.answer import Answer
from hookbundle.actors.outbound.connection import ReceiverConnection
from hookbundle.actors.outbound.connector import (
    PROGRESS,
    ForbiddenAddressError,
    RequestProgress,
    WebhookConnector,
)
from hookbundle.actors.outbound.errors import EndedError, NotHttpError, classify
from hookbundle.actors.outbound.look_ups import SHARE_OF_CONNECT, LookUps
from hookbundle.actors.outbound.request import Route, UnsendableError, head_of, route_to
from hookbundle.actors.outbound.resolvers import (
    BY_DNS,
    SYSTEM_THREADS,
    ResolverConfig,
    new_resolver,
)
from hookbundle.engine.delivery.addresses import AddressPolicy, port_refusal, url_faults
from hookbundle.engine.delivery.outcomes import (
    AttemptLimits,
    ErrorClass,
    HttpResult,
    NoResponse,
    Response,
)
from hookbundle.engine.delivery.targets import target_of
from hookbundle.engine.error_codes import Term
from hookbundle.engine.fairness.fair_limit import FairLimit

BODY_STORED_BYTES_MAX = 4 * 1024
URLS_REMEMBERED = 4_096
# How long after the deadline of its last attempt a replaced connector is closed.
RETIRED_S = 1.0
# No fewer than there are attempts at once: after a start all names are new.
LOOK_UPS_MAX = 2_048


class LimitHolder(Protocol):
    limit: asyncio.Timeout | None


class GuardedClient:
    """Call `open()` before the first `post()`, in the loop that will use it, and `close()` last."""

    def __init__(
        self,
        policy: AddressPolicy,
        limits: AttemptLimits,
        user_agent: str,
        resolver: ResolverConfig | AbstractResolver = BY_DNS,
        now_s: Callable[[], float] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`resolver`: which to make, or the one to use. `now_s`: by default the loop's time; what
        is remembered and kept goes by it. `tls`: whom to trust, by default whom this machine does.
        """
        self._policy = policy
        self._limits = limits
        self.headers = {
            "User-Agent": user_agent,
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }
        self._resolver = resolver
        in_threads = isinstance(resolver, ResolverConfig) and resolver.kind == "system"
        self.look_ups_limit: FairLimit[int] = FairLimit(
            "look_ups", Term.LOOK_UPS, SYSTEM_THREADS if in_threads else LOOK_UPS_MAX
        )
        self._given_now_s = now_s
        self._tls = tls
        self._look_ups: LookUps | None = None
        self._connector: WebhookConnector | None = None
        self._retired: list[WebhookConnector] = []
        self._closing: asyncio.Future[None] | None = None
        # The same few thousand URLs are called over and over; reading one costs 5 % of a call.
        self._route = lru_cache(URLS_REMEMBERED)(self._new_route)

    async def open(self) -> None:
        resolver = self._resolver
        if isinstance(resolver, ResolverConfig):
            resolver = new_resolver(resolver, self._look_up_s)
        self._look_ups = LookUps(resolver, self.look_ups_limit, self._look_up_s, self._now_s)
        self._connector = self._new_connector(self._look_ups)

    def change(self, policy: AddressPolicy, limits: AttemptLimits) -> None:
        """The next attempt uses these, over a connection whose address was checked by them.

        Attempts under way keep the old ones; their connections are closed after the last of them.
        """
        assert self._connector is not None, "open() comes before change()"
        assert self._look_ups is not None
        loop = asyncio.get_running_loop()
        self._retired.append(self._connector)
        loop.call_later(self._total_s + RETIRED_S, self._close_retired, self._connector)
        self._policy, self._limits = policy, limits
        self._connector = self._new_connector(self._look_ups)

    @property
    def _total_s(self) -> float:
        return self._limits.total_timeout_ms / 1_000

    def _look_up_s(self) -> float:
        return SHARE_OF_CONNECT * self._limits.connect_timeout_ms / 1_000

    @property
    def _now_s(self) -> Callable[[], float]:
        return self._given_now_s or asyncio.get_running_loop().time

    def _close_retired(self, connector: WebhookConnector) -> None:
        if connector in self._retired:
            self._retired.remove(connector)
            self._closing = asyncio.ensure_future(connector.close())

    def _new_connector(self, look_ups: LookUps) -> WebhookConnector:
        return WebhookConnector(
            socket_factory=partial(_guarded_socket, self._policy),
            resolver=look_ups,
            connect_timeout_s=self._limits.connect_timeout_ms / 1_000,
            now_s=self._now_s,
            tls=self._tls,
        )

    def _new_route(self, url: str) -> Route | str:
        """How to call the URL, or why it can't be called."""
        faults = url_faults(url)
        if faults:
            return "the URL " + "; ".join(faults)
        return route_to(target_of(url), self.headers)

    async def close(self) -> None:
        """Attempts under way have ended, as if the receivers had closed their connections."""
        for retired in self._retired:
            await retired.close()
        self._retired.clear()
        if self._connector is not None:
            await self._connector.close()
            self._connector = None
        if self._look_ups is not None:
            await self._look_ups.close()

    async def post(
        self,
        url: str,
        body: bytes,
        headers: dict[str, str],
        owner: int = 0,
        holder: LimitHolder | None = None,
        *,
        once: bool = False,
    ) -> HttpResult:
        """The result of one POST of `body` to `url`; only cancellation is raised.

        `owner`: the number of the workspace, whose share of look-ups it may need. `holder` gets the
        time limit, and may bring it forward as long as this runs. `once`: the request may not go
        out a second time, so it gets a new connection.
        """
        assert self._connector is not None, "open() comes before post()"
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        progress = RequestProgress(owner, wants_new=once)
        cause = ErrorClass.RESET, "the connection ended before an answer came"
        token = PROGRESS.set(progress)
        try:
            route = self._route(url)
            if isinstance(route, str):
                cause = ErrorClass.INVALID_URL, route
            else:
                head = head_of(route, headers, body)
                async with asyncio.timeout(self._total_s) as limit:
                    if holder is not None:
                        holder.limit = limit
                    await _exchange(self._connector, progress, route, head, body)
        except UnsendableError as exc:
            cause = ErrorClass.LOCAL, str(exc)
        except (aiohttp.ClientError, NotHttpError, EndedError, OSError) as exc:
            cause = _cause(exc, progress)
        finally:
            PROGRESS.reset(token)
        duration_ms = round((loop.time() - started_s) * 1_000)
        requests = max(progress.sent, 1)
        answer = progress.answer
        if answer is not None and answer.head is not None:
            read = bytes(answer.body)
            return Response(
                status=answer.head.status,
                headers=tuple(answer.head.headers),
                body=read[:BODY_STORED_BYTES_MAX],
                read=read,
                is_complete=answer.is_complete,
                truncated=not answer.is_complete or len(answer.body) > BODY_STORED_BYTES_MAX,
                duration_ms=duration_ms,
                requests=requests,
            )
        error, detail = cause
        return NoResponse(
            error=error,
            detail=detail,
            sent=progress.connected,
            duration_ms=duration_ms,
            requests=requests,
        )


async def _exchange(
    connector: WebhookConnector,
    progress: RequestProgress,
    route: Route,
    head: bytes,
    body: bytes,
) -> None:
    """The status is known, in `progress`.

    A receiver may close a connection at rest just when a request leaves. So where a connection that
    was used before ends without one byte of an answer, the request goes out once more, over a new
    one. It may then have come twice, as every delivery may.

    Raises: NotHttpError, EndedError; what connecting raises.
    """
    while True:
        connection = await connector.connection(route)
        protocol = cast(ReceiverConnection, connection.protocol)
        was_used = protocol.uses > 0
        progress.answer = answer = Answer()
        progress.sent += 1
        try:
            await protocol.exchange(head, body, answer)
        finally:
            # It is kept only if another request may follow; else it is closed.
            connection.release()
        if answer.head is not None:
            return
        if not answer.is_http:
            raise NotHttpError
        if not was_used or answer.received_bytes:
            raise EndedError(protocol.ended_by)
        progress.wants_new = True


def _guarded_socket(policy: AddressPolicy, address: AddrInfoType) -> socket.socket:
    """A new socket for the address.

    Raises: ForbiddenAddressError if the policy forbids the address or the port.
    """
    family, kind, proto, _, sockaddr = address
    refusal = policy.refusal(str(sockaddr[0])) or port_refusal(int(sockaddr[1]))
    progress = PROGRESS.get()
    if refusal is not None:
        progress.refusals.append(refusal)
        raise ForbiddenAddressError(refusal)
    progress.sockets += 1
    return socket.socket(family=family, type=kind, proto=proto)


def _cause(exc: BaseException, progress: RequestProgress) -> tuple[ErrorClass, str]:
    if progress.refusals and not progress.sockets:
        kinds = ", ".join(sorted(set(progress.refusals)))
        return ErrorClass.FORBIDDEN_ADDRESS, f"the address may not be called: {kinds}"
    return classify(exc)

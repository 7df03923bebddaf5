"""The only module that sends HTTP requests: one attempt in, its result out, never an error.

A receiver is not trusted. Its address may be inside the operator's network, so the address of
every socket is checked when the socket is made, after the last DNS look-up. It may send without
end, so time and bytes are bounded. There are no redirects, cookies or decompression here.
The result is a `Response` if a status line was read, else a `NoResponse`. The caller bounds how
many attempts run at once; nothing queues here.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Protocol

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType

from hookbundle.actors.outbound.connector import (
    PROGRESS,
    SHARE_OF_CONNECT,
    ForbiddenAddressError,
    RequestProgress,
    WebhookConnector,
)
from hookbundle.actors.outbound.deadlines import Deadline, Deadlines
from hookbundle.actors.outbound.errors import EndedError, NotHttpError
from hookbundle.actors.outbound.exchanging import Line, call, call_with_token
from hookbundle.actors.outbound.look_ups import LookUps
from hookbundle.actors.outbound.proxy import Proxy
from hookbundle.actors.outbound.request import Route, UnsendableError, route_to
from hookbundle.actors.outbound.resolvers import (
    BY_DNS,
    SYSTEM_THREADS,
    ResolverConfig,
    new_resolver,
)
from hookbundle.actors.outbound.results import TOKEN_TOO_LATE, cause_of, result_of, token_error
from hookbundle.actors.outbound.tokens import TokenError, Tokens
from hookbundle.engine.delivery.addresses import AddressPolicy, port_refusal, url_faults
from hookbundle.engine.delivery.outcomes import (
    AttemptLimits,
    ErrorClass,
    HttpResult,
)
from hookbundle.engine.delivery.targets import target_of
from hookbundle.engine.error_codes import Term
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.requests.fields import has_accept
from hookbundle.engine.requests.oauth import Token, token_of, token_request
from hookbundle.engine.requests.request import PLAIN, OAuth2, Request

URLS_REMEMBERED = 4_096
# How long after the deadline of its last attempt a replaced connector is closed.
RETIRED_S = 1.0
# No fewer than there are attempts at once: after a start all names are new.
LOOK_UPS_MAX = 2_048


class LimitHolder(Protocol):
    limit: Deadline | None


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
        proxy: Proxy | None = None,
    ) -> None:
        """`resolver`: which to make, or the one to use. `now_s`: by default the loop's time; what
        is remembered and kept goes by it. `tls`: whom to trust and who we are, by default whom this
        machine trusts. `proxy`: the only way out, if there is one.
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
        self._proxy = proxy
        self._tokens = Tokens(self._time_s)
        self._look_ups: LookUps | None = None
        self._connector: WebhookConnector | None = None
        self._deadlines: Deadlines | None = None
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
        self._deadlines = Deadlines(self._total_s)

    def change(
        self,
        policy: AddressPolicy,
        limits: AttemptLimits,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        """The next attempt uses these, over a connection that was made by them.

        Attempts under way keep the old ones; their connections are closed after the last of them.
        """
        assert self._connector is not None, "open() comes before change()"
        assert self._look_ups is not None
        loop = asyncio.get_running_loop()
        self._retired.append(self._connector)
        loop.call_later(self._total_s + RETIRED_S, self._close_retired, self._connector)
        self._policy, self._limits = policy, limits
        self._tls, self._proxy = tls, proxy
        self._route.cache_clear()
        self._connector = self._new_connector(self._look_ups)
        self._deadlines = Deadlines(self._total_s)

    @property
    def _total_s(self) -> float:
        return self._limits.total_timeout_ms / 1_000

    def _look_up_s(self) -> float:
        return SHARE_OF_CONNECT * self._limits.connect_timeout_ms / 1_000

    @property
    def _now_s(self) -> Callable[[], float]:
        return self._given_now_s or asyncio.get_running_loop().time

    def _time_s(self) -> float:
        return self._now_s()

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
            proxy=self._proxy,
            policy=self._policy,
        )

    def _new_route(self, url: str, method: str, has_accept: bool) -> Route | str:
        """How to call the URL, or why it can't be called."""
        faults = url_faults(url)
        if faults:
            return "the URL " + "; ".join(faults)
        headers = self.headers
        if has_accept:
            headers = {name: value for name, value in headers.items() if name != "Accept"}
        return self._route_to(url, headers, method)

    def _route_to(self, url: str, headers: dict[str, str], method: str = "POST") -> Route:
        target = target_of(url)
        whole_url = self._proxy is not None and not target.is_tls
        if self._proxy is not None and whole_url:
            headers = {**headers, **self._proxy.credentials}
        return route_to(target, headers, method, whole_url=whole_url)

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
        request: Request = PLAIN,
        webhook: int = 0,
    ) -> HttpResult:
        """The result of one request of `body` to `url`; only cancellation is raised.

        `owner`: the number of the workspace, whose share of look-ups it may need. `holder` gets the
        time limit, and may bring it forward as long as this runs. `once`: the request may not go
        out a second time, so it gets a new connection. `request`: with which method, headers and
        credentials. `webhook`: the number of the one whose access tokens are kept.
        """
        assert self._connector is not None, "open() comes before post()"
        assert self._deadlines is not None
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        progress = RequestProgress(owner, wants_new=once)
        cause = ErrorClass.RESET, "the connection ended before an answer came"
        in_time = True
        context = PROGRESS.set(progress)
        try:
            route = self._route(url, request.method, request is not PLAIN and has_accept(request))
            if isinstance(route, str):
                cause = ErrorClass.INVALID_URL, route
            else:
                line = Line(self._connector, self._tokens, self._proxy is not None)
                with self._deadlines.begin() as limit:
                    if holder is not None:
                        holder.limit = limit
                    if isinstance(request.auth, OAuth2):
                        fetch = partial(self._fetch, line, owner)
                        await call_with_token(
                            line, progress, route, headers, body, request, webhook, fetch, once=once
                        )
                    else:
                        await call(line, progress, route, headers, body, request)
        except UnsendableError as exc:
            cause = ErrorClass.LOCAL, str(exc)
        except TokenError as exc:
            cause, in_time = (exc.error, exc.detail), exc.in_time
        except (aiohttp.ClientError, NotHttpError, EndedError, OSError) as exc:
            in_time = not (progress.is_fetching or isinstance(exc, TimeoutError))
            cause = TOKEN_TOO_LATE if progress.is_fetching else cause_of(exc, progress)
        finally:
            PROGRESS.reset(context)
        return result_of(progress, cause, round((loop.time() - started_s) * 1_000), in_time)

    async def _fetch(self, line: Line, owner: int, auth: OAuth2) -> Token:
        """An access token of its endpoint, which is called as a receiver is. Raises: TokenError."""
        faults = url_faults(auth.token_url)
        if faults:
            raise TokenError(ErrorClass.AUTH, "the token URL " + "; ".join(faults))
        headers, body = token_request(auth)
        common = {name: self.headers[name] for name in ("User-Agent", "Accept-Encoding")}
        progress = RequestProgress(owner)
        context = PROGRESS.set(progress)
        try:
            await call(line, progress, self._route_to(auth.token_url, common), headers, body)
        except UnsendableError as exc:
            raise TokenError(ErrorClass.LOCAL, str(exc)) from exc
        except (aiohttp.ClientError, NotHttpError, EndedError, OSError) as exc:
            raise token_error(*cause_of(exc, progress)) from exc
        finally:
            PROGRESS.reset(context)
        answer = progress.answer
        assert answer is not None
        assert answer.head is not None
        found = token_of(answer.head.status, bytes(answer.body), is_whole=answer.is_complete)
        if isinstance(found, str):
            raise TokenError(ErrorClass.AUTH, found)
        return found


def _guarded_socket(policy: AddressPolicy, address: AddrInfoType) -> socket.socket:
    """A new socket for the address.

    Raises: ForbiddenAddressError if the policy forbids the address or the port.
    """
    family, kind, proto, _, sockaddr = address
    ip, port = str(sockaddr[0]), int(sockaddr[1])
    refusal = policy.refusal(ip, port) or port_refusal(port)
    progress = PROGRESS.get()
    if refusal is not None:
        progress.refusals.append(refusal)
        raise ForbiddenAddressError(refusal)
    progress.sockets += 1
    return socket.socket(family=family, type=kind, proto=proto)

"""The only module that sends HTTP requests: one attempt in, its result out, never an error.

A receiver is not trusted. Its address may be inside the operator's network, so the address of
every socket is checked when the socket is made, after the last DNS look-up. It may send without
end, so time and bytes are bounded. It may redirect, so redirects are not followed; nor are
cookies or the environment's proxies used. The result is a `Response` if a status line was read,
else a `NoResponse`. The caller bounds how many attempts run at once; nothing queues here.
"""

import asyncio
import io
import socket
from functools import lru_cache
from typing import Protocol

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType
from aiohttp.http import HttpProcessingError

from hookbundle.actors.outbound.connector import (
    PROGRESS,
    ForbiddenAddressError,
    RequestProgress,
    WebhookConnector,
)
from hookbundle.actors.outbound.errors import classify
from hookbundle.actors.outbound.look_ups import SHARE_OF_CONNECT, LookUps
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
from hookbundle.engine.error_codes import Term
from hookbundle.engine.fair_limit import FairLimit

BODY_READ_BYTES_MAX = 16 * 1024
BODY_STORED_BYTES_MAX = 4 * 1024
HEADERS_STORED_MAX = 64
HEADER_VALUE_CHARS_MAX = 1_024
HEADERS_STORED_CHARS_MAX = 8 * 1024

URLS_REMEMBERED = 4_096
# How long after the deadline of its last attempt a replaced session is closed.
RETIRED_S = 1.0
# aiohttp warns about longer bodies given as plain bytes.
PLAIN_BODY_BYTES_MAX = 2**20
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
    ) -> None:
        """`resolver`: which to make, or the one to use."""
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
        self._look_ups: LookUps | None = None
        self._session: aiohttp.ClientSession | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._closing: asyncio.Future[None] | None = None
        # The same few thousand URLs are called over and over; checking one costs 5 % of a call.
        self._url_faults = lru_cache(URLS_REMEMBERED)(url_faults)

    async def open(self) -> None:
        resolver = self._resolver
        if isinstance(resolver, ResolverConfig):
            resolver = new_resolver(resolver, self._look_up_s)
        now_s = asyncio.get_running_loop().time
        self._look_ups = LookUps(resolver, self.look_ups_limit, self._look_up_s, now_s)
        self._session = self._new_session(self._look_ups)

    def change(self, policy: AddressPolicy, limits: AttemptLimits) -> None:
        """The next attempt uses these, over a connection whose address was checked by them.

        Attempts under way keep the old ones; their connections are closed after the last of them.
        """
        assert self._session is not None, "open() comes before change()"
        assert self._look_ups is not None
        loop = asyncio.get_running_loop()
        self._retired.append(self._session)
        loop.call_later(self._total_s + RETIRED_S, self._close_retired, self._session)
        self._policy, self._limits = policy, limits
        self._session = self._new_session(self._look_ups)

    @property
    def _total_s(self) -> float:
        return self._limits.total_timeout_ms / 1_000

    def _look_up_s(self) -> float:
        return SHARE_OF_CONNECT * self._limits.connect_timeout_ms / 1_000

    def _close_retired(self, session: aiohttp.ClientSession) -> None:
        if session in self._retired:
            self._retired.remove(session)
            self._closing = asyncio.ensure_future(session.close())

    def _new_session(self, resolver: LookUps) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=WebhookConnector(socket_factory=self._guarded_socket, resolver=resolver),
            timeout=aiohttp.ClientTimeout(
                total=None,  # `post` sets one deadline; a second would cost time
                connect=self._limits.connect_timeout_ms / 1_000,
                # Longer timeouts would be rounded up to whole seconds.
                ceil_threshold=3_600,
            ),
            headers=self.headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            read_bufsize=BODY_READ_BYTES_MAX,
        )

    async def close(self) -> None:
        for retired in self._retired:
            await retired.close()
        self._retired.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._look_ups is not None:
            await self._look_ups.close()

    async def post(
        self,
        url: str,
        body: bytes,
        headers: dict[str, str],
        owner: int = 0,
        holder: LimitHolder | None = None,
    ) -> HttpResult:
        """The result of one POST of `body` to `url`; only cancellation is raised.

        `owner`: the number of the workspace, whose share of look-ups it may need. `holder` gets the
        time limit, and may bring it forward as long as this runs.
        """
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        progress = RequestProgress(owner)
        faults = self._url_faults(url)
        cause: tuple[ErrorClass, str] | None = None
        if faults:
            cause = ErrorClass.INVALID_URL, "the URL " + "; ".join(faults)
        else:
            token = PROGRESS.set(progress)
            try:
                async with asyncio.timeout(self._total_s) as limit:
                    if holder is not None:
                        holder.limit = limit
                    await self._exchange(progress, url, body, headers)
            except (aiohttp.ClientError, HttpProcessingError, OSError) as exc:
                cause = _cause(exc, progress)
            finally:
                PROGRESS.reset(token)
                if progress.response is not None and not progress.complete:
                    # The rest is not needed, and reading it would let the receiver take up time.
                    progress.response.close()
        duration_ms = round((loop.time() - started_s) * 1_000)
        if progress.response is not None:
            return _response_of(progress, progress.response, duration_ms)
        assert cause is not None
        error, detail = cause
        return NoResponse(
            error=error, detail=detail, sent=progress.connected, duration_ms=duration_ms
        )

    async def _exchange(
        self, progress: RequestProgress, url: str, body: bytes, headers: dict[str, str]
    ) -> None:
        assert self._session is not None, "open() comes before post()"
        progress.response = await self._session.post(
            url,
            data=(
                aiohttp.BytesPayload(body)
                if len(body) <= PLAIN_BODY_BYTES_MAX
                else io.BytesIO(body)
            ),
            headers=headers,
            allow_redirects=False,
        )
        content = progress.response.content
        while len(progress.body) < BODY_READ_BYTES_MAX and not content.at_eof():
            progress.body += await content.read(BODY_READ_BYTES_MAX - len(progress.body))
        progress.complete = content.at_eof()

    def _guarded_socket(self, address: AddrInfoType) -> socket.socket:
        """A new socket for the address.

        Raises: ForbiddenAddressError if the policy forbids the address or the port.
        """
        family, kind, proto, _, sockaddr = address
        refusal = self._policy.refusal(str(sockaddr[0])) or port_refusal(int(sockaddr[1]))
        progress = PROGRESS.get()
        if refusal is not None:
            progress.refusals.append(refusal)
            raise ForbiddenAddressError(refusal)
        progress.sockets += 1
        return socket.socket(family=family, type=kind, proto=proto)


def _response_of(
    progress: RequestProgress, response: aiohttp.ClientResponse, duration_ms: int
) -> Response:
    return Response(
        status=response.status,
        headers=_stored_headers(response.raw_headers),
        body=bytes(progress.body[:BODY_STORED_BYTES_MAX]),
        truncated=not progress.complete or len(progress.body) > BODY_STORED_BYTES_MAX,
        duration_ms=duration_ms,
    )


def _stored_headers(raw: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[str, str], ...]:
    stored = []
    room_chars = HEADERS_STORED_CHARS_MAX
    for raw_name, raw_value in raw[:HEADERS_STORED_MAX]:
        name = raw_name.decode("utf-8", "replace")
        value = raw_value.decode("utf-8", "replace")[:HEADER_VALUE_CHARS_MAX]
        room_chars -= len(name) + len(value)
        if room_chars < 0:
            break
        stored.append((name, value))
    return tuple(stored)


def _cause(exc: BaseException, progress: RequestProgress) -> tuple[ErrorClass, str]:
    if progress.refusals and not progress.sockets:
        kinds = ", ".join(sorted(set(progress.refusals)))
        return ErrorClass.FORBIDDEN_ADDRESS, f"the address may not be called: {kinds}"
    return classify(exc)

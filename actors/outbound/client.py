"""The only module that makes HTTP requests out: one attempt in, its outcome out, never an error.

A receiver is a stranger. It may be inside our own network (so the address of every socket is
judged as it is made, after DNS has spoken for the last time), may never stop talking (so time and
bytes are bounded) and may point elsewhere (so redirects, cookies and proxies of the environment
are ignored). What an attempt comes to is a `Reply`, if a status line was read, or `NoReply`.
The caller bounds how many attempts run at once; here nothing waits in line.
"""

import asyncio
import io
import socket
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import AddrInfoType, Connection, SocketFactoryType
from aiohttp.http import HttpProcessingError
from aiohttp.tracing import Trace

from hookbundle.actors.outbound.errors import classify
from hookbundle.engine.delivery.addresses import AddressPolicy, port_refusal, url_faults
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoReply, Outcome, Reply

BODY_READ_BYTES_MAX = 16 * 1024
BODY_STORED_BYTES_MAX = 4 * 1024
HEADERS_STORED_MAX = 64
HEADER_VALUE_CHARS_MAX = 1_024
HEADERS_STORED_CHARS_MAX = 8 * 1024

# A reused connection may have been closed by the receiver a moment ago, and then nobody knows
# whether it saw the request. Few receivers close within two seconds, and a queue that is busy
# comes back sooner than that.
IDLE_S_MAX = 2.0
DNS_CACHE_S = 10
DNS_THREADS = 32
URLS_REMEMBERED = 4_096
# After the deadline of the last attempt over it, a session's connections may be closed.
RETIRED_S = 1.0
# From here on aiohttp warns about plain bytes.
PLAIN_BODY_BYTES_MAX = 2**20


class ForbiddenAddressError(OSError):
    """Raised in place of a socket. An OSError, so that the next address of the name is tried."""


@dataclass(slots=True)
class _Attempt:
    """What happens beneath aiohttp's surface while one request runs."""

    refusals: list[str] = field(default_factory=list)
    sockets: int = 0
    connected: bool = False
    response: aiohttp.ClientResponse | None = None
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False


_ATTEMPT: ContextVar[_Attempt] = ContextVar("attempt")


class GuardedClient:
    """`open()` before the first `post()`, in the loop that will use it; at the end `close()`."""

    def __init__(
        self,
        policy: AddressPolicy,
        limits: AttemptLimits,
        user_agent: str,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._policy = policy
        self._limits = limits
        self.headers = {
            "User-Agent": user_agent,
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._closing: asyncio.Future[None] | None = None
        # The same few thousand URLs are called over and over; reading one anew costs 5 % of a call.
        self._url_faults = lru_cache(URLS_REMEMBERED)(url_faults)

    async def open(self) -> None:
        self._resolver = self._resolver or PooledResolver()
        self._session = self._new_session(self._resolver)

    def change(self, policy: AddressPolicy, limits: AttemptLimits) -> None:
        """The next attempt goes by these, over a connection that was judged by them.

        Attempts under way end as they began; their connections are closed after the last of them.
        """
        assert self._session is not None, "open() comes before change()"
        assert self._resolver is not None
        loop = asyncio.get_running_loop()
        self._retired.append(self._session)
        loop.call_later(self._total_s + RETIRED_S, self._close_retired, self._session)
        self._policy, self._limits = policy, limits
        self._session = self._new_session(self._resolver)

    @property
    def _total_s(self) -> float:
        return self._limits.total_timeout_ms / 1_000

    def _close_retired(self, session: aiohttp.ClientSession) -> None:
        if session in self._retired:
            self._retired.remove(session)
            self._closing = asyncio.ensure_future(session.close())

    def _new_session(self, resolver: AbstractResolver) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=_Connector(socket_factory=self._guarded_socket, resolver=resolver),
            timeout=aiohttp.ClientTimeout(
                total=None,  # `post` has a deadline over all of it, and two cost time
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
        if self._resolver is not None:
            await self._resolver.close()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """One POST of `body` to `url`, and what came of it; only cancellation is raised."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        attempt = _Attempt()
        faults = self._url_faults(url)
        cause: tuple[ErrorClass, str] | None = None
        if faults:
            cause = ErrorClass.INVALID_URL, "the URL " + "; ".join(faults)
        else:
            token = _ATTEMPT.set(attempt)
            try:
                async with asyncio.timeout(self._total_s):
                    await self._exchange(attempt, url, body, headers)
            except (aiohttp.ClientError, HttpProcessingError, OSError) as exc:
                cause = _cause(exc, attempt)
            finally:
                _ATTEMPT.reset(token)
                if attempt.response is not None and not attempt.complete:
                    # Nobody wants the rest; reading it would be the receiver's choice of our time.
                    attempt.response.close()
        duration_ms = round((loop.time() - started_s) * 1_000)
        if attempt.response is not None:
            return _reply(attempt, attempt.response, duration_ms)
        assert cause is not None
        error, detail = cause
        return NoReply(error=error, detail=detail, sent=attempt.connected, duration_ms=duration_ms)

    async def _exchange(
        self, attempt: _Attempt, url: str, body: bytes, headers: dict[str, str]
    ) -> None:
        assert self._session is not None, "open() comes before post()"
        attempt.response = await self._session.post(
            url,
            data=(
                aiohttp.BytesPayload(body)
                if len(body) <= PLAIN_BODY_BYTES_MAX
                else io.BytesIO(body)
            ),
            headers=headers,
            allow_redirects=False,
        )
        content = attempt.response.content
        while len(attempt.body) < BODY_READ_BYTES_MAX and not content.at_eof():
            attempt.body += await content.read(BODY_READ_BYTES_MAX - len(attempt.body))
        attempt.complete = content.at_eof()

    def _guarded_socket(self, address: AddrInfoType) -> socket.socket:
        """A socket for an address that may be called.

        Raises: ForbiddenAddressError otherwise.
        """
        family, kind, proto, _, sockaddr = address
        refusal = self._policy.refusal(str(sockaddr[0])) or port_refusal(int(sockaddr[1]))
        attempt = _ATTEMPT.get()
        if refusal is not None:
            attempt.refusals.append(refusal)
            raise ForbiddenAddressError(refusal)
        attempt.sockets += 1
        return socket.socket(family=family, type=kind, proto=proto)


class _Protocol(ResponseHandler):
    """Reads the head of an answer before what follows it.

    Fed both at once, aiohttp's parser forgets a head it has understood when the bytes behind it
    are bad. Receivers that miscount their Content-Length are common (characters for bytes), and
    a delivery they took would be sent to them again and again.
    """

    def data_received(self, data: bytes) -> None:
        cut = data.find(b"\r\n\r\n") + 4
        if 4 <= cut < len(data):
            super().data_received(data[:cut])
            data = data[cut:]
        super().data_received(data)


class _Connector(aiohttp.TCPConnector):
    """Notes when a request has got its connection: from then on the receiver may see it."""

    def __init__(self, *, socket_factory: SocketFactoryType, resolver: AbstractResolver) -> None:
        super().__init__(
            socket_factory=socket_factory,
            resolver=resolver,
            ttl_dns_cache=DNS_CACHE_S,
            keepalive_timeout=IDLE_S_MAX,
            limit=0,
            limit_per_host=0,
        )
        # A private name, held in place by the pin on aiohttp and the tests of miscounted bodies.
        self._factory = cast(partial[ResponseHandler], partial(_Protocol, loop=self._loop))

    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        # A receiver that spoke while the connection was idle would have its words taken for the
        # answer to this request.
        while connection.protocol is not None and connection.protocol.should_close:
            connection.close()
            connection = await super().connect(req, traces, timeout)
        _ATTEMPT.get().connected = True
        return connection


class PooledResolver(AbstractResolver):
    """getaddrinfo on threads of its own: look-ups that hang hold up nobody's disk or other work."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        # ADDRCONFIG: no IPv6 answers on a machine that has no IPv6 to call them with.
        look_up = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._pool, look_up)
        except UnicodeError as exc:
            raise OSError(None, "the host is not a domain name") from exc
        return [
            ResolveResult(
                hostname=host,
                host=str(sockaddr[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, sockaddr in found
        ]

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _reply(attempt: _Attempt, response: aiohttp.ClientResponse, duration_ms: int) -> Reply:
    return Reply(
        status=response.status,
        headers=_stored_headers(response.raw_headers),
        body=bytes(attempt.body[:BODY_STORED_BYTES_MAX]),
        truncated=not attempt.complete or len(attempt.body) > BODY_STORED_BYTES_MAX,
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


def _cause(exc: BaseException, attempt: _Attempt) -> tuple[ErrorClass, str]:
    if attempt.refusals and not attempt.sockets:
        kinds = ", ".join(sorted(set(attempt.refusals)))
        return ErrorClass.FORBIDDEN_ADDRESS, f"the address may not be called: {kinds}"
    return classify(exc)

"""The connection guard of the TCP listener: bounds on connections, time and Host names.

aiohttp gives a client as long as it likes to send the head of a request. So each connection is
watched from in front of aiohttp:

    waiting   for the head of a request: little time from the first byte on, and while nothing
              comes, as long as an idle connection may be kept
    served    a request is being answered; its body has a deadline of its own (intake.read_body)

When there are as many connections as there may be, a new one takes the place of the one that has
waited the longest: first of those that never sent a request with a valid token, then of the others.
So thousands of sockets that say nothing only push out each other. Nothing here looks at what is
sent; the Host header is judged once aiohttp has read it, because a browser that was made to call
us by a foreign name (DNS rebinding) is the one client that comes with somebody else's intent.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import HttpVersion10, web

from hookbundle.server.http.problems import problem

POLL_S_MAX = 1.0
LOCAL_NAMES = frozenset({"localhost"})
ANY_HOST = "*"
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    """`hosts`: names that we are called by, beside `localhost` and any IP address."""

    connections_max: int = 1_000
    header_s: float = 10.0
    idle_s: float = 75.0
    hosts: tuple[str, ...] = ()


class GuardedConnection(asyncio.Protocol):
    """Stands between a connection and aiohttp; passes everything on, and knows how it stands."""

    def __init__(self, guard: "Guard", make_inner: Callable[[], asyncio.Protocol]) -> None:
        self._guard = guard
        self._make_inner = make_inner
        self._inner: asyncio.Protocol | None = None
        self.transport: asyncio.Transport | None = None
        self.known = False
        self.until_s = 0.0
        self.started = True
        self.unsent_bytes = 0

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
        if self._inner is None:
            return
        if not self.started:
            self._guard.heard(self)
        self._inner.data_received(data)

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

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Guard:
    """Counts and watches the connections of the TCP listener. Belongs to the loop's thread."""

    def __init__(self, limits: GuardLimits) -> None:
        self.limits = limits
        self.cuts: Counter[str] = Counter()
        self._all: set[GuardedConnection] = set()
        # Those that wait for a request, the one that waits the longest first.
        self._idle_unknown: dict[GuardedConnection, None] = {}
        self._idle_known: dict[GuardedConnection, None] = {}
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def connections(self) -> int:
        return len(self._all)

    def start(self) -> None:
        """From now on who takes too long is cut off."""
        poll_s = min(POLL_S_MAX, self.limits.header_s / 2, self.limits.idle_s / 2)
        self._alarm = asyncio.get_running_loop().call_later(poll_s, self._poll)

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def enter(self, connection: GuardedConnection) -> bool:
        """False if there is no place, because all there are serve somebody."""
        if len(self._all) >= self.limits.connections_max:
            longest = next(iter(self._idle_unknown), None) or next(iter(self._idle_known), None)
            if longest is None:
                self.cuts["refused"] += 1
                return False
            self._cut(longest, "crowded_out")
        self._all.add(connection)
        connection.until_s = _now_s() + self.limits.header_s
        self._idle_unknown[connection] = None
        return True

    def leave(self, connection: GuardedConnection) -> None:
        self._all.discard(connection)
        self._idle_unknown.pop(connection, None)
        self._idle_known.pop(connection, None)

    def heard(self, connection: GuardedConnection) -> None:
        """The first byte of the next request has come; the rest of its head has a deadline."""
        connection.started = True
        connection.until_s = _now_s() + self.limits.header_s

    def began(self, connection: GuardedConnection) -> None:
        """A request's head is there."""
        self._idle_unknown.pop(connection, None)
        self._idle_known.pop(connection, None)

    def ended(self, connection: GuardedConnection, *, known: bool) -> None:
        """The request is answered; `known` if its caller was let in."""
        if connection not in self._all:
            return
        connection.known = connection.known or known
        connection.started = False
        connection.until_s = _now_s() + self.limits.idle_s
        (self._idle_known if connection.known else self._idle_unknown)[connection] = None

    def _poll(self) -> None:
        now_s = _now_s()
        for connection in [*self._idle_unknown, *self._idle_known]:
            if self._is_taking(connection):
                connection.until_s = now_s + self.limits.idle_s
            elif connection.until_s <= now_s:
                self._cut(connection, "slow_head" if connection.started else "idle")
        self.start()

    def _is_taking(self, connection: GuardedConnection) -> bool:
        """Whether it has taken some of its answer since the last look."""
        assert connection.transport is not None
        before, connection.unsent_bytes = (
            connection.unsent_bytes,
            connection.transport.get_write_buffer_size(),
        )
        return 0 < connection.unsent_bytes < before

    def _cut(self, connection: GuardedConnection, reason: str) -> None:
        self.cuts[reason] += 1
        self.leave(connection)
        connection.cut()


def guarded_connection_of(request: web.Request) -> GuardedConnection | None:
    """Who watches the request's connection; None behind the Unix socket."""
    connection = request.transport.get_protocol() if request.transport else None
    return connection if isinstance(connection, GuardedConnection) else None


def misdirected(request: web.Request, hosts: Iterable[str]) -> web.Response | None:
    """The refusal of a request that was meant for somebody else, or None."""
    named = request.headers.getall("Host", [])
    if not named and request.version == HttpVersion10:
        return None  # the probes of load balancers; no browser speaks it
    if len(named) != 1:
        return problem(400, "send one Host header")
    host = host_of(named[0])
    if host in LOCAL_NAMES or _is_address(host):
        return None
    if any(allowed in (ANY_HOST, host) for allowed in hosts):
        return None
    return problem(421, "this daemon is not called by that Host; name it in the setting http.hosts")


def host_of(header: str) -> str:
    """The host in a Host header, without its port; an IPv6 address without its brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower().removesuffix(".")


def _is_address(host: str) -> bool:
    """A browser sends an address only if a person gave it one; only names can be re-pointed."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _now_s() -> float:
    return asyncio.get_running_loop().time()

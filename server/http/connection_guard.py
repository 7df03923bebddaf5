"""The connection guard of the TCP listener: bounds on connections, shares and time.

aiohttp gives a client as long as it likes to send the head of a request. So each connection is
watched from in front of aiohttp:

    waiting   for the head of a request: little time from the first byte on, and while nothing
              comes, as long as an idle connection may be kept
    served    a request is being answered; its body has a deadline of its own (bodies.py)
    unread    what was answered is not taken: cut off after a while without any progress; large
              answers and the feed, whose places are few, demand a pace as well

Who came with a valid token has an owner: the workspace of its token. Owners share the connections
(FairLimit), and one that has its share is answered 429. The others are unauthenticated. When there
are as many connections as there may be, a new one takes the place of an unauthenticated one, also
in the middle of a request: of that which has waited the longest. If there is none, it takes the
place of an idle connection of the owner who has the most. So thousands that say nothing, or half of
what they have to say, only push out each other.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.http.problems import as_bytes
from hookbundle.server.http.wire import Connection

POLL_S_MAX = 1.0
# struct tcp_info of tcp(7), of which bytes 120 to 128 say how many bytes the peer has confirmed.
TCP_INFO_BYTES = 128
TAKEN = struct.Struct("120xQ")
HEAD_BYTES_MAX = 64 * 1024  # of all of a request's head; aiohttp bounds only each line of it


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    """`hosts`: names that we are called by, beside `localhost` and any IP address."""

    connections_max: int = 1_000
    header_s: float = 10.0
    idle_s: float = 75.0
    unread_s: float = 30.0
    hosts: tuple[str, ...] = ()


class Guard:
    """Counts and watches the connections of the TCP listener. Belongs to the loop's thread.

    `shares`: how many each owner holds; its total follows the limits.
    """

    def __init__(self, limits: GuardLimits, shares: FairLimit[str]) -> None:
        self.cuts: Counter[str] = Counter()
        self._shares = shares
        self._all: set[GuardedConnection] = set()
        # Of each owner, and the unauthenticated as None: the one that has waited the longest first.
        self._of: dict[str | None, dict[GuardedConnection, None]] = {None: {}}
        self._alarm: asyncio.TimerHandle | None = None
        self.limits = limits

    @property
    def connections(self) -> int:
        return len(self._all)

    @property
    def limits(self) -> GuardLimits:
        return self._limits

    @limits.setter
    def limits(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._shares.total = limits.connections_max

    def start(self) -> None:
        """From now on who takes too long is cut off."""
        limits = self.limits
        poll_s = min(POLL_S_MAX, limits.header_s / 2, limits.idle_s / 2, limits.unread_s / 2)
        self._alarm = asyncio.get_running_loop().call_later(poll_s, self._poll)

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def enter(self, connection: "GuardedConnection") -> bool:
        """False if there is no place, because all there are serve somebody known."""
        if len(self._all) >= self.limits.connections_max:
            longest = next(iter(self._of[None]), None) or self._of_the_most()
            if longest is None:
                self.cuts["refused"] += 1
                return False
            self._cut(longest, "crowded_out")
        self._all.add(connection)
        connection.until_s = _now_s() + self.limits.header_s
        self._of[None][connection] = None
        return True

    def known(self, connection: "GuardedConnection", owner: str) -> None:
        """The caller is known. Raises: TooManyRequests, Overloaded."""
        if connection not in self._all:
            return  # it was lost meanwhile
        self._forget(connection)
        connection.owner = None
        self._of[None][connection] = None
        self._shares.take(owner)
        self._forget(connection)
        connection.owner = owner
        self._of.setdefault(owner, {})[connection] = None

    def leave(self, connection: "GuardedConnection") -> None:
        if connection in self._all:
            self._all.discard(connection)
            self._forget(connection)

    def heard(self, connection: "GuardedConnection") -> None:
        """The first byte of the next request has come; the rest of its head has a deadline."""
        connection.started = True
        connection.until_s = _now_s() + self.limits.header_s

    def began(self, connection: "GuardedConnection") -> None:
        """A request's head is there."""
        connection.served = True

    def refuse_head(self, connection: "GuardedConnection") -> None:
        """The head is larger than any that we would read: the client is told so.

        What it still sends is not kept, for as long as a head may take: if the connection were
        closed at once, a client that has not finished sending would not get to see the answer.
        """
        self.cuts["large_head"] += 1
        connection.until_s = _now_s() + self.limits.header_s
        if connection.transport is not None:
            connection.transport.write(as_bytes(Code.HEAD_TOO_LARGE))

    def ended(self, connection: "GuardedConnection", now_s: float | None = None) -> None:
        """The request is answered."""
        if connection not in self._all:
            return
        connection.served = connection.started = False
        connection.until_s = (_now_s() if now_s is None else now_s) + self._limits.idle_s
        waiting = self._of[connection.owner]
        del waiting[connection]
        waiting[connection] = None

    def _forget(self, connection: "GuardedConnection") -> None:
        """It is nobody's any more."""
        owner = connection.owner
        del self._of[owner][connection]
        if owner is not None:
            self._shares.give_back(owner)
            if not self._of[owner]:
                del self._of[owner]

    def _of_the_most(self) -> "GuardedConnection | None":
        """An idle connection of the owner who has the most of those that have an idle one."""
        most = 0
        found = None
        for owner, connections in self._of.items():
            if owner is not None and len(connections) > most:
                idle = next((one for one in connections if not one.served), None)
                if idle is not None:
                    most, found = len(connections), idle
        return found

    def _poll(self) -> None:
        now_s = _now_s()
        for connection in list(self._all):
            if self._is_unread(connection, now_s):
                if now_s - connection.unread_since_s >= self.limits.unread_s:
                    self._cut(connection, "unread")
                else:
                    connection.until_s = now_s + self.limits.idle_s
            elif not connection.served and connection.until_s <= now_s:
                self._cut(connection, "slow_head" if connection.started else "idle")
        self.start()

    def _is_unread(self, connection: "GuardedConnection", now_s: float) -> bool:
        """Whether something waits to be sent; notes since when the peer has taken nothing."""
        transport = connection.transport
        assert transport is not None
        if not transport.get_write_buffer_size():
            connection.unread_since_s = 0.0
            return False
        taken_bytes = _taken_bytes(transport)
        if not connection.unread_since_s or taken_bytes != connection.taken_bytes:
            connection.taken_bytes, connection.unread_since_s = taken_bytes, now_s
        return True

    def _cut(self, connection: "GuardedConnection", reason: str) -> None:
        self.cuts[reason] += 1
        self.leave(connection)
        connection.cut()


class GuardedConnection(asyncio.Protocol):
    """Stands between a connection and aiohttp; passes everything on, and knows how it stands."""

    def __init__(self, guard: Guard, make_inner: Callable[[], Connection]) -> None:
        self._guard = guard
        self._make_inner = make_inner
        self._inner: Connection | None = None
        self.transport: asyncio.Transport | None = None
        self.owner: str | None = None
        """Empty: of one who may do everything. None: unauthenticated."""
        self.until_s = 0.0
        self.started = True
        self.served = False
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
            transport.write(as_bytes(Code.CONNECTIONS_USED, "Retry-After: 1"))
            transport.close()
            return
        self._inner = self._make_inner()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is None or self._is_deaf:
            return
        inner = self._inner
        if inner.takes(data):
            self.head_bytes = 0
            return
        heads, was_in_body = inner.heads, inner.is_in_body
        if not self.started and not was_in_body:
            self._guard.heard(self)
        inner.data_received(data)
        if was_in_body or inner.heads != heads:
            self.head_bytes = 0
            return
        self.head_bytes += len(data)
        if self.head_bytes > HEAD_BYTES_MAX:
            self._is_deaf = True
            self._guard.refuse_head(self)

    def eof_received(self) -> None:
        if self._inner is not None:
            self._inner.eof_received()

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


def guarded_connection_of(request: web.Request) -> GuardedConnection | None:
    """Who watches the request's connection; None behind the Unix socket."""
    transport = request.transport
    connection = transport.get_protocol() if transport else None
    return connection if isinstance(connection, GuardedConnection) else None


def _taken_bytes(transport: asyncio.Transport) -> int:
    """How much of all that was sent the peer's kernel has taken."""
    sock = transport.get_extra_info("socket")
    (taken,) = TAKEN.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES))
    unpacked: int = taken
    return unpacked


def _now_s() -> float:
    return asyncio.get_running_loop().time()

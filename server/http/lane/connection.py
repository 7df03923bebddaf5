"""A connection on which plain requests with messages are answered without aiohttp's application.

It is a `Connection`, so all that is not plain is handled as ever, by aiohttp, on the same
connection: nothing is handed to another object. While aiohttp waits for the next request and a
plain one comes, the lane has it:

    waiting  ──plain, its caller let in──►  has a request  ──its body is complete──►  under way
       ▲                                          │                                       │
       ├────────── aiohttp gets its bytes ◄───────┤ slow, odd, refused                    │
       └────────────────────────────────────── answered ◄─────────────────────────────────┘

The future by which aiohttp is told of a request is put away meanwhile. So what aiohttp would do to
a connection that waits (end it for being idle, or for the daemon's end) it does not do to one that
has a request, as with its own; a stop waits for the task that waits for the future.

aiohttp gets every byte but those of the requests that the lane has answered, and those are whole
requests. For that it must be known at every moment where a request ends. As soon as it is not (one
in pieces that are not its body's, in chunks, several at once, oddly written), the connection is
aiohttp's for good.

So it is when the lane itself has failed, which the log says. Before the chat has the messages,
aiohttp gets the request, as ever; afterwards nobody but the lane can answer, and it says 500, as
aiohttp's application does when it fails over a request whose messages may be stored.
"""

import asyncio
from typing import Any

import structlog
from aiohttp.web_protocol import _ErrInfo

from hookbundle.engine.errors import HookbundleError, NotFound
from hookbundle.server.http.authentication import operator_at
from hookbundle.server.http.connection_guard import GuardedConnection
from hookbundle.server.http.lane.heads import Asked, KnownHead, known_of, length_of, size_of
from hookbundle.server.http.lane.lane import AnyLane, Taken
from hookbundle.server.http.wire import Connection, OwnServer
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.changing.changing import ChangesMade
from hookbundle.storage.transitions.sealing import Sealed

FOR_GOOD = -1

log = structlog.get_logger(__name__)


class LaneConnection(Connection):
    """Also the one who waits for what becomes of its request: there is one at a time."""

    __slots__ = (
        "_alarm",
        "_asked",
        "_began_s",
        "_behind",
        "_guarded",
        "_held",
        "_known",
        "_lane",
        "_left",
        "_put_away",
        "_taken",
    )

    def __init__(self, lane: AnyLane, manager: OwnServer, **options: Any) -> None:
        super().__init__(manager, **options)
        self._lane = lane
        self._guarded: GuardedConnection | None = None
        self._known: KnownHead | None = None
        self._left = 0  # bytes of a body that aiohttp still gets, or FOR_GOOD
        # Of a request that the lane has:
        self._put_away: asyncio.Future[None] | None = None
        self._asked = Asked("", 0, 0)
        self._held = b""
        self._began_s = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._taken: Taken | None = None
        self._behind = b""

    @property
    def is_in_body(self) -> bool:
        is_waiting = self._put_away is not None and self._taken is None
        return is_waiting or super().is_in_body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        watched = transport.get_protocol()
        if isinstance(watched, GuardedConnection):
            self._guarded = watched
        elif operator_at(transport) is None:
            self._left = FOR_GOOD

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp looks whether its parser has kept anything
            super().data_received(data)
        elif self._put_away is None:
            # Who is guarded has been asked already.
            if self._guarded is not None or not self.takes(data):
                self._pass_on(data)
        elif self._taken is not None:
            # The client sends another before it has the answer. That one is aiohttp's.
            self._behind += data
            self._pause_transport_reading()
        elif len(self._held) + len(data) > self._asked.head + self._asked.length:
            # Apart from what came before: what aiohttp can't read takes with it what came at once.
            self._hand_over()
            self._pass_on(data)
        else:
            self._held += data
            self._go_on()

    def close(self) -> None:
        """aiohttp begins no request after this, so it has to know before of one that has begun."""
        if self._put_away is not None and self._taken is None:
            self._hand_over()
        super().close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._put_away is not None:
            self._let_go()
        super().connection_lost(exc)

    # ---- aiohttp's requests

    def _pass_on(self, data: bytes) -> None:
        """aiohttp gets the bytes, and it is known afterwards where it stands."""
        before = self.heads
        super().data_received(data)
        if self._left == FOR_GOOD:
            return
        if self._left:
            self._left = FOR_GOOD if self.heads > before else max(self._left - len(data), FOR_GOOD)
            return
        self._left = FOR_GOOD
        if self.heads == before + 1:
            try:
                self._left = self._expected(data)
            except Exception as exc:  # noqa: BLE001 - aiohttp has the request, which it answers
                self._has_failed(exc)

    def _expected(self, data: bytes) -> int:
        """How much is still to come of the one request that the bytes have begun."""
        message = self._messages[-1][0]
        if isinstance(message, _ErrInfo):
            return FOR_GOOD
        head, length = size_of(message, data), length_of(message)
        if not head or length < 0:
            return FOR_GOOD
        self._known = known_of(message) or self._known
        return max(head + length - len(data), FOR_GOOD)

    # ---- the lane's requests

    def takes(self, data: bytes) -> bool:
        """Whether the lane has the request that begins with these bytes."""
        known, waiter, server = self._known, self._waiter, self._manager
        if known is None or self._left or waiter is None or waiter.done():
            return False
        if self._paused or self._force_close or self._close:
            return False
        guarded, lane = self._guarded, self._lane
        try:
            asked = known.read(data)
            if asked is None or len(data) > asked.head + asked.length:
                return False
            if not isinstance(server, OwnServer) or server.is_ending:
                return False
            if guarded is not None:
                if not lane.lets_in(guarded, known, asked.workspace_id):
                    return False
                lane.guard.began(guarded)
        except Exception as exc:  # noqa: BLE001 - aiohttp has its way with the request
            self._has_failed(exc)
            return False
        self._began_s = lane.now_s()
        self._asked, self._held = asked, data
        self._put_away, self._waiter = waiter, None
        self._request_count += 1
        self._go_on()
        return True

    def _go_on(self) -> None:
        """More of the body has come."""
        asked, held, known, lane = self._asked, self._held, self._known, self._lane
        if len(held) < asked.head + asked.length:
            if self._alarm is None:
                self._alarm = self._loop.call_later(lane.held_s, self._hand_over)
            return
        assert known is not None
        taken = None
        try:
            taken = self._taken = lane.take(asked, held[asked.head :], ndjson=known.ndjson)
        except Exception as exc:  # noqa: BLE001 - no chat has the messages yet
            self._has_failed(exc)
        if taken is None:
            self._hand_over()
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        try:
            lane.tell(taken, self)
        except Exception as exc:  # noqa: BLE001 - the chat may have the messages, or not
            self._apologise(exc)

    def answer(self, outcome: Accepted | Sealed | ChangesMade) -> None:
        """The messages are on disk."""
        taken = self._taken
        if taken is None:
            return  # 500 was said already
        is_last = self._is_ending
        try:
            assert isinstance(outcome, Accepted)
            answer = self._lane.answer(taken, outcome, is_last=is_last)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the caller gets an answer
            self._apologise(exc)
            return
        self._answer(202, answer, is_last)

    def fail(self, error: HookbundleError) -> None:
        """They are not, and why."""
        taken = self._taken
        if taken is None:
            return  # 500 was said already
        is_open = self.transport is not None and not (self._close or self._force_close)
        if isinstance(error, NotFound) and is_open:
            # Deleted since its number was looked up: aiohttp's application looks it up again.
            self._lane.give_back(taken)
            self._hand_over()
            return
        is_last = self._is_ending
        try:
            answer = self._lane.refuse(error, is_last=is_last)
        except Exception as exc:  # noqa: BLE001 - as above
            self._apologise(exc)
            return
        self._answer(error.status, answer, is_last)

    def _apologise(self, error: Exception) -> None:
        """The lane has failed when the messages may be on disk: who asked may send them again."""
        self._left = FOR_GOOD
        is_last = self._is_ending
        answer = self._lane.failed(self._asked.workspace_id, error, is_last=is_last)
        self._answer(500, answer, is_last)

    def _has_failed(self, error: Exception) -> None:
        """Nothing has come of it but that the connection is aiohttp's for good."""
        self._left = FOR_GOOD
        self._lane.meters.lane.failed += 1
        log.error("a request could not be taken in the lane", exc_info=error)

    @property
    def _is_ending(self) -> bool:
        return isinstance(self._manager, OwnServer) and self._manager.is_ending

    def _answer(self, status: int, answer: bytes, is_last: bool) -> None:
        taken, transport, now_s = self._taken, self.transport, self._lane.now_s()
        assert taken is not None
        self._taken = None
        self._lane.give_back(taken)
        if self._guarded is not None:
            self._lane.guard.ended(self._guarded, now_s)
        self._lane.count(status, now_s - self._began_s)
        behind = self._let_go()
        if transport is None:
            return  # the client has left
        transport.write(answer)
        if is_last or self._close or self._force_close:
            self.close()
            transport.close()
            return
        close_s = self._next_keepalive_close_time = now_s + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(close_s, self._process_keepalive)
        if behind:
            self._resume_transport_reading()
            self._pass_on(behind)

    def _hand_over(self) -> None:
        """aiohttp gets all that has come of the request, as if it came when that began."""
        held, self._taken = self._held, None
        self._request_count -= 1
        self.held_s = self._lane.now_s() - self._began_s
        self._lane.meters.lane.handed_over += 1
        behind = self._let_go()
        self._pass_on(held)
        if behind:
            self._resume_transport_reading()
            self._pass_on(behind)

    def _let_go(self) -> bytes:
        """The lane has no request any more. Returns what came behind it."""
        behind, self._behind, self._held = self._behind, b"", b""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._waiter, self._put_away = self._put_away, None
        return behind

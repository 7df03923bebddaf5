"""The event feed: its subscriptions, and what each is sent next.

Every subscriber has a position of its own in the feed on disk, and reads on page by page; no
event waits in memory for anybody. A commit only says that there is more to read. So a slow reader
lags, and one that takes nothing at all is cut off; it comes back with its cursor and has lost
nothing. At most one page is read in a turn of the loop, however many subscribers are catching up.

The socket (unix_socket.py) and the stream over HTTP (sse.py) differ in how they write.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import msgspec
import structlog

from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded, StorageError
from hookbundle.storage.reads.feed import FeedEvent, FeedPage, FeedReader, Missed, Start
from hookbundle.storage.reads.feed_selection import Selection

PIECE_BYTES = 16 * 1024  # of a write, that has to get through in time by itself

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedConfig:
    """`pace_s` is the least time between two reads of a subscriber who has read everything.

    `subscribers_max`: operators who read it; see fair_limits.py. `unheard_s`: how long bytes may be
    under way to a reader on TCP whose machine says nothing; else it takes 15 minutes to notice.
    """

    ping_s: float = 15.0
    blocked_s: float = 10.0
    hello_s: float = 5.0
    pace_s: float = 0.02
    end_within_s: float = 1.0
    unheard_s: float = 60.0
    subscribers_max: int = 64
    events_at_once: int = 512
    buffer_bytes: int = 64 * 1024


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame. `cursor` is the subscriber's position."""

    hello: int
    version: str
    cursor: str


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """The connection is alive, and everything up to the cursor was examined."""

    cursor: str


class Gap(msgspec.Struct, frozen=True, tag_field="type", tag="gap"):
    """Events `first` to `last` are no longer kept; reading continues after the cursor.

    `other_database`: the subscriber's cursor says nothing about this database (it is another one,
    or an earlier state of it was restored); what follows begins at the oldest event there is.
    """

    cursor: str
    reason: Literal["retention", "other_database"]
    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")


class Refusal(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """The last frame of a subscription that is refused or ended."""

    detail: str
    errors: list[dict[str, str]] = []
    code: str = ""


Frame = FeedEvent | Hello | Ping | Gap | Refusal

T = TypeVar("T")
Encode = Callable[[Frame], bytes]
Write = Callable[[bytes], Awaitable[None]]


class Subscription:
    """A subscriber's position in the feed. `after` is the last event examined."""

    def __init__(
        self,
        feed: "Feed",
        start: Start,
        selection: Selection,
        transport: asyncio.WriteTransport,
        pace_s: float,
        may_go_on: Callable[[], bool],
    ) -> None:
        self.after = start.after
        self.cursor = start.cursor
        self.transport = transport
        self.news = asyncio.Event()
        self._has_left = False
        self._feed = feed
        self._selection = selection
        self._foreign = start.foreign
        self._loop = asyncio.get_running_loop()
        self._ping_at_s = self._loop.time() + feed.config.ping_s
        self._read_at_s = 0.0
        self._pace_s = pace_s
        self._may_go_on = may_go_on

    async def pass_on(self, encode: Encode, write: Write) -> None:
        """Everything from here on has been written, and the feed has ended.

        Raises: TimeoutError if the reader takes nothing for too long; ConnectionError if it left.
        """
        try:
            while data := b"".join(map(encode, await self._next())):
                # The events themselves are not kept while a slow reader takes them.
                await self.send(data, write)
        except StorageError as exc:
            log.error("feed not read on", after=self.after, error=str(exc))
            await self.send(encode(Refusal(str(exc), code=exc.code)), write)

    def leave(self) -> None:
        """The reader has left: `pass_on` does not wait for something to write to find that out."""
        self._has_left = True
        self.news.set()

    async def send(self, data: bytes, write: Write) -> None:
        """Raises: TimeoutError, ConnectionError."""
        for at in range(0, len(data), PIECE_BYTES):
            async with asyncio.timeout(self._feed.config.blocked_s):
                await write(data[at : at + PIECE_BYTES])

    async def _next(self) -> Sequence[Frame]:
        """Events, a gap or a ping, as soon as there is one; nothing once the feed has ended, or
        the reader may not go on: looked at whenever there is news, and before each ping."""
        feed = self._feed
        while not feed.ended and self._may_go_on():
            if self._has_left:
                raise ConnectionResetError("the reader has left")
            if self._foreign:
                self._foreign = False
                return [self._gap("other_database", Missed(1, self.after))]
            if self._loop.time() >= self._ping_at_s:
                self._ping_at_s = self._loop.time() + feed.config.ping_s
                return [Ping(self.cursor)]
            if self.after + 1 >= feed.next:
                await self._wait()
                continue
            read = partial(
                feed.reader.read, self.after, feed.config.events_at_once, self._selection
            )
            frames = self._frames(await feed.in_turn(read))
            self._read_at_s = self._loop.time()
            if frames:
                return frames
        return ()

    def _frames(self, page: FeedPage) -> list[Frame]:
        """The page's events, and each gap before the event that follows it."""
        frames: list[Frame] = []
        events = iter(page.events)
        event = next(events, None)
        for missed in page.missed:
            while event is not None and event.seq < missed.first:
                frames.append(event)
                event = next(events, None)
            self.after = missed.last
            frames.append(self._gap("retention", missed))
        if event is not None:
            frames += [event, *events]
        self.after = page.after
        self.cursor = self._feed.reader.cursor(page.after)
        return frames

    def _gap(self, reason: Literal["retention", "other_database"], missed: Missed) -> Gap:
        self.cursor = self._feed.reader.cursor(self.after)
        return Gap(self.cursor, reason, missed.first, missed.last)

    async def _wait(self) -> None:
        """Waits for events, or for the time of a ping. Events in quick succession come together."""
        self.news.clear()
        try:
            async with asyncio.timeout_at(self._ping_at_s):
                await self.news.wait()
                if self._has_left:
                    return
                await asyncio.sleep(self._read_at_s + self._pace_s - self._loop.time())
        except TimeoutError:
            pass


class Feed:
    """All subscribers. `next` is the number of the event to come, as the last commit said."""

    def __init__(self, reader: FeedReader, clock: Clock, config: FeedConfig) -> None:
        self.reader = reader
        self.config = config
        self.next = reader.ends().next
        self.ended = False
        self._clock = clock
        self._subscriptions: set[Subscription] = set()
        self._turn = asyncio.Lock()
        self._alone = asyncio.Event()

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    @property
    def lag_events_max(self) -> int:
        """How many events the slowest subscriber is behind."""
        return max((self.next - 1 - each.after for each in self._subscriptions), default=0)

    def committed(self, feed_next: int) -> None:
        """Events up to `feed_next` are on disk."""
        if feed_next > self.next:
            self.next = feed_next
            self._wake_all()

    @contextmanager
    def subscribed(
        self,
        since: str,
        selection: Selection,
        transport: asyncio.WriteTransport,
        pace_s: float | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
        back_most: int | None = None,
    ) -> Iterator[Subscription]:
        """A subscription for as long as the block runs. The caller holds a place for it.

        One that begins more than `back_most` events ago is told of a gap up to the newest.

        Raises: InvalidInput if `since` names no position; Overloaded if the daemon is stopping.
        """
        if self.ended:
            raise Overloaded.of(Code.STOPPING)
        start, newest = self.reader.start(since, self._clock.now_ms()), self.next - 1
        if back_most is not None and newest - start.after > back_most:
            start = Start(newest, self.reader.cursor(newest), foreign=True)
        _notice_silence(transport, self.config.unheard_s)
        pace_s = self.config.pace_s if pace_s is None else pace_s
        subscription = Subscription(self, start, selection, transport, pace_s, may_go_on)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self._alone.set()

    async def in_turn(self, read: Callable[[], T]) -> T:
        """What a slice of work on the feed returns; there is one in a turn of the loop."""
        async with self._turn:
            found = read()
            await asyncio.sleep(0)
            return found

    async def close(self) -> None:
        """Every subscription has ended; a reader that took nothing in time was cut off."""
        self.ended = True
        self._wake_all()
        if not await self._emptied():
            for subscription in self._subscriptions:
                subscription.transport.abort()
            await self._emptied()

    async def _emptied(self) -> bool:
        try:
            async with asyncio.timeout(self.config.end_within_s):
                while self._subscriptions:
                    self._alone.clear()
                    await self._alone.wait()
        except TimeoutError:
            return False
        return True

    def _wake_all(self) -> None:
        for subscription in self._subscriptions:
            subscription.news.set()


def _notice_silence(transport: asyncio.WriteTransport, unheard_s: float) -> None:
    """A reader whose machine is gone is cut off soon after the first ping that it does not take."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unheard_s * 1_000))

"""The event feed: its subscriptions, and what each is sent next.

Every subscriber has a position of its own in the feed on disk, and reads on page by page; no
event waits in memory for anybody. A commit only says that there is more to read. So a slow reader
lags, and one that takes nothing at all is cut off; it comes back with its cursor and has lost
nothing. At most one page is read in a turn of the loop, however many subscribers are catching up.

The socket (unix_socket.py) and the stream over HTTP (sse.py) differ in how they write.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import StorageError
from hookbundle.server.feed import frames
from hookbundle.server.feed.filters import Place, selection_of
from hookbundle.server.feed.frames import Encode, Frame, Gap, Ping, Reason, Refusal, Write
from hookbundle.server.feed.readers import Readers
from hookbundle.storage.reads.feed import FeedReader, Missed, Start
from hookbundle.storage.reads.feed_selection import Selection

log = structlog.get_logger(__name__)

T = TypeVar("T")


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


class Subscription:
    """A subscriber's position in the feed. `after` is the last event examined."""

    def __init__(
        self,
        feed: "Feed",
        start: Start,
        selection: Selection,
        transport: asyncio.WriteTransport | None,
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
        self._most = feed.config.events_at_once
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

    def wake(self) -> None:
        self.news.set()

    async def send(self, data: bytes, write: Write) -> None:
        """Raises: TimeoutError, ConnectionError."""
        await frames.send(data, write, self._feed.config.blocked_s)

    async def page(self, most: int, within_s: float) -> Sequence[Frame]:
        """What there is up to `most` events on; if there is nothing, what comes within that time.

        A ping alone: only the cursor has moved on, if at all. Nothing: the feed has ended.
        """
        self._most = most
        if not self._foreign and self.after + 1 < self._feed.next:
            return await self._read() or [Ping(self.cursor)]
        self._ping_at_s = self._loop.time() + within_s
        return await self._next()

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
            if found := await self._read():
                return found
        return ()

    async def _read(self) -> list[Frame]:
        feed = self._feed
        read = partial(feed.reader.read, self.after, self._most, self._selection)
        page = await feed.in_turn(read)
        found = frames.frames_of(page, self._gap)
        self.after = page.after
        self.cursor = feed.reader.cursor(page.after)
        self._read_at_s = self._loop.time()
        return found

    def _gap(self, reason: Reason, missed: Missed) -> Gap:
        self.cursor = self._feed.reader.cursor(missed.last)
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
        self._clock = clock
        self._readers: Readers[Subscription] = Readers(config.end_within_s, config.unheard_s)
        self._turn = asyncio.Lock()

    @property
    def ended(self) -> bool:
        return self._readers.ended

    @property
    def subscribers(self) -> int:
        return len(self._readers.connected)

    @property
    def lag_events_max(self) -> int:
        """How many events the slowest subscriber is behind."""
        connected = self._readers.connected
        return max((self.next - 1 - each.after for each in connected), default=0)

    def committed(self, feed_next: int) -> None:
        """Events up to `feed_next` are on disk."""
        if feed_next > self.next:
            self.next = feed_next
            self._readers.wake_all()

    async def chosen(
        self,
        workspaces: Sequence[str],
        types: Sequence[str],
        webhooks: Sequence[str],
        chats: Sequence[str],
        place: Place,
    ) -> Selection:
        """The reader's filters. Raises: InvalidInput; see `selection_of`."""
        return await selection_of(self, workspaces, types, webhooks, chats, place=place)

    @asynccontextmanager
    async def subscribed(
        self,
        since: str,
        selection: Selection,
        transport: asyncio.WriteTransport | None,
        pace_s: float | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
        back_most: int | None = None,
    ) -> AsyncIterator[Subscription]:
        """A subscription for as long as the block runs. The caller holds a place for it.

        One that begins more than `back_most` events ago is told of a gap up to the newest.

        Raises: InvalidInput if `since` names no position; Overloaded if the daemon is stopping.
        """
        self._readers.check()
        start, newest = self.reader.start(since, self._clock.now_ms()), self.next - 1
        if back_most is not None and newest - start.after > back_most:
            start = Start(newest, self.reader.cursor(newest), foreign=True)
        pace_s = self.config.pace_s if pace_s is None else pace_s
        subscription = Subscription(self, start, selection, transport, pace_s, may_go_on)
        with self._readers.reading(subscription):
            yield subscription

    async def in_turn(self, read: Callable[[], T]) -> T:
        """What a slice of work on the feed returns; there is one in a turn of the loop."""
        async with self._turn:
            found = read()
            await asyncio.sleep(0)
            return found

    async def close(self) -> None:
        """Every subscription has ended; a reader that took nothing in time was cut off."""
        await self._readers.close()

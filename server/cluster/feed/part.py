"""One partition of a reader's feed: its place there, and the page that comes next.

A copy on this node answers for what it has; for what it lacks the owner is asked, who waits for
news. So a reader who is behind costs the owner little, and one who is not hears of news at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from hookbundle.engine.errors import CorruptRecord, HookbundleError
from hookbundle.server.cluster.asked import Ask, Asked
from hookbundle.server.cluster.feed.pages import PAGE, Page, Wanted, page_of
from hookbundle.server.feed.frames import Gap, Reason, frames_of
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.feed import FeedReader, Missed, parse_cursor
from hookbundle.storage.reads.several.cursors import OLDEST

WAIT_S = 10.0  # for which an owner waits for news before it answers that there are none
SILENT_S = 3.0  # between two answers that failed; then the reader is told
AGAIN_S = 0.1
WAITS_MAX = 512  # of a node at once, half of the requests that another one takes from it
POLL_S = 1.0  # where there is no place to wait


class NotReadOn(HookbundleError):
    """The owner can't read its feed any further."""


@dataclass(slots=True)
class Common:
    """What a node's readers share. `waits`: how many of them wait at owners; who finds no place
    asks now and then. `turn`: one page of a copy is read in a turn of the loop."""

    waits: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Part:
    """`wanted`: the place, and the filters. `copy`: the one that this node follows with, if any.

    `is_silent`: nobody has answered for a while. `behind`: by how many events, when it was asked.
    """

    number: int
    wanted: Wanted
    ask: Ask
    copy: Callable[[int], Environment | None]
    common: Common
    is_silent: bool = False
    behind: int = 0
    _failed_s: float | None = None

    @property
    def cursor(self) -> str:
        return self.wanted.since

    async def next(self) -> Page | None:
        """What comes next, and perhaps nothing; None if nobody answers, for SILENT_S at least.

        Raises: NotReadOn.
        """
        loop = asyncio.get_running_loop()
        while True:
            page = await self._of_copy()
            if page is None:
                page = await self._of_owner()
            if page is not None:
                self._failed_s = None
                return page
            if self._failed_s is None:
                self._failed_s = loop.time()
            await asyncio.sleep(AGAIN_S)
            if loop.time() - self._failed_s >= SILENT_S:
                return None

    def taken(self, page: Page) -> None:
        """The page is being sent: what comes next stands behind it."""
        self.is_silent, self.behind = False, page.behind
        self.wanted = msgspec.structs.replace(self.wanted, since=page.cursor)

    async def _of_owner(self) -> Page | None:
        """Raises: NotReadOn."""
        may_wait = not self.is_silent and self.common.waits < WAITS_MAX
        self.common.waits += may_wait
        try:
            page = await self._asked(WAIT_S if may_wait else 0.0)
        finally:
            self.common.waits -= may_wait
        if page is not None and page.is_empty and not (may_wait or self.is_silent):
            await asyncio.sleep(POLL_S)
        return page

    async def _asked(self, wait_s: float) -> Page | None:
        """Raises: NotReadOn."""
        body = msgspec.msgpack.encode(msgspec.structs.replace(self.wanted, wait_s=wait_s))
        try:
            answered = await self.ask(self.number, Asked("GET", PAGE, (), body))
        except HookbundleError:  # there is no owner, or it has gone; asking again harms nobody
            return None
        if answered.status == 200:
            return msgspec.msgpack.decode(answered.body, type=Page)
        if answered.status == 503:
            return None
        problem = msgspec.json.decode(answered.body)
        raise NotReadOn(f"partition {self.number}: {problem['detail']}")

    async def _of_copy(self) -> Page | None:
        """None if there is no copy, or it has not come further than the reader."""
        if self.cursor == OLDEST or self.wanted.back_most is not None:
            return None
        async with self.common.turn:
            env = self.copy(self.number)
            page = None if env is None else self._read(env)
            if page is not None:
                await asyncio.sleep(0)
        return page

    def _read(self, env: Environment) -> Page | None:
        (epoch, after), reader = parse_cursor(self.cursor), FeedReader(env)
        newest = reader.ends().next - 1
        if epoch != env.identity.epoch or after >= newest:
            return None
        try:
            found = reader.read(after, self.wanted.most, self.wanted.selection())
        except CorruptRecord:
            return None  # the owner's may be whole

        def gap(reason: Reason, missed: Missed) -> Gap:
            return Gap(reader.cursor(missed.last), reason, missed.first, missed.last)

        frames = frames_of(found, gap)
        return page_of(frames, reader.cursor(found.after), newest - found.after)

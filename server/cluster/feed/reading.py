"""A reader of several partitions: their pages, one after the other as they come.

Order holds within a partition, and so within a workspace. Of each partition at most one page is
under way or waits to be sent; the next is asked for when that one has been written. So a slow
reader holds a page of each, and no owner works ahead for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog
from msgspec.structs import replace

from hookbundle.engine.errors import HookbundleError
from hookbundle.server.cluster.feed.pages import Page
from hookbundle.server.cluster.feed.part import Part
from hookbundle.server.feed import frames
from hookbundle.server.feed.frames import Encode, Frame, Gap, Ping, Refusal, Unanswered, Write
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.storage.reads.several.cursors import joined

LOOK_S = 1.0  # whether the reader may still go on

log = structlog.get_logger(__name__)


class Reading:
    """`parts`: one: cursors are as of a daemon alone. `has_ended`: the node stops."""

    def __init__(
        self,
        parts: Iterable[Part],
        config: FeedConfig,
        transport: asyncio.WriteTransport | None,
        pace_s: float,
        may_go_on: Callable[[], bool],
        has_ended: Callable[[], bool],
    ) -> None:
        self.transport = transport
        self._parts = {part.number: part for part in parts}
        self._config = config
        self._pace_s = pace_s
        self._may_go_on = may_go_on
        self._has_ended = has_ended
        self._has_left = False
        self._woken = asyncio.Event()
        self._told: tuple[int, ...] = ()
        self._loop = asyncio.get_running_loop()
        self._ping_at_s = self._loop.time() + config.ping_s

    @property
    def is_merged(self) -> bool:
        return len(self._parts) > 1

    @property
    def cursor(self) -> str:
        return self._cursor_with({})

    def _cursor_with(self, changed: Mapping[int, str]) -> str:
        cursors = {number: part.cursor for number, part in self._parts.items()} | dict(changed)
        return joined(cursors) if self.is_merged else next(iter(cursors.values()))

    @property
    def behind(self) -> int:
        """How many events there were to be read when they were last asked for."""
        return sum(part.behind for part in self._parts.values())

    def leave(self) -> None:
        self._has_left = True
        self._woken.set()

    def wake(self) -> None:
        self._woken.set()

    async def send(self, data: bytes, write: Write) -> None:
        """Raises: TimeoutError, ConnectionError."""
        await frames.send(data, write, self._config.blocked_s)

    async def pass_on(self, encode: Encode, write: Write) -> None:
        """As of a daemon alone: see Stream."""
        asking = {self._asking(part, 0.0): part for part in self._parts.values()}
        woken = self._loop.create_task(self._woken.wait())
        try:
            while not self._has_ended() and self._may_go_on():
                if self._has_left:
                    raise ConnectionResetError("the reader has left")
                if self._loop.time() >= self._ping_at_s:
                    self._ping_at_s = self._loop.time() + self._config.ping_s
                    await self.send(encode(Ping(self.cursor)), write)
                within_s = min(LOOK_S, max(self._ping_at_s - self._loop.time(), 0.0))
                done, _ = await asyncio.wait(
                    {*asking, woken}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
                )
                for asked in [each for each in asking if each in done]:
                    part, page = asking.pop(asked), asked.result()
                    await self._written(part, page, encode, write)
                    is_on = page is not None and page.behind > 0
                    asking[self._asking(part, 0.0 if is_on else self._pace_s)] = part
        except HookbundleError as exc:
            log.error("feed not read on", error=str(exc))
            await self.send(encode(Refusal(str(exc), code=exc.code)), write)
        finally:
            for task in (*asking, woken):
                task.cancel()
            await asyncio.gather(*asking, woken, return_exceptions=True)

    def _asking(self, part: Part, after_s: float) -> "asyncio.Task[Page | None]":
        async def ask() -> Page | None:
            await asyncio.sleep(after_s)
            return await part.next()

        return self._loop.create_task(ask(), name=f"feed of partition {part.number}")

    async def _written(self, part: Part, page: Page | None, encode: Encode, write: Write) -> None:
        """Who does not answer, if that has changed, and what was found. Raises: TimeoutError ..."""
        found: list[Frame] = []
        before = self.cursor
        if page is None:
            part.is_silent = True
        else:
            part.taken(page)
        silent = tuple(sorted(each.number for each in self._parts.values() if each.is_silent))
        if silent != self._told:
            self._told = silent
            found.append(Unanswered(before, silent))  # what follows is not known to be read yet
        if page is not None:
            found += self._placed(part, page)
        if found:
            await self.send(b"".join(map(encode, found)), write)

    def _placed(self, part: Part, page: Page) -> list[Frame]:
        """The page's frames. Of several partitions each gap and the last frame have a cursor: that
        of all of them is long, and stands for everything before it."""
        if not self.is_merged:
            return list(page.frames())
        placed: list[Frame] = []
        for frame in page.frames():
            if isinstance(frame, Gap):
                cursor = self._cursor_with({part.number: frame.cursor})
                placed.append(replace(frame, cursor=cursor, partition=part.number))
            else:
                placed.append(replace(frame, cursor=""))
        if placed:
            placed[-1] = replace(placed[-1], cursor=self.cursor)
        return placed

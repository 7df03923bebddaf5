"""Trims the history of all workspaces together, before the disk is full or their limit is passed.

Every few seconds it compares the room on the disk with the floor below which intake would close,
and the bytes of all history with the operator's limit. If either is passed, the workspaces with the
most history shrink to one size, at which enough is gone; so a small workspace loses nothing to a
large one. It trims one workspace at a time, the largest first, in steps that leave room for intake.

What the two logs of a webhook show is never trimmed. A workspace of which nothing could be trimmed
is passed over for a while, unless it grows. When nothing is left, intake closes at the floor.
"""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import structlog

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, StoreFull, Unusable, in_words
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import histories
from hookbundle.storage.reads.histories import HistorySize
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed

LOOK_MS = 2_000
FLOORS = 2  # history is trimmed below so many times the floor of room
SPARE = 100  # the limit is undercut by a part in so many, so that it is not passed again at once
WORKSPACES_AT_ONCE = 256
TRIM_AT_ONCE = 200
PASSED_OVER_MS = 600_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTotal:
    """The most that all history together may have: bytes, or without them a part of the disk."""

    bytes: int | None = None
    percent: int = 20

    def of(self, disk_bytes: int) -> int:
        return disk_bytes * self.percent // 100 if self.bytes is None else self.bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """These workspaces, the largest first, shrink to `bytes_max`. Empty: nothing can be trimmed.

    `lacks_room`: the disk is near its floor; else there is only more than the operator's limit.
    """

    sizes: Sequence[HistorySize]
    bytes_max: int
    lacks_room: bool


class HistoryWatch:
    """`total` may be changed at any time."""

    def __init__(
        self,
        env: Environment,
        store: StoreQueue,
        clock: Clock,
        total: HistoryTotal,
        floor_bytes: int,
    ) -> None:
        self.total = total
        self._env = env
        self._reads = Reads(env)
        self._store = store
        self._clock = clock
        self._floor_bytes = floor_bytes
        self._looked_ms = -LOOK_MS
        self._task: asyncio.Task[None] | None = None
        # By workspace: the size at which nothing of it could be trimmed.
        self._passed_over: dict[int, int] = {}
        self._passed_over_ms = 0

    def check(self) -> None:
        """Looks, if it is time to, and trims until enough is gone."""
        now_ms = self._clock.elapsed_ms()
        if self._task is None and now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            self._task = asyncio.get_running_loop().create_task(self._trim())
            self._task.add_done_callback(self._ended)

    def stop(self) -> None:
        """Nothing is submitted any more."""
        if self._task is not None:
            self._task.cancel()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            # The next look tries again. A full disk closes intake without help from here.
            log.warning("history could not be trimmed", error=in_words(error))

    async def _trim(self) -> None:
        """Raises: StorageError."""
        freed = 0
        while (plan := await self._plan()) is not None:
            if not plan.sizes:
                if plan.lacks_room:
                    self._give_up()
                return
            for size in plan.sizes:
                freed += await self._shrink(size, plan.bytes_max)
        if freed:
            log.info("history trimmed", freed_bytes=freed)
        self._store.history_gives = True
        self._passed_over.clear()

    def _give_up(self) -> None:
        if self._store.history_gives:
            log.warning("no history is left to trim")
        self._store.history_gives = False

    async def _shrink(self, size: HistorySize, bytes_max: int) -> int:
        """The workspace has at most so much history, but for what can't be trimmed.

        Returns how much was trimmed. Raises: StoreFull; Unusable.
        """
        freed, is_finished = 0, False
        while not is_finished:
            try:
                step = self._step(size.workspace, bytes_max)
                trimmed = await self._store.do(step, Trimmed)
            except HookbundleError as exc:
                if isinstance(exc, StoreFull | Unusable) or self._store.has_stopped:
                    raise
                # The workspace was deleted meanwhile, or a record of it is damaged.
                log.warning("history not trimmed", workspace=size.workspace, error=in_words(exc))
                break
            freed, is_finished = freed + trimmed.freed_bytes, trimmed.finished
        if freed:
            self._store.history_gives = True
        else:
            self._passed_over[size.workspace] = size.history_bytes
        return freed

    def _step(self, workspace: int, bytes_max: int) -> TrimHistory:
        now_ms = self._clock.now_ms()
        return TrimHistory(
            workspace_number=workspace,
            before_ms=now_ms - self._store.retention.history_ms,
            bytes_max=bytes_max,
            most=TRIM_AT_ONCE,
            now_ms=now_ms,
        )

    async def _plan(self) -> Plan | None:
        """What to trim; None if there is no need. Raises: StorageError."""
        usage, history_bytes = self._env.usage(), self._reads.meta().history_bytes
        total = self.total.of(usage.disk_bytes)
        lacking = FLOORS * self._floor_bytes - usage.room_bytes
        over = history_bytes - total + total // SPARE if history_bytes > total else 0
        wanted = max(lacking, over)
        if wanted <= 0:
            return None
        now_ms = self._clock.elapsed_ms()
        if now_ms - self._passed_over_ms >= PASSED_OVER_MS:
            self._passed_over, self._passed_over_ms = {}, now_ms
        found = await self._largest(WORKSPACES_AT_ONCE + 1)
        sizes = found[:WORKSPACES_AT_ONCE]
        # A little less than the next one has: it may be one of many that have the same.
        next_bytes = found[-1].history_bytes * 15 // 16 if len(found) > len(sizes) else 0
        level = level_of([size.history_bytes for size in sizes], wanted, next_bytes)
        larger = [size for size in sizes if size.history_bytes > level]
        return Plan(larger, level, lacks_room=lacking > 0)

    async def _largest(self, most: int) -> list[HistorySize]:
        """The workspaces with the most history first, without those that are passed over."""
        found: list[HistorySize] = []
        after: bytes | None = b""
        while after is not None:
            page = histories.page(self._env, after)
            for size in page.sizes:
                if size.history_bytes > self._passed_over.get(size.workspace, 0):
                    found.append(size)
            found, after = heapq.nlargest(most, found), page.after
            await asyncio.sleep(0)  # there may be a million workspaces, and others have work
        return found


def level_of(sizes: Sequence[int], wanted: int, next_bytes: int = 0) -> int:
    """The size to which the larger ones of `sizes` shrink, if `wanted` bytes are to be gone.

    `sizes` begins with the largest. None shrinks below `next_bytes`.
    """
    added = 0
    for count, (size, following) in enumerate(pairwise([*sizes, next_bytes]), 1):
        added += size
        if added - count * following >= wanted:
            return (added - wanted) // count
    return next_bytes

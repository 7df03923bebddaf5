"""The room on the disk: closes intake before there is none, and opens it when there is again.

Room is what is free on the disk, and the free pages inside the data file, which are written first.
While history can be trimmed, `HistoryWatch` makes room, and intake stays open below the floor. A
file kept in reserve is deleted when a commit finds no room, so that messages that were already
accepted can still be delivered, and their outcomes recorded.

All of it runs in the Store's thread.
"""

import os

import structlog

from hookbundle.actors.store_queue import DISK_CHECK_MS, StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import StoreFull
from hookbundle.storage.database.environment import Environment, Usage
from hookbundle.storage.reads.lookup import Reads

DISTRUST_MS = 60_000

log = structlog.get_logger(__name__)


class DiskRoom:
    def __init__(
        self,
        env: Environment,
        store_queue: StoreQueue,
        clock: Clock,
        *,
        floor_bytes: int,
        reserve_bytes: int,
    ) -> None:
        self._env = env
        self._reads = Reads(env)
        self._queue = store_queue
        self._state = store_queue.state
        self._clock = clock
        self._floor_bytes = floor_bytes
        self._reserve_bytes = reserve_bytes
        self._reserve = env.path / "reserve"
        self._distrusted_bytes = 0
        self._distrusted_ms = -DISTRUST_MS

    def check(self) -> None:
        """At most once a second: opens or closes intake by the room, and refills the reserve."""
        state, now_ms = self._state, self._clock.elapsed_ms()
        if now_ms - state.disk_checked_ms < DISK_CHECK_MS:
            return
        state.disk_checked_ms = now_ms
        usage = self._env.usage()
        room = self._room(usage, now_ms)
        wanted = self._floor_bytes
        if not self._reserve.exists():
            wanted += self._reserve_bytes
        if room >= wanted:
            if usage.free_bytes >= self._reserve_bytes:
                self._fill_reserve()
            if not state.intake_open:
                state.intake_open = True
                log.warning("intake open again", room_bytes=room)
        elif state.intake_open and not self._history_gives():
            state.intake_open = False
            log.error("intake closed: the disk is nearly full", room_bytes=room)

    def commit_failed(self, cause: StoreFull) -> bool:
        """Intake is closed. True if the reserve was deleted, so that there is more room now."""
        if self._state.intake_open:
            log.error("intake closed", error=str(cause))
        self._state.intake_open = False
        self._state.disk_checked_ms = self._distrusted_ms = self._clock.elapsed_ms()
        # There were free pages inside the file, but none that this commit could take: they are
        # scattered, or a long read still sees them.
        self._distrusted_bytes = self._env.usage().free_inside_bytes
        had_reserve = self._reserve.exists()
        self._reserve.unlink(missing_ok=True)
        return had_reserve

    def _room(self, usage: Usage, now_ms: int) -> int:
        if now_ms - self._distrusted_ms >= DISTRUST_MS:
            self._distrusted_bytes = 0
        return usage.free_bytes + max(usage.free_inside_bytes - self._distrusted_bytes, 0)

    def _history_gives(self) -> bool:
        return self._queue.history_gives and self._reads.meta().history_bytes > 0

    def _fill_reserve(self) -> None:
        if self._reserve.exists() or not self._reserve_bytes:
            return
        try:
            fd = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(fd, 0, self._reserve_bytes)
            finally:
                os.close(fd)
        except OSError as exc:
            log.warning("no room for the reserve", error=str(exc))
            self._reserve.unlink(missing_ok=True)

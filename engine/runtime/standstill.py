"""For how long the event loop has stood still: it was blocked, or its process or machine was.

Something beats on the loop every `BEAT_S`. A beat that is late by `LATE_S` or more was held up,
whatever by: a callback that did not end, SIGSTOP, a paused machine, a suspended one. Less is a loop
that is busy, and does not count, however often it happens.
"""

import asyncio
from collections.abc import Callable

from hookbundle.engine.clock import boot_s

BEAT_S = 0.25
LATE_S = 0.25


class Standstill:
    """Times are seconds of one clock, which goes on while the process is stopped."""

    def __init__(self, now_s: float) -> None:
        self._beat_s = now_s
        self.counted_s = 0.0

    def beat(self, now_s: float) -> None:
        self.counted_s = self.sum_s(now_s)
        self._beat_s = now_s

    def sum_s(self, now_s: float) -> float:
        """All the time that the loop stood still so far, also since the last beat."""
        late_s = now_s - self._beat_s - BEAT_S
        return self.counted_s + (late_s if late_s >= LATE_S else 0.0)


class LoopWatch:
    """Beats on the running loop from `start` to `close`; else nothing ever stood still.

    `on_late` hears, in seconds, of each time that the loop did. `now_s`: a clock that goes on while
    the process is stopped.
    """

    def __init__(
        self,
        on_late: Callable[[float], None] = lambda late_s: None,
        now_s: Callable[[], float] = boot_s,
    ) -> None:
        self._on_late = on_late
        self._now_s = now_s
        self._standstill: Standstill | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._standstill = Standstill(self._now_s())
        self._alarm = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._standstill = None

    def stood_still_s(self) -> float:
        """All the time that the loop stood still since the start."""
        return self._standstill.sum_s(self._now_s()) if self._standstill else 0.0

    def _beat(self) -> None:
        assert self._standstill is not None
        now_s = self._now_s()
        before_s, late_s = self._standstill.counted_s, self._standstill.sum_s(now_s)
        self._standstill.beat(now_s)
        if late_s > before_s:
            self._on_late(late_s - before_s)
        self._alarm = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

"""An event loop with virtual time, which passes only when no callback is ready, and its clock.

When nothing is ready, the loop's time jumps to the next timer, so nothing ever waits for real. Some
timers only poll, ten times a second. The loop skips the polls that would find nothing: `horizon`
tells for how long nothing becomes due. To the daemon this looks like a machine that slept, and the
boot clock, which the daemon uses, counts sleep as well.
"""

import asyncio
import math
import selectors
from collections.abc import Callable
from typing import Any, cast

from hookbundle.actors.timer import TimerActor
from hookbundle.engine.clock import SystemClock
from hookbundle.server.metrics.meters import Meters

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

SAME_TIME_S = 1e-6  # timers at the very end of a period run in that period
POLLS = (TimerActor._poll_later, Meters._sample)


class _NothingArrives(selectors.SelectSelector):
    """No socket is ever ready: everything in the simulation happens by a timer."""

    def __init__(self, when_nothing_is_ready: Callable[[], None]) -> None:
        super().__init__()
        self._when_nothing_is_ready = when_nothing_is_ready

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._when_nothing_is_ready()
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """The loop of one life of the daemon. `horizon()`: for how many seconds no row becomes due."""

    def __init__(self, now_s: float) -> None:
        self._now_s = now_s
        self._until_s = now_s
        self.horizon: Callable[[], float] = lambda: 0.0
        super().__init__(_NothingArrives(self._pass_time))

    def time(self) -> float:
        return self._now_s

    def run_to(self, until_s: float) -> None:
        """It is `until_s` and nothing is ready, or the loop was stopped before."""
        self._until_s = max(until_s, self._now_s)
        self.run_forever()

    def _pass_time(self) -> None:
        timers = cast(Any, self)._scheduled
        waiting = [timer for timer in timers if not timer.cancelled()]
        first_s = min((timer.when() for timer in waiting), default=math.inf)
        events = (timer.when() for timer in waiting if not _only_polls(timer))
        event_s = min(events, default=self._until_s)
        if first_s > self._until_s + SAME_TIME_S:
            self._now_s = max(self._until_s, self._now_s)
            self.stop()
            return
        leap_s = min(event_s, self._until_s, self._now_s + self.horizon())
        self._now_s = max(first_s, round(leap_s, 6))  # never short of the timer: it would not fire

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        return self.call_soon(callback, *args, context=context)  # there is only one thread

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        """There are no threads in the simulation, so the function is called at once."""
        done = self.create_future()
        done.set_result(func(*args))
        return done


def _only_polls(timer: asyncio.TimerHandle) -> bool:
    return getattr(cast(Any, timer)._callback, "__func__", None) in POLLS


class Wall:
    """The machine's wall clock, which can be set; `ahead_ms` is its lead over the boot clock."""

    def __init__(self, ahead_ms: int) -> None:
        self.ahead_ms = ahead_ms


class SimulatedClock(SystemClock):
    """The real clock's rules, on the loop's time and the simulated machine's wall clock."""

    def __init__(self, loop: SimulatedLoop, wall: Wall) -> None:
        self._loop = loop
        self._wall = wall
        super().__init__()

    def now_ms(self) -> int:
        return self._ahead_ms + self.elapsed_ms()

    def wall_ms(self) -> int:
        return self._wall.ahead_ms + self.elapsed_ms()

    def is_synchronised(self) -> bool:
        return False

    def elapsed_ms(self) -> int:
        return round(self._loop.time() * 1_000)

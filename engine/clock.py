"""The one place that asks the machine for the time.

Stored times are UTC milliseconds. While the daemon runs, its time is the wall clock read at
start plus the boot clock (CLOCK_BOOTTIME, which counts a suspended machine's sleep as well), so
that a step of the wall clock neither hastens nor delays a window.

True time is never before a time this database has already seen. A start with a wall clock that is
behind (a dead battery, no NTP yet) therefore counts on from the last stored time, and *holds* the
timers until the wall clock has reached that: nobody knows how long the machine was off.
"""

import time
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """The engine's time: UTC milliseconds, never going back within a run."""

    def wall_ms(self) -> int:
        """The machine's own idea of the time, for signatures and for noticing a step."""

    def elapsed_ms(self) -> int:
        """Milliseconds since some fixed point; only differences mean anything."""


class SystemClock:
    def __init__(self) -> None:
        self._ahead_ms = self.wall_ms() - self.elapsed_ms()
        self.held = False
        self._held_until_ms = 0  # by the wall clock

    def now_ms(self) -> int:
        # Spelled out, not `elapsed_ms()`: this is asked several times a message.
        return self._ahead_ms + time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def elapsed_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def start_after(self, last_stored_ms: int) -> None:
        """`now_ms()` is at or after `last_stored_ms`; `held` if the wall clock is behind it."""
        if self.wall_ms() < last_stored_ms:
            self._rebase(last_stored_ms)
            self.held, self._held_until_ms = True, last_stored_ms

    def catch_up(self) -> bool:
        """True once the timers may run: the wall clock has reached the time that was stored.

        It need not reach the engine's own time, which counts on while the timers are held: a clock
        that is slow by minutes and never set would not reach that in years.
        """
        if self.held and self.wall_ms() >= self._held_until_ms:
            self._rebase(max(self.wall_ms(), self.now_ms()))
            self.held = False
        return not self.held

    def drift_ms(self) -> int:
        """How far the wall clock has been stepped away from the engine's time since start."""
        return self.wall_ms() - self.now_ms()

    def _rebase(self, now_ms: int) -> None:
        self._ahead_ms = now_ms - self.elapsed_ms()


class MovableClock(SystemClock):
    """A clock whose time can be moved on, so that nobody has to wait for hours."""

    def __init__(self) -> None:
        self._moved_ms = 0
        super().__init__()

    def move(self, by_ms: int) -> None:
        """It is `by_ms` later, for the engine and on the wall."""
        self._moved_ms += by_ms

    def now_ms(self) -> int:
        return super().now_ms() + self._moved_ms

    def wall_ms(self) -> int:
        return super().wall_ms() + self._moved_ms

    def elapsed_ms(self) -> int:
        return super().elapsed_ms() + self._moved_ms

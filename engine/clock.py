"""The only module that reads the machine's clocks.

Stored times are UTC milliseconds. While the daemon runs, its time is the wall clock read at
start plus the boot clock (CLOCK_BOOTTIME, which counts a suspended machine's sleep as well), so
that setting the wall clock neither hastens nor delays a window.

The true time is never before a time that is stored in the database. If the wall clock is behind
that at start (a dead battery, no NTP yet), the engine's time continues from the last stored time,
and the timers are *held* until the wall clock has reached it: how long the machine was off is
unknown. A start goes by the wall clock all the same if the machine knows that it is right.
"""

import time
from typing import Protocol

from hookbundle.engine import machine_time


class Clock(Protocol):
    def now_ms(self) -> int:
        """The engine's time: UTC milliseconds, never going back within a run."""

    def wall_ms(self) -> int:
        """The wall clock, UTC milliseconds: for signatures, and to notice that it was set."""

    def elapsed_ms(self) -> int:
        """Milliseconds since an arbitrary point; only differences have a meaning."""


def boot_s() -> float:
    """Seconds since the machine started, its sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SystemClock:
    def __init__(self) -> None:
        self._ahead_ms = self.wall_ms() - self.elapsed_ms()
        self.held = False
        self._held_until_ms = 0  # by the wall clock

    def now_ms(self) -> int:
        # Written out instead of `elapsed_ms()`, because it is called several times a message.
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

    def is_synchronised(self) -> bool:
        """Whether the machine knows that its wall clock is right: a time server keeps it so.

        False also where the machine does not say.
        """
        return machine_time.is_synchronised()

    def is_right_about(self, stored_ms: int) -> bool:
        """Whether the wall clock is to be gone by, though it is before the stored time."""
        return self.is_synchronised()

    def catch_up(self) -> bool:
        """True once the timers may run: the wall clock has reached the last stored time.

        It need not reach the engine's time, which goes on while the timers are held: a wall clock
        that is minutes behind, and never set, would never reach that.
        """
        if self.held and self.wall_ms() >= self._held_until_ms:
            self._rebase(max(self.wall_ms(), self.now_ms()))
            self.held = False
        return not self.held

    def drift_ms(self) -> int:
        """How far the wall clock is ahead of the engine's time, because it was set since start."""
        return self.wall_ms() - self.now_ms()

    def _rebase(self, now_ms: int) -> None:
        self._ahead_ms = now_ms - self.elapsed_ms()

"""The engine's time over steps of the wall clock, a suspended machine, and a reboot."""

import time
from dataclasses import dataclass

import pytest

from hookbundle.engine.clock import SystemClock

HOUR_MS = 3_600_000
NEW_YEAR_MS = 1_800_000_000_000


@dataclass
class Machine:
    """What the machine's two clocks show."""

    wall_ms: int = NEW_YEAR_MS
    since_boot_ms: int = 5 * HOUR_MS

    def passes(self, by_ms: int) -> None:
        self.wall_ms += by_ms
        self.since_boot_ms += by_ms

    def reboots(self, after_ms: int) -> None:
        self.wall_ms += after_ms
        self.since_boot_ms = 30_000


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    clocks = {time.CLOCK_BOOTTIME: lambda: machine.since_boot_ms * 1_000_000}
    monkeypatch.setattr(time, "time_ns", lambda: machine.wall_ms * 1_000_000)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda which: clocks[which]())
    return machine


def test_time_is_that_of_the_wall_clock_at_the_start(machine: Machine) -> None:
    clock = SystemClock()
    machine.passes(HOUR_MS)

    assert clock.now_ms() == NEW_YEAR_MS + HOUR_MS
    assert clock.drift_ms() == 0


@pytest.mark.parametrize("step_ms", [3 * HOUR_MS, -3 * HOUR_MS])
def test_a_step_of_the_wall_clock_moves_no_time_and_is_known(
    machine: Machine, step_ms: int
) -> None:
    clock = SystemClock()

    machine.wall_ms += step_ms

    assert clock.now_ms() == NEW_YEAR_MS
    assert clock.drift_ms() == step_ms


def test_a_reboot_loses_no_time_that_was_stored(machine: Machine) -> None:
    due_ms = SystemClock().now_ms() + 24 * HOUR_MS
    machine.reboots(after_ms=23 * HOUR_MS)

    clock = SystemClock()
    clock.start_after(due_ms - 24 * HOUR_MS)

    assert due_ms - clock.now_ms() == HOUR_MS
    assert clock.catch_up()


def test_a_wall_clock_that_is_behind_holds_the_timers_until_it_has_caught_up(
    machine: Machine,
) -> None:
    machine.reboots(after_ms=-10_000 * HOUR_MS)
    clock = SystemClock()
    clock.start_after(NEW_YEAR_MS)
    machine.passes(HOUR_MS)
    counted_ms, ready = clock.now_ms(), clock.catch_up()

    machine.wall_ms = NEW_YEAR_MS + 2 * HOUR_MS

    assert (counted_ms, ready) == (NEW_YEAR_MS + HOUR_MS, False)
    assert clock.catch_up()
    assert clock.now_ms() == NEW_YEAR_MS + 2 * HOUR_MS


def test_a_wall_clock_a_little_behind_holds_the_timers_no_longer_than_that(
    machine: Machine,
) -> None:
    machine.wall_ms -= HOUR_MS
    clock = SystemClock()
    clock.start_after(NEW_YEAR_MS)
    machine.passes(HOUR_MS - 1)
    too_early = clock.catch_up()

    machine.passes(1)

    assert (too_early, clock.catch_up()) == (False, True)
    assert clock.now_ms() == NEW_YEAR_MS + HOUR_MS, "it never goes back within a run"

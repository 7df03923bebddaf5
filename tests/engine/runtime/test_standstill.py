"""How long the loop stood still: a blocked loop, not a busy one."""

import asyncio

import pytest

from hookbundle.engine.runtime.standstill import BEAT_S, LATE_S, LoopWatch, Standstill


def test_beats_in_time_and_a_little_late_are_no_standstill() -> None:
    still, now_s = Standstill(0.0), 0.0
    for _ in range(1_000):
        now_s += BEAT_S + LATE_S - 0.01
        still.beat(now_s)

    assert still.sum_s(now_s) == 0


def test_what_is_late_adds_up_and_is_seen_before_the_beat() -> None:
    still = Standstill(0.0)

    before = still.sum_s(BEAT_S + 20)
    still.beat(BEAT_S + 20)
    still.beat(2 * BEAT_S + 23)

    assert before == 20
    assert still.sum_s(2 * BEAT_S + 23) == pytest.approx(23)


def test_a_standstill_is_counted_once() -> None:
    still = Standstill(0.0)
    still.beat(10.0)
    counted_s = still.sum_s(10.0)
    for n in range(100):
        still.beat(10.0 + n * BEAT_S)

    assert still.sum_s(10.0 + 100 * BEAT_S) == counted_s


async def test_a_blocked_loop_is_noticed_by_whoever_runs_first() -> None:
    now_s, late, beaten = 100.0, list[float](), asyncio.Event()

    def heard(late_s: float) -> None:
        late.append(late_s)
        beaten.set()

    watch = LoopWatch(heard, lambda: now_s)
    watch.start()
    now_s += BEAT_S + 20  # and no beat came meanwhile
    at_once_s = watch.stood_still_s()
    await beaten.wait()

    assert at_once_s == 20
    assert late == [20]
    assert watch.stood_still_s() == 20
    watch.close()
    assert watch.stood_still_s() == 0


async def test_a_watch_that_was_not_started_says_nothing() -> None:
    assert LoopWatch().stood_still_s() == 0

"""Standing still is work that could be done all the time, and of which none was done."""

from hookbundle.engine.conditions import (
    NOT_READY,
    SENTENCES,
    STANDSTILL_MS,
    ProgressWatch,
    Reason,
    condition,
)

STEP_MS = 1_000


def stood(lane: ProgressWatch, steps: int, from_ms: int = 0, *, done_each: int = 0) -> int:
    stood_ms = 0
    for step in range(steps):
        now_ms = from_ms + step * STEP_MS
        stood_ms = lane.look(now_ms, waits=True, done=step * done_each)
    return stood_ms


def test_what_waits_and_of_which_nothing_is_done_stands_still_after_thirty_seconds() -> None:
    lane = ProgressWatch()

    before = stood(lane, 30)
    after = lane.look(STANDSTILL_MS, waits=True, done=0)

    assert not lane.stands_still(before)
    assert lane.stands_still(after)


def test_a_herd_that_is_worked_off_never_stands_still() -> None:
    assert stood(ProgressWatch(), 10_000, done_each=1) == 0


def test_nothing_to_do_is_no_standstill() -> None:
    lane = ProgressWatch()
    for step in range(100):
        assert lane.look(step * STEP_MS, waits=False, done=0) == 0


def test_a_gap_between_two_looks_is_our_own_and_says_nothing() -> None:
    lane = ProgressWatch()
    stood(lane, 20)

    assert lane.look(3_600_000, waits=True, done=0) == 0


def test_every_reason_has_its_sentence_and_what_stops_is_said_first() -> None:
    assert set(SENTENCES) == set(Reason)
    assert set(Reason) > NOT_READY
    assert "--trust-clock" in condition(Reason.CLOCK_HELD).detail

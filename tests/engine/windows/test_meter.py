"""Messages and calls are counted by the day, and the last days of them are known."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.windows import meter
from hookbundle.engine.windows.arrivals import DAY_MS
from hookbundle.engine.windows.meter import Count

DAY = 20_000
NOW_MS = DAY * DAY_MS + 5_000
STEPS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 900)), max_size=60)


def after(*deliveries: tuple[int, int]) -> bytes:
    """The meter after deliveries: so many days after DAY, with so many messages."""
    found = b""
    for days, messages in deliveries:
        found = meter.counted(found, NOW_MS + days * DAY_MS, messages, 1)
    return found


def test_a_day_has_what_was_sealed_on_it() -> None:
    found = after((0, 5), (0, 7), (1, 1))

    assert meter.total(found, NOW_MS, 1) == Count(12, 2)
    assert meter.total(found, NOW_MS + DAY_MS, 1) == Count(1, 1)
    assert meter.total(found, NOW_MS + DAY_MS, 2) == Count(13, 3)


def test_an_empty_one_has_counted_nothing() -> None:
    assert meter.total(b"", NOW_MS) == Count(0, 0)


def test_seven_days_end_with_that_of_now() -> None:
    found = after(*((day, 1) for day in range(9)))

    assert meter.total(found, NOW_MS + 8 * DAY_MS) == Count(7, 7)
    assert meter.total(found, NOW_MS + 14 * DAY_MS) == Count(1, 1)
    assert meter.total(found, NOW_MS + 15 * DAY_MS) == Count(0, 0)


def test_what_was_merged_is_a_call_less_on_its_day() -> None:
    found = after((0, 5), (0, 6), (2, 1))

    found = meter.counted(found, NOW_MS, 0, -1)

    assert meter.total(found, NOW_MS, 1) == Count(11, 1)
    assert meter.total(found, NOW_MS + 2 * DAY_MS, 1) == Count(1, 1)


def test_from_a_day_that_is_not_there_nothing_is_taken() -> None:
    found = after((0, 5))

    assert meter.counted(found, NOW_MS - 3 * DAY_MS, 0, -1) == found
    assert meter.counted(b"", NOW_MS, 0, -1) == b""


@settings(deadline=None)
@given(STEPS)
def test_it_counts_the_last_ten_days_in_whatever_order_they_come(
    steps: list[tuple[int, int]],
) -> None:
    found = after(*steps)

    kept = sorted({day for day, _ in steps})[-10:]
    assert meter.is_sound(found)
    for day in kept:
        known = meter.total(found, NOW_MS + day * DAY_MS, 1)
        assert known.calls <= sum(each == day for each, _ in steps)
    if [day for day, _ in steps] == sorted(day for day, _ in steps):
        for day in kept:
            messages = [count for each, count in steps if each == day]
            known = meter.total(found, NOW_MS + day * DAY_MS, 1)
            assert known == Count(sum(messages), len(messages))


def test_what_is_no_meter_is_told() -> None:
    found = after((0, 5), (1, 6))

    assert not meter.is_sound(found[1:])
    assert not meter.is_sound(found[12:] + found[:12])
    assert not meter.is_sound(found[:12] * 2)
    assert not meter.is_sound(after(*((day, 1) for day in range(10))) + found)

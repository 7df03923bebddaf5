"""The budget of a day: when the day begins and ends in its zone, and how long the budget lasts."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import time_zones
from hookbundle.engine.delivery import budgets
from hookbundle.engine.delivery.budgets import Day, Outlook

HOUR_MS = 3_600_000
NEW = Day(0, 0, 0, 0)
ZONES = st.sampled_from(sorted(time_zones.known()))
TIMES = st.integers(1_600_000_000_000, 2_200_000_000_000)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


def hours(zone: str, at: str) -> float:
    day = budgets.day_of(zone, NEW, ms(at))
    return (day.end_ms - day.start_ms) / HOUR_MS


@pytest.mark.parametrize(
    ("text", "budget"),
    [("1000/day", 1_000), ("1/day", 1), ("100000000/day", 100_000_000), ("007/day", 7)],
)
def test_a_budget_is_read_and_shown(text: str, budget: int) -> None:
    assert budgets.parse(text) == budget
    assert budgets.parse(budgets.text_of(budget)) == budget
    assert budgets.text_of(0) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("0/day", "000/day", "1000", "1000/week", "-1/day", "1000/Day", "1000/days", "1000/1day"),
        *("100000001/day", "9" * 400 + "/day", " 1/day", "1/day ", "1 / day", "1/day\n", ""),
        *("none", "1.5/day", "٣/day", "1_000/day", "100/10s"),
    ],
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a budget like 1000/day"):
        budgets.parse(text)


@pytest.mark.parametrize(
    ("zone", "at", "start", "length"),
    [
        ("UTC", "2026-11-28T15:40:00+00:00", "2026-11-28T00:00:00+00:00", 24),
        ("Asia/Jerusalem", "2026-11-28T23:00:00+00:00", "2026-11-28T22:00:00+00:00", 24),
        ("Asia/Kathmandu", "2026-11-28T18:14:59+00:00", "2026-11-27T18:15:00+00:00", 24),
        # the clock goes forward, and back
        ("Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-29T00:00:00+01:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00:00+01:00", "2026-10-25T00:00:00+02:00", 25),
        # there is no 00:00: the day begins at 01:00
        ("America/Santiago", "2026-09-06T12:00:00-03:00", "2026-09-06T01:00:00-03:00", 23),
        ("Africa/Cairo", "2026-04-24T12:00:00+03:00", "2026-04-24T01:00:00+03:00", 23),
        # there are two: the day begins with the first
        ("America/Havana", "2024-11-03T12:00:00-05:00", "2024-11-03T00:00:00-04:00", 25),
        # a date was left out
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T00:00:00-10:00", 24),
        ("Antarctica/Troll", "2026-03-29T12:00:00+00:00", "2026-03-29T00:00:00+00:00", 22),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_of_its_zone(
    zone: str, at: str, start: str, length: float
) -> None:
    day = budgets.day_of(zone, NEW, ms(at))

    assert (day.start_ms, day.end_ms - day.start_ms) == (ms(start), length * HOUR_MS)


@settings(deadline=None)
@given(ZONES, TIMES)
def test_one_day_ends_where_the_next_begins(zone: str, now_ms: int) -> None:
    day = budgets.day_of(zone, NEW, now_ms)
    following = budgets.day_of(zone, day, day.end_ms)

    assert day.start_ms <= now_ms < day.end_ms == following.start_ms
    assert budgets.day_of(zone, day, day.end_ms - 1) == day


def test_what_was_used_stays_until_the_day_ends() -> None:
    start_ms = ms("2026-11-28T00:00:00+00:00")
    stored = Day(start_ms, 0, 7, start_ms + 5)

    assert budgets.day_of("UTC", stored, start_ms + 24 * HOUR_MS - 1).used == 7
    assert budgets.day_of("UTC", stored, start_ms + 24 * HOUR_MS) == Day(
        start_ms + 24 * HOUR_MS, start_ms + 48 * HOUR_MS, 0, start_ms + 24 * HOUR_MS
    )


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        ("Asia/Tokyo", "2026-11-30T00:00:00+09:00"),  # one comes 15 hours after, and is too early
        ("America/New_York", "2026-11-29T00:00:00-05:00"),  # ... 5 hours, and 29
        ("Asia/Jerusalem", "2026-11-29T00:00:00+02:00"),  # ... 22 hours, which will do
    ],
)
def test_a_changed_zone_gives_no_second_budget(zone: str, end: str) -> None:
    stored = Day(ms("2026-11-28T00:00:00+00:00"), 0, 1_000, 0)

    day = budgets.day_of(zone, stored, ms("2026-11-28T01:00:00+00:00"))

    assert (day.used, day.end_ms) == (1_000, ms(end))


@settings(deadline=None)
@given(st.lists(st.tuples(ZONES, st.integers(1, 30 * HOUR_MS)), min_size=2, max_size=40), TIMES)
def test_however_the_zone_changes_no_two_days_begin_within_20_hours(
    changes: list[tuple[str, int]], now_ms: int
) -> None:
    day = budgets.day_of("UTC", NEW, now_ms)
    for zone, later_ms in changes:
        now_ms += later_ms
        found = budgets.day_of(zone, day, now_ms)
        assert found.start_ms <= now_ms < found.end_ms
        assert found.start_ms == day.start_ms or found.start_ms - day.start_ms >= 20 * HOUR_MS
        day = found


def test_a_warning_is_due_at_80_percent() -> None:
    assert not budgets.is_nearly_used(1_000, 799)
    assert budgets.is_nearly_used(1_000, 800)
    assert not budgets.is_nearly_used(7, 5)
    assert budgets.is_nearly_used(7, 6)


@pytest.mark.parametrize(
    ("used", "past_h", "outlook"),
    [
        (1_000, 10.0, Outlook("used_up")),
        (1_200, 10.0, Outlook("used_up")),  # lowered since
        (500, 0.5, Outlook("unknown")),
        (9, 5.0, Outlook("unknown")),
        (400, 10.0, Outlook("lasts")),  # 40 an hour: 960 in the day
        (500, 10.0, Outlook("runs_out", 20 * HOUR_MS)),
        (0, 10.0, Outlook("unknown")),
    ],
)
def test_the_forecast_goes_on_at_the_pace_of_the_day(
    used: int, past_h: float, outlook: Outlook
) -> None:
    day = Day(0, 24 * HOUR_MS, used, 0)

    assert budgets.outlook(1_000, day, int(past_h * HOUR_MS)) == outlook


def test_the_forecast_knows_since_when_requests_are_counted() -> None:
    noon_ms = 12 * HOUR_MS
    day = Day(0, 24 * HOUR_MS, 100, noon_ms)

    assert budgets.outlook(1_000, day, noon_ms + HOUR_MS) == Outlook("runs_out", 22 * HOUR_MS)

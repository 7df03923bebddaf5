"""Any rule ends any window when a walk through its minutes says so."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookbundle.engine.time_zones import zone as zone_of
from hookbundle.engine.windows import ends, slots
from hookbundle.engine.windows.compiled import setting_of
from hookbundle.engine.windows.parsing import parse, written
from hookbundle.tests.engine.windows import walking
from hookbundle.tests.engine.windows.walking import DAY_MS, MINUTE_MS, ms
from hookbundle.tests.reliability.harness.battery import size

ZONES = (
    *("Asia/Jerusalem", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
    *("Pacific/Apia", "Atlantic/Azores", "America/Sao_Paulo", "Africa/Cairo", "Africa/Casablanca"),
    *("Asia/Kathmandu", "UTC"),
)
YEARS = (2011, 2014, 2026)  # Samoa skipped a day; Egypt changed four times; now
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def changes(zone: str) -> tuple[int, ...]:
    """The days of UTC of some years on which the zone's clock is changed; another if on none."""
    there = zone_of(zone)
    begins = [ms(f"{year}-01-01T00:00+00:00") // DAY_MS for year in YEARS]
    days = [begin + day for begin in begins for day in range(365)]
    found = [day for day in days if offset(there, day) != offset(there, day + 1)]
    return tuple(found or begins)


def offset(there: ZoneInfo, day: int) -> timedelta | None:
    return datetime.fromtimestamp(day * 86_400, there).utcoffset()


# Times near those at which clocks are changed, and any.
TIMES = (
    st.tuples(st.integers(0, 3) | st.just(23), st.sampled_from((0, 1, 15, 30, 45, 59)))
    | st.tuples(st.integers(0, 23), st.integers(0, 59))
).map(lambda pair: f"{pair[0]:02}:{pair[1]:02}")
RANGES = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map("-".join)
WEEKS = st.lists(RANGES | st.sampled_from(DAYS), min_size=1, max_size=2).map(",".join)


def with_some(must: dict[str, Any], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(must, optional=optional)


NAMES = st.sampled_from(ZONES)
HOURS = with_some({"from": TIMES, "to": TIMES | st.just("24:00")}, days=WEEKS, zone=NAMES)
SECONDS = st.sampled_from((1, 59, 600, 3_600, 21_600, 86_400))
EVERY = SECONDS.map(lambda each: {"every": f"{each}s"})
QUIET = st.lists(SECONDS, min_size=1, max_size=2).map(
    lambda pair: {"quiet": f"{min(pair)}s", **({"max": f"{max(pair)}s"} if pair[1:] else {})}
)
AT = with_some({"at": st.lists(TIMES, min_size=1, max_size=4)}, days=WEEKS, zone=NAMES)
RULES = st.builds(
    lambda rule, hours: {**rule, **({"hours": hours} if hours else {})},
    EVERY | QUIET | AT,
    st.none() | HOURS,
)
MOMENTS = st.builds(
    lambda zone, which, minutes, rest: (
        zone,
        changes(zone)[which % len(changes(zone))] * DAY_MS + minutes * MINUTE_MS + rest,
    ),
    NAMES,
    st.integers(0, 100),
    st.integers(-180, 1_620) | st.integers(-8 * 1_440, 2 * 1_440),
    st.sampled_from((0, 0, 1, 30_000, 59_999)),
)


@given(value=RULES, moment=MOMENTS, gaps=st.lists(st.integers(0, 1_800_000), max_size=3))
@example(
    value={"at": ["18:00"], "days": "fri"},
    moment=("Pacific/Apia", ms("2011-12-29T12:00-10:00")),
    gaps=[],
)
@example(
    value={
        "at": ["12:00"],
        "days": "sat",
        "hours": {"days": "fri", "from": "11:00", "to": "12:00"},
    },
    moment=("Asia/Jerusalem", ms("2026-10-24T12:00+03:00")),
    gaps=[],
)
@settings(max_examples=size(150, 1_000), deadline=None)
def test_a_window_ends_when_a_walk_through_its_minutes_says_so(
    value: dict[str, Any], moment: tuple[str, int], gaps: list[int]
) -> None:
    zone, opened_ms = moment
    arrivals = [opened_ms]
    for gap in gaps:
        arrivals.append(arrivals[-1] + gap)
    rule = parse(value).otherwise

    end = ends.end_of(rule, zone, arrivals[0], arrivals[-1])

    assert tuple(end) == walking.end_of(rule, zone, arrivals)
    assert setting_of(0, written(value)) == parse(value)


@given(value=RULES, moment=MOMENTS, before=st.integers(0, 3 * DAY_MS) | st.just(3_600_000))
@settings(max_examples=size(80, 500), deadline=None)
def test_a_message_leaves_at_once_when_a_window_before_it_would_have_ended(
    value: dict[str, Any], moment: tuple[str, int], before: int
) -> None:
    zone, now_ms = moment
    rule = parse({**value, "first": "now"}).otherwise

    leaves = ends.leaves_at_once(rule, zone, now_ms - before, now_ms)

    was_silent = walking.without_hours(rule, zone, [now_ms - before])[0] <= now_ms
    hours = rule.hours
    is_open = hours is None or walking.next_open(hours, hours.zone or zone, now_ms) == now_ms
    assert leaves is (was_silent and is_open)
    assert ends.leaves_at_once(rule, zone, 0, now_ms) is is_open


@settings(deadline=None)
@given(zone=NAMES, which=st.integers(0, 100), minute=st.integers(0, 1_440))
def test_a_later_time_never_has_an_earlier_moment(zone: str, which: int, minute: int) -> None:
    """The search for a slot relies on it."""
    day = changes(zone)[which % len(changes(zone))]
    there = zone_of(zone)
    local = datetime.fromtimestamp(day * 86_400, there).date()

    moments = [slots.moment_of(there, local, each) for each in (minute, minute + 1, minute + 60)]

    assert moments == sorted(moments)

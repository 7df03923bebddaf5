"""When a window ends: one length, a silence, and hours that come before both."""

from typing import Any

import pytest

from hookbundle.engine.windows.ends import end_of, leaves_at_once
from hookbundle.engine.windows.parsing import parse
from hookbundle.engine.windows.rule import Rule
from hookbundle.tests.engine.windows.walking import ms

NOON = ms("2026-06-01T12:00+00:00")  # a Monday
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def rule_of(value: Any, **beside: Any) -> Rule:
    return parse({**value, **beside}).otherwise


def end(rule: Rule, *, newest: int = 0, opened: int = NOON) -> tuple[int, str]:
    """How long after it was opened a window ends whose newest message came so long after."""
    found = end_of(rule, "UTC", opened, opened + newest)
    return found.at_ms - opened, found.why


@pytest.mark.parametrize("newest", [0, 1, 59 * MINUTE])
def test_every_ends_one_length_after_the_first_message(newest: int) -> None:
    assert end(rule_of({"every": "1h"}), newest=newest) == (HOUR, "time")


@pytest.mark.parametrize(
    ("newest", "ends"),
    [
        (0, (10 * MINUTE, "quiet")),
        (7 * MINUTE, (17 * MINUTE, "quiet")),
        (20 * MINUTE, (30 * MINUTE, "quiet")),
        (20 * MINUTE + 1, (30 * MINUTE, "max")),
        (29 * MINUTE, (30 * MINUTE, "max")),
    ],
)
def test_quiet_ends_with_a_silence_and_at_the_latest_with_max(
    newest: int, ends: tuple[int, str]
) -> None:
    assert end(rule_of({"quiet": "10m", "max": "30m"}), newest=newest) == ends


@pytest.mark.parametrize(
    ("quiet", "longest"),
    [("1s", 6 * SECOND), ("10m", HOUR), ("4h", DAY), ("5h", DAY)],
)
def test_max_is_six_times_quiet_and_a_day_at_most(quiet: str, longest: int) -> None:
    assert end(rule_of({"quiet": quiet}), newest=2 * DAY) == (longest, "max")


def test_quiet_as_long_as_max_ends_with_the_silence_of_one_message() -> None:
    rule = rule_of({"quiet": "1h", "max": "1h"})

    assert end(rule) == (HOUR, "quiet")
    assert end(rule, newest=1) == (HOUR, "max")


def test_a_newest_message_before_the_first_is_as_new_as_that() -> None:
    """A clock may have been put back; a record of before has no time of its newest message."""
    assert end_of(rule_of({"quiet": "10m"}), "UTC", NOON, 0) == (NOON + 10 * MINUTE, "quiet")


def test_without_a_window_it_ends_as_it_opens() -> None:
    assert end(parse("none").otherwise) == (0, "time")


OFFICE = {"days": "mon-fri", "from": "09:00", "to": "12:30"}


@pytest.mark.parametrize(
    ("value", "newest", "ends"),
    [
        ({"every": "30s"}, 0, (30 * SECOND, "time")),
        ({"every": "30m"}, 0, (21 * HOUR, "time")),
        ({"every": "21h"}, 0, (21 * HOUR, "time")),
        ({"every": "20h"}, 0, (21 * HOUR, "time")),
        ({"every": "22h"}, 0, (22 * HOUR, "time")),
        ({"quiet": "10m"}, 0, (10 * MINUTE, "quiet")),
        ({"quiet": "10m"}, 20 * MINUTE, (21 * HOUR, "quiet")),
        ({"quiet": "10m", "max": "29m"}, 28 * MINUTE, (29 * MINUTE, "max")),
        ({"quiet": "10m", "max": "31m"}, 30 * MINUTE, (21 * HOUR, "max")),
        ({"at": ["12:29"]}, 0, (29 * MINUTE, "at")),
        ({"at": ["12:30"]}, 0, (21 * HOUR, "at")),
        ({"at": ["12:30"], "days": "fri"}, 0, (4 * DAY + 69 * HOUR, "at")),
    ],
)
def test_hours_move_an_end_to_the_next_opening_also_past_max(
    value: dict[str, Any], newest: int, ends: tuple[int, str]
) -> None:
    assert end(rule_of(value, hours=OFFICE), newest=newest) == ends


@pytest.mark.parametrize(
    ("hours", "opened", "moved"),
    [
        ({"from": "22:00", "to": "06:00"}, "2026-06-01T20:59+00:00", "2026-06-01T22:00+00:00"),
        ({"from": "22:00", "to": "06:00"}, "2026-06-01T23:30+00:00", "2026-06-02T00:30+00:00"),
        ({"from": "22:00", "to": "06:00"}, "2026-06-02T04:59+00:00", "2026-06-02T05:59+00:00"),
        ({"from": "22:00", "to": "06:00"}, "2026-06-02T05:00+00:00", "2026-06-02T22:00+00:00"),
        (
            {"from": "22:00", "to": "06:00", "days": "fri"},
            "2026-06-06T04:00+00:00",
            "2026-06-06T05:00+00:00",
        ),
        (
            {"from": "22:00", "to": "06:00", "days": "sat"},
            "2026-06-06T04:00+00:00",
            "2026-06-06T22:00+00:00",
        ),
    ],
)
def test_hours_that_end_before_they_begin_cross_midnight(
    hours: dict[str, str], opened: str, moved: str
) -> None:
    found = end_of(rule_of({"every": "1h"}, hours=hours), "UTC", ms(opened), ms(opened))

    assert found.at_ms == ms(moved)


def test_no_window_is_longer_than_eight_days() -> None:
    weekly = {"at": ["12:00"], "days": "mon"}
    on_sunday = {"days": "sun", "from": "09:00", "to": "10:00"}
    on_tuesday = {"days": "tue", "from": "11:59", "to": "13:00"}

    assert end(rule_of(weekly)) == (7 * DAY, "at")
    assert end(rule_of(weekly, hours=on_sunday)) == (8 * DAY, "at")
    assert end(rule_of(weekly, hours=on_tuesday)) == (8 * DAY - MINUTE, "at")


@pytest.mark.parametrize(
    ("value", "silence", "leaves"),
    [
        ({"every": "1h"}, HOUR - 1, False),
        ({"every": "1h"}, HOUR, True),
        ({"quiet": "10m"}, 10 * MINUTE - 1, False),
        ({"quiet": "10m"}, 10 * MINUTE, True),
        # The last slot was at 11:00. A message of just then waits for the next one.
        ({"at": ["11:00", "18:00"]}, HOUR - 1, False),
        ({"at": ["11:00", "18:00"]}, HOUR, False),
        ({"at": ["11:00", "18:00"]}, HOUR + 1, True),
        ({"at": ["12:00"]}, 1, True),
        ({"at": ["18:00"], "days": "fri"}, 2 * DAY, False),
        ({"at": ["18:00"], "days": "fri"}, 3 * DAY, True),
    ],
)
def test_a_message_leaves_at_once_after_a_silence_of_the_windows_length(
    value: dict[str, Any], silence: int, leaves: bool
) -> None:
    assert leaves_at_once(rule_of(value, first="now"), "UTC", NOON - silence, NOON) is leaves
    assert leaves_at_once(rule_of(value), "UTC", NOON - silence, NOON) is False


def test_a_chats_first_message_leaves_at_once() -> None:
    assert leaves_at_once(rule_of({"every": "1h"}, first="now"), "UTC", 0, NOON)


def test_a_clock_that_was_put_back_lets_nothing_leave() -> None:
    assert not leaves_at_once(rule_of({"every": "1h"}, first="now"), "UTC", NOON + DAY, NOON)


@pytest.mark.parametrize(
    ("hours", "leaves"),
    [
        ({"from": "09:00", "to": "18:00"}, True),
        ({"from": "12:00", "to": "18:00"}, True),
        ({"from": "09:00", "to": "12:00"}, False),
        ({"from": "12:01", "to": "18:00"}, False),
        ({"from": "09:00", "to": "18:00", "days": "tue"}, False),
        ({"from": "09:00", "to": "18:00", "zone": "America/New_York"}, False),
        ({"from": "18:00", "to": "14:00", "days": "sun"}, True),
    ],
)
def test_outside_of_hours_nothing_leaves_at_once(hours: dict[str, str], leaves: bool) -> None:
    rule = rule_of({"quiet": "10m"}, first="now", hours=hours)

    assert leaves_at_once(rule, "UTC", 0, NOON) is leaves


def test_silence_is_the_windows_length_whatever_the_hours_make_of_its_end() -> None:
    rule = rule_of({"every": "1h"}, first="now", hours={"from": "12:00", "to": "13:00"})

    assert leaves_at_once(rule, "UTC", NOON - HOUR, NOON)

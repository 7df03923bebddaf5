"""What a window would have made of arrivals: as many calls as the real rule ends windows."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.engine.windows.ends import end_of, leaves_at_once
from hookbundle.engine.windows.parsing import parse
from hookbundle.engine.windows.simulation import (
    FRAME_BYTES_USUAL,
    Call,
    Outcome,
    Room,
    Tally,
    calls_of,
    room_of,
    simulate_chat,
)
from hookbundle.tests.engine.windows.settings import OFFICE, rule, with_rules
from hookbundle.tests.engine.windows.test_oracle import MOMENTS, RULES
from hookbundle.tests.engine.windows.walking import ms

NOON = ms("2026-06-01T12:00+00:00")
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
WIDE = room_of(0, 0)
Arrivals = list[tuple[int, int]]


def arrivals(*minutes: float, weight: int = 100) -> Arrivals:
    return [(NOON + round(each * MINUTE), weight) for each in minutes]


def calls(value: Any, came: Arrivals, room: Room = WIDE) -> list[tuple[float, str, int]]:
    """When each call left, in minutes after noon, why, and how many messages it has."""
    found = calls_of(parse(value), "UTC", room, came)
    return [((at - NOON) / MINUTE, why, len(members)) for at, why, members in found]


def outcome(value: Any, *chats: Arrivals, room: Room = WIDE) -> Outcome:
    setting, tally = parse(value), Tally()
    for came in chats:
        sizes = list(simulate_chat(setting, "UTC", room, came, into=tally))
        assert sum(sizes) == len(came)
    return tally.outcome(setting)


@pytest.mark.parametrize(
    ("value", "came", "found"),
    [
        ("none", (0, 1, 1), [(0, "single", 1), (1, "single", 1), (1, "single", 1)]),
        ({"every": "10m"}, (0, 9, 10, 11), [(10, "time", 2), (20, "time", 2)]),
        (
            {"quiet": "5m", "max": "12m"},
            (0, 4, 8, 11, 12, 40),
            [(12, "max", 4), (17, "quiet", 1), (45, "quiet", 1)],
        ),
        ({"at": ["12:10"]}, (0, 9, 10, 11), [(10, "at", 2), (24 * 60 + 10, "at", 2)]),
        (
            {"quiet": "5m", "first": "now"},
            (0, 3, 20, 100),
            [(0, "first", 1), (8, "quiet", 1), (20, "first", 1), (100, "first", 1)],
        ),
        (
            {"every": "10m", "hours": OFFICE},
            (5 * 60, 6 * 60 + 5),
            [(310, "time", 1), (1260, "time", 1)],
        ),
    ],
)
def test_calls_are_made_as_windows_end(
    value: Any, came: tuple[float, ...], found: list[tuple[float, str, int]]
) -> None:
    assert calls(value, arrivals(*came)) == found


def test_a_bundle_takes_as_many_messages_and_bytes_as_it_may() -> None:
    came = arrivals(0, 1, 2, 3, 4)

    assert calls({"every": "1h"}, came, Room(2, 1_000)) == [
        (1, "size", 2),
        (3, "size", 2),
        (64, "time", 1),
    ]
    assert calls({"every": "1h"}, came, Room(9, 299)) == [
        (2, "size", 2),
        (4, "size", 2),
        (64, "time", 1),
    ]


def test_a_message_that_is_too_large_goes_alone() -> None:
    came = [*arrivals(0), *arrivals(1, weight=5_000), *arrivals(2)]

    assert calls({"every": "1h"}, came, Room(9, 1_000)) == [
        (1, "size", 1),
        (2, "size", 1),
        (62, "time", 1),
    ]
    assert calls({"every": "1h", "first": "now"}, arrivals(0, 1, weight=5_000), Room(9, 10)) == [
        (0, "first", 1),
        (60, "time", 1),
    ]


def test_the_room_is_that_of_the_webhooks_limits() -> None:
    frame = limits.BODY_FRAME_BYTES_MAX

    assert room_of(0, 0) == Room(1_000, limits.BUNDLE_BODY_BYTES_MAX - frame)
    assert room_of(7, 20_000) == Room(7, 20_000 - FRAME_BYTES_USUAL)


def test_an_outcome_counts_calls_and_the_delays_of_messages() -> None:
    found = outcome({"every": "10m"}, arrivals(0, 1, 2, 9), arrivals(0, 30))

    assert found == Outcome(
        messages=6,
        calls=3,
        biggest=4,
        median_ms=9 * MINUTE,
        p95_ms=10 * MINUTE,
        rules_left_out=False,
    )


def test_without_a_window_nothing_waits() -> None:
    found = outcome("none", arrivals(0, 0, 5))

    assert (found.messages, found.calls, found.biggest) == (3, 3, 1)
    assert (found.median_ms, found.p95_ms) == (0, 0)


def test_without_messages_there_are_no_calls() -> None:
    assert outcome({"every": "1h"}) == Outcome(0, 0, 0, 0, 0, rules_left_out=False)


def test_rules_that_need_texts_or_labels_are_left_out_and_it_says_so() -> None:
    value = with_rules(rule("none"), **{"else": {"every": "1h"}})

    found = outcome(value, arrivals(0, 1))

    assert (found.calls, found.rules_left_out) == (1, True)


@pytest.mark.parametrize(
    ("delay", "counted"),
    [
        (0, 0),
        (499, 0),
        (500, 1),
        (3_600, 4),
        (HOUR, 3_600),
        (HOUR + 29 * SECOND, 3_600),
        (HOUR + 30 * SECOND, 3_660),
        (8 * DAY, 8 * 86_400),
    ],
)
def test_a_delay_is_counted_by_the_second_and_after_an_hour_by_the_minute(
    delay: int, counted: int
) -> None:
    tally = Tally()

    tally.add(Call(NOON + delay, "time", (NOON,)))

    assert tally.delay_ms(50) == counted * 1_000


def test_a_tally_stays_small_whatever_it_counts() -> None:
    tally = Tally()

    for minute in range(8 * 24 * 60):
        came = tuple(NOON + minute * MINUTE + second * SECOND for second in (0, 17, 31))
        tally.add(Call(NOON + 8 * DAY, "at", came))

    assert tally.messages == 3 * 8 * 24 * 60
    assert len(tally.delays_s) < 16_000


STEPS = st.tuples(
    st.sampled_from((0, 0, SECOND, 59 * SECOND, 10 * MINUTE, HOUR, 7 * HOUR, DAY, 3 * DAY)),
    st.sampled_from((0, 320, 640)),
)


def naive(value: Any, zone: str, room: Room, came: Arrivals) -> list[Call]:
    """Takes of the messages left, again and again, the longest beginning that is one window."""
    rule, found, at = parse(value).otherwise, [], 0
    while at < len(came):
        opened = came[at][0]
        last = came[at - 1][0] if at else 0
        begin = at + 1 if leaves_at_once(rule, zone, last, opened) else at
        if begin > at:
            found.append(Call(opened, "first", (opened,)))
        stop = at + 1
        while stop < len(came) and came[stop][0] < end_of(rule, zone, opened, came[stop - 1][0])[0]:
            stop += 1
        size = begin
        while size < stop and fits(came[begin : size + 1], room):
            size += 1
        members = tuple(each for each, _ in came[begin:size])
        if size < stop:  # the next one has no room
            full = len(members) == room.messages
            found.append(Call(members[-1] if full else came[size][0], "size", members))
        elif members:
            end = end_of(rule, zone, opened, came[size - 1][0])
            full = len(members) == room.messages
            found.append(Call(members[-1], "size", members) if full else Call(*end, members))
        at = size
    return found


def fits(members: Arrivals, room: Room) -> bool:
    within = sum(weight for _, weight in members) <= room.weight
    return len(members) <= room.messages and (within or len(members) == 1)


@given(
    value=RULES,
    first=st.booleans(),
    moment=MOMENTS,
    steps=st.lists(STEPS, min_size=1, max_size=12),
    room=st.builds(Room, st.sampled_from((1, 2, 3, 1_000)), st.sampled_from((300, 1_000, 100_000))),
)
@settings(max_examples=300, deadline=None)
def test_any_arrivals_make_the_calls_that_a_naive_reading_finds(
    value: dict[str, Any], first: bool, moment: tuple[str, int], steps: Arrivals, room: Room
) -> None:
    zone, now_ms = moment
    wanted = {**value, "first": "now"} if first else value
    came = []
    for step, weight in steps:
        now_ms += step
        came.append((now_ms, weight))

    found = list(calls_of(parse(wanted), zone, room, came))

    assert found == naive(wanted, zone, room, came)
    assert [each for call in found for each in call.arrivals] == [each for each, _ in came]
    assert [call.at_ms for call in found] == sorted(call.at_ms for call in found)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 3_600), max_size=20), max_size=4), st.data())
def test_tallies_that_are_added_say_what_one_of_all_says(
    chats: list[list[int]], data: st.DataObject
) -> None:
    whole, parts = Tally(), [Tally(), Tally()]
    for delays in chats:
        call = Call(NOON + HOUR, "time", tuple(NOON + HOUR - each * SECOND for each in delays))
        whole.add(call)
        data.draw(st.sampled_from(parts)).add(call)

    parts[0].merge(parts[1])

    assert parts[0] == whole
    ordered = sorted(each for delays in chats for each in delays)
    for percent in (50, 95, 100):
        rank = max(-(-len(ordered) * percent // 100), 1)
        assert whole.delay_ms(percent) == (ordered[rank - 1] * SECOND if ordered else 0)

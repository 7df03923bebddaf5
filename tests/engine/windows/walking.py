"""The contract of windows a second time, slow and obvious: it walks minute by minute through UTC
and asks the zone what its clock shows.

It knows nothing of the code's way: no search of days, no fold, no list of slots.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise

from hookbundle.engine.time_zones import zone as zone_of
from hookbundle.engine.windows.rule import At, Every, Hours, Quiet, Rule

MINUTE_MS, DAY_MS = 60_000, 86_400_000
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OPEN_MINUTES_MAX = 50 * 60  # an opening of a day, with a change of the clock
AGAIN_MINUTES_MAX = 3 * 60  # no clock is put back by more
LONGEST_MS = 8 * DAY_MS


def ms(text: str) -> int:
    """Of an ISO 8601 time with its offset."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def local(zone: str, at_ms: int) -> str:
    """The time there, with its offset, as the tables have it."""
    return datetime.fromtimestamp(at_ms / 1_000, zone_of(zone)).isoformat(timespec="minutes")


@cache
def shown_on(zone: str, day: int) -> tuple[datetime, ...]:
    """What the zone's clock shows in each minute of the day of UTC."""
    begin = datetime.fromtimestamp(day * DAY_MS // 1_000, UTC)
    there = zone_of(zone)
    return tuple(
        (begin + minute * MINUTE).astimezone(there).replace(tzinfo=None) for minute in range(1_440)
    )


def shown(zone: str, minute: int) -> datetime:
    """What it shows in that minute since 1970."""
    return shown_on(zone, minute // 1_440)[minute % 1_440]


def reached(zone: str, minute: int) -> tuple[datetime, ...]:
    """The local times whose moment this minute is: those that were skipped just now, and the one
    that is shown, unless it was shown before."""
    return reached_on(zone, minute // 1_440)[minute % 1_440]


@cache
def reached_on(zone: str, day: int) -> tuple[tuple[datetime, ...], ...]:
    """The same for each minute of the day of UTC."""
    minutes = range(day * 1_440, (day + 1) * 1_440)
    return tuple(tuple(found_at(zone, minute)) for minute in minutes)


def found_at(zone: str, minute: int) -> Iterator[datetime]:
    here, before = shown(zone, minute), shown(zone, minute - 1)
    skipped = before + MINUTE
    while skipped < here:
        yield skipped
        skipped += MINUTE
    # A clock that was put back shows again what it showed.
    if not any(shown(zone, earlier) == here for earlier in back_from(zone, minute)):
        yield here


def back_from(zone: str, minute: int) -> Iterator[int]:
    """The minutes before, if the clock was put back within them."""
    if shows_again(zone, minute // 1_440):
        yield from range(minute - 1, minute - AGAIN_MINUTES_MAX, -1)


@cache
def shows_again(zone: str, day: int) -> bool:
    """Whether the clock was put back on that day of UTC or the one before."""
    times = [*shown_on(zone, day - 1), *shown_on(zone, day)]
    return any(after < before for before, after in pairwise(times))


def next_slot(at: At, zone: str, after_ms: int) -> int:
    minute = after_ms // MINUTE_MS + 1  # a slot is a whole minute: the first after that moment
    while not any(is_slot(at, time_) for time_ in reached(zone, minute)):
        minute += 1
    return minute * MINUTE_MS


def is_slot(at: At, there: datetime) -> bool:
    return there.weekday() in at.days and 60 * there.hour + there.minute in at.minutes


def next_open(hours: Hours, zone: str, at_ms: int) -> int:
    """The moment itself if it is within an opening, else the minute in which the next begins."""
    minute = at_ms // MINUTE_MS
    while not open_on(hours, zone, minute // 1_440)[minute % 1_440]:
        minute += 1
    return max(minute * MINUTE_MS, at_ms)


@cache
def open_on(hours: Hours, zone: str, day: int) -> tuple[bool, ...]:
    """Whether it is open, for each minute of the day of UTC."""
    closing: set[datetime] = set()
    found = []
    for minute in range(day * 1_440 - OPEN_MINUTES_MAX, (day + 1) * 1_440):
        for there in reached(zone, minute):
            closing.discard(there)
            if there.weekday() in hours.days and minute_of(there) == hours.from_minute:
                closing.add(closes(hours, there.date()))
        found.append(bool(closing))
    return tuple(found[OPEN_MINUTES_MAX:])


def closes(hours: Hours, day: date) -> datetime:
    same_day = hours.to_minute > hours.from_minute
    return datetime.combine(day if same_day else day + DAY, time()) + hours.to_minute * MINUTE


def minute_of(there: datetime) -> int:
    return 60 * there.hour + there.minute


def end_of(rule: Rule, zone: str, arrivals: list[int]) -> tuple[int, str]:
    """When a window ends that the first of the messages opened, and why."""
    at_ms, why = without_hours(rule, zone, arrivals)
    if rule.hours is not None:
        at_ms = next_open(rule.hours, rule.hours.zone or zone, at_ms)
    return min(at_ms, arrivals[0] + LONGEST_MS), why


def without_hours(rule: Rule, zone: str, arrivals: list[int]) -> tuple[int, str]:
    opened_ms = arrivals[0]
    match rule.ends:
        case Every(every_ms):
            return opened_ms + every_ms, "time"
        case Quiet(quiet_ms, max_ms):
            quiet_at = max(arrivals) + quiet_ms
            return (
                (quiet_at, "quiet")
                if quiet_at <= opened_ms + max_ms
                else (opened_ms + max_ms, "max")
            )
        case At() as at:
            return next_slot(at, at.zone or zone, opened_ms), "at"
        case None:
            return opened_ms, "time"

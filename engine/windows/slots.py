"""The moments of a zone's local times, over changes of its clock, and the next one of a rule.

One sentence defines the moment of a local time: it is the first minute at which the zone's clock
shows that time or a later one. So a time that a change skips is the next one that there is, a time
that comes twice is the first, and a later local time never has an earlier moment. That order is
why the search may look at the days one after the other.

What is found is kept for a rule, a zone and a day of UTC: windows that open on the same day find
their end in a short list.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hookbundle.engine import time_zones
from hookbundle.engine.windows.rule import At, Hours

DAY_MS = 86_400_000
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
KEPT = 4_096  # a list is a few hundred bytes, and at most 2 KiB


def next_slot(at: At, zone: str, after_ms: int) -> int:
    """The moment of the rule's next time, strictly after that one."""
    found = _slots(at, zone, after_ms // DAY_MS)
    return found[bisect_right(found, after_ms)]


def next_open(hours: Hours, zone: str, at_ms: int) -> int:
    """The same moment if it is within an opening, else that at which the next one begins."""
    openings = _openings(hours, zone, at_ms // DAY_MS)
    return next(max(at_ms, begin) for begin, end in openings if at_ms < end)


@lru_cache(maxsize=KEPT)
def _slots(at: At, zone: str, day: int) -> tuple[int, ...]:
    """In order, those after the beginning of the day of UTC, up to the first one after its end."""
    begin, end = day * DAY_MS, (day + 1) * DAY_MS
    there = time_zones.zone(zone)
    found: list[int] = []
    for local in _days_from(_day_of(there, begin)):
        if local.weekday() in at.days:
            slots = (moment_of(there, local, minute) for minute in at.minutes)
            found += [slot for slot in slots if slot > begin]
        if found and found[-1] >= end:
            return tuple(found)
    raise AssertionError("days go on")


@lru_cache(maxsize=KEPT)
def _openings(hours: Hours, zone: str, day: int) -> tuple[tuple[int, int], ...]:
    """In order, begin and end of those that are not over when the day of UTC begins, up to the
    first one that is not over when it ends."""
    begin, end = day * DAY_MS, (day + 1) * DAY_MS
    there = time_zones.zone(zone)
    over_midnight = hours.to_minute <= hours.from_minute
    found: list[tuple[int, int]] = []
    for local in _days_from(_day_of(there, begin) - DAY):  # on which it may have begun
        if local.weekday() in hours.days:
            opens = moment_of(there, local, hours.from_minute)
            last = local + DAY if over_midnight else local
            closes = moment_of(there, last, hours.to_minute)
            # A change of the clock may have skipped the whole opening.
            if opens < closes and begin < closes:
                found.append((opens, closes))
        if found and found[-1][1] >= end:
            return tuple(found)
    raise AssertionError("days go on")


def _day_of(zone: ZoneInfo, at_ms: int) -> date:
    """The day that it is there at that moment."""
    return datetime.fromtimestamp(at_ms // 1_000, zone).date()


def _days_from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += DAY


def moment_of(zone: ZoneInfo, day: date, minute: int) -> int:
    """The first moment at which the clock shows that time or a later one; 1,440 is the day's end.

    A time that the clock does not show is looked for minute by minute, which is nearly always an
    hour and at most a day: a whole one was skipped in the Pacific, once.
    """
    local = datetime.combine(day, time()) + minute * MINUTE
    while True:
        moment = local.replace(tzinfo=zone).astimezone(UTC)  # the first one, if there are two
        if moment.astimezone(zone).replace(tzinfo=None) == local:
            return int(moment.timestamp()) * 1_000
        local += MINUTE

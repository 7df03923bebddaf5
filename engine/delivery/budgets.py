"""`budget`: at most so many requests a day, from 00:00 of the workspace's time zone.

A day is counted from its first instant, and ends with the first midnight that is `DAY_MS_MIN` or
more later. All days of all zones are longer (the shortest have 21 hours), so this only matters
where the zone was changed meanwhile: the day goes on, with what was used, to a midnight of the new
zone, and no midnight that comes hours after the first one brings a second budget.
"""

import re
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from hookbundle.engine import time_zones

BUDGET_MAX = 100_000_000  # as many a day as one after the other can be sent, and more
WARNED_AT_PERCENT = 80
HOUR_MS = 3_600_000
DAY_MS_MIN = 20 * HOUR_MS
KNOWN_AFTER_MS = HOUR_MS  # before that, and of fewer requests, there is no forecast
KNOWN_AFTER_REQUESTS = 10
DAYS_REMEMBERED = 1_024
SHAPE = re.compile(r"([0-9]{1,9})/day")

Forecast = Literal["unknown", "lasts", "runs_out", "used_up"]


class Day(NamedTuple):
    """The day that contains a time, and what was used of it. `since_ms`: counted since then."""

    start_ms: int
    end_ms: int
    used: int
    since_ms: int


class Outlook(NamedTuple):
    """What becomes of the budget if the day goes on as it was. `used_up_ms`: 0 if not known."""

    forecast: Forecast
    used_up_ms: int = 0


def parse(text: str) -> int:
    """Requests a day. Raises: ValueError for what is not like `1000/day`, or out of range."""
    match = SHAPE.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= BUDGET_MAX:
        raise ValueError(f"{text!r} is not a budget like 1000/day, of 1 to {BUDGET_MAX} requests")
    return int(match[1])


def text_of(budget: int) -> str:
    """As `parse` reads it; empty for no budget."""
    return f"{budget}/day" if budget else ""


def day_of(zone: str, stored: Day, now_ms: int) -> Day:
    """The day that counts now: the stored one, if it is not over, else a new one, unused.

    Of `stored`, `end_ms` is not read.
    """
    if stored.start_ms:
        end_ms = _end_ms(zone, stored.start_ms)
        if now_ms < end_ms:
            return Day(stored.start_ms, end_ms, stored.used, stored.since_ms)
    start_ms = day_start_ms(zone, now_ms)
    return Day(start_ms, _end_ms(zone, start_ms), 0, start_ms)


def day_start_ms(zone: str, now_ms: int) -> int:
    """The first instant of the day that contains `now_ms`."""
    date = datetime.fromtimestamp(now_ms / 1_000, time_zones.zone(zone)).date()
    start_ms = _midnight_ms(zone, date.toordinal())
    return start_ms if start_ms <= now_ms else _midnight_ms(zone, date.toordinal() - 1)


def is_nearly_used(budget: int, used: int) -> bool:
    """Whether it is time for the warning."""
    return used * 100 >= budget * WARNED_AT_PERCENT


def outlook(budget: int, day: Day, now_ms: int) -> Outlook:
    """A straight line through what was used since it is counted, to the end of the day."""
    if day.used >= budget:
        return Outlook("used_up")
    past_ms = now_ms - day.since_ms
    if past_ms < KNOWN_AFTER_MS or day.used < KNOWN_AFTER_REQUESTS:
        return Outlook("unknown")
    used_up_ms = now_ms + (budget - day.used) * past_ms // day.used
    return Outlook("runs_out", used_up_ms) if used_up_ms < day.end_ms else Outlook("lasts")


@lru_cache(DAYS_REMEMBERED)
def _end_ms(zone: str, start_ms: int) -> int:
    """The end of the day that is counted from `start_ms` on, as the zone is now."""
    after_ms = start_ms + DAY_MS_MIN
    date = datetime.fromtimestamp(after_ms / 1_000, time_zones.zone(zone)).date().toordinal()
    # Where a date is skipped, two midnights are one; so the day after the next one is asked too.
    found = (_midnight_ms(zone, date + days) for days in range(3))
    return next(at_ms for at_ms in found if at_ms >= after_ms)


def _midnight_ms(zone: str, ordinal: int) -> int:
    """00:00 of the date; where the clock is set forward over it, the instant at which it is."""
    date = datetime.min + timedelta(days=ordinal - 1)
    midnight = datetime.combine(date, time(), time_zones.zone(zone))
    return int(midnight.timestamp()) * 1_000

"""Trims when messages arrived: days that are too old, and more if a workspace has too many of them.

A day is trimmed as a whole: so it can be said from when on all is known.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.windows.arrivals import DAY_MS, day_of
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.arrivals import rows


class TrimArrivals(msgspec.Struct, frozen=True, kw_only=True):
    """Deletes up to `most` rows of the workspace."""

    workspace_number: int
    most: int
    now_ms: int


class ArrivalsTrimmed(msgspec.Struct, frozen=True):
    finished: bool


def trim_arrivals(unit: Unit, transition: TrimArrivals) -> ArrivalsTrimmed:
    """Raises: NotFound if the workspace is gone."""
    number, left = transition.workspace_number, transition.most
    settings, usage = unit.workspace_numbered(number), unit.usage(number)
    unit.advance_time(transition.now_ms)
    today = day_of(transition.now_ms)
    for webhook, day in _trimmable(unit, settings, today):
        for key, value in list(islice(unit.rows(rows.prefix_of(webhook, day)), left)):
            rows.delete(unit, number, key, len(value))
            left -= 1
        if today - limits.ARRIVALS_DAYS <= day <= today:  # it went for want of room
            usage.arrivals_since_ms = max(usage.arrivals_since_ms, (day + 1) * DAY_MS)
        if left <= 0:
            return ArrivalsTrimmed(finished=False)
    rows.schedule_oldest(unit, settings)
    return ArrivalsTrimmed(finished=True)


def _trimmable(unit: Unit, settings: Settings, today: int) -> Iterator[tuple[int, int]]:
    """Webhooks with a day of theirs that goes. The caller deletes its rows before the next one."""
    usage, enough = unit.usage(settings.workspace.number), limits.ARRIVALS_BYTES_MAX * 7 // 8
    oldest, crowded = today - limits.ARRIVALS_DAYS, usage.arrivals_due_ms == 0
    found = [(day, each.number) for each in settings.all for day in rows.days(unit, each.number)]
    for day, webhook in sorted(found):
        # Later than today were those of a clock that was wrong; see clock_recovery.py.
        is_over = crowded and day < today and usage.arrival_bytes > enough
        if day < oldest or day > today or is_over:
            yield webhook, day

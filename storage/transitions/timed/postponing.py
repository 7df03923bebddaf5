"""Rows of the due index whose work failed are tried again later; see tables/postponed.py.

Such a row is tried again under its own kind: the transition gets the row as it was at first. Most
transitions postpone it themselves if its records are still damaged, and count it as failed for the
first time. `Settle`, which follows each such try, then counts on from the row that was tried.
"""

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.postponed import FIRST_WAIT_MS, Postponed, postpone

TRIES_UNKNOWN = 10  # of a row whose count is damaged: from here on it waits the longest


class Postpone(msgspec.Struct, frozen=True):
    """The work of these rows failed. Each may be postponed already."""

    rows: tuple[Due, ...]
    now_ms: int


class Settle(msgspec.Struct, frozen=True):
    """These rows were acted on at `tried_ms`, or ask for nothing that is there."""

    rows: tuple[Due, ...]
    tried_ms: int


def postpone_rows(unit: Unit, transition: Postpone) -> None:
    unit.advance_time(transition.now_ms)
    for row in transition.rows:
        _postpone(unit, row, transition.now_ms)


def settle(unit: Unit, transition: Settle) -> None:
    for row in transition.rows:
        if row.kind is DueKind.POSTPONED and _failed_again(unit, row, transition.tried_ms):
            _postpone(unit, row, transition.tried_ms)
        else:
            unit.delete_due(row)


def _failed_again(unit: Unit, row: Due, tried_ms: int) -> bool:
    """Whether the try has postponed its row by itself. What it wrote is deleted."""
    again = Due(tried_ms + FIRST_WAIT_MS, DueKind.POSTPONED, row.number, row.subject)
    return again != row and unit.delete(keyspace.due(again))


def _postpone(unit: Unit, row: Due, now_ms: int) -> None:
    try:
        postpone(unit, row, now_ms)
    except CorruptRecord:
        unit.put(keyspace.due(row), Postponed(tries=TRIES_UNKNOWN))
        postpone(unit, row, now_ms)

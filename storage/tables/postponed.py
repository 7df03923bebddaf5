"""Rows of the due index whose work failed: tried again later, and later each time.

Such a row is taken out of its kind and put among the POSTPONED ones, with its own key as the
subject. So it never comes first for ever, and hides no row that can be acted on, also after a
restart. Its record is what failed, a damaged one mostly; `check` names it.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.engine.limits import STEP_WEIGHT
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Frozen
from hookbundle.storage.database.unit import Unit

FIRST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 600_000

T = TypeVar("T")


class Postponed(Frozen, frozen=True):
    """A row of the due index whose work failed. `tries`: how often."""

    tries: int


class ActedOn(NamedTuple, Generic[T]):
    """`results` of the rows that could be acted on. `finished`: all rows were looked at."""

    results: list[T]
    finished: bool


def act_on_each(
    unit: Unit, rows: tuple[Due, ...], now_ms: int, act: Callable[[Due], T]
) -> ActedOn[T]:
    """What `act` returned for the rows it could act on. The others hold up none of them.

    It raises NotFound for a row whose workspace or webhook is gone: the row is deleted. It raises
    CorruptRecord where records are damaged: the row is postponed. Either with nothing written.

    Nobody knows before how much a row asks for. When it was as much as a step may be, the rest of
    the rows stays as it is, and the timer finds it again.
    """
    done: list[T] = []
    most = unit.weight + STEP_WEIGHT
    for row in rows:
        if unit.weight >= most:
            return ActedOn(done, finished=False)
        try:
            done.append(act(row))
        except NotFound:
            unit.delete_due(row)
        except CorruptRecord:
            postpone(unit, row, now_ms)
    return ActedOn(done, finished=True)


def postpone(unit: Unit, row: Due, now_ms: int) -> None:
    """The row, which may be postponed already, is tried again after its next wait."""
    key, tries = keyspace.due(row), 1
    original = key
    if row.kind is DueKind.POSTPONED:
        before = unit.get(key, Postponed)
        original, tries = row.subject, before.tries + 1 if before else 1
    unit.delete(key)
    wait_ms = min(FIRST_WAIT_MS << min(tries - 1, 30), LONGEST_WAIT_MS)
    later = Due(now_ms + wait_ms, DueKind.POSTPONED, row.number, original)
    unit.put(keyspace.due(later), Postponed(tries=tries))

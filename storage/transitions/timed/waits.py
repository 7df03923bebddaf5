"""A wait ends, after an error, or for rate or budget: the webhook is ready for its next attempt."""

from functools import partial

import msgspec

from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness
from hookbundle.storage.tables.postponed import act_on_each


class EndWaits(msgspec.Struct, frozen=True):
    """Acts on RETRY rows of the due index that are due: their webhooks are ready again."""

    rows: tuple[Due, ...]
    now_ms: int


class WaitsEnded(msgspec.Struct, frozen=True):
    """`wake`: numbers of the webhooks that became ready."""

    wake: tuple[int, ...]


def end_waits(unit: Unit, transition: EndWaits) -> WaitsEnded:
    ready = act_on_each(unit, transition.rows, transition.now_ms, partial(_end_wait, unit))
    return WaitsEnded(tuple(number for number in ready.results if number))


def _end_wait(unit: Unit, row: Due) -> int:
    """The number of the webhook if it became ready; 0 if not.

    Raises: NotFound, CorruptRecord, with nothing written.
    """
    _, webhook = unit.webhook_numbered(row.number)
    state = unit.state(row.number)
    if state.retry_ms != row.at_ms:
        unit.delete_due(row)
        return 0
    state.next_attempt_ms = state.paced_ms = 0
    unit.advance_time(row.at_ms)
    return row.number if readiness.reconcile(unit, webhook, state) else 0

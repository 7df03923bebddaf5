"""The wait after an error ends: the webhook is ready for its next attempt."""

from dataclasses import dataclass

from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness
from hookbundle.storage.tables.postponed import postpone


@dataclass(frozen=True, slots=True)
class EndWaits:
    """Acts on RETRY rows of the due index that are due: their webhooks are ready again."""

    rows: tuple[Due, ...]
    now_ms: int


@dataclass(frozen=True, slots=True)
class WaitsEnded:
    """`wake`: numbers of the webhooks that became ready."""

    wake: tuple[int, ...]


def end_waits(unit: Unit, transition: EndWaits) -> WaitsEnded:
    wake = []
    for row in transition.rows:
        try:
            _, webhook = unit.webhook_numbered(row.number)
            state = unit.state(row.number)
        except NotFound:
            unit.delete_due(row)
            continue
        except CorruptRecord:
            postpone(unit, row, transition.now_ms)
            continue
        if state.retry_ms != row.at_ms:
            unit.delete_due(row)
            continue
        state.next_attempt_ms = 0
        unit.advance_time(row.at_ms)
        if readiness.reconcile(unit, webhook, state):
            wake.append(row.number)
    return WaitsEnded(tuple(wake))

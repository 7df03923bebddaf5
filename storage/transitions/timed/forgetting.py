"""Message ids and idempotency keys are forgotten when they are older than the promise."""

from dataclasses import dataclass

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import RequestRecord
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import windows


@dataclass(frozen=True, slots=True)
class Forget:
    """Acts on FORGET and REQUEST rows of the due index that are due."""

    rows: tuple[Due, ...]
    now_ms: int


def forget(unit: Unit, transition: Forget) -> None:
    """Chats silent for long enough, and old idempotency keys, are gone."""
    unit.advance_time(transition.now_ms)
    for row in transition.rows:
        if row.kind is DueKind.FORGET:
            _forget_chat(unit, row, transition.now_ms)
        else:
            _forget_request(unit, row)


def _forget_chat(unit: Unit, row: Due, now_ms: int) -> None:
    record = unit.chat(row.number, row.subject)
    if record is None or record.window or record.wake_ms != row.at_ms:
        unit.delete_due(row)
    elif record.last_ms + limits.REMEMBERED_MS > now_ms:
        windows.set_window(unit, row.number, row.subject, record, None)
    else:
        for number in range(record.seen_first, record.seen_next):
            unit.delete(keyspace.part(keyspace.SEEN_PARTS, row.number, row.subject, number))
        unit.delete_chat(row.number, row.subject)
        unit.delete_due(row)


def _forget_request(unit: Unit, row: Due) -> None:
    key = keyspace.owned(keyspace.REQUESTS, row.number, row.subject)
    record = unit.get(key, RequestRecord)
    if record is not None and record.at_ms + limits.REMEMBERED_MS <= row.at_ms:
        unit.delete(key)
    unit.delete_due(row)

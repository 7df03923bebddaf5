"""Message ids and idempotency keys are forgotten when they are older than the promise."""

import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import requests, seen_ids, windows
from hookbundle.storage.tables.arrivals import recording
from hookbundle.storage.tables.postponed import act_on_each
from hookbundle.storage.tables.requests import RequestRecord
from hookbundle.storage.tables.rules import ends

PARTS_AT_ONCE = 4  # of a chat's seen ids in one transition, each with 64 rows


class Forget(msgspec.Struct, frozen=True):
    """Acts on FORGET and REQUEST rows of the due index that are due."""

    rows: tuple[Due, ...]
    now_ms: int


def forget(unit: Unit, transition: Forget) -> None:
    """Chats silent for long enough, and old idempotency keys, are gone."""
    unit.advance_time(transition.now_ms)

    def act(row: Due) -> None:
        if row.kind is DueKind.FORGET:
            _forget_chat(unit, row, transition.now_ms)
        else:
            _forget_request(unit, row)

    act_on_each(unit, transition.rows, transition.now_ms, act)


def _forget_chat(unit: Unit, row: Due, now_ms: int) -> None:
    """Raises: NotFound if the workspace is gone; CorruptRecord, with nothing half done."""
    settings = unit.workspace_numbered(row.number)
    unit.usage(row.number)
    record = unit.chat(row.number, row.subject)
    if record is None or record.forget_ms != row.at_ms:
        unit.delete_due(row)
        return
    # Of today there are none: 48 hours of silence are longer than a day.
    recording.move(unit, settings, row.subject, record, now_ms)
    if record.last_ms + limits.REMEMBERED_MS > now_ms:
        windows.forget_later(unit, row.number, row.subject, record)
        return
    # A chat may know a million ids: they go in steps, one a poll of the timer.
    seen_ids.drop_old(unit, row.number, row.subject, record, now_ms, PARTS_AT_ONCE)
    if record.seen_first < record.seen_next:
        windows.forget_later(unit, row.number, row.subject, record, now_ms + 1)
        return
    until_ms = ends.remembered_until(settings, record)
    if until_ms > now_ms:
        windows.forget_later(unit, row.number, row.subject, record, until_ms)
        return
    unit.delete_chat(row.number, row.subject)
    unit.delete_due(row)


def _forget_request(unit: Unit, row: Due) -> None:
    key = keyspace.owned(keyspace.REQUESTS, row.number, row.subject)
    record = unit.get(key, RequestRecord)
    if record is not None and record.at_ms + limits.REMEMBERED_MS <= row.at_ms:
        requests.delete(unit, row.number, row.subject, record)
    else:
        unit.delete_due(row)

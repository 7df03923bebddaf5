"""Edits and deletions are dropped whose messages did not come within a minute."""

from functools import partial

import msgspec

from hookbundle.storage.change_facts import MessageUnmatched
from hookbundle.storage.database import feed_rows, key_fields
from hookbundle.storage.database.chat_records import EarlyChange
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.changing import early
from hookbundle.storage.tables.postponed import act_on_each


class DropChanges(msgspec.Struct, frozen=True):
    """Acts on CHANGE rows of the due index that are due."""

    rows: tuple[Due, ...]
    now_ms: int


class _Dropped(msgspec.Struct, frozen=True):
    workspace: int
    chat: bytes
    change: EarlyChange


def drop_changes(unit: Unit, transition: DropChanges) -> None:
    """What was kept is gone, and a fact for each chat says so."""
    unit.advance_time(transition.now_ms)
    chats: dict[tuple[int, bytes], list[EarlyChange]] = {}
    acted = act_on_each(unit, transition.rows, transition.now_ms, partial(_drop, unit))
    for dropped in acted.results:
        if dropped is not None:
            chats.setdefault((dropped.workspace, dropped.chat), []).append(dropped.change)
    for (number, chat), changes in chats.items():
        unit.meta.totals.unmatched += len(changes)
        fact = MessageUnmatched(
            edits=[each.message_id for each in changes if each.text],
            deletions=[each.message_id for each in changes if not each.text],
        )
        workspace = unit.workspace_numbered(number).workspace
        feed_rows.found_by_chat(unit, number, chat)
        unit.tell(workspace, fact, transition.now_ms, chat.decode())


def _drop(unit: Unit, row: Due) -> _Dropped | None:
    """None if the row is stale. Raises: NotFound, CorruptRecord, with nothing written."""
    unit.workspace_numbered(row.number)
    unit.usage(row.number)
    key = early.key_in(row)
    change = unit.get(key, EarlyChange)
    if change is None or early.due_of(key, row.number, change) != row:
        unit.delete_due(row)
        return None
    early.drop(unit, row.number, key, change)
    return _Dropped(row.number, key_fields.of_chat(key)[1], change)

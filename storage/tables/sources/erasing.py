"""Erases what sources have of a deleted chat."""

from hookbundle.engine import limits
from hookbundle.storage.database import codec
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.keys import OfChat
from hookbundle.storage.database.sources.records import Remembered, SourceMemory, SourceNotes
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.history import Budget
from hookbundle.storage.tables.sources import lookup, memory, requests

ROWS_OF_ONE = 4
LATER_MAX = 1_000  # learned after the deletion; of more, what there is goes too


def has_any(unit: Unit, workspace: int, chat: bytes) -> bool:
    """Whether a source has something of the chat, or a request of which no chat is known."""
    prefixes = (keys.of_chat(workspace, each) for each in (chat, b""))
    return any(unit.first_key(prefix) is not None for prefix in prefixes)


def erase(unit: Unit, workspace: int, chat: bytes, erasure: Erasure, budget: Budget) -> None:
    """None is left that came before the deletion, unless the budget is spent.

    Requests of which no chat is known go as well: they may be of this one.
    """
    for prefix in (keys.of_chat(workspace, chat), keys.of_chat(workspace, b"")):
        _erase(unit, workspace, prefix, erasure.at_ms, budget)


def _erase(unit: Unit, workspace: int, prefix: bytes, until_ms: int, budget: Budget) -> None:
    later, after = 0, prefix
    while not budget.is_spent():
        row = next(unit.rows(prefix, after), None)
        if row is None:
            return
        after = row[0]
        of_chat = keys.in_chat(after)[2]
        if later < LATER_MAX and _at_ms(unit, workspace, of_chat) > until_ms:
            later += 1
            continue
        _drop(unit, workspace, of_chat)
        unit.delete(after)  # also if what it pointed to was damaged
        budget.spend(limits.SOURCE_VALUE_BYTES_MAX, ROWS_OF_ONE, records=1)


def _at_ms(unit: Unit, workspace: int, of_chat: OfChat) -> int:
    """When what the row points to came; 0 if that can't be read."""
    if of_chat.entry is not None:
        key = keys.entry(workspace, of_chat.source, of_chat.entry)
        entry = codec.readable(key, unit.get_raw(key) or b"", Remembered)
        return entry.at_ms if entry else 0
    notes = _notes(unit, workspace, of_chat.source)
    kept = requests.find(notes, of_chat.request) if notes else None
    return kept.at_ms if kept else 0


def _drop(unit: Unit, workspace: int, of_chat: OfChat) -> None:
    source = of_chat.source
    if of_chat.entry is not None:
        state = _memory(unit, workspace, source)
        if state is not None:
            memory.forget(unit, workspace, source, state, of_chat.entry)
            lookup.keep_memory(unit, workspace, source, state)
        return
    notes = _notes(unit, workspace, source)
    kept = requests.find(notes, of_chat.request) if notes else None
    if notes is not None and kept is not None:
        requests.drop(unit, workspace, source, notes, kept)
        lookup.keep_notes(unit, workspace, source, notes)


def _memory(unit: Unit, workspace: int, source: int) -> SourceMemory | None:
    key = keys.of_source(workspace, source, keys.MEMORY_STATE)
    return codec.readable(key, unit.get_raw(key) or b"", SourceMemory)


def _notes(unit: Unit, workspace: int, source: int) -> SourceNotes | None:
    key = keys.of_source(workspace, source, keys.NOTES)
    return codec.readable(key, unit.get_raw(key) or b"", SourceNotes)

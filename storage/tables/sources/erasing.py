"""Erases what sources have of a deleted chat."""

from dataclasses import dataclass, field

from hookbundle.engine import limits
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.rows import NEVER, READ_WEIGHT
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.keys import EntryName, OfChat
from hookbundle.storage.database.sources.records import Remembered, SourceMemory, SourceNotes
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.history import Budget
from hookbundle.storage.tables.sources import memory, requests

ROWS_OF_ONE = 4
LATER_MAX = 1_000  # learned after the deletion; of more, what there is goes too


def has_any(unit: Unit, workspace: int, chat: bytes) -> bool:
    """Whether a source has something of the chat, or a request of which no chat is known."""
    prefixes = (keys.of_chat(workspace, each) for each in (chat, b""))
    return any(unit.first_key(prefix) is not None for prefix in prefixes)


def erase(unit: Unit, workspace: int, chat: bytes, erasure: Erasure, budget: Budget) -> int:
    """None is left that came before the deletion, unless the budget is spent.

    Requests of which no chat is known go as well: they may be of this one. Returns how many rows
    were looked at and stay. These the caller pays for when the chat is done: a step that may do
    little has to come to an end as well.
    """
    erasing, looks = _Erasing(unit, workspace), 0
    for prefix in (keys.of_chat(workspace, chat), keys.of_chat(workspace, b"")):
        looks += _erase(erasing, prefix, erasure.at_ms, budget)
    erasing.write()
    return looks


@dataclass(slots=True)
class _Erasing:
    """What sources of the workspace have. The records of each are read once, and written once."""

    unit: Unit
    workspace: int
    memories: dict[int, SourceMemory | None] = field(default_factory=dict)
    notes: dict[int, SourceNotes | None] = field(default_factory=dict)
    changed: set[tuple[int, int]] = field(default_factory=set)  # the source, and which record

    def drop(self, of_chat: OfChat, until_ms: int) -> bool:
        """What the row points to is gone. False: it came later, and stays."""
        if of_chat.entry is not None:
            return self._drop_entry(of_chat.source, of_chat.entry, until_ms)
        return self._drop_request(of_chat.source, of_chat.request, until_ms)

    def write(self) -> None:
        for source, which in sorted(self.changed):
            record = self.notes[source] if which == keys.NOTES else self.memories[source]
            if record is not None:
                self.unit.put(keys.of_source(self.workspace, source, which), record)

    def _drop_entry(self, source: int, name: EntryName, until_ms: int) -> bool:
        unit, workspace = self.unit, self.workspace
        unit.weight += READ_WEIGHT
        entry = unit.readable(keys.entry(workspace, source, name), Remembered)
        if entry is not None and entry.at_ms > until_ms:
            return False
        if source not in self.memories:
            key = keys.of_source(workspace, source, keys.MEMORY_STATE)
            self.memories[source] = unit.readable(key, SourceMemory)
        state = self.memories[source]
        if entry is None:  # if it is damaged, its counters can't be corrected, and `check` says so
            unit.delete(keys.entry(workspace, source, name))
        elif state is not None:
            memory.drop(unit, workspace, source, state, name, entry)
            self.changed.add((source, keys.MEMORY_STATE))
        return True

    def _drop_request(self, source: int, number: int, until_ms: int) -> bool:
        unit, workspace = self.unit, self.workspace
        if source not in self.notes:
            key = keys.of_source(workspace, source, keys.NOTES)
            unit.weight += READ_WEIGHT
            self.notes[source] = unit.readable(key, SourceNotes)
        notes = self.notes[source]
        kept = requests.find(notes, number) if notes else None
        if kept is not None and kept.at_ms > until_ms:
            return False
        if notes is not None and kept is not None:
            requests.drop(unit, workspace, source, notes, kept)
            self.changed.add((source, keys.NOTES))
        return True


def _erase(erasing: _Erasing, prefix: bytes, until_ms: int, budget: Budget) -> int:
    """How many rows were looked at and stay."""
    unit, later, after = erasing.unit, 0, prefix
    while not budget.is_spent():
        row = next(unit.rows(prefix, after), None)
        if row is None:
            break
        after = row[0]
        if not erasing.drop(keys.in_chat(after)[2], until_ms if later < LATER_MAX else NEVER):
            later += 1
            continue
        unit.delete(after)  # also if what it pointed to was damaged
        budget.spend(limits.SOURCE_VALUE_BYTES_MAX, ROWS_OF_ONE, records=1)
    return later

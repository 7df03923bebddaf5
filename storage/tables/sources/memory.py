"""What a source remembers, and how the oldest of it goes.

Each entry is found by a digest of its id in its map, has a place in a ring, by which the oldest is
found, and a row under its chat, by which it is erased with that. There are two rings: one for what
is learned once and needed for long, one for which chat each of the last messages is in.
"""

from enum import IntEnum

from hookbundle.engine import limits
from hookbundle.engine.sources.memory import (
    ChatBegun,
    ChatCreated,
    ChatName,
    Learned,
    LidPhone,
    MessageChat,
    UserPhone,
)
from hookbundle.storage.database import codec
from hookbundle.storage.database.rows import READ_WEIGHT
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.keys import EntryName
from hookbundle.storage.database.sources.records import Remembered, SourceMemory
from hookbundle.storage.database.unit import Unit

ENTRY_BYTES = 192  # a flat sum for the three rows of an entry, beside its texts
DROPPED_AT_ONCE = 64  # of the oldest, for one that is new


class Map(IntEnum):
    """What an entry is found by. The number is part of its key."""

    LID = 1  # a hidden id; the value is the digits of a phone
    USER = 2  # a business-scoped user id; likewise
    NAME = 3  # a chat; its name
    NEW = 4  # a chat that was made, and has no message yet
    MESSAGE = 5  # a message; the value is empty, and its chat the answer


LASTING, MESSAGES = 0, 1  # the rings
ENTRIES_MAX = (limits.SOURCE_ENTRIES_MAX, limits.SOURCE_MESSAGES_MAX)
BYTES_MAX = (limits.SOURCE_MEMORY_BYTES_MAX, limits.SOURCE_MESSAGES_BYTES_MAX)


def name_of(map_: Map, text: str) -> EntryName:
    return EntryName(map_, keys.name_of(text))


def ring_of(name: EntryName) -> int:
    return MESSAGES if name.map == Map.MESSAGE else LASTING


def size_of(entry: Remembered) -> int:
    """The bytes that the entry is counted with."""
    return ENTRY_BYTES + len(entry.value.encode()) + 2 * len(entry.chat.encode())


def learn(
    unit: Unit, workspace: int, source: int, memory: SourceMemory, what: Learned, now_ms: int
) -> None:
    """It is remembered, unless a text of it is too long. `memory` is changed in place."""
    match what:
        case LidPhone():
            name, value = name_of(Map.LID, what.lid), what.phone
        case UserPhone():
            name, value = name_of(Map.USER, what.user_id), what.phone
        case ChatName():
            name, value = name_of(Map.NAME, what.chat_id), what.name
        case ChatCreated():
            name, value = name_of(Map.NEW, what.chat_id), ""
        case MessageChat():
            name, value = name_of(Map.MESSAGE, what.message_id), ""
        case ChatBegun():
            forget(unit, workspace, source, memory, name_of(Map.NEW, what.chat_id))
            return
    chat = what.chat_id.encode()
    is_short = len(value.encode()) <= limits.SOURCE_VALUE_BYTES_MAX
    if is_short and 0 < len(chat) <= limits.CHAT_ID_BYTES_MAX:
        forget(unit, workspace, source, memory, name)
        entry = Remembered(value, what.chat_id, memory.place_next, now_ms)
        _put(unit, workspace, source, memory, name, entry)
        _drop_oldest(unit, workspace, source, memory, ring_of(name))


def forget(unit: Unit, workspace: int, source: int, memory: SourceMemory, name: EntryName) -> None:
    """Nothing is remembered under the name."""
    key = keys.entry(workspace, source, name)
    value = unit.get_raw(key)
    if value is None:
        return
    unit.weight += READ_WEIGHT
    entry = codec.readable(key, value, Remembered)
    if entry is None:  # its counters can't be corrected, and `check` says so
        unit.delete(key)
        return
    drop(unit, workspace, source, memory, name, entry)


def drop(
    unit: Unit,
    workspace: int,
    source: int,
    memory: SourceMemory,
    name: EntryName,
    entry: Remembered,
) -> None:
    """The entry, which is there, is gone."""
    ring = ring_of(name)
    unit.delete(keys.entry(workspace, source, name))
    unit.delete(keys.place(workspace, source, ring, entry.place, name))
    unit.delete(keys.entry_of_chat(workspace, entry.chat.encode(), source, name))
    _count(unit, workspace, memory, ring, -1, -size_of(entry))


def _put(
    unit: Unit,
    workspace: int,
    source: int,
    memory: SourceMemory,
    name: EntryName,
    entry: Remembered,
) -> None:
    ring = ring_of(name)
    memory.place_next += 1
    unit.put(keys.entry(workspace, source, name), entry)
    unit.put_flag(keys.place(workspace, source, ring, entry.place, name))
    unit.put_flag(keys.entry_of_chat(workspace, entry.chat.encode(), source, name))
    _count(unit, workspace, memory, ring, 1, size_of(entry))


def _drop_oldest(unit: Unit, workspace: int, source: int, memory: SourceMemory, ring: int) -> None:
    """The ring is within its bounds, or a few steps nearer to them."""
    for _ in range(DROPPED_AT_ONCE):
        if memory.entries[ring] <= ENTRIES_MAX[ring] and memory.bytes[ring] <= BYTES_MAX[ring]:
            return
        place = unit.first_key(keys.places(workspace, source, ring))
        if place is None:
            return
        name = keys.in_place(place)[4]
        before = memory.entries[ring]
        forget(unit, workspace, source, memory, name)
        if memory.entries[ring] == before:  # the place of one that was damaged
            unit.delete(place)


def _count(
    unit: Unit, workspace: int, memory: SourceMemory, ring: int, entries: int, size: int
) -> None:
    memory.entries = _added(memory.entries, ring, entries)
    memory.bytes = _added(memory.bytes, ring, size)
    usage = unit.find_usage(workspace)
    if usage is not None:  # else the workspace is being erased
        usage.source_bytes += size


def _added(counts: tuple[int, ...], at: int, more: int) -> tuple[int, ...]:
    return (*counts[:at], counts[at] + more, *counts[at + 1 :])

"""Edits and deletions that came before their message: kept for a minute, and applied when it comes.

Each has a row under its chat, and one of the due index that drops it. They are not in the chat's
record, which every message writes, and a chat need not have one yet. Of a message one is kept, that
which would stand if all had come after it. Who sends them for messages that never come has a bound
for each chat and one for the workspace: past that one is not kept, and has found nothing.
"""

from collections.abc import Sequence

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.messages.changes import Change, with_text
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import EarlyChange
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, READ_WEIGHT
from hookbundle.storage.database.unit import Unit

FLAT_BYTES = 96  # a flat sum for the two rows of a change, beside its text and what names it


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """New messages of which some were changed before they came.

    `messages`: as they came, those that were deleted last. `offered`: what webhooks are offered, in
    that order. `applied`: what was kept for them; `digests`: of these messages.
    """

    messages: list[Incoming]
    offered: list[Incoming]
    applied: list[EarlyChange]
    digests: list[bytes]


def key_of(workspace: int, chat: bytes, digest: bytes) -> bytes:
    return keyspace.of_chat(keyspace.EARLY_CHANGES, workspace, chat, digest)


def due_of(key: bytes, workspace: int, change: EarlyChange) -> Due:
    """The row of the due index that a kept change has."""
    at_ms = change.at_ms + limits.EARLY_CHANGES_MS
    return Due(at_ms, DueKind.CHANGE, workspace, key[keyspace.OWNED.size :])


def key_in(row: Due) -> bytes:
    """The key of the change that the row of the due index is of."""
    return keyspace.owned(keyspace.EARLY_CHANGES, row.number, row.subject)


def bytes_of(key: bytes, change: EarlyChange) -> int:
    """What a kept change counts for."""
    return FLAT_BYTES + 2 * len(key) + len(change.text.encode()) + len(change.message_id)


def keep(unit: Unit, workspace: int, chat: bytes, change: Change, now_ms: int) -> bool:
    """The change is kept; False if there is no room for it."""
    key = key_of(workspace, chat, change.digest)
    edited_ms = min(change.edited_ms or now_ms, now_ms)
    before = unit.get(key, EarlyChange)
    if before is not None:
        if not before.text or (change.text and edited_ms < before.edited_ms):
            return True  # it is deleted, or there is a later edit
        drop(unit, workspace, key, before)
    elif not _has_room(unit, workspace, chat):
        return False
    kept = EarlyChange(change.message_id, change.text, edited_ms, now_ms)
    unit.put(key, kept)
    unit.put_due(due_of(key, workspace, kept))
    usage = unit.usage(workspace)
    usage.changes += 1
    usage.change_bytes += bytes_of(key, kept)
    return True


def of_messages(
    unit: Unit, workspace: int, chat: bytes, messages: Sequence[Incoming]
) -> Arrived | None:
    """What was kept for these new messages of the chat, on them; None if it was nothing.

    What is damaged refuses no message.
    """
    if unit.first_key(keyspace.of_chat(keyspace.EARLY_CHANGES, workspace, chat)) is None:
        return None
    stayed, offered, deleted = list[Incoming](), list[Incoming](), list[Incoming]()
    applied, digests = list[EarlyChange](), list[bytes]()
    for message in messages:
        key = key_of(workspace, chat, message.digest)
        change = unit.readable(key, EarlyChange)
        unit.weight += READ_WEIGHT
        if change is None:
            stayed.append(message)
            offered.append(message)
            continue
        applied.append(change)
        digests.append(message.digest)
        if change.text:
            unit.weight += len(change.text) // BYTES_PER_WEIGHT
            edited = with_text(message.message, change.text)
            stayed.append(message)
            offered.append(
                msgspec.structs.replace(message, message=edited, edited_ms=change.edited_ms)
            )
        else:
            deleted.append(message)
    return Arrived(stayed + deleted, offered, applied, digests) if applied else None


def drop(unit: Unit, workspace: int, key: bytes, change: EarlyChange) -> None:
    """It is not kept any more."""
    unit.delete(key)
    unit.delete_due(due_of(key, workspace, change))
    usage = unit.usage(workspace)
    usage.changes -= 1
    usage.change_bytes -= bytes_of(key, change)


def drop_all(unit: Unit, workspace: int, chat: bytes) -> int:
    """The chat is deleted. Returns how many were kept for it."""
    prefix = keyspace.of_chat(keyspace.EARLY_CHANGES, workspace, chat)
    found = list(unit.rows(prefix))
    for key, value in found:
        change = codec.readable(key, value, EarlyChange)
        if change is not None:
            drop(unit, workspace, key, change)
        else:
            unit.delete(key)  # the counters can't be corrected, and `check` says so
    return len(found)


def _has_room(unit: Unit, workspace: int, chat: bytes) -> bool:
    usage = unit.usage(workspace)
    if usage.changes >= limits.EARLY_CHANGES_MAX:
        return False
    if usage.change_bytes >= limits.EARLY_CHANGES_BYTES_MAX:
        return False
    prefix = keyspace.of_chat(keyspace.EARLY_CHANGES, workspace, chat)
    return len(unit.first_keys(prefix, limits.EARLY_CHANGES_OF_CHAT)) < limits.EARLY_CHANGES_OF_CHAT

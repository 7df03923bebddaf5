"""Chats: their windows, and the ids of the messages they have seen."""

from hookbundle.engine import limits
from hookbundle.engine.messages import payload
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import (
    ChatRecord,
    Collecting,
    Member,
    Part,
    SeenPart,
    Window,
)
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.storage.maintenance.migration.moving import Moving
from hookbundle.storage.tables import seen_ids


def move_chats(of: Moving) -> None:
    """All chats of the workspace are in the new database, with their rows of the due index."""
    number = of.number
    for key, was in of.source.rows(old_keys.owned(old_keys.CHATS, number), old.ChatRecord):
        chat = old_keys.parse_subject(key)
        window = _moved_window(of, chat, was.window) if was.window else None
        record = ChatRecord(
            collecting=[Collecting(webhook=number, arrived_ms=was.last_ms, window=window)],
            last_ms=was.last_ms,
            seen=was.seen,
            seen_first=was.seen_first,
            seen_next=_move_seen_ids(of, chat, was),
        )
        if window is not None:
            of.target.put_due(Due(window.due_ms, DueKind.WINDOW, number, chat))
        else:
            was_silent = was.window is None and was.wake_ms
            record.forget_ms = was.wake_ms if was_silent else was.last_ms + limits.REMEMBERED_MS
            of.target.put_due(Due(record.forget_ms, DueKind.FORGET, number, chat))
        of.target.put(keyspace.owned(keyspace.CHATS, number, chat), record)


def _moved_window(of: Moving, chat: bytes, was: old.Window) -> Window | None:
    """The window with the messages that could be read; None without any."""
    members: list[old.Member] = []
    parts = 0
    for position in range(was.parts):
        key = old_keys.part(old_keys.PARTS, of.number, chat, position)
        part = of.source.part(key, old.Part)
        if part is not None:
            of.target.put(
                keyspace.part(of.number, chat, of.number, parts), Part(members=_members(part))
            )
            members += part.members
            parts += 1
    members += was.tail
    if not members:
        return None
    weight = was.weight
    if len(members) != was.count:
        weight = sum(payload.weight(member.message) for member in members)
    of.state.windows += 1
    of.state.buffered_messages += len(members)
    of.state.buffered_bytes += weight
    return Window(
        opened_ms=was.opened_ms,
        due_ms=was.due_ms,
        count=len(members),
        weight=weight,
        is_new_chat=was.is_new_chat,
        newest_ms=max(member.sent_ms for member in members),
        account=was.account,
        chat=was.chat,
        first_ms=min(member.sent_ms for member in members),
        permalink=was.permalink,
        parts=parts,
        tail=[Member(member.sent_ms, member.message) for member in was.tail],
        tail_bytes=sum(len(member.message) for member in was.tail),
    )


def _members(part: old.Part) -> list[Member]:
    return [Member(member.sent_ms, member.message) for member in part.members]


def _move_seen_ids(of: Moving, chat: bytes, was: old.ChatRecord) -> int:
    """Each id in a part has a row of its own. Returns the number of the next part."""
    following, prefix = was.seen_first, seen_ids.rows_of(of.number, chat, 0)
    for number in range(was.seen_first, was.seen_next):
        key = old_keys.part(old_keys.SEEN_PARTS, of.number, chat, number)
        part = of.source.part(key, old.SeenPart)
        if part is None:
            continue
        digests = dict.fromkeys(seen_ids.digests_in(part.seen))
        # Sorted, so that LMDB finds the place of each near that of the one before.
        for digest in sorted(digests):
            if not of.target.put_new_flag(prefix + digest):
                del digests[digest]  # an earlier part has it
        seen = b"".join(digests)
        new = SeenPart(last_ms=part.last_ms, seen=seen)
        of.target.put(keyspace.seen_part(of.number, chat, following), new)
        of.usage.seen_bytes += seen_ids.bytes_of(seen)
        following += 1
    return following

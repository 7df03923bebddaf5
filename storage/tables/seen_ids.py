"""The message ids that a chat knows, as digests of 8 bytes.

The newest stand in the chat's own record, which every message reads and writes anyway. When they
outgrow it they move to a part, and each gets a row of its own, so that looking for one costs the
same at ten and at a million. Ids go a whole part at a time, 48 hours after the newest of it, and
not while a window is open in which its message may wait.
"""

from collections.abc import Sequence

from hookbundle.engine import limits
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord, SeenPart
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import seen_texts

DIGEST_BYTES = 8
LOOKED_UP_MAX = 8  # messages for which looking for each costs less than a set of all that is known
SEEN_BYTES_MAX = 64 * DIGEST_BYTES  # kept in the chat's own record; older ones in parts
SEEN_ID_BYTES = 32  # a flat sum for the row of an id
DROPPED_FOR_ONE = 2  # parts; more than are added, so that what is old gets less


def fresh(
    unit: Unit,
    workspace: int,
    chat: bytes,
    record: ChatRecord,
    messages: tuple[Incoming, ...],
) -> list[Incoming]:
    """The messages whose ids are neither known to the chat nor repeated within the request."""
    known = record.seen
    if len(messages) == 1:  # the most common case by far, and a set costs more than one look
        unseen = [] if holds(known, messages[0].digest) else list(messages)
    elif len(messages) <= LOOKED_UP_MAX:
        unseen = [message for message in messages if not holds(known, message.digest)]
    else:
        seen = {known[at : at + DIGEST_BYTES] for at in range(0, len(known), DIGEST_BYTES)}
        unseen = [message for message in messages if message.digest not in seen]
    if unseen and record.seen_first < record.seen_next:
        prefix = rows_of(workspace, chat, record.seen_base)
        known_rows = unit.which_exist([prefix + each.digest for each in unseen])
        unseen = [each for each in unseen if prefix + each.digest not in known_rows]
    if len(unseen) < 2:
        return unseen
    first: dict[bytes, Incoming] = {}
    for message in unseen:
        first.setdefault(message.digest, message)
    return list(first.values())


def known(
    unit: Unit, workspace: int, chat: bytes, record: ChatRecord, digests: Sequence[bytes]
) -> set[bytes]:
    """Those of the digests whose ids the chat knows."""
    found = {each for each in digests if holds(record.seen, each)}
    if len(found) < len(digests) and record.seen_first < record.seen_next:
        prefix = rows_of(workspace, chat, record.seen_base)
        rows = unit.which_exist([prefix + each for each in digests])
        found.update(row[len(prefix) :] for row in rows)
    return found


def holds(known: bytes, digest: bytes) -> bool:
    """Whether `digest` is among the digests in `known`."""
    at = known.find(digest)
    # `find` looks at bytes, so it may match across the border of two digests; such a match is none.
    while at > 0 and at % DIGEST_BYTES:
        at = known.find(digest, at + 1)
    return at >= 0


def remember(
    unit: Unit,
    workspace: int,
    chat: bytes,
    record: ChatRecord,
    messages: list[Incoming],
    now_ms: int,
) -> None:
    """The chat knows the messages' ids. A few of the oldest parts are dropped if they may."""
    record.last_ms = max(record.last_ms, now_ms)
    if len(messages) == 1:
        record.seen += messages[0].digest
        record.texts += messages[0].text
    else:
        record.seen += b"".join([message.digest for message in messages])
        record.texts += b"".join([message.text for message in messages])
    added = 0
    while len(record.seen) > SEEN_BYTES_MAX:
        _move_to_part(unit, workspace, chat, record)
        added += 1
    if added:
        drop_old(unit, workspace, chat, record, now_ms, DROPPED_FOR_ONE * added)


def _move_to_part(unit: Unit, workspace: int, chat: bytes, record: ChatRecord) -> None:
    """The oldest 64 ids of the record are a part of their own, however many came at once."""
    texts = seen_texts.move(record, SEEN_BYTES_MAX // DIGEST_BYTES)
    moved, record.seen = record.seen[:SEEN_BYTES_MAX], record.seen[SEEN_BYTES_MAX:]
    key = keyspace.seen_part(workspace, chat, record.seen_next)
    unit.put(key, SeenPart(last_ms=record.last_ms, seen=moved, base=record.seen_base, texts=texts))
    prefix = rows_of(workspace, chat, record.seen_base)
    # Sorted, so that LMDB finds the place of each near that of the one before.
    unit.put_flags([prefix + digest for digest in sorted(digests_in(moved))])
    unit.usage(workspace).seen_bytes += bytes_of(moved)
    record.seen_next += 1


def drop_old(
    unit: Unit, workspace: int, chat: bytes, record: ChatRecord, now_ms: int, most: int
) -> None:
    """Up to `most` of the oldest parts are gone, if they are old enough."""
    opened_ms = record.oldest_opened_ms()
    for _ in range(most):
        if record.seen_first == record.seen_next:
            return
        part = unit.get(keyspace.seen_part(workspace, chat, record.seen_first), SeenPart)
        if part is not None:
            is_young = part.last_ms + limits.REMEMBERED_MS > now_ms
            may_wait = opened_ms is not None and part.last_ms >= opened_ms
            if is_young or may_wait:
                return
        drop_part(unit, workspace, chat, record.seen_first, part)
        record.seen_first += 1


def drop_part(unit: Unit, workspace: int, chat: bytes, number: int, part: SeenPart | None) -> None:
    """The part is gone, and the rows of its ids; None: it is damaged or missing."""
    unit.delete(keyspace.seen_part(workspace, chat, number))
    if part is None:
        return
    prefix = rows_of(workspace, chat, part.base)
    for digest in digests_in(part.seen):
        unit.delete(prefix + digest)
    unit.usage(workspace).seen_bytes -= bytes_of(part.seen)


def rows_of(workspace: int, chat: bytes, base: int) -> bytes:
    """What the rows of the chat's ids begin with; see `ChatRecord`."""
    return keyspace.of_chat(keyspace.SEEN_IDS, workspace, chat, base.to_bytes(4, "big"))


def digests_in(seen: bytes) -> list[bytes]:
    return [seen[at : at + DIGEST_BYTES] for at in range(0, len(seen), DIGEST_BYTES)]


def bytes_of(seen: bytes) -> int:
    """What a part with these digests counts for, with the rows of its ids."""
    return len(seen) + SEEN_ID_BYTES * (len(seen) // DIGEST_BYTES)

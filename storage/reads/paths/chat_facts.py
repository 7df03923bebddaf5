"""What only the feed knows of a chat: messages that were not stored, and that it was deleted.

Such facts are found by their chat; see feed_rows.py. What was before a deletion is not told.
"""

from bisect import bisect_left
from collections.abc import Iterator

import lmdb
import msgspec

from hookbundle.engine.messages.became import Became, BecameCode
from hookbundle.storage.change_facts import MessageDeleted, MessageEdited, MessageUnmatched
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.codec import StoredFact
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.facts import ChatDeleted, MessageReceived

RECEIVED, CHAT_DELETED = type_of(MessageReceived), type_of(ChatDeleted)
UNMATCHED = type_of(MessageUnmatched)
# Of each kind of change: what became of a message that it found in a window, or too late.
CHANGES = {
    type_of(MessageEdited): (BecameCode.EDITED, BecameCode.LATE_EDIT),
    type_of(MessageDeleted): (BecameCode.REMOVED, BecameCode.LATE_DELETION),
}
SKIPPED = {"attachment": BecameCode.ATTACHMENT, "no_text": BecameCode.NO_TEXT}


class ChatFact(msgspec.Struct, frozen=True):
    """What a fact tells, each time with the ids of its messages; without any: of the chat.

    `size`: the characters of all these ids; a batch that came again has hundreds.
    """

    number: int
    at_ms: int
    told: tuple[tuple[Became, tuple[str, ...]], ...]
    size: int


def newest_first(
    txn: lmdb.Transaction, workspace: int, chat: bytes, before: int
) -> Iterator[ChatFact]:
    """The facts with a number below `before`; a deletion of the chat is the last one."""
    prefix = keyspace.of_chat(keyspace.CHAT_FACTS, workspace, chat)
    end = keyspace.chat_fact(workspace, chat, before)
    for key, _ in rows.rows_before(txn, prefix, end):
        number = key_fields.number(key)
        fact = _fact(txn, number)
        if fact is not None:
            told = tuple(told_by(fact))
            size = sum(len(each) for _, ids in told for each in ids)
            yield ChatFact(number, fact.time, told, size)
            if fact.type == CHAT_DELETED:
                return


def _fact(txn: lmdb.Transaction, number: int) -> StoredFact | None:
    """The event; None if it can't be read, which `check` reports."""
    after = keyspace.numbered(keyspace.FEED, number - 1)
    key, value = next(rows.rows(txn, keyspace.FEED, after), (b"", b""))
    row = codec.readable(key, value, FeedRow) if key else None
    if row is None:
        return None
    place = number - (key_fields.number(key) - row.count + 1)
    places = row.positions or range(row.count)
    at = bisect_left(places, place)
    if at == len(places) or places[at] != place:
        return None
    return codec.unpack_facts(row.events, at, 1)[0]


def told_by(fact: StoredFact) -> Iterator[tuple[Became, tuple[str, ...]]]:
    """What became of which messages, as the fact tells it."""
    data, at_ms = fact.data, fact.time
    if fact.type == CHAT_DELETED:
        yield Became(code=BecameCode.DELETED, at_ms=at_ms, by=data["caller"]), ()
        return
    if fact.type in CHANGES:
        yield from _told_of_changes(fact)
        return
    if fact.type == UNMATCHED:
        dropped = tuple(dict.fromkeys([*data["edits"], *data["deletions"]]))
        yield Became(code=BecameCode.UNMATCHED, at_ms=at_ms), dropped
        return
    differs = data.get("differs", [])
    ids: dict[BecameCode, list[str]] = {BecameCode.DIFFERS: differs}
    ids[BecameCode.DUPLICATE] = [each for each in data["duplicates"] if each not in set(differs)]
    for skipped in data["skipped"]:
        ids.setdefault(SKIPPED[skipped["reason"]], []).append(skipped["message"])
    if data.get("unrouted"):
        ids[BecameCode.UNROUTED] = data["unrouted"]
    for code, found in ids.items():
        if found:
            yield Became(code=code, at_ms=at_ms), tuple(dict.fromkeys(found))
    for webhook, found in (data.get("overflowed") or {}).items():
        became = Became(code=BecameCode.OVERFLOWED, at_ms=at_ms, webhook=webhook)
        yield became, tuple(dict.fromkeys(found))


def _told_of_changes(fact: StoredFact) -> Iterator[tuple[Became, tuple[str, ...]]]:
    """Nothing of one that waits for its message, or has changed nothing."""
    data, at_ms = fact.data, fact.time
    done, late = CHANGES[fact.type]
    applied = [
        *data.get("early", ()),
        *(each for ids in data.get("applied", {}).values() for each in ids),
    ]
    found = {done: applied, BecameCode.TOO_LATE: data.get("nowhere", ())}
    found[BecameCode.UNMATCHED] = data.get("not_kept", ())
    for code, ids in found.items():
        if ids:
            yield Became(code=code, at_ms=at_ms), tuple(dict.fromkeys(ids))
    for webhook, ids in data.get("late", {}).items():
        yield Became(code=late, at_ms=at_ms, webhook=webhook), tuple(dict.fromkeys(ids))

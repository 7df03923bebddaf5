"""The rules for the event feed: its numbers, its rows, and whose events they are.

Rows may be missing before `feed_oldest`, and up to `feed_thinned`; feed_rows.py says why.
"""

from collections.abc import Iterator

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.feed_rows import FeedRow, row_bytes
from hookbundle.storage.database.records import Meta
from hookbundle.storage.maintenance.check_ledger import Ledger, is_live

Problems = Iterator[str]


def check_feed_row(ledger: Ledger, key: bytes, row: FeedRow) -> Problems:
    last = key_fields.number(key)
    yield from _check_place(ledger, last, row)
    ledger.feed.last = last
    yield from _check_positions(ledger.meta, last, row)
    try:
        packed = codec.unpack_array(row.events)
        codec.unpack_facts(row.events, 0, len(packed))
        codec.unpack_events(row.events)  # as programs in other languages read it
    except (CorruptRecord, msgspec.DecodeError, ValueError, TypeError) as exc:
        yield f"its events can't be decoded: {exc}"
        return
    kept = len(row.positions) or row.count
    if len(packed) != kept or len(row.owners) != kept:
        yield f"says {kept} events of {len(row.owners)} owners, counted {len(packed)}"
    chats, places = dict(row.found_by), row.positions or range(row.count)
    for place, owner, event in zip(places, row.owners, packed, strict=False):
        size, chat = len(event), chats.pop(place, None)
        if chat is not None:
            size += row_bytes(chat)
            yield from _check_found(ledger, owner, chat, last - row.count + 1 + place)
        _count(ledger, owner, size)
    if chats:
        yield f"says that chats find its events at {tuple(chats)}, where none are kept"
    if max(row.owners, default=0) >= ledger.meta.workspace_next:
        yield f"has an event of workspace {max(row.owners)}, which was never assigned"


def check_chat_fact(ledger: Ledger, key: bytes) -> Problems:
    """The row of a fact under its chat."""
    workspace, chat, _ = key_fields.of_chat(key)
    chat.decode()
    if not (yield from is_live(ledger.owner(workspace), "workspace")):
        return
    number = key_fields.number(key)
    for feed_key, value in rows.rows(
        ledger.txn, keyspace.FEED, keyspace.numbered(keyspace.FEED, number - 1)
    ):
        row = codec.readable(feed_key, value, FeedRow)
        if row is None:
            return  # it is reported at its own key
        place = number - (key_fields.number(feed_key) - row.count + 1)
        if (place, chat) in row.found_by:
            return
        break
    yield f"names event {number}, which is not kept, or is not of this chat"


def check_end(ledger: Ledger) -> Problems:
    """The rule for the feed's counters, after all rows were seen."""
    meta = ledger.meta
    last = meta.feed_oldest - 1 if ledger.feed.last is None else ledger.feed.last
    if last != meta.feed_next - 1:
        yield f"say that the feed ends with event {meta.feed_next - 1}, but it ends with {last}"
    if meta.feed_found_from > meta.feed_next:
        yield f"say that chats find facts from {meta.feed_found_from} on, which is to come"
    if max(meta.feed_walked, meta.feed_thinned) >= meta.feed_next:
        yield f"say that the feed is thinned up to event {meta.feed_thinned}, which is to come"


def _check_found(ledger: Ledger, owner: int, chat: bytes, number: int) -> Problems:
    if ledger.owner(owner) != "live":
        return
    if not ledger.has(keyspace.chat_fact(owner, chat, number)):
        yield f"has event {number}, which its chat {chat.decode()!r} does not find"


def _check_place(ledger: Ledger, last: int, row: FeedRow) -> Problems:
    """Whether the row follows the one before, or begins the feed."""
    meta, before, before_row = ledger.meta, ledger.feed.last, last - row.count
    if before is None:
        if before_row + 1 != meta.feed_oldest:
            yield f"begins with event {before_row + 1}, but the oldest is {meta.feed_oldest}"
        if row.at_ms != meta.feed_oldest_ms:
            yield f"is of {row.at_ms}, but the oldest is of {meta.feed_oldest_ms}"
    elif before_row < before or before_row > max(before, meta.feed_thinned):
        yield f"ends with event {last} and has {row.count}, but {before} came before it"


def _check_positions(meta: Meta, last: int, row: FeedRow) -> Problems:
    if not row.positions:
        return
    if last > meta.feed_thinned:
        yield f"lacks events, but the feed is thinned up to {meta.feed_thinned} only"
    in_order = sorted(set(row.positions))
    if list(row.positions) != in_order or not 0 <= in_order[0] <= in_order[-1] < row.count:
        yield f"has events at {row.positions}, which are no places of {row.count} in order"


def _count(ledger: Ledger, owner: int, size: int) -> None:
    """What no living workspace owns is the daemon's."""
    feed = ledger.feed
    feed.events += 1
    feed.bytes += size
    if owner and ledger.owner(owner) == "live":
        tally = ledger.of_workspace(owner)
        tally.events += 1
        tally.event_bytes += size
    else:
        feed.own_events += 1
        feed.own_bytes += size

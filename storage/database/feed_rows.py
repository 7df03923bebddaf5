"""The event feed as it is stored: a row a commit, and what retention takes away from it.

An event has a sequence number for ever, whether it is kept or not. Retention deletes what is older
than `feed_ms`, row by row from the oldest. When there are more than `feed_events`, or more than
`feed_bytes`, it *thins*: it walks through the rows and takes away the events of those workspaces
that have more than their share, oldest first, so that no workspace can flush what the feed holds of
another. A share is the limit divided by the workspaces that have events, and one for the daemon
itself; to it belongs also what is left of deleted workspaces.

The counters of Meta: `feed_next`, the next number; `feed_oldest`, below which nothing is kept;
`feed_oldest_ms`, the time of the oldest row; `feed_events`, `feed_bytes`, what is kept;
`feed_own_...`, the daemon's part of it; `feed_owners`, the workspaces with events; `feed_walked`,
the number up to which the present walk has come; `feed_thinned`, the highest number that any walk
has reached: below it an event may be missing, above it none is. `feed_found_from`: the first number
from which on chats find their facts, 0 before the first commit.

A few facts of a chat are found by it (`found_by_chat`): each has a row under the chat, which goes
with the fact, and counts with it. The feed's row names them, so that nothing is decoded for it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.daemon_facts import Fact, type_of
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.records import Frozen

if TYPE_CHECKING:  # a unit writes its events through this module
    from hookbundle.storage.database.unit import Unit


# A packed fact on its way to the feed, and the number of its workspace, 0 for the daemon's.
Event = tuple[int, bytes]
ROW_BYTES = 32  # a flat sum for the row of a fact under its chat, beside the chat


class FeedRow(Frozen, frozen=True):
    """The events of one commit, with the sequence number of the last one in the key.

    `count`: how many sequence numbers the row stands for. `events`: those that are kept, packed.
    `owners`: for each of them the number of its workspace, 0 without one. `positions`: for each of
    them its place among the `count`; empty if all are kept. `found_by`: the places of those that
    are found by their chat, each with the chat.
    """

    at_ms: int
    count: int
    events: bytes
    owners: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    found_by: tuple[tuple[int, bytes], ...] = ()


class StoredEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An event as it is stored. `time` is UTC milliseconds. `webhook`: its id, if it is of one."""

    type: str
    time: int
    workspace: str
    chat: str
    data: Fact
    webhook: str = ""


_encode = msgspec.msgpack.Encoder().encode


def packed(fact: Fact, now_ms: int, workspace_id: str, chat: str = "", webhook: str = "") -> bytes:
    return _encode(StoredEvent(type_of(type(fact)), now_ms, workspace_id, chat, fact, webhook))


def found_by_chat(unit: "Unit", workspace: int, chat: bytes) -> None:
    """The event that is told next, about this chat of the workspace, will be found by it."""
    unit.found_by.append((len(unit.events), chat))
    number = unit.meta.feed_next + len(unit.events)
    unit.put_flag(keyspace.chat_fact(workspace, chat, number))
    unit.usage(workspace).event_bytes += row_bytes(chat)


def row_bytes(chat: bytes) -> int:
    """What the row of a fact under its chat counts for; the feed's row has the chat once more."""
    return ROW_BYTES + 2 * len(chat)


def disown(unit: "Unit", workspace: int) -> None:
    """The workspace is being deleted: what the feed has of it becomes the daemon's."""
    meta, usage = unit.meta, unit.usage(workspace)
    meta.feed_own_events += usage.events
    meta.feed_own_bytes += usage.event_bytes
    meta.feed_owners -= usage.events > 0


def write(unit: "Unit") -> None:
    """The unit's events are a row of the feed, and retention has taken a few steps."""
    meta, events = unit.meta, unit.events
    meta.feed_found_from = meta.feed_found_from or meta.feed_next
    if events:
        meta.feed_next += len(events)
        meta.feed_events += len(events)
        meta.feed_bytes += sum([len(each) for _, each in events])
        if unit.found_by:
            meta.feed_bytes += sum([row_bytes(chat) for _, chat in unit.found_by])
        meta.feed_oldest_ms = meta.feed_oldest_ms or unit.now_ms
        row = FeedRow(
            at_ms=unit.now_ms,
            count=len(events),
            events=codec.pack_array([each for _, each in events]),
            owners=tuple([owner for owner, _ in events]),
            found_by=tuple(unit.found_by),
        )
        unit.put(keyspace.numbered(keyspace.FEED, meta.feed_next - 1), row)
        unit.events, unit.found_by = [], []
    # One row more than there are new events, because a row may hold as little as one: if a commit
    # of fifty events deleted only one or two rows, a busy hour after a quiet day would add events
    # faster than it deletes them. The bound keeps a commit short after limits were lowered.
    rows_most = len(events) + 1
    _drop_old(unit, rows_most)
    if _is_over(unit):
        _thin(unit, rows_most)


def _is_over(unit: "Unit") -> bool:
    meta, retention = unit.meta, unit.retention
    return meta.feed_events > retention.feed_events or meta.feed_bytes > retention.feed_bytes


def _drop_old(unit: "Unit", rows_most: int) -> None:
    meta = unit.meta
    for _ in range(rows_most):
        too_old = unit.now_ms - meta.feed_oldest_ms > unit.retention.feed_ms
        if not too_old or meta.feed_oldest >= meta.feed_next:
            return
        if not _take_away(unit, b"", lambda owner: True):
            return


def _thin(unit: "Unit", rows_most: int) -> None:
    """Takes away from the largest shares, at most `rows_most` rows that have some of them.

    Rows that have none are looked at and left; their number is bounded as well.
    """
    meta = unit.meta
    classes = meta.feed_owners + 1
    events_most = unit.retention.feed_events // classes
    bytes_most = unit.retention.feed_bytes // classes

    def is_over(owner: int) -> bool:
        try:
            usage = unit.find_usage(owner)
        except CorruptRecord:
            return True
        if usage is None:
            return meta.feed_own_events > events_most or meta.feed_own_bytes > bytes_most
        return usage.events > events_most or usage.event_bytes > bytes_most

    for _ in range(16 * rows_most):
        if not _is_over(unit):
            return
        walked = max(meta.feed_walked, meta.feed_oldest - 1)
        reached = _take_away(unit, keyspace.numbered(keyspace.FEED, walked), is_over)
        meta.feed_walked = reached  # 0 at the end: the next walk begins at the oldest row
        if not reached:
            return
        meta.feed_thinned = max(meta.feed_thinned, reached)


def _take_away(unit: "Unit", after: bytes, goes: Callable[[int], bool]) -> int:
    """The events of those owners are gone from the first row after the key.

    Returns the row's last number; 0 at the newest row, which stays at any age: `feed_oldest_ms` is
    read from a row.
    """
    meta = unit.meta
    found = unit.rows(keyspace.FEED, after)
    first, following = next(found, None), next(found, None)
    if first is None or following is None:
        return 0
    key, value = first
    last = key_fields.number(key)
    try:
        row = codec.unpack(key, value, FeedRow)
        events = events_of(row)
    except CorruptRecord:
        # Its counters can't be corrected. `check` says so, and everything else goes on.
        unit.delete(key)
        meta.feed_thinned = max(meta.feed_thinned, last)
        if next(unit.rows(keyspace.FEED), first)[0] == following[0]:  # it was the oldest
            _set_oldest(unit, last + 1, following)
        return last
    kept, chats = [], dict(row.found_by)
    for position, owner, event in events:
        if not goes(owner):
            kept.append((position, owner, event))
            continue
        size, chat = len(event), chats.pop(position, None)
        if chat is not None:
            size += row_bytes(chat)
            unit.delete(keyspace.chat_fact(owner, chat, last - row.count + 1 + position))
        meta.feed_events -= 1
        meta.feed_bytes -= size
        with suppress(CorruptRecord):  # of the workspace's usage: no commit of others may fail
            _subtract(unit, owner, size, last)
    if not kept:
        unit.delete(key)
    elif len(kept) < len(row.owners):
        unit.put(key, thinned(row, kept, tuple(chats.items())))
    if not kept and last - row.count < meta.feed_oldest:
        _set_oldest(unit, last + 1, following)
    return last


def _subtract(unit: "Unit", owner: int, size: int, last: int) -> None:
    """The owner has an event less, taken from the row that ends with number `last`."""
    meta, usage = unit.meta, unit.find_usage(owner)
    if usage is None:
        meta.feed_own_events -= 1
        meta.feed_own_bytes -= size
        return
    usage.events -= 1
    usage.event_bytes -= size
    usage.thinned_to = max(usage.thinned_to, last)
    meta.feed_owners -= not usage.events


def _set_oldest(unit: "Unit", number: int, following: tuple[bytes, bytes]) -> None:
    """The row before this one is gone: nothing is kept before the first event of this one.

    `number`: the first one that may be kept, if this row is damaged; it goes when its turn comes.
    """
    unit.meta.feed_oldest = number
    with suppress(CorruptRecord):
        row = codec.unpack(*following, FeedRow)
        unit.meta.feed_oldest = key_fields.number(following[0]) - row.count + 1
        unit.meta.feed_oldest_ms = row.at_ms


def events_of(row: FeedRow) -> list[tuple[int, int, bytes]]:
    """The position, the owner and the bytes of each event that the row keeps."""
    events = codec.unpack_array(row.events)
    positions = row.positions or range(row.count)
    return list(zip(positions, row.owners, events, strict=True))


def thinned(
    row: FeedRow, kept: list[tuple[int, int, bytes]], found_by: tuple[tuple[int, bytes], ...]
) -> FeedRow:
    return FeedRow(
        at_ms=row.at_ms,
        count=row.count,
        events=codec.pack_array([event for _, _, event in kept]),
        owners=tuple(owner for _, owner, _ in kept),
        positions=tuple(position for position, _, _ in kept),
        found_by=found_by,
    )

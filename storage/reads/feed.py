"""Reads the event feed: from any position, a page at a time, at the reader's own speed.

A row of the feed holds the events of one commit, under the sequence number of the last of them. So
the row that contains event n is the first row whose key is n or higher, and a reader has to
remember only the last number that it has read. Each page is one short read transaction. No lock or
cursor is kept between pages, and a page contains only events that are on disk.

A cursor is a position together with the epoch of its database. A restored database has a new epoch
and continues from an earlier state, so the same number may mean another event in it. A cursor of
another epoch, or one that is ahead of the database, is called *foreign*: it is no position in this
database. Its reader is told so, and starts at the oldest event.
"""

import re
from bisect import bisect_left
from typing import Any

import lmdb
import msgspec

from hookbundle.engine import durations
from hookbundle.engine.delivery import former_names
from hookbundle.engine.errors import CorruptRecord, Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.codec import StoredFact
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.records import Meta, Usage
from hookbundle.storage.database.settings import Workspace
from hookbundle.storage.reads.fact_times import with_times
from hookbundle.storage.reads.feed_selection import EVERYTHING, Selection

PAGE_BYTES = 256 * 1024  # of rows; a page ends with the row that exceeds it
SEQ_DIGITS = 12
CURSOR = re.compile(rf"cur_([0-9A-Za-z]{{1,64}})([0-9a-f]{{{SEQ_DIGITS}}})")

SINCE = "`now`, `oldest`, an age like `-1h`, or a cursor"


class FeedEvent(msgspec.Struct, frozen=True):
    """An event. Times are RFC 3339 in UTC; `workspace` and `chat_id` are empty if it has none.

    `chat`: the same as `chat_id`, as 0.1 called it. `webhook`: its id, if the event is of one; also
    empty in one that an earlier version stored.
    """

    seq: int
    cursor: str
    id: str
    type: str
    time: str
    workspace: str
    chat_id: str
    chat: str
    webhook: str
    data: dict[str, Any]


class Ends(msgspec.Struct, frozen=True):
    """The sequence numbers of the oldest event kept and of the next event to come."""

    oldest: int
    next: int


class Start(msgspec.Struct, frozen=True):
    """Where a reader begins: after event number `after`.

    `cursor`: the position; if it is foreign, the one that the reader gave.
    """

    after: int
    cursor: str
    foreign: bool = False


class Missed(msgspec.Struct, frozen=True):
    """The first and the last number of events that retention took away before they were read."""

    first: int
    last: int


class FeedPage(msgspec.Struct, frozen=True):
    """The selected events. `after`: the number of the last event looked at, selected or not.

    `missed`: stretches that are no longer there, in order. Where retention took events of other
    workspaces than the selected ones only, nothing was missed.
    """

    events: list[FeedEvent]
    after: int
    missed: list[Missed]


class FeedReader:
    """Reads the feed of one environment, from any thread."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self._epoch = env.identity.epoch

    def ends(self) -> Ends:
        with self.env.read() as txn:
            return _ends(txn)

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> FeedPage:
        """The selected ones of up to `limit` events that follow number `after`.

        Raises: CorruptRecord if an event is missing that retention can't have taken away.
        """
        missed: list[Missed] = []
        found: list[tuple[int, FeedRow]] = []
        with self.env.read() as txn:
            meta = rows.get(txn, keyspace.META, Meta) or Meta()
            if after + 1 < meta.feed_oldest:
                missed.append(Missed(after + 1, meta.feed_oldest - 1))
                after = meta.feed_oldest - 1
            reached, size = after, 0
            for key, value in rows.rows(
                txn, keyspace.FEED, keyspace.numbered(keyspace.FEED, after)
            ):
                row, last = codec.unpack(key, value, FeedRow), key_fields.number(key)
                _check_gap(reached, last - row.count, meta)
                found.append((last - row.count + 1, row))
                reached, size = last, size + len(value)
                if reached - after >= limit or size >= PAGE_BYTES:
                    break
            else:
                _check_gap(reached, meta.feed_next - 1, meta)
            thinned_to = _thinned_to(txn, selection, meta)
        # The transaction is closed before events are decoded, so that it stays short.
        events: list[FeedEvent] = []
        for first, row in found:
            places = row.positions or range(row.count)
            start = bisect_left(places, after + 1 - first)
            chosen = places[start : start + limit]
            for place, fact in zip(
                chosen, codec.unpack_facts(row.events, start, limit), strict=True
            ):
                _note_gap(missed, after, first + place, thinned_to)
                after = first + place
                kind = former_names.fact_type_of(fact.type)
                if selection.takes(kind, fact):
                    events.append(self._event(after, kind, fact))
            limit -= len(chosen)
            if start + len(chosen) == len(places):
                _note_gap(missed, after, first + row.count, thinned_to)
                after = first + row.count - 1
            if not limit:
                break
        return FeedPage(events, after, missed)

    def start(self, since: str, now_ms: int) -> Start:
        """The position that `since` names; the oldest event for a foreign cursor.

        Raises: InvalidInput if it has none of the forms in `SINCE`.
        """
        ends = self.ends()
        if since == "now":
            return self._start(ends.next - 1)
        if since == "oldest":
            return self._start(ends.oldest - 1)
        if since.startswith("-"):
            try:
                return self._start(self._before(now_ms - durations.parse_ms(since[1:])))
            except ValueError:
                raise InvalidInput((no_since(since),)) from None
        try:
            epoch, seq = parse_cursor(since)
        except ValueError:
            raise InvalidInput((no_since(since),)) from None
        foreign = epoch != self._epoch or seq >= ends.next
        return Start(ends.oldest - 1 if foreign else seq, since, foreign)

    def cursor(self, seq: int) -> str:
        """The cursor after event number `seq`."""
        return f"cur_{self._epoch}{seq:0{SEQ_DIGITS}x}"

    def _start(self, after: int) -> Start:
        return Start(after, self.cursor(after))

    def _before(self, at_ms: int) -> int:
        """The number that precedes the first event of a commit at `at_ms` or later.

        A binary search, since the times of commits rise with their numbers.
        """
        with self.env.read() as txn:
            ends = _ends(txn)
            low, high = ends.oldest - 1, ends.next - 1
            while low < high:
                middle = keyspace.numbered(keyspace.FEED, (low + high) // 2)
                key, value = next(rows.rows(txn, keyspace.FEED, middle), (b"", b""))
                if not key:
                    break  # the end of the feed is missing; the next `read` raises an error
                row, last = codec.unpack(key, value, FeedRow), key_fields.number(key)
                if row.at_ms < at_ms:
                    low = last
                else:
                    high = last - row.count
            return low

    def _event(self, seq: int, kind: str, fact: StoredFact) -> FeedEvent:
        name = f"{self._epoch}{seq:0{SEQ_DIGITS}x}"
        return FeedEvent(
            seq=seq,
            cursor=f"cur_{name}",
            id=f"evt_{name}",
            type=kind,
            time=rfc_3339(fact.time),
            workspace=fact.workspace,
            chat_id=fact.chat,
            chat=fact.chat,
            webhook=fact.webhook,
            data=with_times(kind, former_names.fact_data_of(fact.data)),
        )


def parse_cursor(cursor: str) -> tuple[str, int]:
    """The epoch and the sequence number. Raises: ValueError."""
    match = CURSOR.fullmatch(cursor)
    if match is None:
        raise ValueError(f"not a cursor: {cursor!r}")
    return match[1], int(match[2], 16)


def _check_gap(reached: int, before: int, meta: Meta) -> None:
    """Raises: CorruptRecord if events are missing between the two that were never thinned."""
    if before > reached and before > meta.feed_thinned:
        raise CorruptRecord(f"feed: event {reached + 1} is missing before {before + 1}")


def _thinned_to(txn: lmdb.Transaction, selection: Selection, meta: Meta) -> int:
    """The number above which nothing of the selected workspaces was thinned."""
    if not selection.workspaces:
        return meta.feed_thinned
    reached = 0
    for workspace_id in selection.workspaces:
        workspace = rows.get(txn, keyspace.workspace(workspace_id), Workspace)
        key = keyspace.owned(keyspace.USAGES, workspace.number) if workspace else b""
        usage = rows.get(txn, key, Usage) if key else None
        reached = max(reached, usage.thinned_to if usage else meta.feed_thinned)
    return reached


def _note_gap(missed: list[Missed], after: int, seq: int, thinned_to: int) -> None:
    """Between the two numbers nothing is kept, which may concern the reader."""
    if after + 1 < seq and after < thinned_to:
        missed.append(Missed(after + 1, seq - 1))


def _ends(txn: lmdb.Transaction) -> Ends:
    meta = rows.get(txn, keyspace.META, Meta) or Meta()
    return Ends(meta.feed_oldest, meta.feed_next)


def no_since(given: str) -> Fault:
    return fault("since", FaultCode.NO_SINCE, got=quoted(given), forms=SINCE)

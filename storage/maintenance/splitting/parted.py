"""A partition's database while a split writes it: its records, its counters, its part of the feed.

The feed keeps its numbers. What other workspaces had of it is missing, as what retention has taken:
so it counts as thinned up to its end. Counters of what is there are counted anew. Totals, which
nobody counts for each workspace, stay with the first partition, but for what must agree with what
is there; so the sum of all partitions says what the database said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import lmdb
import msgspec

from hookbundle.storage.database import codec, feed_rows, key_fields, keyspace
from hookbundle.storage.database.feed_rows import FeedRow, row_bytes
from hookbundle.storage.database.records import Meta, Totals, Usage, WebhookState
from hookbundle.storage.maintenance.copying import BATCH_ROWS
from hookbundle.storage.maintenance.splitting.rules import NOBODYS, Places


@dataclass(slots=True)
class Parted:
    """The database of a partition.

    `batch_bytes`: its share of what waits in memory to be written. `whole_rows`: rows of the feed
    that it has whole.
    """

    target: lmdb.Environment
    batch_bytes: int
    meta: Meta = field(default_factory=Meta)
    records: int = 0
    whole_rows: int = 0
    _batch: list[tuple[bytes, bytes]] = field(default_factory=list)
    _size: int = 0

    def put(self, key: bytes, value: bytes) -> None:
        """In the order of keys. Raises: lmdb.Error."""
        self._batch.append((key, value))
        self._size += len(key) + len(value)
        if len(self._batch) == BATCH_ROWS or self._size >= self.batch_bytes:
            self.put_rest()

    def put_rest(self) -> None:
        """What was put so far is in the data file. Raises: lmdb.Error."""
        with self.target.begin(write=True) as txn, txn.cursor() as cursor:
            cursor.putmulti(self._batch, append=True)  # so pages are filled completely
        self.records += len(self._batch)
        self._batch.clear()
        self._size = 0

    def count(self, places: Places, key: bytes, value: bytes) -> None:
        """The counters have what this record says. Raises: CorruptRecord."""
        meta, letter = self.meta, key[:1]
        if letter == keyspace.STATES:
            state = codec.unpack(key, value, WebhookState)
            if state.workspace in places.workspaces:  # else it is being erased, and counts no more
                meta.windows += state.windows
                meta.queued += state.queued
                meta.dead_letters += state.dead_letters
                meta.resending += state.resending
                meta.totals.overflowed += state.overflowed
        elif letter == keyspace.USAGES:
            usage = codec.unpack(key, value, Usage)
            meta.history_bytes += usage.history_bytes
            meta.feed_owners += usage.events > 0
        elif letter == keyspace.MAILS:
            meta.mails += 1

    def put_feed(self, places: Places, key: bytes, whole: FeedRow, row: FeedRow) -> None:
        """Adds a row of the feed, or what this partition has of it, and counts its events."""
        meta, last = self.meta, key_fields.number(key)
        if not meta.feed_events:
            meta.feed_oldest = last - row.count + 1
            meta.feed_oldest_ms = row.at_ms
        chats = dict(row.found_by)
        for place, owner, event in feed_rows.events_of(row):
            chat = chats.get(place)
            size = len(event) + (0 if chat is None else row_bytes(chat))
            meta.feed_events += 1
            meta.feed_bytes += size
            if owner not in places.workspaces:
                meta.feed_own_events += 1
                meta.feed_own_bytes += size
        self.whole_rows += row is whole
        self.put(key, codec.pack(key, row))


def feed_parts(places: Places, row: FeedRow) -> Iterator[tuple[int, FeedRow]]:
    """What each partition has of a row of the feed, by its number; the row itself if all of it."""
    kept: dict[int, list[tuple[int, int, bytes]]] = {}
    for event in feed_rows.events_of(row):
        kept.setdefault(places.workspaces.get(event[1], NOBODYS), []).append(event)
    for number, events in kept.items():
        if len(events) == len(row.owners):
            yield number, row
            return
        positions = {position for position, _, _ in events}
        found_by = tuple(each for each in row.found_by if each[0] in positions)
        yield number, feed_rows.thinned(row, events, found_by)


def finish_counters(parts: Iterable[Parted], source: Meta, feed_rows_in_source: int) -> None:
    """The counters of all partitions are complete; no number is given a second time."""
    others = Totals()
    first, *rest = parts
    for part in (first, *rest):
        meta = part.meta
        for name in ("workspace_next", "delivery_next", "mail_next", "feed_next", "last_ms"):
            setattr(meta, name, getattr(source, name))
        meta.tokens_indexed = source.tokens_indexed
        meta.feed_found_from = source.feed_found_from
        meta.feed_thinned = source.feed_thinned
        if part.whole_rows < feed_rows_in_source:
            meta.feed_thinned = source.feed_next - 1
        if not meta.feed_events:
            meta.feed_oldest = source.feed_next
    for part in rest:
        totals = part.meta.totals
        totals.sealed = part.meta.queued + part.meta.dead_letters
        others.sealed += totals.sealed
        others.overflowed += totals.overflowed
    first.meta.totals = msgspec.structs.replace(
        source.totals,
        sealed=source.totals.sealed - others.sealed,
        overflowed=source.totals.overflowed - others.overflowed,
    )

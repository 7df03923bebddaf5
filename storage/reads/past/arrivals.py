"""When the messages of a webhook arrived, chat by chat.

First come the chats that have rows, of all days together; then those of which only the chat's own
record knows. Those of an open window are told by the window. Each slice is a short read
transaction. All of it looks at a bounded number of rows and arrivals: past that the other chats are
left out, and `is_cut` says so.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

import lmdb
import msgspec

from hookbundle.engine.windows.arrivals import (
    BYTES_OF_ONE,
    Arrival,
    Piece,
    day_of,
    packed,
    unpacked,
)
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import Arrivals, ChatRecord, Collecting, Erasure, Part
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.workspace_view import usage_in, view_in
from hookbundle.storage.tables.arrivals import rows as arrival_rows

ROWS_MOST = 200_000
ARRIVALS_MOST = 500_000
CHAT_ROWS_MOST = 8_000  # of one chat, which are read in one transaction
ROWS_A_SLICE = 256
ARRIVALS_A_SLICE = 2_048
TIME_BYTES = 8  # at the end of a key
AFTER_TAIL = b"\xff" * 9

Pieces = tuple[Piece, ...]
Steps = Iterator[tuple[bytes, Pieces]]  # the position after a chat, and what it has
Walk = Callable[[lmdb.Transaction, bytes], Steps]


class ChatArrivals(msgspec.Struct, frozen=True):
    """Of one chat, from one time to another. The pieces are in order of time."""

    pieces: Pieces
    from_ms: int
    until_ms: int

    def __iter__(self) -> Iterator[Arrival]:
        for day, arrivals in self.pieces:
            for arrival in unpacked(day, arrivals):
                if self.from_ms <= arrival.at_ms <= self.until_ms:
                    yield arrival


@dataclass(slots=True)
class PastArrivals:
    """`since_ms`: from when on all is known, after the first slice; 0: it is not known, because an
    earlier version kept none."""

    env: Environment
    workspace_id: str
    webhook_id: str
    from_ms: int
    until_ms: int
    since_ms: int = 0
    is_cut: bool = False
    _workspace: int = 0
    _webhook: int = 0
    _rows: int = 0
    _arrivals: int = 0
    _days: list[int] = field(default_factory=list)

    def read(self) -> Generator[list[ChatArrivals], None, None]:
        """The chats of a slice, after its read transaction. Raises: NotFound."""
        with self.env.read() as txn:
            self._begin(txn)
        yield from self._slices(self._of_rows)
        yield from self._slices(self._of_records)

    def _begin(self, txn: lmdb.Transaction) -> None:
        view = view_in(txn, self.workspace_id)
        webhook = view.named(self.webhook_id).webhook
        self._workspace, self._webhook = view.settings.number, webhook.number
        if view.usage.arrivals_since_ms:
            self.since_ms = max(view.usage.arrivals_since_ms, webhook.created_ms)
        # To the second, as the arrivals are.
        self.from_ms = max(self.from_ms, self.since_ms) // 1_000 * 1_000
        self._days = list(range(day_of(self.from_ms), day_of(self.until_ms) + 1))

    def _slices(self, walk: Walk) -> Generator[list[ChatArrivals], None, None]:
        position, is_over = b"", False
        while not is_over:
            found: list[ChatArrivals] = []
            rows_most = self._rows + ROWS_A_SLICE
            arrivals_most = self._arrivals + ARRIVALS_A_SLICE
            with self.env.read() as txn:
                is_over = True
                for after, pieces in walk(txn, position):
                    position = after
                    if pieces:
                        found.append(ChatArrivals(pieces, self.from_ms, self.until_ms))
                    if self._rows >= rows_most or self._arrivals >= arrivals_most:
                        is_over = False
                        break
            yield found

    def _of_rows(self, txn: lmdb.Transaction, after: bytes) -> Steps:
        """Chats that have rows on one of the days, in the order of their keys."""
        erasures = usage_in(txn, self._workspace).erasures
        heads = {day: self._next_chat(txn, day, after) for day in self._days}
        while first := min(filter(None, heads.values()), default=b""):
            if self._is_spent():
                return
            days = [day for day, head in heads.items() if head == first]
            erased_ms = self._erased_ms(txn, first[1:]) if erasures else -1
            yield first, self._pieces(txn, first[1:], days, erased_ms)
            heads |= {day: self._next_chat(txn, day, first) for day in days}

    def _of_records(self, txn: lmdb.Transaction, after: bytes) -> Steps:
        """Chats that have no rows yet, in the order of their ids."""
        prefix = keyspace.owned(keyspace.CHATS, self._workspace)
        for key, value in rows.rows(txn, prefix, after):
            if self._is_spent():
                return
            self._rows += 1
            chat = key_fields.subject(key)
            kept = self._kept(damaged.without(key, value, ChatRecord))
            has_some = kept is not None and (kept.arrivals or kept.window)
            if not has_some or any(self._has_rows(txn, day, chat) for day in self._days):
                yield key, ()
            else:
                yield key, self._of_record(txn, chat, kept)

    def _pieces(
        self, txn: lmdb.Transaction, chat: bytes, days: Sequence[int], erased_ms: int
    ) -> Pieces:
        """The newest that there is room for. What was noted by `erased_ms` is of a deleted chat."""
        key = keyspace.owned(keyspace.CHATS, self._workspace, chat)
        value = rows.get_raw(txn, key)
        record = None if value is None else damaged.without(key, value, ChatRecord)
        kept = self._kept(record)
        found = list(reversed(self._of_record(txn, chat, kept)))
        most = self._rows + CHAT_ROWS_MOST
        for day in reversed(days):
            prefix = arrival_rows.prefix_of(self._webhook, day, chat)
            for key, value in rows.rows_before(txn, prefix, prefix + AFTER_TAIL):
                if key_fields.number(key) <= erased_ms or self._is_spent(most):
                    break
                self._rows += 1
                row = damaged.without(key, value, Arrivals)
                if row is not None:
                    self._arrivals += len(row.packed) // BYTES_OF_ONE
                    found.append((day, row.packed))
        return tuple(reversed(found))

    def _kept(self, record: ChatRecord | None) -> Collecting | None:
        return record.of(self._webhook) if record else None

    def _of_record(self, txn: lmdb.Transaction, chat: bytes, kept: Collecting | None) -> Pieces:
        """What the chat's record has: of messages that have left, and of its open window."""
        if kept is None:
            return ()
        found = [(kept.day, kept.arrivals)] if kept.arrivals else []
        if kept.window is not None:
            members = list(kept.window.tail)
            for number in range(kept.window.parts):
                key = keyspace.part(self._workspace, chat, self._webhook, number)
                value = rows.get_raw(txn, key)
                part = None if value is None else damaged.without(key, value, Part)
                members += part.members if part else ()
            self._rows += kept.window.parts
            found += packed(members, kept.window.opened_ms)
        self._arrivals += sum(len(arrivals) for _, arrivals in found) // BYTES_OF_ONE
        return tuple(found)

    def _next_chat(self, txn: lmdb.Transaction, day: int, after: bytes) -> bytes:
        """The first chat after this one that has rows on the day, with its length before it."""
        prefix = arrival_rows.prefix_of(self._webhook, day)
        start = prefix + after + AFTER_TAIL if after else b""
        key, _ = next(rows.rows(txn, prefix, start), (b"", b""))
        return key[len(prefix) : -TIME_BYTES]

    def _has_rows(self, txn: lmdb.Transaction, day: int, chat: bytes) -> bool:
        prefix = arrival_rows.prefix_of(self._webhook, day, chat)
        return rows.first_key(txn, prefix) is not None

    def _erased_ms(self, txn: lmdb.Transaction, chat: bytes) -> int:
        """When the chat was deleted, if its records are still being erased; else -1."""
        erasure = rows.get(txn, keyspace.owned(keyspace.ERASURES, self._workspace, chat), Erasure)
        return erasure.at_ms if erasure else -1

    def _is_spent(self, rows_most: int = ROWS_MOST) -> bool:
        """Asked where there is more: so it is a cut."""
        rows_most = min(rows_most, ROWS_MOST)
        is_spent = self._rows >= rows_most or self._arrivals >= ARRIVALS_MOST
        self.is_cut = self.is_cut or is_spent
        return is_spent

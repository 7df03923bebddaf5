"""Raw keys and values of a transaction; the only module that reads and writes them in LMDB."""

from collections.abc import Iterator, Sequence
from typing import TypeVar, cast

import lmdb
import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.records import Meta
from hookbundle.storage.database.settings import Webhook, in_order

R = TypeVar("R", bound=msgspec.Struct)

ROW_WEIGHT = 4  # of a row that is written or deleted, in microseconds, beside its bytes
BYTES_PER_WEIGHT = 256
NEVER = 1 << 62
READ_WEIGHT = 2  # of a record that is read and decoded, where a transition looks at many


Collected = dict[bytes, bytes | None]


def get_raw(txn: lmdb.Transaction, key: bytes) -> bytes | None:
    if len(key) > limits.LMDB_KEY_BYTES_MAX:
        # LMDB raises an error for a key of this length. Clients send such ids, and nothing can be
        # stored under one, so it is simply not found.
        return None
    value: bytes | None = txn.get(key)  # type: ignore[assignment]
    return value


def get(txn: lmdb.Transaction, key: bytes, kind: type[R]) -> R | None:
    """The record under the key, or None. Raises: CorruptRecord."""
    if len(key) > limits.LMDB_KEY_BYTES_MAX:  # as `get_raw`, which would be a call for each record
        return None
    value: bytes | None = txn.get(key)  # type: ignore[assignment]
    return None if value is None else codec.unpack(key, value, kind)


def readable(txn: lmdb.Transaction, key: bytes, kind: type[R]) -> R | None:
    """As `get`; None too if it is damaged, where that must not stop the others."""
    value = get_raw(txn, key)
    return None if value is None else codec.readable(key, value, kind)


def rows(txn: lmdb.Transaction, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """Keys and raw values under the prefix, from the first key greater than `after`."""
    with txn.cursor() as cursor:
        found = cursor.set_range(max(prefix, after))
        if found and after and cursor.key() == after:
            found = cursor.next()
        while found:
            key, value = cast("tuple[bytes, bytes]", cursor.item())
            if not key.startswith(prefix):
                return
            yield key, value
            found = cursor.next()


def rows_before(
    txn: lmdb.Transaction, prefix: bytes, before: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """Keys and raw values under the prefix, from the last key less than `before` backwards."""
    with txn.cursor() as cursor:
        found = cursor.prev() if cursor.set_range(before) else cursor.last()
        while found:
            key, value = cast("tuple[bytes, bytes]", cursor.item())
            if not key.startswith(prefix):
                return
            yield key, value
            found = cursor.prev()


def keys(txn: lmdb.Transaction, start: bytes) -> Iterator[bytes]:
    """All keys from the first one that is not less than `start`. No value is read."""
    with txn.cursor() as cursor:
        if cursor.set_range(start):
            yield from cast("Iterator[bytes]", cursor.iternext(keys=True, values=False))


def first_keys(txn: lmdb.Transaction, prefix: bytes) -> Iterator[bytes]:
    """The first key under the prefix of each workspace that has one. No value is read."""
    with txn.cursor() as cursor:
        found = cursor.set_range(prefix)
        while found:
            key = cast("bytes", cursor.key())
            if not key.startswith(prefix):
                return
            yield key
            found = cursor.set_range(keyspace.after_owner(key))


def first_of(txn: lmdb.Transaction, prefix: bytes, most: int) -> list[bytes]:
    """Up to `most` of the first keys under the prefix. No value is read."""
    found: list[bytes] = []
    with txn.cursor() as cursor:
        more = cursor.set_range(prefix)
        while more and len(found) < most:
            key = cast("bytes", cursor.key())
            if not key.startswith(prefix):
                break
            found.append(key)
            more = cursor.next()
    return found


def first_key(txn: lmdb.Transaction, prefix: bytes) -> bytes | None:
    """The first key under the prefix. No value is read."""
    return next(iter(first_of(txn, prefix, 1)), None)


def webhooks(txn: lmdb.Transaction, workspace: int) -> tuple[Webhook, ...]:
    """The workspace's webhooks, `outbound` first. Raises: CorruptRecord."""
    alive = in_order([each for each in all_webhooks(txn, workspace) if not each.deleted_ms])
    if not alive:
        raise CorruptRecord(f"workspace number {workspace} has no webhook")
    return alive


def all_webhooks(txn: lmdb.Transaction, workspace: int) -> list[Webhook]:
    """Also those that were deleted and are being erased. Raises: CorruptRecord."""
    found = rows(txn, keyspace.owned(keyspace.WEBHOOKS, workspace))
    return [codec.unpack(key, value, Webhook) for key, value in found]


class Writes:
    """The rows of a transaction, read and written.

    `collected` gets every row that is changed, None for one that is deleted. `weight` counts what
    was written, in the unit of storage/transitions/costs.py, and what was read where that is most
    of the work: who reads it adds it. A step that has become heavy enough ends. `heavy`: the weight
    from which on a message leaves to the timer what it may.
    """

    def __init__(self, txn: lmdb.Transaction, collected: Collected | None) -> None:
        self._txn = txn
        self._cursor: lmdb.Cursor | None = None  # ends with the transaction
        self._collected = collected
        self.weight = 0
        self.heavy = NEVER

    def get(self, key: bytes, kind: type[R]) -> R | None:
        return get(self._txn, key, kind)

    def readable(self, key: bytes, kind: type[R]) -> R | None:
        return readable(self._txn, key, kind)

    def get_raw(self, key: bytes) -> bytes | None:
        return get_raw(self._txn, key)

    def put(self, key: bytes, record: msgspec.Struct) -> int:
        """Returns the bytes of the stored value."""
        value = codec.pack(key, record)
        size = len(value)
        self.weight += ROW_WEIGHT + size // BYTES_PER_WEIGHT
        if self._collected is None:
            self._txn.put(key, value)
        else:
            self._put_and_collect(key, value)
        return size

    def put_raw(self, key: bytes, value: bytes) -> None:
        self.weight += ROW_WEIGHT + len(value) // BYTES_PER_WEIGHT
        if self._collected is None:
            self._txn.put(key, value)
        else:
            self._put_and_collect(key, value)

    def put_flag(self, key: bytes) -> None:
        """Writes a key without a value."""
        self.weight += ROW_WEIGHT
        if self._collected is None:
            self._txn.put(key, b"")
        else:
            self._put_and_collect(key, b"")

    def put_meta(self, meta: Meta) -> None:
        """Writes the counters. Where rows are collected, a group that writes nothing else, and
        changes none but the time, writes nothing: nobody need agree on it."""
        if self._collected is not None and not self._collected:
            stored = self.get(keyspace.META, Meta)
            if stored is not None and stored.last_ms <= meta.last_ms:
                stored.last_ms = meta.last_ms
                if stored == meta:
                    return
        self.put(keyspace.META, meta)

    def _put_and_collect(self, key: bytes, value: bytes) -> None:
        """What is stored already is not collected: many records are written as they were read."""
        assert self._collected is not None
        if get_raw(self._txn, key) != value:
            self._txn.put(key, value)
            self._collected[key] = value

    def first_key(self, prefix: bytes) -> bytes | None:
        """The first key under the prefix. No value is read."""
        cursor = self._cursor
        if cursor is None:  # one for all: to make it costs as much as to look
            cursor = self._cursor = self._txn.cursor()
        if not cursor.set_range(prefix):
            return None
        key = cast("bytes", cursor.key())
        return key if key.startswith(prefix) else None

    def first_keys(self, prefix: bytes, most: int) -> list[bytes]:
        """Up to `most` of the first keys under the prefix. No value is read."""
        return first_of(self._txn, prefix, most)

    def which_exist(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of the keys that are there, in one call, which many cost less in."""
        with self._txn.cursor() as cursor:
            return {cast("bytes", key) for key, _ in cursor.getmulti(keys)}

    def put_flags(self, keys: Sequence[bytes]) -> None:
        """Writes keys without a value, in one call."""
        with self._txn.cursor() as cursor:
            cursor.putmulti([(key, b"") for key in keys])
        self.weight += len(keys)  # in one call, at a fourth of the price
        if self._collected is not None:
            self._collected.update(dict.fromkeys(keys, b""))

    def delete(self, key: bytes) -> bool:
        """True if there was a record under the key."""
        found: bool = self._txn.delete(key)
        self.weight += ROW_WEIGHT
        if found and self._collected is not None:
            self._collected[key] = None
        return found

    def put_due(self, row: Due) -> None:
        self.put_flag(keyspace.due(row))

    def delete_due(self, row: Due) -> None:
        self.delete(keyspace.due(row))

    def rows(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Keys and raw values under the prefix, from the first key greater than `after`."""
        return rows(self._txn, prefix, after)

    def rows_before(self, prefix: bytes, before: bytes) -> Iterator[tuple[bytes, bytes]]:
        """As `rows`, from the last key less than `before` backwards."""
        return rows_before(self._txn, prefix, before)

    def delete_rows(self, prefix: bytes, most: int) -> int:
        """Deletes all records under the prefix, or the first `most`. Returns how many."""
        found = first_of(self._txn, prefix, most)
        for key in found:
            self.delete(key)
        return len(found)

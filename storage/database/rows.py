"""Raw keys and values of a transaction; the only module that reads them from LMDB."""

from collections.abc import Iterator
from typing import TypeVar, cast

import lmdb
import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import codec, keyspace

R = TypeVar("R", bound=msgspec.Struct)


def get_raw(txn: lmdb.Transaction, key: bytes) -> bytes | None:
    if len(key) > limits.LMDB_KEY_BYTES_MAX:
        # LMDB raises an error for a key of this length. Clients send such ids, and nothing can be
        # stored under one, so it is simply not found.
        return None
    return cast("bytes | None", txn.get(key))


def get(txn: lmdb.Transaction, key: bytes, kind: type[R]) -> R | None:
    """The record under the key, or None. Raises: CorruptRecord."""
    value = get_raw(txn, key)
    return None if value is None else codec.unpack(key, value, kind)


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


def delete_rows(txn: lmdb.Transaction, prefix: bytes, most: int) -> int:
    """Deletes all records under the prefix, or the first `most`. Returns how many."""
    deleted = 0
    with txn.cursor() as cursor:
        while deleted < most and cursor.set_range(prefix):
            if not cast("bytes", cursor.key()).startswith(prefix):
                break
            cursor.delete()
            deleted += 1
    return deleted

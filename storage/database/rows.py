"""Raw keys and values of a transaction, as bytes; the one place where LMDB is asked for them."""

from collections.abc import Iterator
from typing import TypeVar, cast

import lmdb
import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import codec, keyspace

R = TypeVar("R", bound=msgspec.Struct)


def get_raw(txn: lmdb.Transaction, key: bytes) -> bytes | None:
    if len(key) > limits.LMDB_KEY_BYTES_MAX:
        return None  # LMDB has an error for it, but what can't be stored is just not there
    return cast("bytes | None", txn.get(key))


def get(txn: lmdb.Transaction, key: bytes, kind: type[R]) -> R | None:
    """The record under the key. Raises: CorruptRecord."""
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
    """Of every workspace that has keys under the prefix, the first; no value is touched."""
    with txn.cursor() as cursor:
        found = cursor.set_range(prefix)
        while found:
            key = cast("bytes", cursor.key())
            if not key.startswith(prefix):
                return
            yield key
            found = cursor.set_range(keyspace.after_owner(key))


def delete_rows(txn: lmdb.Transaction, prefix: bytes, most: int) -> int:
    """How many records under the prefix were deleted: all of them, or the first `most`."""
    deleted = 0
    with txn.cursor() as cursor:
        while deleted < most and cursor.set_range(prefix):
            if not cast("bytes", cursor.key()).startswith(prefix):
                break
            cursor.delete()
            deleted += 1
    return deleted

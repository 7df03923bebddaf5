"""Damages records of a database of schema 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb


@contextmanager
def changing(path: Path) -> Iterator[lmdb.Transaction]:
    """A transaction on the database, without any code of hookbundle."""
    env = lmdb.open(str(path), map_size=1 << 28, lib_version=0)
    try:
        with env.begin(write=True) as txn:
            yield txn
    finally:
        env.close()


def keys_of(txn: lmdb.Transaction, prefix: bytes) -> list[bytes]:
    keys = [bytes(key) for key, _ in txn.cursor()]
    return [key for key in keys if key.startswith(prefix)]


def value_of(txn: lmdb.Transaction, key: bytes) -> bytes:
    value = txn.get(key)
    assert value is not None, key
    return bytes(value)


def flip(txn: lmdb.Transaction, key: bytes) -> None:
    """One bit of the record is wrong."""
    value = bytearray(value_of(txn, key))
    value[-1] ^= 1
    txn.put(key, bytes(value))


def damage(path: Path, key: bytes) -> None:
    with changing(path) as txn:
        flip(txn, key)


def lose(path: Path, key: bytes) -> None:
    with changing(path) as txn:
        assert txn.delete(key)


def move(path: Path, key: bytes, to: bytes) -> None:
    """One bit of the key is wrong."""
    with changing(path) as txn:
        txn.put(to, value_of(txn, key))
        txn.delete(key)

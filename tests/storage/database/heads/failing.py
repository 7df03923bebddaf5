"""Transactions that fail, and what a database holds, for tests of heads."""

from collections.abc import Iterator
from contextlib import contextmanager

import lmdb

from hookbundle.storage.database.environment import Environment


class Undone(Exception):
    """Ends a transaction before its commit."""


@contextmanager
def undone(env: Environment) -> Iterator[lmdb.Transaction]:
    """A transaction that fails when the block has done its work."""
    try:
        with env.write() as txn:
            yield txn
            raise Undone
    except Undone:
        pass


def dump(env: Environment) -> dict[bytes, bytes]:
    with env.read() as txn:
        return {bytes(key): bytes(value) for key, value in txn.cursor()}

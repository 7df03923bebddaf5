"""The database of a copy with which a log begins anew: all that it has, under another epoch.

What was acknowledged after the copy's position may be lost, and its numbers are given a second
time. The new epoch is part of delivery ids and cursors, as after a restore, and keeps the new ones
different from those.
"""

import secrets

import msgspec

from hookbundle.engine.errors import MapFull
from hookbundle.storage.daemon_facts import DaemonRestored
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.database.unit import Unit

EPOCH_BYTES = 5


class _NotCommitted(Exception):
    """The copy stays as it is."""


def rows_anew(env: Environment, now_ms: int, detail: str) -> Collected:
    """The rows that are to be put over those of the copy, in which they are not put.

    Its event for the feed says why, in the words of `detail`. Raises: StorageError.
    """
    while True:
        try:
            return _rows(env, now_ms, detail)
        except MapFull:
            if not env.grow():
                raise


def _rows(env: Environment, now_ms: int, detail: str) -> Collected:
    rows: Collected = {}
    identity = msgspec.structs.replace(env.identity, epoch=secrets.token_hex(EPOCH_BYTES))
    try:
        with env.write() as txn:
            unit = Unit(txn, identity, collected=rows)
            unit.emit(DaemonRestored(detail=detail), max(now_ms, unit.meta.last_ms))
            unit.flush()
            raise _NotCommitted
    except _NotCommitted:
        rows[keyspace.IDENTITY] = codec.pack(keyspace.IDENTITY, identity)
    return rows

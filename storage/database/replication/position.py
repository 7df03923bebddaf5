"""How far in the log of its partition a database has come, and the rows of others put into it.

The position is a record of the same transaction as the rows, so a database always holds what the
log says up to there, whatever ends the process. It is each copy's own: it is not in the log, and is
left out when copies are compared.
"""

from collections.abc import Iterable

import lmdb

from hookbundle.engine.errors import MapFull
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Frozen, Identity


class Position(Frozen, frozen=True):
    """`seq`: the last number of the generation that the database holds; `epoch`: of its owner.

    The rest: as in `Chain`, for a reader that goes on from here.
    """

    generation: str
    seq: int
    epoch: int
    owner: str = ""
    claim: str = ""
    released_to: str | None = None
    schema: int = 0
    base_bytes: int = 0
    group_bytes: int = 0
    begun_ms: int = 0
    erased_ms: int | None = None
    mark: str = ""


Row = tuple[bytes, bytes | None]


def read(txn: lmdb.Transaction) -> Position | None:
    """None if the database belongs to no cluster. Raises: CorruptRecord."""
    return rows.get(txn, keyspace.POSITION, Position)


def write(txn: lmdb.Transaction, position: Position) -> None:
    txn.put(keyspace.POSITION, codec.pack(keyspace.POSITION, position))


def follow(env: Environment, changed: Iterable[Row], position: Position) -> None:
    """The rows of another's groups, each once, and the position after them, are in the database.

    Raises: StorageError.
    """
    rows_of_all = list(changed)
    # In the order of their keys: neighbours stand on one page, and one is found by the other.
    put = sorted([(key, value) for key, value in rows_of_all if value is not None])
    deleted = [key for key, value in rows_of_all if value is None]
    while not _has_put(env, put, deleted, position):
        pass
    for key, value in rows_of_all:
        if key == keyspace.IDENTITY and value is not None:  # its schema was raised
            env.identity = codec.unpack(key, value, Identity)
    env.grow_if_needed()


def _has_put(
    env: Environment, put: list[tuple[bytes, bytes]], deleted: list[bytes], position: Position
) -> bool:
    """False if the map was too small, and has grown. Raises: StorageError."""
    try:
        with env.write() as txn:
            for key in deleted:
                txn.delete(key)
            with txn.cursor() as cursor:
                cursor.putmulti(put)
            write(txn, position)
    except MapFull:
        if not env.grow():
            raise
        return False
    return True

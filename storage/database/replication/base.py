"""The base of a generation: a whole database, record by record, into a log and out of it.

A copy is begun in a folder beside the data file (files.py calls what lies there leftovers), and
takes its place when it is complete and on disk: a crash before leaves the copy that there was.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import lmdb

from hookbundle.engine.errors import CorruptRecord, MapFull, StoreFull
from hookbundle.storage.database import files, keyspace, rows
from hookbundle.storage.database.data_file import address_space, disk_space
from hookbundle.storage.database.data_file.lmdb_errors import Translated
from hookbundle.storage.database.environment import LMDB_FORMAT, Environment
from hookbundle.storage.database.files import DATA, MARKER, STAGING, Marker
from hookbundle.storage.database.records import Identity
from hookbundle.storage.database.replication import copy_state, position
from hookbundle.storage.database.replication.position import Position, Row

MAP_BYTES_FIRST = 1 << 28


def chunks(env: Environment, most_bytes: int) -> Iterator[list[Row]]:
    """All records in the order of their keys, but the position, which is each copy's own.

    Each chunk is read in a transaction of its own, so that the reader may take its time. What is
    written meanwhile is in some chunks and not in others: the rows of all groups since the first
    chunk, put over them, make the database as it is after the last one.
    """
    last = b""
    while chunk := _chunk(env, last, most_bytes):
        last = chunk[-1][0]
        yield [row for row in chunk if row[0] != keyspace.POSITION]


def _chunk(env: Environment, after: bytes, most_bytes: int) -> list[Row]:
    chunk: list[Row] = []
    size = 0
    with env.read() as txn:
        for key, value in rows.rows(txn, b"", after):
            chunk.append((key, value))
            size += len(key) + len(value)
            if size >= most_bytes:
                break
    return chunk


class NewCopy:
    """A data file that is being written in the directory, which is locked meanwhile.

    `put`, `finish`, `close`; without `finish` nothing is left of it, and the copy before stays.
    """

    def __init__(self, path: Path, floor_bytes: int = 0) -> None:
        """`floor_bytes`: of room that are left on the disk, for what is on it already.

        Raises: InUse; Unusable; StorageError.
        """
        self._path = path
        self._floor_bytes = floor_bytes
        self._staging = path / STAGING
        with disk_space.errors_of(path):
            files.make_directory(path)
            self._lock_fd = files.lock(path)
        try:
            with disk_space.errors_of(path), Translated():
                self._env = self._made()
        except BaseException:
            os.close(self._lock_fd)
            raise

    def _made(self) -> lmdb.Environment:
        files.clear_leftovers(self._path)
        self._staging.mkdir(mode=0o700)
        return lmdb.open(
            str(self._staging),
            map_size=address_space.first_map(MAP_BYTES_FIRST, 0),
            mode=0o600,
            sync=False,  # one sync at the end: an unfinished copy is worth nothing
            lock=False,
            lib_version=LMDB_FORMAT,
        )

    def put(self, changed: Iterable[Row]) -> None:
        """Raises: StorageError; StoreFull before the floor is reached."""
        changed = list(changed)
        with disk_space.errors_of(self._path):
            if self._floor_bytes and disk_space.free_bytes(self._path) < self._floor_bytes:
                raise StoreFull("the disk has less room than storage.floor: no copy is made on it")
        while not self._has_put(changed):
            with Translated():
                self._env.set_mapsize(self._env.info()["map_size"] * 2)

    def finish(self, at: Position) -> None:
        """The copy is the directory's database, at the position, and on disk.

        Raises: StorageError; CorruptRecord if it has no identity.
        """
        with Translated(), self._env.begin(write=True) as txn:
            found = rows.get(txn, keyspace.IDENTITY, Identity)
            position.write(txn, at)
        if found is None:
            raise CorruptRecord("the base of the log has no identity")
        with disk_space.errors_of(self._path), Translated():
            self._env.sync(True)
            files.sync(self._staging / DATA)
            # The marker of the copy before goes first: it may name another identity than this has.
            (self._path / MARKER).unlink(missing_ok=True)
            (self._staging / DATA).rename(self._path / DATA)
            files.write_marker(self._path, Marker(found.epoch, found.schema))
            copy_state.forget(self._path)

    def close(self) -> None:
        """The directory is unlocked, and has the new database, or what it had before."""
        self._env.close()
        files.clear_leftovers(self._path)
        os.close(self._lock_fd)

    def _has_put(self, changed: list[Row]) -> bool:
        """False if the map is too small."""
        try:
            with Translated(), self._env.begin(write=True) as txn:
                for key, value in changed:
                    if value is None:
                        txn.delete(key)
                    else:
                        txn.put(key, value)
        except MapFull:
            return False
        return True

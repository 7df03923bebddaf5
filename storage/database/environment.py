"""The LMDB environment: opened only when it is safe to, grown only when nobody reads.

What LMDB does not do by itself, each seen to go wrong without it:
- a second process may open the same directory and write, so an exclusive `flock` is held for life;
- an empty data file opens as a new, empty database, so a marker beside it says there was one;
- a file cut short is a SIGBUS on first touch, so pages.py looks for its last page first;
- a power cut in the first commit leaves a damaged head, so a new database is made beside its place;
- growing the map under a read transaction invalidates it, so growing waits for readers.

`sync` and `metasync` stay on, `writemap` and `map_async` off: an answer means the data is on disk.
"""

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb

from hookbundle.engine.errors import CorruptRecord, StorageError, StoreFull, Unusable
from hookbundle.storage.database import codec, files, keyspace, pages
from hookbundle.storage.database.files import DATA, MARKER, STAGING, Marker
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST, Identity

LMDB_FORMAT = 0  # the 0.9 file format; py-lmdb 3 also carries 1.0, and neither reads the other's
MAP_BYTES_FIRST = 1 << 30
MAP_BYTES_MAX = 1 << 44
GROW_AT = 0.75  # of the map
READERS_MAX = 126
DENIED_CODES = {1, 13, 30}  # EPERM, EACCES, EROFS
FULL_CODES = {5, 27, 28, 122}  # EIO (a short write), EFBIG, ENOSPC, EDQUOT


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes: of the map, of its used pages, of the data file, free on its disk."""

    map_bytes: int
    used_bytes: int
    file_bytes: int
    free_bytes: int


class Environment:
    """An open database. One process, one thread that writes, any thread that reads."""

    def __init__(
        self, path: Path, env: lmdb.Environment, lock_fd: int | None, identity: Identity
    ) -> None:
        self.path = path
        self.identity = identity
        self._env = env
        self._lock_fd = lock_fd
        self._page_bytes = env.stat()["psize"]
        self._readers = 0
        self._long_readers = 0
        self._gate = threading.Condition()

    @contextmanager
    def read(self) -> Iterator[lmdb.Transaction]:
        """A read transaction. Keep it short, and never across an await: it pins old pages."""
        with self._gate:
            self._readers += 1
        try:
            with translated(), self._env.begin() as txn:
                yield txn
        finally:
            with self._gate:
                self._readers -= 1
                if not self._readers:
                    self._gate.notify_all()

    @contextmanager
    def read_long(self) -> Iterator[lmdb.Transaction]:
        """A read transaction that may take seconds, as that of a check: the map does not grow."""
        with self._reading_long(), translated(), self._env.begin() as txn:
            yield txn

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        """A write transaction: on disk when the block ends, as if never begun when it raises.

        Raises: StoreFull when disk or map is full; Unusable when the environment is broken.
        """
        with translated(), self._env.begin(write=True) as txn:
            yield txn

    def grow_if_needed(self) -> bool:
        """True if the map was doubled. Call it between write transactions, from their thread.

        It waits for short readers, but not for a copy or a check: there is room left for many
        commits, and the next one asks again.
        """
        info = self._env.info()
        map_bytes = info["map_size"]
        used_bytes = info["last_pgno"] * self._page_bytes
        if used_bytes < map_bytes * GROW_AT or map_bytes >= MAP_BYTES_MAX:
            return False
        with self._gate:
            self._gate.wait_for(lambda: self._long_readers or not self._readers)
            if self._long_readers:
                return False
            self._env.set_mapsize(map_bytes * 2)
        return True

    def usage(self) -> Usage:
        info = self._env.info()
        disk = os.statvfs(self.path)
        return Usage(
            map_bytes=info["map_size"],
            used_bytes=(info["last_pgno"] + 1) * self._page_bytes,
            file_bytes=(self.path / "data.mdb").stat().st_size,
            free_bytes=disk.f_bavail * disk.f_frsize,
        )

    def copy_compact(self, into: Path) -> None:
        """Writes a compact copy, taken at one moment, into an empty directory. May run for long.

        The copy is sound, but not clean: bytes of deleted records stand in the gaps of its pages.
        """
        with self._reading_long(), translated():
            self._env.copy(str(into), compact=True)

    def close(self) -> None:
        lock_fd = self.shut()
        if lock_fd is not None:
            os.close(lock_fd)

    def shut(self) -> int | None:
        """Closed, but the directory is still ours: the descriptor that holds its lock, if we do.

        Waits for readers: closing under one would end the process.
        """
        with self._gate:
            self._gate.wait_for(lambda: not self._readers)
            self._env.close()
        return self._lock_fd

    @contextmanager
    def _reading_long(self) -> Iterator[None]:
        with self._gate:
            self._readers += 1
            self._long_readers += 1
            self._gate.notify_all()
        try:
            yield
        finally:
            with self._gate:
                self._readers -= 1
                self._long_readers -= 1
                self._gate.notify_all()


def open_environment(path: Path, now_ms: int, *, map_bytes: int = MAP_BYTES_FIRST) -> Environment:
    """The database in the directory, made if there has been none.

    Raises: Unusable, saying why it can't be opened and what to do.
    """
    with _unusable_if_broken(path):
        files.make(path)
        lock_fd = files.lock(path)
        try:
            files.check_marker(path, files.read_marker(path))
            files.clear_leftovers(path)
            _check_file(path)
            if not _size(path / DATA):
                _make(path, now_ms)
            return _opened(path, lock_fd, map_bytes)
        except BaseException:
            os.close(lock_fd)
            raise


def open_read_only(path: Path, *, lock: bool = True) -> Environment:
    """The database in the directory, a backup too; nobody else changes it meanwhile.

    `lock` False: for a backup, which nobody runs on, or if the caller holds the lock already.

    Raises: Unusable, saying why it can't be opened and what to do.
    """
    with _unusable_if_broken(path):
        if not (path / DATA).exists():
            raise Unusable(f"{path} holds no database")
        lock_fd = files.lock(path) if lock else None
        try:
            _check_file(path)
            env = _mapped(path, MAP_BYTES_FIRST, readonly=True, lock=False)
            try:
                return Environment(path, env, lock_fd, _identity_of(env, path))
            except BaseException:
                env.close()
                raise
        except BaseException:
            if lock_fd is not None:
                os.close(lock_fd)
            raise


@contextmanager
def _unusable_if_broken(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise Unusable(f"{path} can't be used: {exc}") from exc
    except CorruptRecord as exc:
        raise Unusable(f"{path}: {exc}; restore a backup into a new directory") from exc


def _make(path: Path, now_ms: int) -> None:
    """A new database is in the directory; after a power cut, all of it or nothing."""
    identity = Identity(epoch=secrets.token_hex(5), schema=SCHEMA, created_ms=now_ms)
    staging = path / STAGING
    staging.mkdir(mode=0o700)
    env = _mapped(staging, MAP_BYTES_FIRST)
    try:
        with translated(), env.begin(write=True) as txn:
            txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
    finally:
        env.close()
    (staging / DATA).rename(path / DATA)
    files.sync(path)
    files.clear_leftovers(path)


def _opened(path: Path, lock_fd: int, map_bytes: int) -> Environment:
    env = _mapped(path, map_bytes)
    try:
        env.reader_check()
        identity = _identity_of(env, path)
        if files.read_marker(path) is None:
            files.write_marker(path, Marker(identity.epoch, identity.schema))
        return Environment(path, env, lock_fd, identity)
    except BaseException:
        env.close()
        raise


def _mapped(path: Path, map_bytes: int, **options: bool) -> lmdb.Environment:
    data = path / DATA
    size = _size(data)
    while map_bytes * GROW_AT < size:
        map_bytes *= 2
    try:
        return lmdb.open(
            str(path),
            map_size=map_bytes,
            max_readers=READERS_MAX,
            mode=0o600,
            lib_version=LMDB_FORMAT,
            **options,
        )
    except lmdb.Error as exc:
        if exc.code in DENIED_CODES:
            raise Unusable(f"{data} can't be used: {exc}; give it to the user who runs us") from exc
        raise Unusable(f"{data}: {exc}; restore a backup into a new directory") from exc


def _check_file(path: Path) -> None:
    data, marker = path / DATA, path / MARKER
    size = _size(data)
    if marker.exists() and size == 0:
        raise Unusable(f"{data} is empty or gone, but {marker.name} says there was a database")
    if size:
        pages.check(data)


def _size(data: Path) -> int:
    return data.stat().st_size if data.exists() else 0


def _identity_of(env: lmdb.Environment, path: Path) -> Identity:
    """Who the database is. Raises: Unusable if it is not the marker's, or can't be read."""
    known = files.read_marker(path)
    with translated(), env.begin() as txn:
        value = txn.get(keyspace.IDENTITY)
    identity = codec.unpack(keyspace.IDENTITY, value, Identity) if value is not None else None
    if identity is None or (known is not None and known.epoch != identity.epoch):
        raise Unusable(f"{path / DATA} is not the database that {MARKER} speaks of")
    if identity.schema > SCHEMA:
        raise Unusable(
            f"{path} was written by a newer hookbundle (schema {identity.schema}, this program "
            f"reads {SCHEMA}); run that version, or restore a backup made before the upgrade"
        )
    if identity.schema < SCHEMA_OLDEST:
        raise Unusable(
            f"{path} is of schema {identity.schema}, and this program reads from {SCHEMA_OLDEST} "
            "on; run the version that wrote it, or restore a backup of a version that is read"
        )
    return identity


@contextmanager
def translated() -> Iterator[None]:
    """LMDB's errors as ours."""
    try:
        yield
    except lmdb.MapFullError as exc:
        raise StoreFull(f"the database has reached its largest size: {exc}") from exc
    except lmdb.PanicError as exc:
        raise Unusable(f"the database failed for good: {exc}; start the daemon again") from exc
    except lmdb.CorruptedError as exc:
        raise CorruptRecord(f"the database is damaged: {exc}; restore a backup") from exc
    except lmdb.DiskError as exc:
        raise StoreFull(f"the disk is full or failing: {exc}") from exc
    except lmdb.Error as exc:
        if exc.code in FULL_CODES:
            raise StoreFull(f"the disk is full or failing: {exc}") from exc
        raise StorageError(f"the database failed: {exc}") from exc

"""The LMDB environment: opened only when it is safe to, grown only when nobody reads.

What LMDB does not do by itself, each seen to go wrong without it:
- a second process may open the same directory and write, so an exclusive `flock` is held for life;
- an empty data file opens as a new, empty database, so a marker beside it says there was one;
- a file cut short is a SIGBUS on first touch, so its size is compared with its last page first;
- growing the map under a read transaction invalidates it, so growing waits for readers.

`sync` and `metasync` stay on, `writemap` and `map_async` off: an answer means the data is on disk.
"""

import fcntl
import os
import secrets
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord, StorageError, StoreFull, Unusable
from hookbundle.storage import codec, keyspace
from hookbundle.storage.records import SCHEMA, Identity

LMDB_FORMAT = 0  # the 0.9 file format; py-lmdb 3 also carries 1.0, and neither reads the other's
MAP_BYTES_FIRST = 1 << 30
MAP_BYTES_MAX = 1 << 44
GROW_AT = 0.75  # of the map
READERS_MAX = 126
FULL_CODES = {5, 27, 28, 122}  # EIO (a short write), EFBIG, ENOSPC, EDQUOT

META_PAGE = struct.Struct("<16x II QQ 48x48x QQ")  # mdb.c: header, then struct MDB_meta
META_MAGIC = 0xBEEFC0DE
PAGE_BYTES = 4096


class Marker(msgspec.Struct, frozen=True):
    """The file beside the data that says which database lives here."""

    epoch: str
    schema: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes: of the map, of its used pages, of the data file, free on its disk."""

    map_bytes: int
    used_bytes: int
    file_bytes: int
    free_bytes: int


class Environment:
    """An open database. One process, one thread that writes, any thread that reads."""

    def __init__(self, path: Path, env: lmdb.Environment, lock_fd: int, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        self._env = env
        self._lock_fd = lock_fd
        self._readers = 0
        self._gate = threading.Condition()

    @contextmanager
    def read(self) -> Iterator[lmdb.Transaction]:
        """A read transaction. Keep it short, and never across an await: it pins old pages."""
        with self._gate:
            self._readers += 1
        try:
            with _translated(), self._env.begin() as txn:
                yield txn
        finally:
            with self._gate:
                self._readers -= 1
                if not self._readers:
                    self._gate.notify_all()

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        """A write transaction: on disk when the block ends, as if never begun when it raises.

        Raises: StoreFull when disk or map is full; Unusable when the environment is broken.
        """
        with _translated(), self._env.begin(write=True) as txn:
            yield txn

    def grow_if_needed(self) -> bool:
        """True if the map was doubled. Call it between write transactions, from their thread."""
        info = self._env.info()
        map_bytes = info["map_size"]
        if info["last_pgno"] * PAGE_BYTES < map_bytes * GROW_AT or map_bytes >= MAP_BYTES_MAX:
            return False
        with self._gate:
            self._gate.wait_for(lambda: not self._readers)
            self._env.set_mapsize(map_bytes * 2)
        return True

    def usage(self) -> Usage:
        info = self._env.info()
        disk = os.statvfs(self.path)
        return Usage(
            map_bytes=info["map_size"],
            used_bytes=(info["last_pgno"] + 1) * PAGE_BYTES,
            file_bytes=(self.path / "data.mdb").stat().st_size,
            free_bytes=disk.f_bavail * disk.f_frsize,
        )

    def copy_compact(self, into: Path) -> None:
        """Writes a compact copy, taken at one moment, into an empty directory. May run for long."""
        with self._gate:
            self._readers += 1
        try:
            with _translated():
                self._env.copy(str(into), compact=True)
        finally:
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()

    def close(self) -> None:
        self._env.close()
        os.close(self._lock_fd)


def open_environment(path: Path, now_ms: int, *, map_bytes: int = MAP_BYTES_FIRST) -> Environment:
    """The database in the directory, made if there has been none.

    Raises: Unusable, saying why it can't be opened and what to do.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock_fd = _locked(path)
    try:
        _check_file(path)
        env = _opened(path, map_bytes)
        try:
            env.reader_check()
            return Environment(path, env, lock_fd, _identified(env, path, now_ms))
        except BaseException:
            env.close()
            raise
    except BaseException:
        os.close(lock_fd)
        raise


def _opened(path: Path, map_bytes: int) -> lmdb.Environment:
    data = path / "data.mdb"
    size = data.stat().st_size if data.exists() else 0
    while map_bytes * GROW_AT < size:
        map_bytes *= 2
    try:
        return lmdb.open(
            str(path),
            map_size=map_bytes,
            max_readers=READERS_MAX,
            mode=0o600,
            lib_version=LMDB_FORMAT,
        )
    except lmdb.Error as exc:
        raise Unusable(f"{data}: {exc}; restore a backup into a new directory") from exc


def _locked(path: Path) -> int:
    """The descriptor that holds the lock; the lock goes with the process, however it ends."""
    lock_fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(lock_fd, 32).decode(errors="replace").strip() or "unknown"
        os.close(lock_fd)
        raise Unusable(f"{path} is in use by the process with pid {owner}") from None
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, f"{os.getpid()}\n".encode(), 0)
    return lock_fd


def _check_file(path: Path) -> None:
    data, marker = path / "data.mdb", path / "identity.json"
    size = data.stat().st_size if data.exists() else 0
    if marker.exists() and size == 0:
        raise Unusable(f"{data} is empty or gone, but {marker.name} says there was a database")
    if size == 0:
        return
    with data.open("rb") as file:
        metas = [_meta(file.read(PAGE_BYTES)) for _ in range(2)]
    if None in metas:
        raise Unusable(f"{data} has a damaged head; restore a backup into a new directory")
    last_page = max((meta for meta in metas if meta is not None), key=lambda meta: meta[1])[0]
    if size < (last_page + 1) * PAGE_BYTES:
        want = (last_page + 1) * PAGE_BYTES
        raise Unusable(f"{data} was cut short: {size} bytes, want {want}; restore a backup")


def _meta(page: bytes) -> tuple[int, int] | None:
    """Last page and transaction of a meta page; None if it is none."""
    if len(page) < META_PAGE.size:
        return None
    magic, _version, _address, _map_bytes, last_page, txn_id = META_PAGE.unpack_from(page)
    return (last_page, txn_id) if magic == META_MAGIC else None


def _identified(env: lmdb.Environment, path: Path, now_ms: int) -> Identity:
    marker = path / "identity.json"
    known = _marker(marker)
    with _translated(), env.begin(write=True) as txn:
        value = txn.get(keyspace.IDENTITY)
        if value is not None:
            identity = codec.unpack(keyspace.IDENTITY, value, Identity)
        elif known is not None or txn.stat()["entries"]:
            raise Unusable(f"{path}/data.mdb is not the database that {marker.name} speaks of")
        else:
            identity = Identity(epoch=secrets.token_hex(5), schema=SCHEMA, created_ms=now_ms)
            txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
    if identity.schema > SCHEMA:
        raise Unusable(
            f"{path} was written by a newer hookbundle (schema {identity.schema}, this program "
            f"reads {SCHEMA}); run that version, or restore a backup made before the upgrade"
        )
    if known is None:
        _write_marker(marker, Marker(identity.epoch, identity.schema))
    elif known.epoch != identity.epoch:
        raise Unusable(f"{path}/data.mdb is not the database that {marker.name} speaks of")
    return identity


def _marker(path: Path) -> Marker | None:
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Marker)
    except msgspec.DecodeError as exc:
        raise Unusable(f"{path} can't be read: {exc}; remove it if the data is known good") from exc


def _write_marker(path: Path, marker: Marker) -> None:
    """The marker is whole and on disk, or not there at all."""
    draft = path.with_suffix(".new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(marker))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


@contextmanager
def _translated() -> Iterator[None]:
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

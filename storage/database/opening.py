"""Opens or creates the database of a directory, after checking that this is safe.

LMDB alone does not protect from these six faults; each one was seen in a test:
- Others can write the directory, or a name in it leads elsewhere. See ownership.py.
- A second process can open the same directory and write. So the daemon holds an exclusive `flock`.
- An empty data file opens as a new, empty database. So a marker file says that one existed.
- A truncated file raises SIGBUS when a lost page is read. So pages.py first looks for lost pages.
- A power cut during the first commit leaves a damaged meta page. So a new database is created in
  another directory and renamed into place.
- A database written by a newer program could be misread. So its schema number is compared.

`sync` and `metasync` stay on, `writemap` and `map_async` off (LMDB's defaults): when a commit
returns, its data is on disk. The API answers only after that. Only a copy of a cluster's log is
opened otherwise: see replication/copies.py.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import lmdb

from hookbundle.engine.errors import CorruptRecord, Unusable
from hookbundle.storage.database import codec, files, keyspace, ownership
from hookbundle.storage.database.data_file import address_space, pages
from hookbundle.storage.database.data_file.lmdb_errors import Translated
from hookbundle.storage.database.environment import GROW_AT, LMDB_FORMAT, Environment
from hookbundle.storage.database.files import DATA, MARKER, PARTITIONS, STAGING, Marker
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST, Identity

Env = TypeVar("Env", bound=Environment)

MAP_BYTES_FIRST = 1 << 30
READERS_MAX = 126
DENIED_CODES = {errno.EPERM, errno.EACCES}
READ_ONLY = (
    "the kernel may have made it so after an error of the disk, see `dmesg`. Mount it for writing, "
    "and start again; the data itself is not damaged by that"
)
SCHEMA_UPGRADED = 1  # the oldest that the daemon, and a restore, bring to the present one


def open_environment(path: Path, now_ms: int, *, map_bytes: int = MAP_BYTES_FIRST) -> Environment:
    """The database in the directory, created if there was none. The directory is locked.

    Raises: InUse; Unusable, with the reason and what to do about it.
    """
    return open_as(Environment, path, now_ms, map_bytes=map_bytes)


def open_as(kind: type[Env], path: Path, now_ms: int, *, map_bytes: int = MAP_BYTES_FIRST) -> Env:
    """As `open_environment`, with the options of the kind.

    Raises: InUse; Unusable, with the reason and what to do about it.
    """
    with _unusable_if_broken(path):
        files.make_directory(path)
        ownership.make_private(path)
        lock_fd = files.lock(path)
        try:
            files.check_marker(path, files.read_marker(path))
            files.clear_leftovers(path)
            # Before LMDB maps the file: a lost page would end the process with SIGBUS, and an
            # empty file would become a new database.
            _check_file(path)
            if not _size(path / DATA):
                files.check_no_backup(path)
                _check_no_partitions(path)
                _make(path, now_ms)
            return _opened(kind, path, lock_fd, map_bytes)
        except BaseException:
            os.close(lock_fd)
            raise


def open_read_only(
    path: Path, *, lock: bool = True, oldest: int = SCHEMA_OLDEST, any_schema: bool = False
) -> Environment:
    """The database in the directory, which may be a backup, opened for reading only.

    `lock`: False for a backup, which no daemon runs on, or if the caller already holds the lock.
    `oldest`: a lower schema is refused. `any_schema`: none is.

    Raises: InUse; Unusable, with the reason and what to do about it.
    """
    with _unusable_if_broken(path):
        if not (path / DATA).exists():
            raise Unusable(f"there is no database in {path}")
        lock_fd = files.lock(path) if lock else None
        try:
            _check_file(path)
            env = _mapped(path, MAP_BYTES_FIRST, readonly=True, lock=False)
            try:
                identity = _identity_of(env, path)
                if not any_schema:
                    _check_schema(path, identity, oldest)
                return Environment(path, env, lock_fd, identity)
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
        why = f"its file system is read-only; {READ_ONLY}" if exc.errno == errno.EROFS else str(exc)
        raise Unusable(f"{path} can't be used: {why}") from exc
    except CorruptRecord as exc:
        raise Unusable(f"{path}: {exc}; {pages.WHAT_TO_DO}") from exc


def _check_no_partitions(path: Path) -> None:
    """Else a daemon that was started without its cluster would begin with nothing."""
    if (path / PARTITIONS).exists():
        raise Unusable(
            f"{path} has the copies of a node of a cluster; start it as that, with "
            "`hookbundle run --cluster`, or choose another directory"
        )


def _make(path: Path, now_ms: int) -> None:
    """A new database is in the directory; after a power cut, either all of it or nothing."""
    # A new epoch, so that delivery ids and cursors of another database are never valid in this one.
    identity = Identity(epoch=secrets.token_hex(5), schema=SCHEMA, created_ms=now_ms)
    staging = path / STAGING
    staging.mkdir(mode=0o700)
    env = _mapped(staging, MAP_BYTES_FIRST)
    try:
        with Translated(), env.begin(write=True) as txn:
            txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
    finally:
        env.close()
    # LMDB has synced the file, and a rename is atomic; the sync makes the new name durable.
    (staging / DATA).rename(path / DATA)
    files.sync(path)
    files.clear_leftovers(path)


def _opened(kind: type[Env], path: Path, lock_fd: int, map_bytes: int) -> Env:
    env = _mapped(path, map_bytes, **kind.OPTIONS)
    try:
        env.reader_check()  # frees the reader slots of processes that were killed
        identity = _identity_of(env, path)
        if not kind.ANY_SCHEMA:
            _check_schema(path, identity, SCHEMA_OLDEST)
        marker = Marker(identity.epoch, identity.schema)
        if files.read_marker(path) != marker:
            # The marker follows the database, so a crash in between leaves a database without a
            # marker, which gets one here; the reverse would look like a lost database. Likewise a
            # crash at the end of an upgrade leaves the marker of the schema before.
            files.write_marker(path, marker)
        return kind(path, env, lock_fd, identity)
    except BaseException:
        env.close()
        raise


def _mapped(path: Path, map_bytes: int, **options: bool) -> lmdb.Environment:
    data = path / DATA
    # The file may have grown in an earlier run; it must fit, with room for the first commits.
    needed = _size(data) / GROW_AT
    while map_bytes < needed:
        map_bytes *= 2
    map_bytes = address_space.first_map(map_bytes, needed)
    while True:
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
            if exc.code != address_space.ENOMEM or not address_space.can_halve(map_bytes, needed):
                raise Unusable(f"{data}: {_in_words(exc)}") from exc
            map_bytes //= 2


def _in_words(exc: lmdb.Error) -> str:
    """Why the file can't be opened. LMDB's codes below 0 mean damage, the others do not."""
    if exc.code in DENIED_CODES:
        return f"can't be used: {exc}; it must belong to the daemon's user"
    if exc.code == address_space.ENOMEM:
        return f"can't be mapped into memory: {address_space.in_words()}"
    if exc.code == errno.EROFS:
        return f"its file system is read-only; {READ_ONLY}"
    if exc.code < 0:
        return f"{exc}; {pages.WHAT_TO_DO}"
    return f"{exc}: {os.strerror(exc.code)}. The data itself is not damaged"


def _check_file(path: Path) -> None:
    data, marker = path / DATA, path / MARKER
    size = _size(data)
    if marker.exists() and size == 0:
        raise Unusable(
            f"{data} is empty or gone, but {marker.name} says that there was a database; "
            "restore a backup into a new directory"
        )
    if size:
        pages.check(data)


def _size(data: Path) -> int:
    return data.stat().st_size if data.exists() else 0


def _identity_of(env: lmdb.Environment, path: Path) -> Identity:
    """The identity stored in the database. Raises: Unusable if the marker names another one."""
    known = files.read_marker(path)
    with Translated(), env.begin() as txn:
        value = txn.get(keyspace.IDENTITY)
    identity = codec.unpack(keyspace.IDENTITY, value, Identity) if value is not None else None
    if identity is None or (known is not None and known.epoch != identity.epoch):
        raise Unusable(f"{path / DATA} is not the database named in {MARKER}")
    return identity


def _check_schema(path: Path, identity: Identity, oldest: int) -> None:
    """Raises: Unusable if this program can't read it, or not before an upgrade."""
    if identity.schema > SCHEMA:
        raise Unusable(
            f"{path} was written by a newer hookbundle (schema {identity.schema}, this program "
            f"reads {SCHEMA}); run that version, or restore a backup made before the upgrade"
        )
    if identity.schema < SCHEMA_UPGRADED:
        raise Unusable(
            f"{path} has schema {identity.schema}, and this program reads {SCHEMA_UPGRADED} and "
            "later; run the version that wrote it, or restore a backup made by a later version"
        )
    if identity.schema < oldest:
        raise Unusable(
            f"{path} has schema {identity.schema}, and this program works on {SCHEMA}: start the "
            "daemon, which upgrades it; if it is a backup, make a data directory from it with "
            "`hookbundle restore`"
        )

"""The files of a data directory beside LMDB's own: the lock, the marker, leftovers of a crash.

    data.mdb, lock.mdb   LMDB's files
    lock                 locked with `flock` by the process that uses the directory; holds its pid
    identity.json        the marker: which database this is, and whether a daemon may run on it
    reserve              space that the Store frees when the disk is full
    compacting/          a new data file being written; useless after a crash, and removed
    copy.json            of a copy of a cluster's log: replication/copy_state.py
    data.v1              the data file of before an upgrade, for a way back; `compact` removes it

The marker says that a database existed, so that an empty data file is not taken for a new one. It
also prevents a daemon from running on a backup or on an unfinished restore: two databases with the
same epoch would give the same ids to different deliveries and events.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec

from hookbundle.engine.errors import InUse, Unusable

DATA = "data.mdb"
OLD = "data.v1"
MARKER = "identity.json"
PARTITIONS = "partitions"  # of a node of a cluster: a folder with a database for each
BACKUP_OF_ALL = "backup.json"  # of a backup of a cluster: what is in it
STAGING = "compacting"
OWNER_READS, OWNER_PAUSE_S = 10, 0.02


class Marker(msgspec.Struct, frozen=True):
    """The content of identity.json. `epoch` and `schema` are those of the database's Identity."""

    epoch: str
    schema: int
    state: Literal["live", "backup", "restoring"] = "live"


def make_directory(path: Path) -> None:
    """The directory exists, and still does after a power cut."""
    # The name of a directory is stored in its parent, which has to be synced for each new one.
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in missing:
        sync(folder.parent)


def lock(path: Path) -> int:
    """Locks the directory. Returns the descriptor that holds the lock.

    The kernel releases the lock when the process ends, however it ends.

    Raises: InUse, naming the process that holds the lock.
    """
    fd = _open_lock(path / "lock")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = _owner(fd)
        os.close(fd)
        raise InUse(f"{path} is in use by {owner}") from None
    try:
        # In this order, because a full disk has room for what takes the place of another pid.
        os.ftruncate(fd, os.pwrite(fd, f"{os.getpid()}\n".encode(), 0))
    except OSError as exc:
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
            os.close(fd)
            raise
    return fd


def _open_lock(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise Unusable(f"{file} is a symbolic link, which is not followed; remove it") from exc
        raise


def _owner(fd: int) -> str:
    """The process that holds the lock, in words.

    It writes its pid only after it has the lock. Until then the file is empty, or has the pid of
    the previous holder, which has ended; that pid may by chance be the one of this process now. So
    the file is read several times before its content is believed.
    """
    is_this_process = False
    for _ in range(OWNER_READS):
        pid = os.pread(fd, 32, 0).decode(errors="replace").strip()
        is_this_process = pid == str(os.getpid())
        if _is_alive(pid) and not is_this_process:
            return f"the process with pid {pid}"
        time.sleep(OWNER_PAUSE_S)
    if is_this_process:
        return f"the process with pid {os.getpid()}, this one"
    return "another process"


def holder(path: Path) -> int | None:
    """The pid of the process that holds the directory's lock; None if none does, as far as seen.

    The lock itself is not tried: a daemon that starts at this moment would be refused.
    """
    try:
        inode = (path / "lock").stat().st_ino
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return None
    for line in locks.splitlines():
        match line.split():
            case [_, "FLOCK", _, "WRITE", pid, where, *_] if where.endswith(f":{inode}"):
                return int(pid)
    return None


def _is_alive(pid: str) -> bool:
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except PermissionError:  # it exists, but belongs to another user
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """The directory is locked inside the block. Yields the lock's descriptor. Raises: InUse."""
    fd = lock(path)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def locked_to_read(path: Path) -> Iterator[None]:
    """The directory is locked inside the block, unless its file system is read-only.

    Nobody can change it then. Raises: InUse; Unusable if there is no database.
    """
    if not (path / DATA).exists():
        raise Unusable(f"there is no database in {path}")
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        yield
        return
    with locked(path):
        yield


def read_marker(path: Path) -> Marker | None:
    """The directory's marker, or None. Raises: Unusable if it can't be read."""
    marker = path / MARKER
    if not marker.exists():
        return None
    try:
        return msgspec.json.decode(marker.read_bytes(), type=Marker)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise Unusable(
            f"{marker} can't be read: {exc}; remove it if you know that the data is good"
        ) from exc


def write_marker(path: Path, marker: Marker) -> None:
    """The marker is on disk."""
    write_whole(path / MARKER, msgspec.json.encode(marker))


def write_whole(path: Path, body: bytes) -> None:
    """The file is on disk. After a crash in between, the old one is, never half of one.

    Raises: OSError.
    """
    draft = path.with_suffix(".new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync(path.parent)


def check_marker(path: Path, marker: Marker | None) -> None:
    """Checks that a daemon may run on the directory.

    Raises: Unusable, saying what to do instead.
    """
    if marker is None or marker.state == "live":
        return
    if marker.state == "backup":
        raise Unusable(
            f"{path} is a backup; `hookbundle restore {path}` makes a data directory from it"
        )
    raise Unusable(f"a restore into {path} was cut short; run `hookbundle restore` again")


def check_no_backup(path: Path) -> None:
    """Checks that the directory, which has no database, has not those of a cluster's backup.

    Raises: Unusable, saying what to do instead.
    """
    if (path / BACKUP_OF_ALL).exists():
        raise Unusable(
            f"{path} is a backup of a cluster; `hookbundle cluster init --from {path}` makes a "
            "cluster of it"
        )


def clear_leftovers(path: Path) -> None:
    """Files that a crash left unfinished are removed. The caller must hold the lock."""
    shutil.rmtree(path / STAGING, ignore_errors=True)
    with suppress(FileNotFoundError):
        (path / "identity.new").unlink()
    with suppress(FileNotFoundError):
        # The second name of the file in use: an upgrade was cut short before it had an effect.
        if (path / OLD).samefile(path / DATA):
            (path / OLD).unlink()


def sync(path: Path) -> None:
    """The content of the file, or the names in the directory, are on disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

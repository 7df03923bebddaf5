"""The files of a data directory beside LMDB's own: its lock, its marker, leftovers of a crash.

    data.mdb, lock.mdb   LMDB's
    lock                 held with `flock` by the process that has the directory, with its pid
    identity.json        the marker: which database lives here, and whether it may be used
    reserve              bytes that the Store gives up when the disk is full
    compacting/          a new file in the making; worthless after a crash, and removed

The marker says that there was a database, so that an empty data file is not taken for a new one.
It also keeps anybody from running on a backup, or on a restore that was cut short: two databases
with one identity would give out the same ids for different things.
"""

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
MARKER = "identity.json"
STAGING = "compacting"
OWNER_LOOKS, OWNER_LOOK_S = 10, 0.02


class Marker(msgspec.Struct, frozen=True):
    """The file beside the data that says which database lives here."""

    epoch: str
    schema: int
    state: Literal["live", "backup", "restoring"] = "live"


def make(path: Path) -> None:
    """The directory is there, and is found again after a power cut."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in missing:
        sync(folder.parent)


def lock(path: Path) -> int:
    """The descriptor that holds the lock; the lock goes with the process, however it ends.

    Raises: InUse, naming the process that has it.
    """
    fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = _owner(fd)
        os.close(fd)
        raise InUse(f"{path} is in use by {owner}") from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _owner(fd: int) -> str:
    """The process that has the lock, in words.

    It writes its pid when it has the lock already. Until then the file is empty, or names the one
    before, which is gone, or had the pid that is ours now.
    """
    ours = False
    for _ in range(OWNER_LOOKS):
        pid = os.pread(fd, 32, 0).decode(errors="replace").strip()
        ours = pid == str(os.getpid())
        if _is_alive(pid) and not ours:
            return f"the process with pid {pid}"
        time.sleep(OWNER_LOOK_S)
    return f"the process with pid {os.getpid()}, this one" if ours else "another process"


def _is_alive(pid: str) -> bool:
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except PermissionError:  # somebody else's
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


@contextmanager
def held(path: Path) -> Iterator[int]:
    """The directory is ours; gives the descriptor that holds the lock. Raises: InUse."""
    fd = lock(path)
    try:
        yield fd
    finally:
        os.close(fd)


def read_marker(path: Path) -> Marker | None:
    """The directory's marker. Raises: Unusable if it can't be read."""
    marker = path / MARKER
    if not marker.exists():
        return None
    try:
        return msgspec.json.decode(marker.read_bytes(), type=Marker)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise Unusable(
            f"{marker} can't be read: {exc}; remove it if the data is known good"
        ) from exc


def write_marker(path: Path, marker: Marker) -> None:
    """The directory's marker is whole and on disk; after a crash, or the one of before."""
    draft = path / "identity.new"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(marker))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path / MARKER)
    sync(path)


def check_marker(path: Path, marker: Marker | None) -> None:
    """A daemon may run on the directory. Raises: Unusable, saying what to do instead."""
    if marker is None or marker.state == "live":
        return
    if marker.state == "backup":
        raise Unusable(
            f"{path} is a backup; `hookbundle restore {path}` makes a data directory of it"
        )
    raise Unusable(f"a restore into {path} was cut short; run `hookbundle restore` again")


def clear_leftovers(path: Path) -> None:
    """What a crash left that was still in the making is gone. For the holder of the lock."""
    shutil.rmtree(path / STAGING, ignore_errors=True)
    with suppress(FileNotFoundError):
        (path / "identity.new").unlink()


def sync(path: Path) -> None:
    """The file, or the names in the directory, are on disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

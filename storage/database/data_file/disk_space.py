"""Whether the disk would take more: asked of the disk, because its free space says too little.

A quota and the largest size of a file end a write as a full disk does, with plenty of space free.
So a file without a name is to get the bytes at the place where the data file would grow.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import StorageError, StoreFull

FOR_WANT_OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """An OSError in the block is raised as StoreFull if it is for want of space, else as a
    StorageError."""
    try:
        yield
    except OSError as exc:
        words = f"{exc.filename or path}: {exc.strerror or exc}"
        if exc.errno in FOR_WANT_OF_SPACE:
            raise StoreFull(f"the disk is full: {words}") from exc
        raise StorageError(words, Code.STORE_FAILED) from exc


def free_bytes(path: Path) -> int:
    """Of the file system that the path is on. Raises: OSError."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def has_room(data: Path, wanted_bytes: int) -> bool:
    """Whether the data file can grow by so much, as far as can be found out.

    A disk that fails over the question is not full.
    """
    try:
        if free_bytes(data.parent) < wanted_bytes:
            return False
        file_bytes = data.stat().st_size
        probe = tempfile.TemporaryFile(dir=data.parent, buffering=0)  # noqa: SIM115
    except OSError:
        return True
    with probe:
        try:
            os.posix_fallocate(probe.fileno(), file_bytes, wanted_bytes)
        except OSError as exc:
            return exc.errno not in FOR_WANT_OF_SPACE
    return True

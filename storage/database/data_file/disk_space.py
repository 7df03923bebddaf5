"""Whether the disk would take more: asked of the disk, because its free space says too little.

A quota and the largest size of a file end a write as a full disk does, with plenty of space free.
So a file without a name is to get the bytes at the place where the data file would grow.
"""

import errno
import os
import tempfile
from pathlib import Path

FOR_WANT_OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def has_room(data: Path, wanted_bytes: int) -> bool:
    """Whether the data file can grow by so much, as far as can be found out.

    A disk that fails over the question is not full.
    """
    try:
        disk = os.statvfs(data.parent)
        if disk.f_bavail * disk.f_frsize < wanted_bytes:
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

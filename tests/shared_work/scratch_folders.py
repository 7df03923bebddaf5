"""Where tests have their folders: in memory, if there is room.

The tests commit some hundred thousand times, and each commit waits for the disk: as long as most of
them compute. What a kill leaves is the same in memory. Tests that need a disk of their own mount
one, and BATTERY=full has all folders on the disk.
"""

import os
from pathlib import Path

from hookbundle.tests.reliability.harness.battery import FULL

IN_MEMORY = Path("/dev/shm")
FREE_BYTES = 4 << 30  # a run takes less than half of it, those before may have left theirs


def choose() -> None:
    """For this process and the workers that it starts, before pytest makes the first folder."""
    if not FULL and IN_MEMORY.is_dir() and _is_fit(os.statvfs(IN_MEMORY)):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def _is_fit(there: os.statvfs_result) -> bool:
    """There is room, and a program that a test writes can be started."""
    has_room = there.f_bavail * there.f_frsize > FREE_BYTES
    return has_room and not there.f_flag & os.ST_NOEXEC

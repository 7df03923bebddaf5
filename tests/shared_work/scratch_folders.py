"""Where tests have their folders: in memory, if there is room.

The tests commit some hundred thousand times, and each commit waits for the disk: as long as most of
them compute. What a kill leaves is the same in memory. Tests that need a disk of their own mount
one, and BATTERY=full has all folders on the disk.
"""

import os
import shutil
from pathlib import Path

from hookbundle.tests.reliability.harness.battery import FULL

IN_MEMORY = Path("/dev/shm")
FREE_BYTES = 4 << 30  # a run takes less than half of it, those before may have left theirs


def choose() -> None:
    """For this process and the workers that it starts, before pytest makes the first folder."""
    if not FULL and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > FREE_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))

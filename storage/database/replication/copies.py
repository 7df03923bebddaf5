"""A copy of a partition, opened: its commits do not wait for the disk, because the log has them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import lmdb
import structlog

from hookbundle.storage.database import files
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import MAP_BYTES_FIRST, open_as
from hookbundle.storage.database.replication import copy_state
from hookbundle.storage.database.replication.copy_state import BOOT_ID, CopyState

log = structlog.get_logger(__name__)


class Copy(Environment):
    """Closed, it is on disk, and can be opened again in another run of the machine.

    Rows are bytes to a follower, so it has those of any schema; who reads them looks at it before.
    """

    OPTIONS: ClassVar[Mapping[str, bool]] = MappingProxyType({"sync": False, "metasync": False})
    ANY_SCHEMA: ClassVar[bool] = True

    def close_keeping_lock(self) -> int | None:
        is_synced = self._is_synced()
        lock_fd = super().close_keeping_lock()
        if is_synced:
            copy_state.write(self.path, CopyState(boot_id="", clean=True))
        return lock_fd

    def _is_synced(self) -> bool:
        try:
            self._env.sync(True)
        except lmdb.Error as exc:
            log.warning("the copy could not be synced, and is worth nothing later", why=str(exc))
            return False
        return True


def open_copy(
    path: Path, now_ms: int, *, map_bytes: int = MAP_BYTES_FIRST, boot_id_file: Path = BOOT_ID
) -> Copy | None:
    """The copy in the directory, which is locked; None if there is none that can be gone on with.

    One that can't stays until a new one takes its place. Raises: InUse; Unusable.
    """
    if not (path / DATA).exists():
        return None
    this_run = copy_state.boot_id(boot_id_file)
    with files.locked(path):
        if not copy_state.is_sound(path, this_run):
            log.warning("the machine went down while the copy was open: it is made anew")
            copy_state.distrust(path)
            return None
        copy_state.write(path, CopyState(this_run, clean=False))
    return open_as(Copy, path, now_ms, map_bytes=map_bytes)

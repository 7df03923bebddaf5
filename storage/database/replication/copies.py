"""A copy of a partition, opened: its commits do not wait for the disk, because the log has them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import lmdb
import structlog

from hookbundle.engine.errors import StorageError
from hookbundle.storage.database import files
from hookbundle.storage.database.data_file import tree
from hookbundle.storage.database.data_file.disk_space import errors_of
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import MAP_BYTES_FIRST, open_as
from hookbundle.storage.database.replication import copy_state
from hookbundle.storage.database.replication.copy_state import BOOT_ID, CopyState

ENDS_MAX = 2  # in a row; from then on the copy itself may be what ends its process

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
            try:
                with errors_of(self.path):
                    copy_state.write(self.path, CopyState(boot_id="", clean=True))
            except StorageError as exc:
                log.warning("the copy is worth nothing after the machine went down", why=str(exc))
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

    One that can't stays until a new one takes its place. Raises: InUse; Unusable; StoreFull, then
    it can be opened later.
    """
    if not (path / DATA).exists():
        return None
    this_run = copy_state.boot_id(boot_id_file)
    with errors_of(path), files.locked(path):
        state = copy_state.opened(path, this_run)
        if state is None:
            log.warning(
                "the copy is made anew",
                why="the machine went down, or the file was copied, while it was open",
            )
            copy_state.distrust(path)
            return None
        if state.ends >= ENDS_MAX and (damages := tree.damages(path / DATA, lambda: None)):
            page = damages[0]
            log.error("the copy has damaged pages: it is made anew", page=page.page, what=page.what)
            copy_state.distrust(path)
            return None
        copy_state.write(path, state)
    return open_as(Copy, path, now_ms, map_bytes=map_bytes)

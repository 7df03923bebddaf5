"""An open LMDB environment: its transactions, the growth of its map, and LMDB's errors translated.

LMDB maps the whole data file into memory at a size fixed when it is opened. The map has to grow
with the data, and LMDB forbids that while this process has any transaction open: the pages a reader
looks at would be unmapped under it. So readers are counted, and `grow_if_needed` waits for them.

opening.py opens and creates an environment. The options that make a commit durable are set there.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb

from hookbundle.engine.errors import CorruptRecord, StorageError, StoreFull, Unusable
from hookbundle.storage.database.data_file import address_space
from hookbundle.storage.database.data_file.pages import WHAT_TO_DO
from hookbundle.storage.database.data_file.stoppable_copy import passed_on
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.records import Identity

LMDB_FORMAT = 0  # the 0.9 file format; py-lmdb 3 also carries 1.0, and neither reads the other's
MAP_BYTES_MAX = 1 << 44
GROW_AT = 0.75  # of the map; the rest is for commits made while a copy or a check prevents growth
META_PAGES = 2
BLOCK_BYTES = 512  # the unit of `st_blocks`, on any file system
FULL_CODES = {5, 27, 28, 122}  # EIO (a short write), EFBIG, ENOSPC, EDQUOT


@dataclass(frozen=True, slots=True)
class Usage:
    """Sizes in bytes.

    Of the map, its used pages, and the data file; of the free pages inside the file; of the free
    space of the disk, and of the whole disk.
    """

    map_bytes: int
    used_bytes: int
    file_bytes: int
    free_inside_bytes: int
    free_bytes: int
    disk_bytes: int

    @property
    def room_bytes(self) -> int:
        """What can still be written: LMDB takes free pages before it makes the file larger."""
        return self.free_bytes + self.free_inside_bytes


class Environment:
    """An open database. One process has it open; one thread writes, any thread reads."""

    def __init__(
        self, path: Path, env: lmdb.Environment, lock_fd: int | None, identity: Identity
    ) -> None:
        self.path = path
        self.identity = identity
        self._env = env
        self._lock_fd = lock_fd
        self._page_bytes = env.stat()["psize"]
        self._readers = 0
        self._long_readers = 0
        self._gate = threading.Condition()

    @contextmanager
    def read(self) -> Iterator[lmdb.Transaction]:
        """A read transaction. Keep it short, and do not hold it across an `await`.

        While it is open, LMDB cannot reuse the pages that were freed since it began, and the map
        cannot grow.
        """
        with self._reading(), translated(), self._env.begin() as txn:
            yield txn

    @contextmanager
    def read_long(self) -> Iterator[lmdb.Transaction]:
        """A read transaction that may take seconds, as in a check. The map does not grow in it."""
        with self._reading_long(), translated(), self._env.begin() as txn:
            yield txn

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        """A write transaction: on disk when the block ends, rolled back when the block raises.

        Raises: StoreFull if the disk or the map is full; Unusable if the environment is broken.
        """
        with translated(), self._env.begin(write=True) as txn:
            yield txn

    def grow_if_needed(self) -> bool:
        """True if the map was doubled. Call it in the writing thread, outside a transaction.

        It waits for short reads, but not for a copy or a check, which may take minutes. It then
        returns False, and the next commit tries again; a quarter of the map is left until then.
        """
        info = self._env.info()
        map_bytes = info["map_size"]
        used_bytes = info["last_pgno"] * self._page_bytes
        if used_bytes < map_bytes * GROW_AT or map_bytes >= MAP_BYTES_MAX:
            return False
        if not address_space.allows(map_bytes):
            return False
        with self._gate:
            self._gate.wait_for(lambda: self._long_readers or not self._readers)
            if self._long_readers:
                return False
            # The gate is held here, so no reader can begin before the new map is in place.
            self._env.set_mapsize(map_bytes * 2)
        return True

    def usage(self) -> Usage:
        """The present sizes. `used_bytes` may exceed `file_bytes`: see pages.py."""
        with self._reading():
            # In this order, because a commit between the two then counts as less room, not as more.
            info, stat = self._env.info(), self._env.stat()
        disk = os.statvfs(self.path)
        pages = info["last_pgno"] + 1
        holding = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        file = (self.path / DATA).stat()
        # Pages that were used and freed in one commit were never written: the disk has no blocks
        # for them yet.
        unwritten_bytes = max(pages * self._page_bytes - file.st_blocks * BLOCK_BYTES, 0)
        inside_bytes = self._free_pages(pages, holding) * self._page_bytes - unwritten_bytes
        return Usage(
            map_bytes=info["map_size"],
            used_bytes=pages * self._page_bytes,
            file_bytes=file.st_size,
            free_inside_bytes=max(inside_bytes, 0),
            free_bytes=disk.f_bavail * disk.f_frsize,
            disk_bytes=disk.f_blocks * disk.f_frsize,
        )

    def _free_pages(self, pages: int, holding: int) -> int:
        """Of so many pages, those that neither hold records nor are the two heads.

        Nor of the list of free pages, which has eight bytes for each; LMDB does not say how many
        pages it takes.
        """
        free = max(pages - META_PAGES - holding, 0)
        return max(free - free * 8 // self._page_bytes - 1, 0)

    def copy_compact(self, into: Path, tick: Callable[[], None]) -> None:
        """A compact copy of one moment is in the directory, which must be empty. Takes minutes.

        `tick` is called every now and then, and may raise to stop the copy.

        The copy is consistent, but may contain deleted data: LMDB copies whole pages, and bytes of
        deleted records remain in their unused parts.
        """
        with self._reading_long(), translated(), passed_on(into / DATA, tick) as fd:
            self._env.copyfd(fd, compact=True)

    def close(self) -> None:
        """The environment is closed and the directory is unlocked."""
        lock_fd = self.close_keeping_lock()
        if lock_fd is not None:
            os.close(lock_fd)

    def close_keeping_lock(self) -> int | None:
        """The environment is closed, the directory still locked.

        Returns the descriptor that holds the lock; None if the environment was opened without one.
        """
        # LMDB unmaps the file when it closes, and a reader of unmapped pages crashes the process.
        with self._gate:
            self._gate.wait_for(lambda: not self._readers)
            self._env.close()
        return self._lock_fd

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._gate:
            self._readers += 1
        try:
            yield
        finally:
            with self._gate:
                self._readers -= 1
                if not self._readers:
                    self._gate.notify_all()

    @contextmanager
    def _reading_long(self) -> Iterator[None]:
        with self._gate:
            self._readers += 1
            self._long_readers += 1
            # `grow_if_needed` may be waiting, and must not wait for a long reader.
            self._gate.notify_all()
        try:
            yield
        finally:
            with self._gate:
                self._readers -= 1
                self._long_readers -= 1
                self._gate.notify_all()


@contextmanager
def translated() -> Iterator[None]:
    """LMDB's errors become this project's: StoreFull, CorruptRecord, Unusable or StorageError."""
    try:
        yield
    except lmdb.MapFullError as exc:
        if address_space.limit() is not None:
            raise StoreFull(f"the map of the data can't grow: {address_space.in_words()}") from exc
        raise StoreFull(f"the database has reached its largest size: {exc}") from exc
    except lmdb.PanicError as exc:
        raise Unusable(f"the database can no longer be used: {exc}; restart the daemon") from exc
    except lmdb.CorruptedError as exc:
        raise CorruptRecord(f"the database is damaged: {exc}; {WHAT_TO_DO}") from exc
    except lmdb.DiskError as exc:
        raise StoreFull(f"the disk is full or failing: {exc}") from exc
    except lmdb.Error as exc:
        if exc.code in FULL_CODES:
            raise StoreFull(f"the disk is full or failing: {exc}") from exc
        if exc.code == errno.EROFS:
            raise StorageError(
                "the file system of the data is read-only: the kernel may have made it so after an "
                "error of the disk, see `dmesg`. Mount it for writing, and restart the daemon"
            ) from exc
        raise StorageError(f"the database failed: {exc}") from exc

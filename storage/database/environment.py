"""An open LMDB environment: its transactions, the growth of its map, and LMDB's errors translated.

LMDB maps the whole data file into memory at a size fixed when it is opened. The map has to grow
with the data, and LMDB forbids that while this process has any transaction open: the pages a reader
looks at would be unmapped under it. So readers are counted, and the writing thread waits for them,
but never for long. While it waits, no reader begins: present ones end one by one, and without that
there may always be one. A reader that takes longer is not waited for, and the next commits try
again. When there is no room left at all, long readers are told to end (`ends_if_told`).

opening.py opens and creates an environment. The options that make a commit durable are set there.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import lmdb

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import (
    CommitFailed,
    CorruptRecord,
    MapFull,
    Overloaded,
    StorageError,
    StoreFull,
    Unusable,
)
from hookbundle.storage.database.data_file import address_space
from hookbundle.storage.database.data_file.disk_space import has_room
from hookbundle.storage.database.data_file.lmdb_errors import Translated
from hookbundle.storage.database.data_file.readers import Readers
from hookbundle.storage.database.data_file.stoppable_copy import passed_on
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.records import Identity

LMDB_FORMAT = 0  # the 0.9 file format; py-lmdb 3 also carries 1.0, and neither reads the other's
MAP_BYTES_MAX = 1 << 44
GROW_AT = 0.75  # of the map; the rest is for commits made while a reader prevents growth
GROW_BEFORE_LONG_AT = 0.5
WAIT_S = 0.1  # for readers, while there is room; they take milliseconds
WAIT_FULL_S = 2.0  # for readers, when no commit is possible without a larger map
AGAIN_S = 1.0  # after a wait in vain
META_PAGES = 2
SURELY_ROOM_BYTES = 64 * 1024 * 1024  # more than one commit writes
BLOCK_BYTES = 512  # the unit of `st_blocks`, on any file system


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
    """An open database. One process has it open; one thread writes, any thread reads.

    `identity`: as it is stored now; who writes another one sets it. `OPTIONS`: LMDB's, with which
    it is opened. `ANY_SCHEMA`: its records need not be readable.
    """

    OPTIONS: ClassVar[Mapping[str, bool]] = MappingProxyType({})
    ANY_SCHEMA: ClassVar[bool] = False

    def __init__(
        self, path: Path, env: lmdb.Environment, lock_fd: int | None, identity: Identity
    ) -> None:
        self.path = path
        self.identity = identity
        self._env = env
        self._lock_fd = lock_fd
        self._page_bytes = env.stat()["psize"]
        self._readers = Readers()
        self._long_readers = 0
        self._is_read_only = env.flags()["readonly"]
        self._writing = threading.Lock()  # by a transaction, or the growth of the map
        self._gate = self._readers.gate
        self._is_full = False
        self._is_closing = False
        self._grow_again_s = 0.0

    @contextmanager
    def read(self) -> Iterator[lmdb.Transaction]:
        """A read transaction. Keep it short, and do not hold it across an `await`.

        While it is open, LMDB cannot reuse the pages that were freed since it began, and the map
        cannot grow.
        """
        with self._readers, Translated(), self._env.begin() as txn:
            yield txn

    @contextmanager
    def read_long(self) -> Iterator[lmdb.Transaction]:
        """A read transaction that may take seconds, as in a check. The map does not grow in it.

        It grows before, if there is not much room. Call `ends_if_told` now and then.
        """
        with self._reading_long(), Translated(), self._env.begin() as txn:
            yield txn

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        """A write transaction: on disk when the block ends, rolled back when the block raises.

        Raises: StoreFull if the disk is full; MapFull; Unusable if the environment is broken;
            CommitFailed if it could not begin or commit for any other reason.
        """
        is_inside = False
        with self._writing:
            try:
                with Translated(), self._env.begin(write=True) as txn:
                    is_inside = True
                    yield txn
                    is_inside = False
            except (CorruptRecord, Unusable):
                raise
            except MapFull as exc:
                if address_space.allows(self._env.info()["map_size"]):
                    raise
                words = address_space.in_words()
                raise MapFull(f"the map of the data can't grow: {words}") from exc
            except StorageError as exc:
                if is_inside or self._is_for_want_of_space(exc):
                    raise
                raise CommitFailed(f"a commit failed, and not for want of space: {exc}") from exc

    def grow_if_needed(self) -> bool:
        """True if the map was doubled. Call it outside a transaction.

        It waits for short reads, `WAIT_S` at most, and not at all for a copy or a check, which may
        take minutes. It then returns False, and a later commit tries again; a quarter of the map is
        left until then.
        """
        info = self._env.info()  # after each commit, so without another call
        if info["last_pgno"] * self._page_bytes < info["map_size"] * GROW_AT:
            return False
        if time.monotonic() < self._grow_again_s:
            return False
        has_grown = self._grow()
        if not has_grown:
            self._grow_again_s = time.monotonic() + AGAIN_S
        return has_grown

    def grow(self) -> bool:
        """As `grow_if_needed`, after a MapFull: long reads are told to end, and are waited for.

        False: the map is as large as it can be, or a read has not ended.
        """
        with self._gate:
            self._is_full = True
            self._gate.wait_for(lambda: not self._long_readers, WAIT_FULL_S)
        try:
            return self._grow()
        finally:
            self._is_full = False

    def ends_if_told(self) -> None:
        """For a long read to call now and then. Raises: Overloaded if it holds up all commits, or
        the end of those who have the database open."""
        if self._is_full and self._long_readers:
            raise Overloaded.of(Code.DATABASE_GROWING)
        if self._is_closing:
            raise Overloaded.of(Code.STOPPING)

    def _is_for_want_of_space(self, error: StorageError) -> bool:
        """LMDB reports a write that was cut short as EIO; the disk tells whether it is full."""
        if not isinstance(error, StoreFull):
            return False
        code = getattr(error.__cause__, "code", None)
        return code != errno.EIO or not has_room(self.path / DATA, SURELY_ROOM_BYTES)

    def _is_used_to(self, share: float) -> bool:
        info = self._env.info()
        used_bytes: int = info["last_pgno"] * self._page_bytes
        return used_bytes >= info["map_size"] * share

    def _grow(self) -> bool:
        """True if the map was doubled, which no reader has held up."""
        with self._writing:
            map_bytes = self._env.info()["map_size"]
            if self._long_readers or map_bytes >= MAP_BYTES_MAX:
                return False
            if not address_space.allows(map_bytes):
                return False
            return self._readers.without(lambda: self._env.set_mapsize(map_bytes * 2), WAIT_S)

    def usage(self) -> Usage:
        """The present sizes. `used_bytes` may exceed `file_bytes`: see pages.py."""
        with self._readers:
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
        with self._reading_long(), Translated(), passed_on(into / DATA, tick) as fd:
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
            self._is_closing = True
            self._readers.wait_for_none()
            self._env.close()
        return self._lock_fd

    @contextmanager
    def _reading_long(self) -> Iterator[None]:
        if self._is_closing:
            raise Overloaded.of(Code.STOPPING)
        if not self._is_read_only and self._is_used_to(GROW_BEFORE_LONG_AT):
            self._grow()
        if self._is_full:
            raise Overloaded.of(Code.DATABASE_GROWING)
        with self._readers:
            with self._gate:
                self._long_readers += 1
            try:
                yield
            finally:
                with self._gate:
                    self._long_readers -= 1
                    self._gate.notify_all()

"""Writes the new database, in batches: LMDB keeps changed pages in memory until a commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import lmdb
import msgspec

from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.environment import GROW_AT, MAP_BYTES_MAX
from hookbundle.storage.database.keyspace import Due

BATCH_ROWS = 5_000
BATCH_BYTES = 8 * 1024 * 1024


class Target:
    """The new database while it is written. All of it is committed when the block ends.

    `tick` is called for each row of the due index, because those of the old one are not read.
    """

    def __init__(self, env: lmdb.Environment, tick: Callable[[], None]) -> None:
        self._env = env
        self._tick = tick
        self._page_bytes = env.stat()["psize"]
        self._rows = self._bytes = 0
        self._txn: lmdb.Transaction = env.begin(write=True)

    @classmethod
    @contextmanager
    def of(cls, env: lmdb.Environment, tick: Callable[[], None]) -> Iterator["Target"]:
        target = cls(env, tick)
        try:
            yield target
            target._txn.commit()
        except BaseException:
            target._txn.abort()  # nothing happens if it is the commit that failed
            raise

    def put(self, key: bytes, record: msgspec.Struct) -> int:
        """Returns the bytes of the stored value."""
        value = codec.pack(key, record)
        self.put_raw(key, value)
        return len(value)

    def put_raw(self, key: bytes, value: bytes) -> None:
        self._make_room()
        self._txn.put(key, value)
        self._rows += 1
        self._bytes += len(value)

    def put_new_flag(self, key: bytes) -> bool:
        """False, with nothing written, if there is a record under the key."""
        self._make_room()
        self._rows += 1
        is_new: bool = self._txn.put(key, b"", overwrite=False)
        return is_new

    def put_flag(self, key: bytes) -> None:
        self.put_raw(key, b"")

    def put_due(self, row: Due) -> None:
        self._tick()
        self.put_flag(keyspace.due(row))

    def has(self, key: bytes) -> bool:
        return rows.get_raw(self._txn, key) is not None

    def is_erased(self, workspace: int, chat: bytes, delivery: int) -> bool:
        """Whether the chat was deleted after this delivery was sealed."""
        key = keyspace.owned(keyspace.ERASURES, workspace, chat)
        erasure = rows.get(self._txn, key, Erasure)
        return erasure is not None and delivery < erasure.before

    def count(self, prefix: bytes, most: int) -> int:
        """How many keys have the prefix, up to `most`."""
        return len(rows.first_of(self._txn, prefix, most))

    def _make_room(self) -> None:
        """Ends a batch that is large enough, and doubles the map when it is nearly full."""
        if self._rows < BATCH_ROWS and self._bytes < BATCH_BYTES:
            return
        self._txn.commit()
        self._rows = self._bytes = 0
        info = self._env.info()
        used_bytes = info["last_pgno"] * self._page_bytes
        if used_bytes > info["map_size"] * GROW_AT and info["map_size"] < MAP_BYTES_MAX:
            self._env.set_mapsize(info["map_size"] * 2)
        self._txn = self._env.begin(write=True)

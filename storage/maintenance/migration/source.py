"""Reads a database of schema 1, record by record, and notes what can't be read."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import lmdb
import msgspec

from hookbundle.storage.database import codec, rows
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys

R = TypeVar("R", bound=msgspec.Struct)


class Source:
    """One moment of the old database. `tick` is called for each record, and may raise to stop."""

    def __init__(self, txn: lmdb.Transaction, tick: Callable[[], None]) -> None:
        self.txn = txn
        self.tick = tick
        self._unreadable: dict[str, None] = {}  # a set that keeps the order

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The names of the records that are left out."""
        return tuple(self._unreadable)

    def leave_out(self, key: bytes) -> None:
        self._unreadable[old_keys.name_of(key)] = None

    def rows(self, prefix: bytes, kind: type[R]) -> Iterator[tuple[bytes, R]]:
        """All readable records under the prefix."""
        for key, value in rows.rows(self.txn, prefix):
            self.tick()
            record = self.decode(key, value, kind)
            if record is not None:
                yield key, record

    def find(self, key: bytes, kind: type[R]) -> R | None:
        """The record; None if there is none, or if it can't be read."""
        value = rows.get_raw(self.txn, key)
        return None if value is None else self.decode(key, value, kind)

    def part(self, key: bytes, kind: type[R]) -> R | None:
        """A record that another one needs; None, and left out, if it is missing or unreadable."""
        self.tick()
        if not self.has(key):
            self.leave_out(key)
        return self.find(key, kind)

    def has(self, key: bytes) -> bool:
        with self.txn.cursor() as cursor:  # unlike `get`, it does not copy the value
            return cursor.set_key(key)

    def delivery(self, workspace: int, number: int) -> old.Delivery | None:
        """The delivery if it is queued or a dead letter."""
        for prefix in (old_keys.QUEUED, old_keys.DEAD_LETTERS):
            key = old_keys.owned_numbered(prefix, workspace, number)
            found = self.find(key, old.Delivery)
            if found is not None:
                return found
        return None

    def decode(self, key: bytes, value: bytes, kind: type[R]) -> R | None:
        """None, and left out, if it can't be read."""
        record = codec.readable(key, value, kind)
        if record is None:
            self.leave_out(key)
        return record

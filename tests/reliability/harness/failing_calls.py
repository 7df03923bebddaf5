"""A database whose N-th call fails, once or from then on.

Counted are the calls of write transactions: the begin, each get, put, delete and cursor step, and
the commit. The failure is raised below `Environment`, where LMDB's own errors come from, so all
code above is the code of production. A commit that fails has written nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self, cast

import lmdb

from hookbundle.storage.database.environment import Environment


@dataclass(slots=True)
class Fault:
    """Call number `at` fails, and if `lasting` all later ones; `hit` names the first failed one."""

    error: Callable[[], Exception]
    at: int
    lasting: bool = False
    calls: int = 0
    hit: str = ""

    def call(self, name: str) -> None:
        self.calls += 1
        if self.calls == self.at or (self.lasting and self.calls > self.at):
            self.hit = self.hit or name
            raise self.error()


class FailingDisk(Environment):
    """The environment, whose calls fail as `fault` says while it is set."""

    def __init__(self, env: Environment) -> None:
        self.sound = env
        self.fault: Fault | None = None
        failing = cast("lmdb.Environment", _Calls(env._env, self))
        super().__init__(env.path, failing, env._lock_fd, env.identity)

    def call(self, name: str) -> None:
        if self.fault is not None:
            self.fault.call(name)


class _Calls:
    """LMDB's environment; write transactions are `_Transaction`s."""

    def __init__(self, env: lmdb.Environment, disk: FailingDisk) -> None:
        self._env = env
        self._disk = disk

    def begin(self, *, write: bool = False) -> AbstractContextManager[Any]:
        if not write:
            return self._env.begin()
        self._disk.call("begin")
        return _Transaction(self._env.begin(write=True), self._disk)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


class _Transaction:
    def __init__(self, txn: lmdb.Transaction, disk: FailingDisk) -> None:
        self._txn = txn
        self._disk = disk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            try:
                self._disk.call("commit")
            except BaseException:
                self._txn.abort()
                raise
            self._txn.commit()
        else:
            self._txn.abort()

    def get(self, key: bytes) -> Any:
        self._disk.call("get")
        return self._txn.get(key)

    def put(self, key: bytes, value: bytes) -> bool:
        self._disk.call("put")
        return self._txn.put(key, value)

    def delete(self, key: bytes) -> bool:
        self._disk.call("delete")
        return self._txn.delete(key)

    def cursor(self) -> "_Cursor":
        self._disk.call("cursor")
        return _Cursor(self._txn.cursor(), self._disk)


class _Cursor:
    def __init__(self, cursor: lmdb.Cursor, disk: FailingDisk) -> None:
        self._cursor = cursor
        self._disk = disk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def set_range(self, key: bytes) -> bool:
        self._disk.call("cursor")
        return self._cursor.set_range(key)

    def next(self) -> bool:
        self._disk.call("cursor")
        return self._cursor.next()

    def prev(self) -> bool:
        self._disk.call("cursor")
        return self._cursor.prev()

    def last(self) -> bool:
        self._disk.call("cursor")
        return self._cursor.last()

    def getmulti(self, keys: Sequence[bytes]) -> Any:
        self._disk.call("get")
        return self._cursor.getmulti(keys)

    def putmulti(self, items: Sequence[tuple[bytes, bytes]]) -> Any:
        self._disk.call("put")
        return self._cursor.putmulti(items)

    def key(self) -> Any:
        return self._cursor.key()

    def item(self) -> Any:
        return self._cursor.item()

"""The process of a simulated node: its network, its disk, and whether it runs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lmdb

from hookbundle.engine.errors import StoreFull
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.reliability.replication.simulated.fake_log import FakeLog, Servers


class Network(FakeLog):
    """The servers, reached by a process that may be frozen or gone."""

    def __init__(self, servers: Servers, entry_bytes_max: int, life: "Process") -> None:
        super().__init__(servers, entry_bytes_max)
        self._process = life

    async def publish(self, *what: Any) -> Any:
        await self._process.runs()
        answer = await super().publish(*what)
        await self._process.runs()
        return answer

    async def read(self, *what: Any) -> Any:
        await self._process.runs()
        entries = await super().read(*what)
        await self._process.runs()
        return entries

    async def last(self, *what: Any) -> Any:
        await self._process.runs()
        last = await super().last(*what)
        await self._process.runs()
        return last

    async def make(self, *what: Any) -> None:
        await self._process.runs()
        await super().make(*what)

    async def begin_with(self, *what: Any) -> None:
        await self._process.runs()
        await super().begin_with(*what)

    async def generations(self) -> Any:
        await self._process.runs()
        found = await super().generations()
        await self._process.runs()
        return found

    async def delete(self, *what: Any) -> None:
        await self._process.runs()
        await super().delete(*what)


class Disk(Environment):
    """The real database, on a disk whose commits may fail."""

    def __init__(self, env: Environment, servers: Servers) -> None:
        super().__init__(env.path, env._env, env._lock_fd, env.identity)
        self._servers = servers
        self._is_closed = False

    def close(self) -> None:
        """By the role, or by the death of the process, whatever comes first."""
        if not self._is_closed:
            self._is_closed = True
            super().close()

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        with super().write() as txn:
            yield txn
            if self._servers.chance("disk"):
                raise StoreFull("the disk is full: No space left on device")


class Process:
    """Whether the node's process runs, is frozen, or is gone."""

    def __init__(self) -> None:
        self.is_dead = False
        self.thawed = asyncio.Event()
        self.thawed.set()

    async def runs(self) -> None:
        """Does not come back to a process that is gone."""
        await self.thawed.wait()
        if self.is_dead:
            await asyncio.get_running_loop().create_future()

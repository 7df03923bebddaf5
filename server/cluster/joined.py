"""The other nodes of a cluster over its log servers: logs, beats and requests on one connection."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from hookbundle import __version__
from hookbundle.actors.replication.log import RawLog
from hookbundle.actors.replication.nats.client import Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.engine.replication.names import Names
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.asks import Asks
from hookbundle.server.cluster.beats import Beats, beat_of, beating
from hookbundle.server.cluster.neighbours import Answer, Held, Neighbour, Neighbours

log = structlog.get_logger(__name__)


class Joined(Neighbours):
    """A node in a cluster that is there already. `open()`, then `close()`."""

    def __init__(
        self,
        connection: Connection,
        names: Names,
        partitions: int,
        replicas: int,
        node: str,
        life: str,
        key: bytes,
        dead_after_s: float,
        data: Path,
    ) -> None:
        """`connection` is open. `data`: on whose disk there is room, or not."""
        self.partitions = partitions
        self._connection = connection
        self._names = names
        self._node = node
        self._life = life
        self._data = data
        self._leaves = False
        self._logs = [NatsLog(connection, names, number, replicas) for number in range(partitions)]
        self._beats = Beats(node, life, dead_after_s, asyncio.get_running_loop().time)
        self._asks = Asks(connection, names, node, life, key, self._beats.life_of)
        self._beating: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, answer: Answer, held: Callable[[], Mapping[int, Held]]) -> None:
        self._held = held
        await self._asks.open(answer)
        subject = self._names.beat("*")
        await self._connection.subscribe(subject, lambda message: self._beats.hear(message.body))
        self._beating = asyncio.create_task(beating(self._beat, self._send), name="beats")

    async def close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, *self._tasks, return_exceptions=True)
        await self._asks.close()
        await self._connection.close()

    def log_of(self, partition: int) -> RawLog:
        return self._logs[partition]

    def news_of(self, partition: int, heard: Callable[[], None]) -> None:
        async def watch() -> None:
            with suppress(Unreachable):
                await self._logs[partition].watch(heard)

        task = asyncio.create_task(watch())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def live(self) -> Mapping[str, Neighbour]:
        own = Neighbour(
            self._node,
            self._life,
            __version__,
            time.time_ns() // 1_000_000,
            self._free_bytes(),
            self._held(),
            self._leaves,
        )
        return {**self._beats.live(), self._node: own}

    def heard_s(self) -> float:
        return self._beats.heard_s()

    def unheard_s(self) -> float:
        return self._beats.unheard_s()

    def has_failed(self) -> Exception | None:
        return self._beats.double

    async def ask(self, node: str, asked: Asked) -> Answered:
        return await self._asks.ask(node, asked)

    def _beat(self) -> bytes:
        return beat_of(self.live()[self._node])

    async def leave(self) -> None:
        self._leaves = True
        await self._send(self._beat())

    async def _send(self, beat: bytes) -> None:
        with suppress(Unreachable):
            await self._connection.publish(self._names.beat(self._node), beat)

    def _free_bytes(self) -> int:
        try:
            found = os.statvfs(self._data)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize

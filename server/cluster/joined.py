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
from hookbundle.actors.replication.nats import membership
from hookbundle.actors.replication.nats.client import Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection, NoAnswer
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import Records
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.replication.cluster import ClusterConfig, ClusterRecord, NodeRecord
from hookbundle.engine.replication.names import Names
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.asks import Asks
from hookbundle.server.cluster.beats import Beats, beat_of, beating
from hookbundle.server.cluster.neighbours import Answer, Held, Neighbour, Neighbours
from hookbundle.storage.database.records import SCHEMA

AGAIN_S = 1.0

log = structlog.get_logger(__name__)


class Joined(Neighbours):
    """A node in a cluster that is there already. `open()`, then `close()`."""

    def __init__(self, servers: Servers, cluster: ClusterConfig, life: str, data: Path) -> None:
        """`data`: on whose disk there is room, or not."""
        self._cluster = cluster
        self._names = names = Names(cluster.name)
        self._node = node = cluster.node
        self._life = life
        self._data = data
        self._leaves = False
        self._connection = connection = Connection(servers, node)
        now_s = asyncio.get_running_loop().time
        self._beats = Beats(node, life, cluster.dead_after_s, now_s)
        self._asks = Asks(connection, names, node, life, cluster.key, self._beats.life_of)
        self._logs: list[NatsLog] = []
        self._beating: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, answer: Answer, held: Callable[[], Mapping[int, Held]]) -> None:
        self._held = held
        log.info("connecting to the log servers", cluster=self._cluster.name, node=self._node)
        await self._connection.open()
        record, replicas = await self._enter()
        self.partitions = record.partitions
        self._logs = [
            NatsLog(self._connection, self._names, number, replicas)
            for number in range(record.partitions)
        ]
        await self._asks.open(answer)
        subject = self._names.beat("*")
        await self._connection.subscribe(subject, lambda message: self._beats.hear(message.body))
        self._beating = asyncio.create_task(beating(self._beat, self._send), name="beats")

    async def _enter(self) -> tuple[ClusterRecord, int]:
        """The record of the cluster, and on how many servers its logs are.

        Waits as long as the servers can't say. Raises: ClusterUnusable.
        """
        records = Records(self._connection, self._names)
        clock = SystemClock()
        node = NodeRecord(self._node, __version__, SCHEMA, clock.now_ms())
        while True:
            try:
                record = await membership.enter(records, node, self._cluster.key)
                replicas = await records.replicas()
                return record, replicas or 1
            except (Unreachable, NoAnswer) as exc:
                log.warning("the log servers do not answer", why=str(exc))
                await asyncio.sleep(AGAIN_S)

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

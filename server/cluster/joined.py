"""The other nodes of a cluster over its log servers: logs, beats and requests on one connection."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from hookbundle import __version__
from hookbundle.actors.replication.log import RawLog
from hookbundle.actors.replication.nats import asking, membership
from hookbundle.actors.replication.nats.beating import Beating
from hookbundle.actors.replication.nats.client import NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import Records
from hookbundle.actors.replication.nats.sessions import SessionBucket
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded
from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.cluster import (
    FORMAT,
    ClusterConfig,
    ClusterRecord,
    NodeRecord,
    Upgrade,
)
from hookbundle.engine.replication.members import Members
from hookbundle.engine.replication.names import Names
from hookbundle.engine.replication.requests import AskedFor, NodeAnswer, NodeRequest
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.neighbours import Answer, Neighbours
from hookbundle.server.cluster.routing import AnswerLost, NotAsked
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.console.sessions import LIFE_MS_MAX
from hookbundle.server.http.authentication import Caller
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST

AGAIN_S = 1.0

log = structlog.get_logger(__name__)


class Joined(Neighbours):
    """A node in a cluster that is there already. `open()`, then `close()`."""

    def __init__(self, servers: Servers, cluster: ClusterConfig, life: str, data: Path) -> None:
        """`data`: on whose disk there is room, or not."""
        self._cluster = cluster
        self._names = Names(cluster.name)
        self._node = cluster.node
        self._life = life
        self._data = data
        self._leaves = False
        self._clock = SystemClock()
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(servers, cluster.node)
        self._members = Members(cluster.node, life, cluster.dead_after_s)
        self._beating = Beating(
            self._connection, self._names, cluster.node, self._members, self._beat, self._clock
        )
        self._asking = asking.Asking(
            self._connection, self._names, cluster.node, life, cluster.key, self._life_of
        )
        self._logs: list[NatsLog] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(
        self,
        answer: Answer,
        held: Callable[[], Mapping[int, Held]],
        given: Callable[[], Mapping[int, int]],
    ) -> None:
        self._held, self._given = held, given
        log.info("connecting to the log servers", cluster=self._cluster.name, node=self._node)
        await self._connection.open()
        record, replicas = await self._enter()
        self.partitions = record.partitions
        self.cluster_id = record.id
        self.sessions = SessionBucket(self._connection, self._names, replicas, LIFE_MS_MAX)
        self._logs = [
            NatsLog(self._connection, self._names, number, replicas)
            for number in range(record.partitions)
        ]

        async def answer_request(wanted: NodeRequest) -> NodeAnswer:
            caller, known = wanted.caller, None
            if caller is not None:
                known = Caller(caller.name, caller.scope, caller.workspace_id)
            asked = Asked(wanted.method, wanted.target, wanted.headers, wanted.body, known)
            answered = await answer(asked)
            return NodeAnswer(answered.status, answered.headers, answered.body)

        await self._asking.open(answer_request)

    async def begin(self) -> None:
        await self._beating.open()

    async def _enter(self) -> tuple[ClusterRecord, int]:
        """The record of the cluster, and on how many servers its logs are.

        Waits as long as the servers can't say. Raises: ClusterUnusable.
        """
        records = Records(self._connection, self._names)
        self._itself = NodeRecord(self._node, __version__, SCHEMA, self._clock.now_ms(), FORMAT)
        while True:
            try:
                await membership.enter(records, self._itself, self._cluster.key, SCHEMA_OLDEST)
                return await self._read(records), await records.replicas() or 1
            except (Unreachable, NoAnswer) as exc:
                log.warning("the log servers do not answer", why=str(exc))
                await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._beating.close()
        await self._asking.close()
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

    async def leave(self, *, leaves: bool = True) -> None:
        self._leaves = leaves
        await self._beating.now()

    def live(self) -> Mapping[str, Beat]:
        others = self._members.live(self._loop.time())
        return {**{name: each.beat for name, each in others.items()}, self._node: self._beat()}

    def heard_s(self) -> float:
        return self._members.heard_s(self._loop.time())

    def unheard_s(self) -> float:
        return self._members.unheard_s(self._loop.time())

    def has_failed(self) -> Exception | None:
        return self._beating.fault()

    async def forget(self, node: str) -> bool:
        try:
            return await membership.forget(Records(self._connection, self._names), node)
        except (Unreachable, NoAnswer) as exc:
            raise Overloaded.of(Code.LOG_WAITS) from exc

    async def registered(self) -> Registered:
        records = Records(self._connection, self._names)
        try:
            return Registered(await self._read(records), await membership.nodes(records))
        except (Unreachable, NoAnswer) as exc:
            raise Overloaded.of(Code.LOG_WAITS) from exc

    async def upgrade(self) -> Upgrade | None:
        records = Records(self._connection, self._names)
        try:
            found = await membership.upgrade(records)
            await self._read(records)
        except (Unreachable, NoAnswer) as exc:
            raise Overloaded.of(Code.LOG_WAITS) from exc
        await self._beating.now()
        return found

    async def _read(self, records: Records) -> ClusterRecord:
        """Raises: ClusterUnusable; NoAnswer; Unreachable."""
        found = await membership.known(records, self._itself, SCHEMA_OLDEST)
        self.schema, self.revision = found.cluster.schema, found.revision
        return found.cluster

    async def ask(self, node: str, asked: Asked) -> Answered:
        caller = asked.caller
        known = None
        if caller is not None:
            known = AskedFor(caller.name, caller.scope, caller.workspace_id)
        request = NodeRequest(asked.method, asked.target, asked.headers, asked.body, known)
        try:
            answer = await self._asking.ask(node, request)
        except asking.NotAsked as exc:
            raise NotAsked(str(exc)) from exc
        except asking.AnswerLost as exc:
            raise AnswerLost.of(AnswerLost.other) from exc
        return Answered(answer.status, answer.headers, answer.body)

    def _life_of(self, node: str) -> str | None:
        return self._members.life_of(node, self._loop.time())

    def _beat(self) -> Beat:
        return Beat(
            self._node,
            self._life,
            __version__,
            self._clock.wall_ms(),
            self._free_bytes(),
            "",
            dict(self._held()),
            self._leaves,
            dict(self._given()),
            self.revision,
        )

    def _free_bytes(self) -> int:
        try:
            found = os.statvfs(self._data)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize

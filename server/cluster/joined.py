"""The other nodes of a cluster over its log servers: logs, beats and requests on one connection."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from hookbundle import __version__
from hookbundle.actors.replication.log import RawLog
from hookbundle.actors.replication.nats import asking, membership
from hookbundle.actors.replication.nats.beating import Beating
from hookbundle.actors.replication.nats.client import NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.elsewhere import Elsewhere
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import Records
from hookbundle.actors.replication.nats.sessions import SessionBucket
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import ClusterUnusable, Overloaded
from hookbundle.engine.replication.beats import Beat, Held, Works
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
from hookbundle.server.cluster import record_file
from hookbundle.server.cluster.asked import Answered, AnswerLost, Asked, NotAsked
from hookbundle.server.cluster.neighbours import Answer, Neighbours
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.console.sessions import LIFE_MS_MAX
from hookbundle.server.http.authentication import Caller
from hookbundle.storage.database.data_file.disk_space import free_bytes
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST

AGAIN_S = 1.0
LOOK_S = 10.0  # for the record

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
        self._is_lost = False
        self._fault: ClusterUnusable | None = None
        self._clock = SystemClock()
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(servers, cluster.node)
        self._elsewhere = Elsewhere(self._connection, servers, self._names)
        self._members = Members(cluster.node, life, cluster.dead_after_s)
        self._beating = Beating(
            self._connection, self._names, cluster.node, self._members, self._beat, self._clock
        )
        self._asking = asking.Asking(
            self._connection, self._names, cluster.node, life, cluster.key, self._life_of
        )
        self.settings: Callable[[], str] = str
        self.away: tuple[str, ...] = ()
        self._logs: list[NatsLog] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(
        self,
        answer: Answer,
        held: Callable[[], Mapping[int, Held]],
        given: Callable[[], Mapping[int, int]],
        works: Callable[[], Works],
    ) -> None:
        self._held, self._given, self._works = held, given, works
        log.info("connecting to the log servers", cluster=self._cluster.name, node=self._node)
        await self._connection.open()
        self._record, self.replicas = record, replicas = await self._enter()
        self.partitions = record.partitions
        self.cluster_id = record.id
        self.sessions = SessionBucket(self._connection, self._names, replicas, LIFE_MS_MAX)
        self._logs = [
            NatsLog(self._connection, self._names, number, replicas)
            for number in range(record.partitions)
        ]

        async def answer_request(wanted: NodeRequest) -> NodeAnswer:
            given = wanted.caller
            known = Caller(given.name, given.scope, given.workspace_id) if given else None
            asked = Asked(wanted.method, wanted.target, wanted.headers, wanted.body, known)
            answered = await answer(asked)
            return NodeAnswer(answered.status, answered.headers, answered.body, answered.rest)

        await self._asking.open(answer_request)
        self._begin(self._watch_record())

    async def begin(self) -> None:
        await self._beating.open()

    async def _enter(self) -> tuple[ClusterRecord, int]:
        """The record of the cluster, and on how many servers its logs are.

        Waits as long as the servers can't say. Raises: ClusterUnusable.
        """
        self._itself = NodeRecord(self._node, __version__, SCHEMA, self._clock.now_ms(), FORMAT)
        asked = 0
        while True:
            try:
                return await self._found()
            except (Unreachable, NoAnswer) as exc:
                log.warning("the log servers do not answer", why=str(exc))
                await self._elsewhere.look()
            except membership.NoCluster as exc:
                asked += 1  # servers that have just started may not know all
                if asked == membership.SURE_AFTER:
                    return self._remembered(exc)
            await asyncio.sleep(AGAIN_S)

    def _remembered(self, why: membership.NoCluster) -> tuple[ClusterRecord, int]:
        """What the log servers have lost, as far as this node has copies. Raises: NoCluster."""
        known = record_file.read(self._data)
        if known is None or not record_file.has_copies(self._data):
            raise why
        self._is_lost = True
        self.schema, self.revision = known.record.schema, 0
        log.error("the log servers have no record of the cluster, and this node has copies of it")
        return known.record, known.replicas

    async def _found(self) -> tuple[ClusterRecord, int]:
        """Raises: ClusterUnusable; Unreachable; NoAnswer."""
        records = Records(self._connection, self._names)
        await membership.enter(records, self._itself, self._cluster.key, SCHEMA_OLDEST)
        record, replicas = await self._read(records), await records.replicas() or 1
        record_file.check(self._data, record)
        try:
            record_file.write(self._data, record_file.Remembered(record, replicas))
        except OSError as exc:
            log.warning("the node can't remember the cluster's record", why=str(exc))
        return record, replicas

    async def _watch_record(self) -> None:
        """Whether the record is there; made anew, it is entered again."""
        records = Records(self._connection, self._names)
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                was_lost, found = self._is_lost, await membership.cluster_surely(records)
                self._is_lost = found is None
                if found is None and not was_lost:
                    log.error("the log servers have no record of the cluster any more")
                replicas, self.away = await records.placed()
                if found is not None and (
                    was_lost or found != self._record or replicas != self.replicas
                ):
                    await self._enter_again()
            except ClusterUnusable as exc:
                self._fault = exc
            except (Unreachable, NoAnswer):
                await self._elsewhere.look()
            except Exception as exc:  # a full disk, for one
                log.error("the record was not looked at", exc_info=exc)

    async def _enter_again(self) -> None:
        """Raises: ClusterUnusable; Unreachable; NoAnswer."""
        self._record, self.replicas = await self._found()
        for each in self._logs:
            each.replicas = self.replicas

    def record_is_lost(self) -> bool:
        return self._is_lost

    async def make_record(self, replicas: int | None) -> bool:
        records = Records(self._connection, self._names)
        try:
            is_new = await membership.make_again(records, self._record, replicas or self.replicas)
            await self._enter_again()
        except (Unreachable, NoAnswer) as exc:
            raise Overloaded.of(Code.LOG_WAITS) from exc
        self._is_lost = False
        return is_new

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

        self._begin(watch())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def leave(self, *, leaves: bool = True) -> None:
        self._leaves = leaves
        await self._beating.now()

    def live(self) -> Mapping[str, Beat]:
        beats = self._members.beats(self._loop.time(), self._clock.wall_ms())
        return {**beats, self._node: self._beat()}

    def others(self) -> Mapping[str, Beat]:
        return {n: each.beat for n, each in self._members.live(self._loop.time()).items()}

    def heard_s(self) -> float:
        return self._members.heard_s(self._loop.time())

    def unheard_s(self) -> float:
        return self._members.unheard_s(self._loop.time())

    def has_failed(self) -> Exception | None:
        return self._fault or self._beating.fault()

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
        given = asked.caller
        known = AskedFor(given.name, given.scope, given.workspace_id) if given else None
        request = NodeRequest(asked.method, asked.target, asked.headers, asked.body, known)
        try:
            answer = await self._asking.ask(node, request)
        except asking.NotAsked as exc:
            raise NotAsked(str(exc)) from exc
        except asking.AnswerLost as exc:
            raise AnswerLost.of(AnswerLost.other) from exc
        return Answered(answer.status, answer.headers, answer.body, answer.rest)

    def _life_of(self, node: str) -> str | None:
        return self._members.life_of(node, self._loop.time())

    def _beat(self) -> Beat:
        return Beat(
            self._node,
            self._life,
            __version__,
            self._clock.wall_ms(),
            self._free_bytes(),
            self.settings(),
            dict(self._held()),
            self._leaves,
            dict(self._given()),
            self.revision,
            *self._works(),
        )

    def _free_bytes(self) -> int:
        try:
            return free_bytes(self._data)
        except OSError:
            return 0

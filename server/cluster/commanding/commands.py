"""The commands of operators on a cluster, put together at one node."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.engine.replication.beats import Compaction, Works
from hookbundle.server.cluster.asked import Ask
from hookbundle.server.cluster.commanding.checking import Checking
from hookbundle.server.cluster.commanding.checking_all import CheckingAll
from hookbundle.server.cluster.commanding.compacting import Compacting
from hookbundle.server.cluster.commanding.comparing import Comparing
from hookbundle.server.cluster.commanding.giving import Giving
from hookbundle.server.cluster.commanding.known import Known
from hookbundle.server.cluster.commanding.recovering import Recovering
from hookbundle.server.cluster.commanding.rewriting import Rewriting
from hookbundle.server.cluster.commanding.telling import Telling
from hookbundle.server.cluster.commanding.upgrading import Upgrading
from hookbundle.server.cluster.overview.overview import Heard
from hookbundle.server.cluster.partitions.placing import OF_ALL
from hookbundle.server.http.resources.cluster import Cluster
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import (
    CheckAllIn,
    CheckedOut,
    CheckIn,
    CheckOfAllOut,
    ClusterOut,
    CompactionOut,
    DrainedOut,
    DrainIn,
    ForgetIn,
    MovedOut,
    MoveIn,
    RecoverIn,
    RecoveryOut,
    UpgradedOut,
    WhereOut,
)
from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.cluster_facts import (
    CompactionStopped,
    NodeDrained,
    NodeForgotten,
    NodeUndrained,
    PartitionMoved,
)

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node


LOOK_S = 0.5

log = structlog.get_logger(__name__)


class Commanding(Cluster):
    """`start()`, and `close()` at the end. `known`: the last compaction."""

    def __init__(self, node: "Node", ask: Ask) -> None:
        """`ask`: a partition, wherever it is."""
        self._node = node
        self._neighbours = node.neighbours
        self._wall_ms: Callable[[], int] = node.clock.wall_ms
        self._dead_after_s = node.cluster.dead_after_s
        self._owned = node.owned
        self._telling = Telling(ask)
        self.known = Known[Compaction](node.life, lambda beat: beat.compaction)
        self._giving = Giving(node.cluster.node, len(node.hosts), node, node.assigning)
        self._compacting = Compacting(
            node.cluster.node,
            node.life,
            node,
            len(node.hosts),
            self.known,
            node.neighbours.registered,
            self._telling.tell,
        )
        self._rewriting = Rewriting(node.hosts)
        self.upgrading = Upgrading(
            node.cluster.node, node.neighbours, node._lost, self._telling.tell
        )
        self._recovering = Recovering(node, self._telling.tell)
        self._comparing = Comparing(node.hosts)
        self._checking = Checking(len(node.hosts), node, self._telling.tell)
        self._checking_all = CheckingAll(
            node.cluster.node,
            node.life,
            len(node.hosts),
            node.live,
            lambda number, caller, repairs: self._checking.checked(number, caller, repairs=repairs),
        )
        self._task: asyncio.Task[None] | None = None

    async def overview(self) -> ClusterOut:
        return (await self.heard()).overview()

    async def heard(self) -> Heard:
        """With what the log servers have on record."""
        return self._node.serving.heard(await self.upgrading.registered())

    def where(self, workspace_id: str) -> WhereOut:
        return self._node.serving.heard().where(workspace_id)

    def between_nodes(self) -> list[Route]:
        parts = (self._giving, self._rewriting, self._recovering, self._comparing)
        return [route for part in parts for route in part.between_nodes()]

    def start(self) -> None:
        self.upgrading.start()
        self._task = asyncio.create_task(self._listen(), name="compactions")

    async def close(self) -> None:
        await self.upgrading.close()
        await self._checking_all.close()
        await self._compacting.close()
        await self._recovering.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._telling.close()
        await self._comparing.close()

    async def move(self, wanted: MoveIn, caller: str) -> MovedOut:
        moved = await self._giving.move(wanted)
        fact = PartitionMoved(
            node=moved.owner, caller=caller, partition=moved.partition, before=moved.before
        )
        self._telling.tell(fact)
        return moved

    async def drain(self, wanted: DrainIn, caller: str) -> DrainedOut:
        drained = await self._giving.drain(wanted)
        self._telling.tell(
            NodeUndrained(node=drained.node, caller=caller)
            if wanted.undo
            else NodeDrained(node=drained.node, caller=caller, owns=drained.owns)
        )
        return drained

    async def forget(self, wanted: ForgetIn, caller: str) -> None:
        if wanted.node in self._neighbours.live():
            raise Conflict.of(Code.NODE_LIVES, node=wanted.node)
        if not await self._neighbours.forget(wanted.node):
            raise NotFound.of(Code.UNKNOWN_NODE, node=wanted.node)
        self._telling.tell(NodeForgotten(node=wanted.node, caller=caller))

    async def upgrade(self, caller: str) -> UpgradedOut:
        return await self.upgrading.upgrade(caller)

    async def recover(self, wanted: RecoverIn, caller: str) -> RecoveryOut:
        return await self._recovering.recover(wanted, caller)

    async def check(self, wanted: CheckIn, caller: str) -> CheckedOut:
        return await self._checking.check(wanted, caller)

    def check_all(self, wanted: CheckAllIn, caller: str) -> CheckOfAllOut:
        self._checking_all.begin(caller, self._wall_ms(), repairs=wanted.repair)
        shown = self.check_of_all()
        assert shown is not None, "it has just begun"
        return shown

    def check_of_all(self) -> CheckOfAllOut | None:
        """The last one, at whichever node; None as long as there was none."""
        return self._checking_all.shown(judges=self._judges())

    def works(self) -> Works:
        """What this node's beats say on."""
        return Works(self.known.latest, self._checking_all.known.latest)

    def compact(self, caller: str) -> CompactionOut:
        self._compacting.begin(caller, self._wall_ms())
        shown = self.compaction()
        assert shown is not None, "it has just begun"
        return shown

    def compaction(self) -> CompactionOut | None:
        """The last one, at whichever node; None as long as there was none."""
        latest = self.known.latest
        if latest is None:
            return None
        has_stopped = self._judges() and self.known.has_stopped(self._neighbours.live())
        return CompactionOut(
            latest.partitions,
            latest.done,
            "" if has_stopped else latest.doing,
            list(latest.left_out),
            latest.node,
            latest.caller,
            iso(latest.began_ms),
            has_stopped,
        )

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            live = self._neighbours.live()
            self.known.hear(live, self._wall_ms())
            self._checking_all.known.hear(live, self._wall_ms())
            if self._judges() and self.known.has_stopped(live) and OF_ALL in self._owned:
                self._tell_of_stopped()

    def _tell_of_stopped(self) -> None:
        """By the node that owns the feed of all, once."""
        latest = self.known.latest
        if latest is None or latest.is_told:
            return
        self.known.take(replace(latest, is_told=True))
        log.warning("a compaction has stopped before it was through", node=latest.node)
        fact = CompactionStopped(
            node=latest.node, caller=latest.caller, partitions=latest.partitions, done=latest.done
        )
        self._telling.tell(fact)

    def _judges(self) -> bool:
        """Whether this node has listened long enough to know who lives."""
        return self._neighbours.heard_s() >= self._dead_after_s

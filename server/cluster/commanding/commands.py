"""The commands of operators on a cluster, put together at one node."""

from typing import TYPE_CHECKING

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.server.cluster.commanding.compacting import Compacting
from hookbundle.server.cluster.commanding.giving import Giving
from hookbundle.server.cluster.commanding.recovering import Recovering
from hookbundle.server.cluster.commanding.upgrading import Upgrading
from hookbundle.server.http.resources.cluster import Cluster
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import (
    CompactionOut,
    DrainedOut,
    DrainIn,
    ForgetIn,
    MovedOut,
    MoveIn,
    RecoverIn,
    RecoveryOut,
    UpgradedOut,
)

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node


class Commanding(Cluster):
    """`start()`, then `close()`."""

    def __init__(self, node: "Node") -> None:
        self._neighbours = node.neighbours
        self._giving = Giving(node.cluster.node, len(node.hosts), node, node.assigning)
        self._compacting = Compacting(node, node.hosts)
        self.upgrading = Upgrading(node.neighbours, node._lost)
        self._recovering = Recovering(node)

    def between_nodes(self) -> list[Route]:
        parts = (self._giving, self._compacting, self._recovering)
        return [route for part in parts for route in part.between_nodes()]

    def start(self) -> None:
        self.upgrading.start()

    async def close(self) -> None:
        await self.upgrading.close()
        await self._compacting.close()
        await self._recovering.close()

    async def move(self, wanted: MoveIn) -> MovedOut:
        return await self._giving.move(wanted)

    async def drain(self, wanted: DrainIn) -> DrainedOut:
        return await self._giving.drain(wanted)

    async def forget(self, wanted: ForgetIn) -> None:
        if wanted.node in self._neighbours.live():
            raise Conflict.of(Code.NODE_LIVES, node=wanted.node)
        if not await self._neighbours.forget(wanted.node):
            raise NotFound.of(Code.UNKNOWN_NODE, node=wanted.node)

    async def upgrade(self) -> UpgradedOut:
        return await self.upgrading.upgrade()

    async def recover(self, wanted: RecoverIn) -> RecoveryOut:
        return await self._recovering.recover(wanted)

    def compact(self) -> CompactionOut:
        return self._compacting.begin()

    def compaction(self) -> CompactionOut | None:
        """The last one that was begun at this node."""
        state = self._compacting.state
        return None if state is None else self._compacting.shown(state)

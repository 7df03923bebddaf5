"""What the cluster writes is raised by command, and each node hears of it.

Its record decides (engine/replication/cluster.py). Beats say which revision of it a node knows; who
hears of a later one reads the record. So a beat that lies makes nodes read, and nothing else. A
node that can't read what is written from then on ends: its copies would tell it what is not so.

What a node writes is the business of its partitions' roles: each log goes on with the later schema
when its owner has heard of it, or when its next owner has.
"""

import asyncio
from collections.abc import Callable

import structlog

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import ClusterUnusable, Conflict, Overloaded
from hookbundle.engine.replication.cluster import OtherVersion
from hookbundle.server.cluster.commanding.asking import becomes
from hookbundle.server.cluster.neighbours import Neighbours
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.http.schemas.cluster import UpgradedOut
from hookbundle.storage.cluster_facts import ClusterUpgraded, OfCluster

LOOK_S = 0.5
ANSWER_S = 2.0  # for who only looks
HEARD_WITHIN_S = 10.0

log = structlog.get_logger(__name__)


class Upgrading:
    """`start()`, then `close()`. `failed` hears why this node can't be in the cluster any more."""

    def __init__(
        self,
        node: str,
        neighbours: Neighbours,
        failed: Callable[[Exception], None],
        tell: Callable[[OfCluster], None],
    ) -> None:
        """`tell` is told what was raised."""
        self._node = node
        self._neighbours = neighbours
        self._failed = failed
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._go_on(), name="cluster's record")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def registered(self) -> Registered | None:
        """None if nobody can say now."""
        if self._neighbours.heard_s() <= 0:
            return None
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._neighbours.registered()
        except (Overloaded, ClusterUnusable, TimeoutError):
            return None

    async def upgrade(self, caller: str) -> UpgradedOut:
        """Raises: Conflict while a node does not know what is to be written; Overloaded."""
        try:
            return await self._upgraded(caller)
        except ClusterUnusable as exc:
            log.error("cluster's record not read", why=str(exc))
            raise Overloaded.of(Code.LOG_WAITS) from exc

    async def _upgraded(self, caller: str) -> UpgradedOut:
        neighbours = self._neighbours
        before = await neighbours.registered()
        if unrecorded := before.unrecorded(neighbours.live()):
            raise Conflict.of(Code.NODES_NOT_RECORDED, nodes=", ".join(unrecorded))
        found = await neighbours.upgrade()
        if found is not None and found.behind:
            names = ", ".join(each.name for each in found.behind)
            raise Conflict.of(Code.NODES_BEHIND, schema=found.schema, nodes=names)
        if found is not None:
            fact = ClusterUpgraded(
                node=self._node, caller=caller, schema=found.schema, before=before.cluster.schema
            )
            self._tell(fact)
        await becomes(lambda: not self._waits_for(), HEARD_WITHIN_S)
        return UpgradedOut(neighbours.schema, before.cluster.schema, self._waits_for())

    def _waits_for(self) -> list[str]:
        """The nodes that have not read what this one has."""
        own = self._neighbours.revision
        return sorted(name for name, beat in self._neighbours.live().items() if beat.record < own)

    async def _go_on(self) -> None:
        while True:
            try:
                before = self._neighbours.revision
                heard = max(beat.record for beat in self._neighbours.live().values())
                if heard > before:
                    await self._neighbours.registered()
                if self._neighbours.revision > before:
                    log.info("cluster's record read", schema=self._neighbours.schema)
            except OtherVersion as exc:
                self._failed(exc)
                return
            except (Overloaded, ClusterUnusable) as exc:
                # It is heard again. A record that is gone or garbage is no reason to end.
                log.warning("cluster's record not read", why=str(exc))
            except Exception as exc:
                log.error("cluster's record not read", exc_info=exc)
            await asyncio.sleep(LOOK_S)

"""The operator's page of a cluster: nodes, partitions, and what needs a person.

It says what this node has heard of the others in the last seconds; only the log servers are asked,
if they answer, which nodes are on record.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hookbundle.engine.replication.members import APART_MS
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import ClusterOut, CopyRole, NodeOut, PartitionOut

LOW_BYTES = 1 << 30
FAR_BEHIND = 1_000  # entries
USABLE = frozenset({CopyRole.OWNER, CopyRole.FOLLOWING, CopyRole.CLAIMING, CopyRole.JOINING})


@dataclass(frozen=True, slots=True)
class Need:
    """What a person has to look at: `word` is known to the template."""

    word: str
    of: str = ""
    amount: int = 0


def needs_of(cluster: ClusterOut, copies: int) -> list[Need]:
    """`copies`: of each partition that there should be, its owner's among them."""
    found = [] if cluster.hears else [Need("deaf", cluster.node)]
    if cluster.record_lost:
        found.append(Need("record"))
    wanted = min(copies, len(cluster.nodes))
    for partition in cluster.partitions:
        found += _of_partition(partition, wanted)
    for node in cluster.nodes:
        found += _of_node(node)
    compaction = cluster.compaction
    if compaction is not None and compaction.stopped:
        found.append(Need("stopped", compaction.node))
    elif compaction is not None and compaction.left_out:
        found.append(Need("left_out", compaction.left_out[0]))
    versions = sorted({node.version for node in cluster.nodes})
    if len(versions) > 1:
        found.append(Need("versions", ", ".join(versions)))
    if cluster.upgrade is not None:
        found.append(Need("upgrade", str(cluster.schema), cluster.upgrade))
    return found


def _of_partition(partition: PartitionOut, wanted: int) -> list[Need]:
    number, found = str(partition.number), []
    if partition.stopped:
        nodes = [copy.node for copy in partition.copies if copy.role is CopyRole.STOPPED]
        return [Need("stopped", f"{number} ({', '.join(nodes)})")]
    if partition.owner is None:
        found.append(Need("unowned", number))
    if sum(copy.role in USABLE for copy in partition.copies) < wanted:
        found.append(Need("copies", number, wanted))
    for copy in partition.copies:
        if copy.role is CopyRole.BROKEN:
            found.append(Need("broken", f"{number} ({copy.node})"))
        elif copy.behind is not None and copy.behind > FAR_BEHIND:
            found.append(Need("behind", f"{number} ({copy.node})", copy.behind))
    return found


def _of_node(node: NodeOut) -> list[Need]:
    found = []
    if abs(node.clock_ahead_ms) > APART_MS:
        found.append(Need("clock", node.name, node.clock_ahead_ms))
    if node.free_bytes < LOW_BYTES:
        found.append(Need("disk", node.name, node.free_bytes))
    if node.differs:
        found.append(Need("settings", f"{node.name}: {', '.join(node.differs)}"))
    return found


@dataclass(frozen=True, slots=True)
class NodesPage:
    """`copies`: as `needs_of` wants it."""

    access: AccessCheck
    seen: Callable[[], Awaitable[ClusterOut]]
    copies: int

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", "/cluster", self.show, "operator"),
            page("GET", "/cluster/now", self.now, "operator"),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        return visit.page("cluster.html", section="cluster", **await self._words())

    async def now(self, visit: Visit) -> web.StreamResponse:
        """The part of the page that changes."""
        return visit.render("parts/cluster.html", **await self._words())

    async def _words(self) -> dict[str, Any]:
        cluster = await self.seen()
        return {"cluster": cluster, "needs": needs_of(cluster, self.copies), "apart_ms": APART_MS}

"""The record of a cluster and those of its nodes: made once, and read at each start of a node."""

import asyncio
from dataclasses import dataclass

from msgspec.structs import replace

from hookbundle.actors.replication.nats.records import NEW, Records, pack
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import (
    CLUSTER_KEY,
    NODE_KEY,
    ClusterRecord,
    NodeRecord,
    Upgrade,
    check_schema,
    key_id,
    raised,
    read_cluster,
    read_node,
    upgrade_of,
)
from hookbundle.engine.replication.names import NODE

SURE_AFTER, SURE_PAUSE_S = 3, 0.5


class NoCluster(ClusterUnusable):
    """The log servers have no record of it."""


@dataclass(frozen=True, slots=True)
class Known:
    """The cluster's record, and which revision of it was read."""

    cluster: ClusterRecord
    revision: int


async def cluster(records: Records) -> ClusterRecord | None:
    """None if there is none. Raises: ClusterUnusable; NoAnswer; Unreachable."""
    found = await records.get(CLUSTER_KEY)
    return None if found is None else read_cluster(found.value)


async def cluster_surely(records: Records) -> ClusterRecord | None:
    """As `cluster`, but servers that have just started are asked several times before None."""
    for attempt in range(SURE_AFTER):
        if attempt:
            await asyncio.sleep(SURE_PAUSE_S)
        if (found := await cluster(records)) is not None:
            return found
    return None


async def make_again(records: Records, record: ClusterRecord, replicas: int) -> bool:
    """The record is there; False if it was. Raises: ClusterUnusable; NoAnswer; Unreachable."""
    if await cluster_surely(records) is not None:
        return False
    if await records.replicas() is None:
        await records.make(replicas)
    return await records.put(CLUSTER_KEY, pack(record), NEW)


async def known(records: Records, node: NodeRecord, oldest: int) -> Known:
    """The cluster, as it is now. `oldest`: the schema from which on the node can write all.

    Raises: NoCluster if there is none, OtherVersion if the node can't read or write what it has;
        NoAnswer; Unreachable.
    """
    found = await records.get(CLUSTER_KEY)
    if found is None:
        raise NoCluster(
            "there is no cluster of that name on these servers; `hookbundle cluster init` makes "
            "one. If there was one, and they have lost their disks, start a node that has copies"
        )
    record = read_cluster(found.value)
    check_schema(record, oldest, node.schema)
    return Known(record, found.revision)


async def enter(records: Records, node: NodeRecord, key: bytes, oldest: int = 0) -> ClusterRecord:
    """The cluster that the node is in now; it is known to the others, too. `oldest`: as in `known`,
    which is to be asked once more then: what the cluster writes may have been raised meanwhile, by
    somebody who did not see this node yet.

    Raises: NoCluster if there is none, ClusterUnusable if the node can't be in it; NoAnswer;
        Unreachable.
    """
    found = await known(records, node, oldest)
    if found.cluster.key_id != key_id(key):
        raise ClusterUnusable(
            "cluster.key is another one than the cluster was made with; copy the file from where "
            "`hookbundle cluster init` wrote it"
        )
    while not await _is_registered(records, node):
        pass
    return found.cluster


async def upgrade(records: Records) -> Upgrade | None:
    """All that its nodes know is written from now on, unless some are `behind`.

    None if it is written already. Raises: ClusterUnusable; NoAnswer; Unreachable.
    """
    while True:
        found = await records.get(CLUSTER_KEY)
        if found is None:
            raise ClusterUnusable("the record of the cluster is gone")
        possible = upgrade_of(read_cluster(found.value), await nodes(records))
        if possible is None or possible.behind:
            return possible
        if await records.put(CLUSTER_KEY, raised(found.value, possible), found.revision):
            return possible


async def nodes(records: Records) -> list[NodeRecord]:
    """All that ever were in the cluster and were not forgotten. Raises: NoAnswer; Unreachable."""
    found = [await records.get(key) for key in await records.keys(f"{NODE_KEY}*")]
    read = [read_node(record.value) for record in found if record is not None]
    return [node for node in read if node is not None]


async def forget(records: Records, node: str) -> bool:
    """The node is known no more, until it is started again; False if it was not known.

    Raises: NoAnswer; Unreachable.
    """
    key = NODE_KEY + node
    if not NODE.fullmatch(node) or await records.get(key) is None:  # `*` would be all of them
        return False
    await records.forget(key)
    return True


async def _is_registered(records: Records, node: NodeRecord) -> bool:
    """False if somebody else has changed the record meanwhile."""
    key = NODE_KEY + node.name
    record = await records.get(key)
    before = None if record is None else read_node(record.value)
    wanted = node if before is None else replace(node, joined_ms=before.joined_ms)
    if wanted == before:
        return True
    return await records.put(key, pack(wanted), NEW if record is None else record.revision)

"""The record of a cluster and those of its nodes: made once, and read at each start of a node."""

from hookbundle.actors.replication.nats.records import NEW, Records, pack
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import (
    CLUSTER_KEY,
    NODE_KEY,
    ClusterRecord,
    NodeRecord,
    key_id,
    read_cluster,
    read_node,
)
from hookbundle.engine.replication.names import NODE


async def cluster(records: Records) -> ClusterRecord | None:
    """None if there is none. Raises: ClusterUnusable; NoAnswer; Unreachable."""
    found = await records.get(CLUSTER_KEY)
    return None if found is None else read_cluster(found.value)


async def enter(records: Records, node: NodeRecord, key: bytes) -> ClusterRecord:
    """The cluster that the node is in now; it is known to the others, too.

    Raises: ClusterUnusable if there is no cluster, or the node can't be in it; NoAnswer;
        Unreachable.
    """
    found = await cluster(records)
    if found is None:
        raise ClusterUnusable(
            "there is no cluster of that name on these servers; `hookbundle cluster init` makes one"
        )
    if found.key_id != key_id(key):
        raise ClusterUnusable(
            "cluster.key is another one than the cluster was made with; copy the file from where "
            "`hookbundle cluster init` wrote it"
        )
    if found.schema > node.schema:
        raise ClusterUnusable(
            f"the cluster writes schema {found.schema}, and this program reads {node.schema}: "
            "use the version that the other nodes have"
        )
    while not await _is_registered(records, node):
        pass
    return found


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
    if before is not None and (before.version, before.schema) == (node.version, node.schema):
        return True
    joined_ms = node.joined_ms if before is None else before.joined_ms
    wanted = NodeRecord(node.name, node.version, node.schema, joined_ms)
    return await records.put(key, pack(wanted), NEW if record is None else record.revision)

"""The record of a node on real log servers: removed, and made again when it comes back."""

from hookbundle.actors.replication.nats import membership
from hookbundle.actors.replication.nats.records import Records, pack
from hookbundle.engine.replication.cluster import CLUSTER_KEY, ClusterRecord, NodeRecord, key_id
from hookbundle.engine.replication.names import Names
from hookbundle.tests.actors.replication.nats.parts import connection_to
from hookbundle.tests.log_servers.cluster import LogServers

KEY = bytes(32)


async def test_a_node_is_forgotten_alone_and_known_again_when_it_comes_back(
    nats: LogServers,
) -> None:
    connection = await connection_to(nats)
    try:
        records = Records(connection, Names(nats.new_cluster()))
        await records.make(1)
        cluster = ClusterRecord(1, "id", 4, 2, 0, key_id(KEY))
        assert await records.put(CLUSTER_KEY, pack(cluster), 0)
        a, b = NodeRecord("a", "1.0", 2, 1_000), NodeRecord("b", "1.0", 2, 2_000)
        for node in (a, b):
            await membership.enter(records, node, KEY)

        assert not await membership.forget(records, "*")
        assert not await membership.forget(records, ">")
        assert not await membership.forget(records, "c")
        assert await membership.nodes(records) == [a, b]
        assert await membership.forget(records, "a")
        assert await membership.nodes(records) == [b]
        assert not await membership.forget(records, "a")
        later = NodeRecord("a", "1.1", 2, 3_000)
        assert await membership.enter(records, later, KEY) == cluster
        assert await membership.nodes(records) == [later, b]
    finally:
        await connection.close()

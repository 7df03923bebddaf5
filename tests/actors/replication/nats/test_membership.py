"""The record of a node on real log servers: removed, and made again when it comes back."""

import pytest

from hookbundle.actors.replication.nats import membership
from hookbundle.actors.replication.nats.records import Records, pack
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import (
    CLUSTER_KEY,
    ClusterRecord,
    NodeRecord,
    Upgrade,
    key_id,
)
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


async def test_what_is_written_is_raised_once_and_not_while_a_node_that_is_recorded_is_behind(
    nats: LogServers,
) -> None:
    connection = await connection_to(nats)
    try:
        records = Records(connection, Names(nats.new_cluster()))
        await records.make(1)
        cluster = ClusterRecord(1, "id", 4, 2, 0, key_id(KEY))
        assert await records.put(CLUSTER_KEY, pack(cluster), 0)
        a, b = NodeRecord("a", "2.0", 3, 1_000), NodeRecord("b", "1.0", 2, 2_000)
        for node in (a, b):
            await membership.enter(records, node, KEY)
        before = await membership.known(records, b, 2)

        assert await membership.upgrade(records) == Upgrade(1, 3, (b,))
        assert await membership.known(records, b, 2) == before
        assert await membership.forget(records, "b")
        assert await membership.upgrade(records) == Upgrade(1, 3, ())
        assert await membership.upgrade(records) is None
        after = await membership.known(records, a, 2)
        assert (after.cluster.schema, after.cluster.id) == (3, "id")
        assert after.revision > before.revision
        with pytest.raises(ClusterUnusable, match="writes schema 3, and this program knows 2"):
            await membership.enter(records, b, KEY)
        with pytest.raises(ClusterUnusable, match="writes schema 3"):
            await membership.known(records, b, 2)
        assert await membership.nodes(records) == [a], "who can't be in it is not recorded"
    finally:
        await connection.close()

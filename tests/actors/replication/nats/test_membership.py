"""The record of a node on real log servers: removed, and made again when it comes back."""

import asyncio
from typing import Any

import msgspec
import pytest

from hookbundle.actors.replication.nats import membership
from hookbundle.actors.replication.nats.client import Message, Servers
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.making import FIRST, may_be_made
from hookbundle.actors.replication.nats.records import Records, pack
from hookbundle.engine.errors import ClusterUnusable, LogDamaged
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
from hookbundle.tests.log_servers.instead import init

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


class Says:
    """A connection to log servers that answer so."""

    def __init__(self, *replicas: dict[str, Any]) -> None:
        found = {"config": {"num_replicas": 3}, "cluster": {"leader": "n1", "replicas": replicas}}
        self._body = msgspec.json.encode(found)

    async def ask(self, subject: str, body: bytes) -> Message:
        return Message("", "", "", {}, self._body)


@pytest.mark.parametrize(
    ("replica", "away"),
    [
        ({"name": "n2", "current": True, "active": 5}, ()),
        ({"name": "n2", "current": False, "active": 5, "lag": 80}, ("n2",)),  # it catches up
        ({"name": "n2", "current": True, "offline": True}, ("n2",)),
        ({"name": "n2", "current": False, "offline": True}, ("n2",)),
    ],
)
async def test_a_log_server_that_the_others_miss_is_known_by_its_name(
    replica: dict[str, Any], away: tuple[str, ...]
) -> None:
    connection: Any = Says(replica, {"name": "n3", "current": True})

    assert await Records(connection, Names("c")).placed() == (3, away)


async def test_a_record_that_was_lost_is_made_again_and_logs_in_use_are_not_taken_for_leftovers(
    nats: LogServers,
) -> None:
    name = nats.new_cluster()
    await asyncio.to_thread(init, nats, name, 1)
    connection, names = await connection_to(nats), Names(name)
    try:
        records, raw = Records(connection, names), NatsLog(connection, names, 0, 1)
        record = await membership.cluster(records)
        assert record is not None
        servers = Servers(urls=nats.urls)
        await records.delete()

        await may_be_made(servers, names, insecure=True)  # of an init that was cut short
        last = await raw.last(FIRST)
        assert last is not None
        headers = {"Hb-Kind": "claim", "Hb-Prev": str(last), "Hb-Id": "a1.1"}
        await raw.publish(FIRST, headers, b"")
        with pytest.raises(ClusterUnusable, match="its record is lost: start a node"):
            await may_be_made(servers, names, insecure=True)

        assert await membership.make_again(records, record, 1)
        assert not await membership.make_again(records, record, 1)
        assert await membership.cluster(records) == record
        assert await raw.last(FIRST) == last + 1
        await raw.delete(FIRST)
        with pytest.raises(LogDamaged, match="generation 1x0 is gone"):
            await raw.last(FIRST)
    finally:
        await connection.close()

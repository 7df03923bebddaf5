"""Nodes hear each other's beats over a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from hookbundle.actors.replication.nats.beating import Beating
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.members import Members
from hookbundle.engine.replication.names import Names
from hookbundle.engine.replication.roles import Role
from hookbundle.tests.actors.replication.nats.parts import WITHIN_S, connection_to
from hookbundle.tests.log_servers.cluster import LogServers

HELD = {3: Held(Role.OWNER, 2, "1x0", 9)}


class Node:
    def __init__(self, connection: Connection, names: Names, name: str, life: str) -> None:
        self.members = Members(name, life, 3.0)
        self.leaves = False
        self.connection = connection
        self.beating = Beating(
            connection,
            names,
            name,
            self.members,
            lambda: Beat(name, life, "1.0", 7, 8, "d1", HELD, self.leaves),
            SystemClock(),
        )

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not is_so():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def node(servers: LogServers, names: Names, name: str, life: str = "") -> AsyncIterator[Node]:
    connection = await connection_to(servers)
    node = Node(connection, names, name, life or f"{name}1")
    try:
        await node.beating.open()
        yield node
    finally:
        await node.beating.close()
        await connection.close()


async def test_nodes_hear_each_other_and_themselves(nats: LogServers) -> None:
    names = Names(nats.new_cluster())
    async with node(nats, names, "a") as a, node(nats, names, "b") as b:
        await a.until(lambda: "b" in a.members.live(a.now_s))
        await b.until(lambda: b.members.heard_s(b.now_s) > 0)

        heard = a.members.live(a.now_s)["b"]
        assert (heard.beat.life, heard.beat.held) == ("b1", HELD)
        assert (b.members.life_of("a", b.now_s), b.members.life_of("b", b.now_s)) == ("a1", "b1")


async def test_what_has_changed_can_be_said_at_once(nats: LogServers) -> None:
    names = Names(nats.new_cluster())
    async with node(nats, names, "a") as a, node(nats, names, "b") as b:
        b.leaves = True
        await b.beating.now()

        await a.until(lambda: "b" in a.members.live(a.now_s))
        await a.until(lambda: a.members.live(a.now_s)["b"].beat.leaves)


async def test_a_second_node_of_a_name_ends_and_the_first_is_not_disturbed(
    nats: LogServers,
) -> None:
    names = Names(nats.new_cluster())
    async with node(nats, names, "a") as a:
        await a.until(lambda: a.members.heard_s(a.now_s) > 0)
        with pytest.raises(ClusterUnusable, match="another node of the cluster is called a"):
            async with node(nats, names, "a", "a2"):
                pass

        assert a.beating.fault() is None


async def test_garbage_where_beats_are_is_counted(nats: LogServers) -> None:
    names = Names(nats.new_cluster())
    async with node(nats, names, "a") as a:
        await a.connection.publish(names.beat("x"), b"\xff\x00garbage")

        await a.until(lambda: a.members.state.ignored == 1)


async def test_a_node_whose_servers_are_frozen_does_not_hear_itself_until_it_hears_itself_again(
    nats3: LogServers,
) -> None:
    names = Names(nats3.new_cluster())
    async with node(nats3, names, "a") as a:
        await a.until(lambda: a.members.heard_s(a.now_s) > 0)
        for server in nats3.servers:
            server.freeze()

        await a.until(lambda: a.members.unheard_s(a.now_s) > 3.0)
        for server in nats3.servers:
            server.thaw()
        await a.until(lambda: a.members.heard_s(a.now_s) > 0)

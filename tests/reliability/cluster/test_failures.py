"""What fails in a cluster, under traffic: nothing acknowledged is lost, sent twice or disordered.

Each row prints the longest gap that its clients saw, and what was audited. The short form has the
first rows, the long form (`make cluster-table`) all.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import Traffic, traffic
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses, cluster_of
from hookbundle.tests.reliability.harness.battery import FULL, size

WORKSPACES = 8
BEFORE, AFTER = size((10, 15), (20, 30))  # answers of each client

long = pytest.mark.skipif(not FULL, reason="long form: make cluster-table")


class Scene:
    """A cluster with traffic; `made` are its processes."""

    def __init__(self, made: ClusterProcesses, traffic: Traffic, receiver: HookReceiver) -> None:
        self.made = made
        self.traffic = traffic
        self.receiver = receiver

    async def ends_well(self, what: str) -> float:
        """All that was acknowledged has arrived, and the copies are equal; the longest gap."""
        await self.traffic.more(AFTER)
        gap_s = self.traffic.gap_s
        self.traffic.ended.set()
        found = await arrived(self.traffic, self.receiver)
        running = [node for node in self.made.nodes if node.is_running]
        assert [await node.stop() for node in running] == [0] * len(running)
        if not all(server.is_running for server in self.made.servers.servers):
            await asyncio.to_thread(self.made.servers.start)
        found = await copies_of(self.made, found)
        print(shown(what, gap_s, found, self.traffic.clients))
        assert found.is_clean, found
        return gap_s


@asynccontextmanager
async def under_traffic(folder: Path, servers: LogServers, **settings: Any) -> AsyncIterator[Scene]:
    async with (
        receiving() as receiver,
        cluster_of(folder, servers, **settings) as made,
        traffic(made.nodes, receiver, WORKSPACES) as clients,
    ):
        await clients.more(BEFORE)
        clients.begin_gaps()
        yield Scene(made, clients, receiver)


async def test_a_node_is_killed(tmp_path: Path, nats: LogServers) -> None:
    async with under_traffic(tmp_path, nats) as scene:
        scene.made.node("b").kill()
        gap_s = await scene.ends_well("node killed")

    assert gap_s < 15


@long
async def test_a_node_is_stopped_properly(tmp_path: Path, nats: LogServers) -> None:
    async with under_traffic(tmp_path, nats) as scene:
        assert await scene.made.node("b").stop() == 0
        gap_s = await scene.ends_well("node stopped properly")

    assert gap_s < 5


async def test_a_node_is_frozen_and_wakes_up_and_another_is_stopped_properly(
    tmp_path: Path, nats: LogServers
) -> None:
    async with under_traffic(tmp_path, nats) as scene:
        scene.made.node("b").freeze()
        await asyncio.sleep(6)
        scene.made.node("b").thaw()
        await scene.traffic.more(AFTER)
        frozen_s = scene.traffic.gap_s
        scene.traffic.begin_gaps()
        assert await scene.made.node("c").stop() == 0
        stopped_s = await scene.ends_well(f"node frozen, gap {frozen_s:.1f} s; another stopped")

    assert frozen_s < 20
    assert stopped_s < 5


@long
async def test_the_leader_of_logs_is_killed(tmp_path: Path, nats3: LogServers) -> None:
    async with under_traffic(tmp_path, nats3) as scene:
        connection = await scene.made.connection()
        names = scene.made.names
        stream = f"{names._streams(0)}1x0"
        leader = await nats3.leader_of(connection, stream)
        await connection.close()
        leader.kill()
        gap_s = await scene.ends_well("a log's leader killed")

    assert gap_s < 30


@long
async def test_a_node_and_a_server_are_killed_at_once(tmp_path: Path, nats3: LogServers) -> None:
    async with under_traffic(tmp_path, nats3) as scene:
        scene.made.node("b").kill()
        nats3.servers[1].kill()
        gap_s = await scene.ends_well("node and server killed at once")

    assert gap_s < 30


@long
async def test_the_servers_are_restarted_one_by_one(tmp_path: Path, nats3: LogServers) -> None:
    async with under_traffic(tmp_path, nats3) as scene:
        for server in nats3.servers:
            server.stop()
            server.start()
            await asyncio.to_thread(nats3.start)
            await scene.traffic.more(5)
        gap_s = await scene.ends_well("servers restarted one by one")

    assert gap_s < 30


@long
async def test_two_of_three_servers_are_gone_and_come_back(
    tmp_path: Path, nats3: LogServers
) -> None:
    async with under_traffic(tmp_path, nats3) as scene:
        for server in nats3.servers[:2]:
            server.kill()
        await asyncio.sleep(3)
        before = scene.traffic.acknowledged
        await asyncio.sleep(10)
        meanwhile = scene.traffic.acknowledged - before
        for server in nats3.servers[:2]:
            server.start()
        gap_s = await scene.ends_well(
            f"two of three servers gone for 13 s, {meanwhile} answers meanwhile"
        )

    assert meanwhile == 0
    assert gap_s < 45


@long
async def test_a_node_is_cut_off_from_the_servers(tmp_path: Path, nats: LogServers) -> None:
    async with under_traffic(tmp_path, nats, through_relays="b") as scene:
        scene.made.node("b").cut_off()
        await asyncio.sleep(8)
        scene.made.node("b").reconnect()
        gap_s = await scene.ends_well("node cut off from the log servers for 8 s")

    assert gap_s < 20


@long
async def test_a_node_whose_clock_is_a_minute_ahead_is_killed(
    tmp_path: Path, nats: LogServers
) -> None:
    async with under_traffic(tmp_path, nats, ahead="b") as scene:
        scene.made.node("b").kill()
        gap_s = await scene.ends_well("node with a clock a minute ahead killed")

    assert gap_s < 15

"""A node is killed at each step of a renewal of its logs, under traffic: others take over, nothing
is lost, what was half made is deleted, and after the next compaction no deleted text is left."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.tests.in_process import Api, connected, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import PROGRAM
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import traffic
from hookbundle.tests.reliability.cluster.erasing import renewal_points
from hookbundle.tests.reliability.cluster.erasing.canaries import (
    done,
    kept,
    message,
    nothing_kept,
)
from hookbundle.tests.reliability.cluster.erasing.compaction import compacted
from hookbundle.tests.reliability.cluster.erasing.renewal_points import POINTS
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses, cluster_of
from hookbundle.tests.reliability.harness.battery import FULL

NAMES = ("del0", "del1", "del2", "del3")  # some in each partition
CLIENTS = 4
WITHIN_S = 60.0


async def deleted_once_more(api: Api) -> None:
    """Each workspace has had a chat with texts, which is deleted."""
    for name in NAMES:
        path = f"/v1/workspaces/{name}"
        for id_ in ("m1", "m2"):
            await done(api, "POST", f"{path}/messages", [message(id_, "deleted", "text")])
        await done(api, "DELETE", f"{path}/chats/deleted")


async def owns_something(api: Api, name: str) -> None:
    """Who owns nothing renews nothing, and would not be killed."""
    async with asyncio.timeout(WITHIN_S):
        while name not in {each["owner"] for each in (await api.get("/v1/cluster"))["partitions"]}:
            await asyncio.sleep(0.1)


async def generations(made: ClusterProcesses) -> dict[int, list[str]]:
    """Those of each partition that are on the servers, once there is one of each."""
    connection = await made.connection()
    logs = [
        NatsLog(connection, made.names, number, made.servers.replicas)
        for number in range(made.partitions)
    ]
    try:
        for _ in range(100):
            found = {each._partition: [str(g) for g in await each.generations()] for each in logs}
            if all(len(each) == 1 for each in found.values()):
                break
            await asyncio.sleep(0.2)
        return found
    finally:
        await connection.close()


async def go_on_after_each(
    points: Sequence[str], folder: Path, servers: LogServers, nodes: int, partitions: int
) -> None:
    """`a` is asked, and `b` is killed. In the long form each point has a compaction of its own
    after it; in the short one the next point's is also that."""
    async with (
        receiving() as receiver,
        cluster_of(
            folder,
            servers,
            nodes=nodes,
            partitions=partitions,
            copies="all",
            commands={"b": renewal_points.command(points[0])},
        ) as made,
        traffic(made.nodes, receiver, CLIENTS) as clients,
        connected(made.node("a").socket_path) as session,
    ):
        a, b, api = made.node("a"), made.node("b"), Api(session)
        left: dict[str, Any] = {}
        for name in NAMES:
            await done(api, "POST", "/v1/workspaces", {"id": name})
        for number, point in enumerate(points):
            await deleted_once_more(api)
            assert kept(folder, servers.folder)
            await owns_something(api, "b")
            running = asyncio.create_task(compacted(a, killed="b"))
            await b.until_ended()
            print(f"killed at: {point}")
            last = number == len(points) - 1
            b.command = (PROGRAM,)
            if not last and not FULL:
                b.command = renewal_points.command(points[number + 1])
            b.start()
            await b.until_says("ready", b.log().count('"event": "ready"') + 1)
            ended = await running
            assert ended["done"] == partitions, (point, ended)
            if last or FULL:
                await compacted(a)
                left[point] = await nothing_kept(folder, servers.folder)
                left[f"{point}, logs"] = await generations(made)
            if FULL and not last:
                assert await b.stop() == 0
                b.command = renewal_points.command(points[number + 1])
                b.start()
                await b.until_says("ready", b.log().count('"event": "ready"') + 1)
        await clients.more(3)
        clients.ended.set()
        audit = await arrived(clients, receiver)
        assert [await node.stop() for node in made.nodes] == [0] * nodes
        audit = await copies_of(made, audit)
    print(shown(f"killed at {', '.join(points)}", clients.gap_s, audit, clients.clients))

    assert audit.is_clean, audit
    for point, found in left.items():
        if point.endswith(", logs"):
            assert all(len(each) == 1 for each in found.values()), (point, found)
        else:
            assert found == {}, (point, found)


async def test_an_owner_that_dies_in_a_renewal_leaves_nothing_behind(
    tmp_path: Path, nats: LogServers
) -> None:
    points = ["base half-written", "end appended"]
    await go_on_after_each(points, tmp_path, nats, nodes=2, partitions=2)


@pytest.mark.skipif(not FULL, reason="long form: make cluster-table")
async def test_so_it_is_at_each_step_on_three_servers(tmp_path: Path, nats3: LogServers) -> None:
    await go_on_after_each(list(POINTS), tmp_path, nats3, nodes=3, partitions=3)

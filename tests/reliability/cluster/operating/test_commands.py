"""Commands on nodes in processes of their own: what they say."""

import asyncio
import json
from pathlib import Path
from typing import Any

from hookbundle.engine.replication.roles import BEHIND_MAX
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.in_process import Api, connected, event
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.measured import overview
from hookbundle.tests.reliability.cluster.nodes import NodeProcess, cluster_of

PARTITIONS = 2
NAMES = ["ws0", "ws1", "ws2", "ws3"]
WITHIN_S = 120.0


async def said(node: NodeProcess, *words: str) -> Any:
    """The JSON that the command prints."""
    ran = await node.program("cluster", *words, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


async def until_fresh(asked: NodeProcess, number: int, name: str) -> None:
    """The node has a copy of the partition with which it could go on at once, or owns it."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            copies = (await overview(asked))["partitions"][number]["copies"]
            if any(
                each["node"] == name
                and (each["role"] == "owner" or each["behind"] is not None)
                and (each["behind"] or 0) < BEHIND_MAX
                for each in copies
            ):
                return
            await asyncio.sleep(0.1)


async def test_partitions_are_moved_and_drained_and_a_node_is_forgotten(
    tmp_path: Path, nats: LogServers
) -> None:
    async with (
        cluster_of(tmp_path, nats, nodes=2, partitions=PARTITIONS) as made,
        connected(made.node("a").socket_path) as session,
    ):
        a, b = made.nodes
        api = Api(session)
        for name in NAMES:
            assert (await api.ask("POST", "/v1/workspaces", {"id": name})).status == 201
            await api.accept(name, event("m1"))

        await until_fresh(a, 0, "b")
        moved = await said(a, "move", "0", "b")
        status = await said(b, "status")
        refused = await a.program("cluster", "move", "0", "nobody")
        plain = await b.program("status")
        looked = json.loads((await b.program("doctor", "--json")).out)
        of_first = next(name for name in NAMES if of_workspace(name, PARTITIONS) == 0)
        where = await a.program("cluster", "where", of_first)
        drained = await said(a, "drain", "b")
        undone = await said(b, "drain", "--undo")

        for name in NAMES:
            assert (await api.accept(name, event("m1")))["duplicate"] == 1

        lives = await a.program("cluster", "forget", "b")
        assert await b.stop() == 0
        async with asyncio.timeout(WITHIN_S):
            while len((await said(a, "status"))["nodes"]) > 1:
                await asyncio.sleep(0.2)
        forgotten = await said(a, "forget", "b")
        unknown = await a.program("cluster", "forget", "b")
        b.start()
        await b.until_says("ready", 2)

    assert moved["owner"] == "b"
    assert where.rows[-1] == [of_first, "0", "b"]
    assert [each["given_to"] for each in status["partitions"]] == ["b", None]
    assert status["partitions"][0]["owner"] == "b"
    assert (refused.code, drained, undone["leaves"]) == (
        5,
        {"node": "b", "leaves": True, "owns": 0},
        False,
    )
    assert "as node b has asked for it" in plain.err
    assert "cluster" in looked["checked"]
    assert [each["level"] for each in looked["findings"] if each["about"] == "cluster"]
    assert (lives.code, forgotten, unknown.code) == (6, {"node": "b"}, 5)

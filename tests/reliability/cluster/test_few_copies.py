"""Five nodes with two copies of each partition, one of which dies under traffic and comes back."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.engine.replication.assignment import assign
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.measured import overview
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses
from hookbundle.tests.reliability.cluster.test_failures import under_traffic
from hookbundle.tests.reliability.harness.battery import FULL

PARTITIONS = 8
OF_ALL = 0  # has the tokens for all: a copy at each node
WITHIN_S = 120.0
LOOK_S = 0.2


async def has_copies(made: ClusterProcesses, names: str) -> None:
    """The nodes have the copies that they should have, complete, and no other ones on disk."""
    wanted = [set(each) for each in assign(PARTITIONS, list(names), 2)]
    wanted[OF_ALL] = set(names)
    loop = asyncio.get_running_loop()
    until_s = loop.time() + WITHIN_S
    while True:
        seen = await overview(made.nodes[0])
        said = [
            {copy["node"] for copy in each["copies"] if copy["role"] in ("owner", "following")}
            for each in seen["partitions"]
        ]
        on_disk = [
            {name for name in names if (made.node(name).copies / f"{number:03}").exists()}
            for number in range(PARTITIONS)
        ]
        if said == on_disk == wanted:
            return
        assert loop.time() < until_s, (said, on_disk, wanted)
        await asyncio.sleep(LOOK_S)


@pytest.mark.skipif(not FULL, reason="long form: make cluster-table")
async def test_copies_are_made_anew_and_given_up_as_a_node_dies_and_comes_back(
    tmp_path: Path, nats: LogServers
) -> None:
    async with under_traffic(tmp_path, nats, nodes=5, partitions=PARTITIONS) as scene:
        await has_copies(scene.made, "abcde")
        scene.made.node("b").kill()
        await has_copies(scene.made, "acde")
        scene.made.node("b").start()
        await has_copies(scene.made, "abcde")
        gap_s = await scene.ends_well("one of five nodes killed, and back, with two copies")

    assert gap_s < 15

"""A node is killed at each failpoint, under traffic, and goes on with its copy.

Points are those of a daemon alone (harness/failpoints.py): before and after a commit, an answer, an
attempt's first byte, its outcome.
"""

from pathlib import Path
from random import Random

import pytest

from hookbundle.tests.in_process import receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import PROGRAM
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import traffic
from hookbundle.tests.reliability.cluster.nodes import cluster_of
from hookbundle.tests.reliability.harness import failpoints
from hookbundle.tests.reliability.harness.battery import FULL, SEED

POINTS = ("F1", "F1 late", "F2", "F3", "F4", "F5", "F6", "F8", "F9", "F10")


@pytest.mark.skipif(not FULL, reason="long form: make cluster-table")
async def test_wherever_the_only_node_dies_nothing_is_lost(
    tmp_path: Path, nats: LogServers
) -> None:
    rng = Random(SEED)
    async with (
        receiving() as receiver,
        cluster_of(tmp_path, nats, nodes=1, partitions=4) as made,
        traffic(made.nodes, receiver, workspaces=6) as clients,
    ):
        (node,) = made.nodes
        await clients.more(3)
        node.kill()
        for point in POINTS:
            node.command = failpoints.command(point, rng.randint(1, 4))
            node.start()
            await node.until_ended()
        node.command = (PROGRAM,)
        node.start()
        await clients.more(5)
        clients.ended.set()
        found = await arrived(clients, receiver)
        assert await node.stop() == 0
        found = await copies_of(made, found)
    print(shown("killed at failpoints", clients.gap_s, found, clients.clients))

    assert found.is_clean, found

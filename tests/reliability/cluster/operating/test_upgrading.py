"""A cluster is upgraded node by node, under traffic, as docs/cluster.md says it.

The later version is made of this one (later.py). Each node is drained, replaced and started; each
version follows, and takes over, what the other one wrote; at the end the schema is raised, and the
earlier version starts no more.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.replication.roles import BEHIND_MAX
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import open_as
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication.copies import Copy
from hookbundle.tests.docs.cluster.following import part
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import Ran
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import Traffic, traffic
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses, NodeProcess, cluster_of
from hookbundle.tests.reliability.cluster.operating.later import (
    LATER,
    PRESENT,
    VERSION,
    Version,
    counted,
    later_version,
)
from hookbundle.tests.reliability.harness.battery import FULL

WITHIN_S = 60.0
WORKSPACES = 6 if FULL else 2
ONE_NODE = [
    "hookbundle cluster drain",
    "systemctl stop hookbundle",
    "pip install --upgrade 'hookbundle[cluster]'",
    "systemctl start hookbundle",
    "hookbundle cluster status",
]
AT_THE_END = ["hookbundle cluster upgrade --yes"]


class Scene:
    def __init__(self, made: ClusterProcesses, traffic: Traffic, receiver: HookReceiver) -> None:
        self.made = made
        self.traffic = traffic
        self.receiver = receiver

    async def replaced(self, name: str, version: Version) -> None:
        """The steps of the page for one node."""
        node = self.made.node(name)
        starts = node.log().count('"event": "ready"')
        drained = await said(node, "cluster", "drain")
        assert (drained["leaves"], drained["owns"]) == (True, 0)
        assert await node.stop() == 0
        version.put_on(node)
        node.start()
        await node.until_says("ready", starts + 1)
        await self._until_fresh(node)

    async def _until_fresh(self, node: NodeProcess) -> None:
        """All nodes are there and own something, and each partition has another fresh copy."""
        async with asyncio.timeout(WITHIN_S), connected(node.socket_path) as session:
            while not self._is_fresh(await Api(session).get("/v1/cluster")):
                await asyncio.sleep(0.1)

    def _is_fresh(self, status: dict[str, Any]) -> bool:
        running = [node.name for node in self.made.nodes if node.is_running]
        nodes = {each["name"]: each["owns"] for each in status["nodes"]}
        return (
            sorted(nodes) == running
            and all(nodes.values())
            and all(each["owner"] and _has_fresh_copy(each) for each in status["partitions"])
        )

    async def status(self) -> dict[str, Any]:
        node = next(node for node in self.made.nodes if node.is_running)
        found: dict[str, Any] = await said(node, "cluster", "status")
        return found

    async def until_raised(self) -> None:
        """Each partition writes the later schema."""
        left = self.made.partitions
        async with connected(self.made.nodes[0].socket_path) as session:
            path = "http://hookbundle/v1/events?since=oldest&type=daemon.upgraded"
            async with session.get(path) as answer, asyncio.timeout(WITHIN_S):
                async for line in answer.content:
                    left -= line.startswith(b"data:") and b"daemon.upgraded" in line
                    if not left:
                        return

    async def ends(self) -> None:
        self.traffic.ended.set()
        found = await arrived(self.traffic, self.receiver)
        for node in self.made.nodes:
            if node.is_running:
                assert await node.stop() == 0
        found = await copies_of(self.made, found)
        print(shown("nodes replaced one by one", self.traffic.gap_s, found, self.traffic.clients))
        assert found.is_clean, found

    def counted(self) -> int:
        """What the later version has counted: of each partition in one of its copies."""
        found = 0
        for number in range(self.made.partitions):
            paths = [node.copies / f"{number:03}" for node in self.made.nodes]
            env = open_as(Copy, next(path for path in paths if (path / DATA).exists()), 1)
            found += counted(env)
            assert env.identity.schema == LATER
            env.close()
        return found


def _has_fresh_copy(partition: dict[str, Any]) -> bool:
    copies = [each for each in partition["copies"] if each["role"] == "following"]
    return any(each["behind"] is not None and each["behind"] < BEHIND_MAX for each in copies)


async def said(node: NodeProcess, *words: str) -> Any:
    ran: Ran = await node.program(*words, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@asynccontextmanager
async def under_traffic(folder: Path, servers: LogServers, **settings: Any) -> AsyncIterator[Scene]:
    async with (
        receiving() as receiver,
        cluster_of(folder, servers, **settings) as made,
        traffic(made.nodes, receiver, WORKSPACES) as clients,
    ):
        await clients.more(5)
        yield Scene(made, clients, receiver)


async def upgraded(scene: Scene, later: Version, more: int, back: bool) -> None:
    """`more`: answers of each client in each state. `back`: a node has the earlier version again
    for a while."""
    clients, nodes = scene.traffic, scene.made.nodes
    first, last = nodes[0], nodes[-1]
    for node in nodes[:-1]:
        await scene.replaced(node.name, later)
        await clients.more(more)
    if back:
        await scene.replaced(first.name, PRESENT)
        await clients.more(more)
        await scene.replaced(first.name, later)
    mixed = await scene.status()
    refused = await first.program("cluster", "upgrade", "--yes")
    await scene.replaced(last.name, later)
    await clients.more(more)
    before, possible = clients.acknowledged, await scene.status()
    asked = await first.program("cluster", "upgrade")
    raised = await first.program("cluster", "upgrade", "--yes")
    assert raised.code == 0, raised.err
    await scene.until_raised()
    after = clients.acknowledged
    await clients.more(more)
    await scene.ends()
    PRESENT.put_on(last)
    last.start()
    await last.until_ended()

    versions = {each["name"]: each["version"] for each in mixed["nodes"]}
    assert versions == {node.name: VERSION for node in nodes[:-1]} | {last.name: PRESENT.name}
    assert any("nodes run 2 versions" in each for each in mixed["warnings"])
    assert refused.code != 0
    assert f"'{last.name}'" in refused.err
    assert asked.code != 0, "it can't be undone, and there is nobody to ask"
    assert "--yes" in asked.err
    assert (possible["schema"], possible["upgrade"]) == (SCHEMA, LATER)
    assert f"schema {LATER} from now on" in raised.err
    # What was accepted when it was raised may have been counted or not; all later ones were.
    since_before, since_after = clients.acknowledged - before, clients.acknowledged - after
    assert since_after <= scene.counted() <= since_before + WORKSPACES
    assert last.process is not None
    assert last.process.returncode != 0
    assert f"writes schema {LATER}, and this program knows {SCHEMA}" in last.log()


def test_the_page_has_the_steps_that_are_tried_here() -> None:
    found = [step.typed for block in part("Upgrade") for step in block.steps]

    assert found == ONE_NODE + AT_THE_END


async def test_two_nodes_are_replaced_by_a_later_version_and_then_the_schema_is_raised(
    tmp_path: Path, nats: LogServers
) -> None:
    later = later_version(tmp_path / "later")
    async with under_traffic(tmp_path, nats, nodes=2, partitions=2) as scene:
        await upgraded(scene, later, more=3, back=False)


@pytest.mark.skipif(not FULL, reason="long form: make cluster-table")
async def test_three_nodes_are_replaced_and_one_of_them_goes_back_for_a_while(
    tmp_path: Path, nats3: LogServers
) -> None:
    later = later_version(tmp_path / "later")
    async with under_traffic(tmp_path, nats3, nodes=3, partitions=6) as scene:
        await upgraded(scene, later, more=20, back=True)

"""Log servers that have lost their disks, as docs/cluster.md says: nothing that a copy has is lost.

Each ends with an audit: what was acknowledged is in one delivery each, in order; copies are equal.
"""

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import Traffic, traffic
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses, NodeProcess, cluster_of
from hookbundle.tests.reliability.harness.battery import FULL

WITHIN_S = 120.0
PAGE = (Path(__file__).parents[4] / "docs" / "cluster.md").read_text(encoding="utf-8")

long = pytest.mark.skipif(not FULL, reason="long form: make cluster-table")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[[int], LogServers]]:
    """Makes log servers of the test's own: it takes their disks away."""
    made: list[LogServers] = []

    def make(count: int) -> LogServers:
        made.append(LogServers(tmp_path / "servers", count))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def lose_disks(servers: LogServers) -> None:
    """All are there again, with nothing."""
    servers.stop()
    for server in servers.servers:
        shutil.rmtree(server.folder / "jetstream")
    servers.start()


async def said(node: NodeProcess, *words: str, code: int = 0) -> Any:
    """The JSON that the command prints, which the page has as it is."""
    ran = await node.program("cluster", *words, "--json")
    assert ran.code == code, (ran.code, ran.out, ran.err)
    return json.loads(ran.out)


async def until_status(node: NodeProcess, is_so: Callable[[Any], bool]) -> Any:
    """What the node says, once it answers."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            ran = await node.program("cluster", "status", "--json")
            if ran.code == 0 and is_so(status := json.loads(ran.out)):
                return status
            await asyncio.sleep(0.2)


def all_stopped(status: Any) -> bool:
    return bool(status["record_lost"]) and all(each["stopped"] for each in status["partitions"])


def all_owned(status: Any) -> bool:
    return all(each["owner"] and len(each["copies"]) > 1 for each in status["partitions"])


async def recovered(asked: NodeProcess, nodes: list[NodeProcess], *how: str) -> list[Any]:
    """As an operator does it: with one node, then with others for what was left out; again, if the
    answer was that it was too early."""
    assert "hookbundle cluster recover --from NODE" in PAGE
    answers = []
    async with asyncio.timeout(WITHIN_S):
        for node in itertools.cycle(nodes):
            ran = await asked.program("cluster", "recover", "--from", node.name, *how, "--json")
            if not ran.out:
                print(ran.err)
                continue
            answers.append(json.loads(ran.out))
            assert (ran.code == 0) == (not answers[-1]["left_out"]), ran.err
            if ran.code == 0:
                break
    return answers


async def epoch_at(node: NodeProcess, workspace: str) -> str:
    """Of the workspace's feed."""
    async with connected(node.socket_path) as session:
        path = f"http://hookbundle/v1/events?workspace={workspace}"
        async with session.get(path) as answer, asyncio.timeout(WITHIN_S):
            async for line in answer.content:
                if line.startswith(b"data:") and b"cursor" in line:
                    return str(json.loads(line[5:])["cursor"])[:14]
    raise AssertionError("no cursor")


@asynccontextmanager
async def audited(
    folder: Path, servers: LogServers, what: str, workspaces: int = 4, **settings: Any
) -> AsyncIterator[tuple[ClusterProcesses, Traffic, HookReceiver]]:
    await asyncio.to_thread(servers.start)
    async with (
        receiving() as receiver,
        cluster_of(folder, servers, **settings) as made,
        traffic(made.nodes, receiver, workspaces) as clients,
    ):
        await clients.more(10)
        yield made, clients, receiver
        await clients.more(10)
        clients.ended.set()
        found = await arrived(clients, receiver)
        for node in made.nodes:
            if node.is_running:
                assert await node.stop() == 0
        found = await copies_of(made, found)
        print(shown(what, clients.gap_s, found, clients.clients))
        assert found.is_clean, found


async def test_all_log_servers_lose_their_disks_under_traffic(
    tmp_path: Path, servers: Callable[[int], LogServers]
) -> None:
    what, own = "all log servers lost their disks", servers(1)
    async with audited(tmp_path, own, what, nodes=2, partitions=2) as (made, clients, _):
        a, b = made.nodes
        before = await epoch_at(a, "ws0")
        await asyncio.to_thread(lose_disks, own)
        await until_status(a, all_stopped)
        assert await b.stop() == 0
        b.start()  # it starts without the cluster's record
        status = await until_status(b, all_stopped)
        async with connected(b.socket_path) as session:
            refused = await Api(session).ask("POST", "/v1/workspaces/ws0/messages", event("m"))
            ready = await Api(session).ask("GET", "/readyz")
        shown = await said(a, "recover")
        acknowledged = clients.acknowledged
        answers = await recovered(b, [a, b])
        await until_status(b, all_owned)
        after = await epoch_at(a, "ws0")

    assert any("no record of the cluster" in each for each in status["warnings"])
    assert (refused.status, refused.code) == (503, "partition_stopped")
    assert ready.status == 503
    assert {each["number"] for each in shown["stopped"]} == {0, 1}
    assert acknowledged > 0
    assert answers[0]["record_made"]
    assert after != before
    assert a.log().count("the log has lost something: the copy is kept as it is") <= 2
    assert "--from" in PAGE


@long
async def test_two_of_three_log_servers_are_gone_for_good(
    tmp_path: Path, servers: Callable[[int], LogServers]
) -> None:
    what, own = "two of three log servers gone for good", servers(3)
    async with audited(tmp_path, own, what, workspaces=8, partitions=6) as (made, _, _):
        a, b, c = made.nodes
        for server in own.servers[:2]:
            server.kill()
            shutil.rmtree(server.folder / "jetstream")
        await asyncio.sleep(3)
        own.servers[2].kill()
        (own.servers[2].folder / "jetstream").rename(own.servers[2].folder / "aside")
        c.kill()
        await asyncio.to_thread(own.start)
        c.start()
        await until_status(a, lambda status: all_stopped(status) and len(status["nodes"]) == 3)
        await recovered(a, [a, b, c])
        await until_status(a, all_owned)


@long
async def test_only_one_machine_of_three_is_left_and_three_are_there_again(
    tmp_path: Path, servers: Callable[[int], LogServers]
) -> None:
    assert "hookbundle cluster recover --from a --replicas 1" in PAGE
    what, own = "one machine of three left, and three again", servers(3)
    settings: Any = {"workspaces": 8, "partitions": 6, "copies": "3"}
    async with audited(tmp_path, own, what, **settings) as (made, clients, _):
        a, b, c = made.nodes
        await until_status(
            a,
            lambda status: all(
                len(each["copies"]) == 3 and not any(copy["behind"] for copy in each["copies"])
                for each in status["partitions"]
            ),
        )
        b.freeze()  # what nobody has read when two machines are lost is lost with them
        c.freeze()
        own.stop()
        for node in (b, c):
            node.end()
            shutil.rmtree(node.copies.parent)
        before = clients.acknowledged
        left, routes = own.servers[0], own.servers[0].routes
        shutil.rmtree(left.folder / "jetstream")
        left.routes = []
        left.start()
        await until_status(a, all_stopped)
        await recovered(a, [a], "--replicas", "1")
        await clients.more(5)
        assert clients.acknowledged > before

        left.stop()  # three machines again
        left.routes = routes
        for server in own.servers:
            shutil.rmtree(server.folder / "jetstream", ignore_errors=True)
        await asyncio.to_thread(own.start)
        await until_status(a, all_stopped)
        await recovered(a, [a], "--replicas", "3")
        for node in (b, c):
            node.copies.parent.mkdir()
            node.start()
        await until_status(a, all_owned)

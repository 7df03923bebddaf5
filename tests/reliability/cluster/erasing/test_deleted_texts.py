"""What was deleted, in every way there is, is in no file of any log server and of any node: after a
compaction, under traffic; and in no log when its time has come, without a command."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.in_process import Api, connected, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import Traffic, traffic
from hookbundle.tests.reliability.cluster.erasing import soon
from hookbundle.tests.reliability.cluster.erasing.canaries import (
    STAYS,
    Planted,
    kept,
    nothing_kept,
)
from hookbundle.tests.reliability.cluster.erasing.compaction import compacted
from hookbundle.tests.reliability.cluster.nodes import (
    NO_COMMANDS,
    ClusterProcesses,
    cluster_of,
)
from hookbundle.tests.reliability.harness.battery import FULL

SETTINGS: dict[str, Any] = {"HISTORY__KEEP": "1s", "LOG__LEVEL": "debug"}
WITHIN_S = 120.0
TRIMMED = {"history-text", "replaced-header"}  # not deleted by anybody: in a log for a week

long = pytest.mark.skipif(not FULL, reason="long form: make cluster-table")


@asynccontextmanager
async def planted(
    folder: Path,
    servers: LogServers,
    nodes: int,
    partitions: int,
    commands: Mapping[str, Sequence[str]] = NO_COMMANDS,
) -> AsyncIterator[tuple[ClusterProcesses, Traffic, Planted, Any]]:
    """Nodes under traffic, with texts that are deleted by now."""
    async with (
        receiving() as good,
        receiving() as failing,
        cluster_of(
            folder, servers, nodes=nodes, partitions=partitions, commands=commands, **SETTINGS
        ) as made,
        traffic(made.nodes, good, workspaces=2) as clients,
        connected(made.node("a").socket_path) as session,
    ):
        texts = Planted(Api(session), good, failing)
        await texts.written()
        yield made, clients, texts, good


async def erased(folder: Path, servers: LogServers, nodes: int, partitions: int) -> None:
    async with planted(folder, servers, nodes, partitions) as (made, clients, texts, good):
        before = kept(folder, servers.folder)
        await texts.deleted()
        ended = await compacted(made.nodes[-1])
        after = await nothing_kept(folder, servers.folder)
        await clients.more(3)
        clients.ended.set()
        audit = await arrived(clients, good)
        assert [await node.stop() for node in made.nodes] == [0] * nodes
        audit = await copies_of(made, audit)
        stays = [
            path
            for path in (*folder.rglob("*"), *servers.folder.rglob("*"))
            if path.is_file() and STAYS.encode() in path.read_bytes()
        ]
    places = {place for found in before.values() for place in found}
    print(
        f"{len(places)} kinds of deleted texts: in {len(before)} files before, in {len(after)} "
        f"after; {shown('compacted under traffic', clients.gap_s, audit, clients.clients)}"
    )

    assert any("/jetstream/" in each for each in before)
    assert any("/data.mdb" in each for each in before)
    assert len(places) >= 40, places
    assert (ended["done"], ended["left_out"]) == (partitions, [])
    assert after == {}, "in files of log servers and nodes"
    assert len(stays) >= len(servers.servers) + nodes
    assert audit.is_clean, audit


async def test_after_a_compaction_no_file_has_a_byte_of_what_was_deleted(
    tmp_path: Path, nats: LogServers
) -> None:
    await erased(tmp_path, nats, nodes=2, partitions=2)


@long
async def test_so_it_is_on_three_servers_and_three_nodes(tmp_path: Path, nats3: LogServers) -> None:
    await erased(tmp_path, nats3, nodes=3, partitions=6)


@long
async def test_without_a_command_what_was_deleted_is_in_no_log_when_its_time_has_come(
    tmp_path: Path, nats3: LogServers
) -> None:
    commands = dict.fromkeys("abc", soon.COMMAND)
    async with planted(tmp_path, nats3, 3, 4, commands) as (_, clients, texts, good):
        before = kept(nats3.folder)
        await texts.deleted()
        async with asyncio.timeout(WITHIN_S):
            while not all(found and set(found) <= TRIMMED for found in kept(nats3.folder).values()):
                await asyncio.sleep(1.0)
        after = kept(nats3.folder)
        await clients.more(3)
        clients.ended.set()
        audit = await arrived(clients, good)
    print(f"without a command: in {len(before)} files of servers before, in {len(after)} after")

    assert len(before) >= 3
    assert audit.is_clean, audit


@long
async def test_so_it_is_while_a_log_server_is_down_and_on_that_one_when_it_is_back(
    tmp_path: Path, nats3: LogServers
) -> None:
    async with planted(tmp_path, nats3, 3, 4) as (made, clients, texts, good):
        await texts.deleted()
        lost = nats3.servers[2]
        lost.kill()
        ended = await compacted(made.nodes[-1])
        running = [server.folder for server in nats3.servers if server is not lost]
        left = await nothing_kept(tmp_path, *running)
        on_the_lost = kept(lost.folder)
        lost.start()
        back = await nothing_kept(tmp_path, nats3.folder)
        await clients.more(3)
        clients.ended.set()
        audit = await arrived(clients, good)
    print(shown("compacted while a log server was down", clients.gap_s, audit, clients.clients))

    assert ended["left_out"] == []
    assert left == {}
    assert on_the_lost
    assert back == {}
    assert audit.is_clean, audit

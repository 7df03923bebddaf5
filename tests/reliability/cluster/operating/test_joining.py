"""A node with an empty directory joins under traffic: what it costs, and who pays.

All of it is the long form (`make cluster-table`), which prints what clients waited before, while
logs are read, and after. JOIN_ENTRIES=100000 fills longer ones. The short form, in one process, is
tests/server/cluster/test_copies.py.
"""

import asyncio
import os
import secrets
import time
from pathlib import Path

import pytest

from hookbundle.actors.replication.generations import go_on
from hookbundle.actors.replication.log import Life, Log
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.engine.replication.chain import Chain, Counts, Phase
from hookbundle.engine.replication.entries import Claim, Kind, Release, pack
from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import traffic
from hookbundle.tests.reliability.cluster.measured import (
    asked_slowly,
    log_entries,
    overview,
    peak_mib,
    used_s,
)
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses, cluster_of
from hookbundle.tests.reliability.harness.battery import FULL

PARTITIONS = 8
ENTRIES = int(os.environ.get("JOIN_ENTRIES", "20000"))
WITHIN_S = 300.0
LOOK_S = 0.1

long = pytest.mark.skipif(not FULL, reason="long form: make cluster-table")


async def owns_its_share(made: ClusterProcesses, name: str, share: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            seen = await overview(made.nodes[0])
            if {each["name"]: each["owns"] for each in seen["nodes"]}.get(name, 0) >= share:
                return
            await asyncio.sleep(LOOK_S)


async def has_its_copies(made: ClusterProcesses, name: str, count: int) -> None:
    """It has so many, at most a hundred entries behind."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            seen = await overview(made.nodes[0])
            copies = [
                copy
                for each in seen["partitions"]
                for copy in each["copies"]
                if copy["node"] == name and copy["role"] in ("owner", "following")
            ]
            if len(copies) >= count and all((copy["behind"] or 0) < 100 for copy in copies):
                return
            await asyncio.sleep(LOOK_S)


@long
async def test_a_fresh_node_joins_under_traffic_while_logs_are_renewed(
    tmp_path: Path, nats: LogServers
) -> None:
    async with (
        receiving() as receiver,
        cluster_of(tmp_path, nats, nodes=3, partitions=6, later="c") as made,
        traffic(made.nodes, receiver, 8) as clients,
    ):
        await clients.more(20)
        clients.begin_gaps()
        made.node("c").start()
        async with connected(made.nodes[0].socket_path) as session:
            begun = await Api(session).ask("POST", "/v1/cluster/compact", {})
            assert begun.status in (200, 202), begun
        await owns_its_share(made, "c", 2)
        async with asyncio.timeout(WITHIN_S):
            while (compaction := (await overview(made.nodes[0]))["compaction"])["doing"]:
                await asyncio.sleep(LOOK_S)
        await clients.more(20)
        clients.ended.set()
        found = await arrived(clients, receiver)
        for node in made.nodes:
            assert await node.stop() == 0
        found = await copies_of(made, found)
        renewed = sum(node.log().count('"event": "the log was renewed"') for node in made.nodes)
        print(shown(f"joined, {renewed} generations", clients.gap_s, found, clients.clients))

    assert found.is_clean, found
    assert compaction["left_out"] == []
    assert renewed >= 6
    assert clients.gap_s < 15


# ---- what it costs


async def lengthen(made: ClusterProcesses, entries: int) -> None:
    """So many entries more, about, stand in the logs: their groups, again and again, after which
    the databases are what they were. No node may run."""
    connection = await made.connection()
    try:
        logs = [NatsLog(connection, made.names, n, made.replicas) for n in range(made.partitions)]
        await asyncio.gather(*(_repeat(raw, entries // made.partitions) for raw in logs))
    finally:
        await connection.close()


async def _repeat(raw: NatsLog, count: int) -> None:
    generation = await raw.oldest()
    assert generation is not None
    life = Life(secrets.token_hex(8), SCHEMA, lambda: int(time.time() * 1000))
    log = Log(raw, generation, Chain(seq=0, epoch=generation.epoch, phase=Phase.BASE), life)
    groups: list[bytes] = []
    while verdicts := await log.read():
        counts = [each for each in verdicts if isinstance(each, Counts)]
        groups += [each.body for each in counts if each.header.kind is Kind.GROUP]
        if log.chain.end is not None:
            go_on(log)
    assert await log.claim(Claim("lengthened", "", SCHEMA))
    for _ in range(count // len(groups)):
        for group in groups:
            await log.append(Kind.GROUP, group)
    await log.append(Kind.RELEASE, pack(Release("")))


@long
async def test_what_joining_long_logs_costs_and_whom(tmp_path: Path, nats: LogServers) -> None:
    names = [f"ws{number}" for number in range(24)]
    async with cluster_of(tmp_path, nats, nodes=3, partitions=PARTITIONS, later="c") as made:
        first, second, fresh = made.nodes
        async with connected(first.socket_path) as session:
            for name in names:
                wanted = {"id": name}
                assert (await Api(session).ask("POST", "/v1/workspaces", wanted)).status == 201
                for number in range(10):
                    await Api(session).accept(name, event(f"m{number}"))
        for node in (first, second):
            assert await node.stop() == 0
        began_s = time.monotonic()
        await lengthen(made, ENTRIES)
        filled_s = time.monotonic() - began_s
        entries = await log_entries(made)
        began_s = time.monotonic()
        for node in (first, second):
            node.start()
        for node in (first, second):
            await node.until_says("ready", 2)
            await has_its_copies(made, node.name, PARTITIONS)
        back_s = time.monotonic() - began_s
        async with asked_slowly(first, names) as waits:
            await asyncio.sleep(5)
            before, used = waits.shown(), used_s(first) + used_s(second)
            waits.begin()
            began_s = time.monotonic()
            fresh.start()
            await has_its_copies(made, "c", PARTITIONS // 2)
            read_s, during = time.monotonic() - began_s, waits.shown()
            waits.begin()
            await owns_its_share(made, "c", PARTITIONS // 3)
            owned_s, moving = time.monotonic() - began_s, waits.shown()
            costs = used_s(first) + used_s(second) - used
            print(
                f"\n{entries} entries in {PARTITIONS} logs, written in {filled_s:.0f} s; two nodes "
                f"that were away had them after {back_s:.1f} s; the new one its copies after "
                f"{read_s:.1f} s, its share after {owned_s:.1f} s; processor time of the others "
                f"{costs:.1f} s, of the new one {used_s(fresh):.1f} s, whose memory was "
                f"{peak_mib(fresh)} MiB at most\nbefore: {before}\nwhile it read: {during}\n"
                f"while partitions were given to it: {moving}"
            )
        for node in made.nodes:
            assert await node.stop() == 0

    assert waits.refused == 0


@long
async def test_who_joins_many_large_logs_is_not_cut_off_and_nobody_is_refused(
    tmp_path: Path, nats: LogServers
) -> None:
    """A log server ends a connection for which 64 MiB wait."""
    partitions, requests = 32, 3
    names = [f"ws{number}" for number in range(3 * partitions)]
    async with cluster_of(
        tmp_path, nats, nodes=2, partitions=partitions, copies="2", later="b"
    ) as made:
        first, fresh = made.nodes
        async with connected(first.socket_path) as session:
            for name in names:
                wanted = {"id": name}
                assert (await Api(session).ask("POST", "/v1/workspaces", wanted)).status == 201
            for number in range(requests):
                for name in names:
                    texts = [os.urandom(30_000).hex() for _ in range(16)]
                    messages = [event(f"{number}-{n}", text=text) for n, text in enumerate(texts)]
                    await Api(session).accept(name, *messages)
        async with asked_slowly(first, names) as waits:
            await asyncio.sleep(5)
            before, used = waits.shown(), used_s(first)
            waits.begin()
            began_s = time.monotonic()
            fresh.start()
            await has_its_copies(made, "b", partitions)
            await owns_its_share(made, "b", partitions // 2)
            print(
                f"\n{await log_entries(made)} entries of up to a megabyte in {partitions} logs: "
                f"its share after {time.monotonic() - began_s:.1f} s; processor time of the owner "
                f"{used_s(first) - used:.1f} s, of the new one {used_s(fresh):.1f} s, whose memory "
                f"was {peak_mib(fresh)} MiB at most\nbefore: {before}\nmeanwhile: {waits.shown()}"
            )
        log = fresh.log()
        for node in made.nodes:
            assert await node.stop() == 0

    assert waits.refused == 0
    assert "there is no connection to a log server" not in log

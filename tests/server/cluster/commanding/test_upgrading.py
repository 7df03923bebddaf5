"""What a cluster writes: the earlier schema while one of its nodes knows no later one, the later
one when an operator has said so, and never again the earlier one."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import NodeRecord
from hookbundle.server.cluster.commanding import upgrading
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions import hosting
from hookbundle.server.cluster.versions import Registered
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.tests import in_process
from hookbundle.tests.in_process import Api, daemon_in, event, until
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster, shared_out
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, reading_at

LATER = SCHEMA + 1
UPGRADE = "/v1/cluster/upgrade"
ALL = set(range(PARTITIONS))


class Mixed:
    """Nodes of this version, and of one that knows a later schema."""

    def __init__(self, made: MemoryCluster, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = made
        self.apis: dict[str, Api] = {}
        self._monkeypatch = monkeypatch
        self._closing = AsyncExitStack()

    async def start(self, name: str, schema: int = SCHEMA) -> Node:
        with self._monkeypatch.context() as during:
            during.setattr(hosting, "SCHEMA", schema)
            node = await self.made.start(name, schema=schema)
        path = node.config.listeners.socket_path
        self.apis[name] = Api(await self._closing.enter_async_context(in_process.connected(path)))
        return node

    async def close(self) -> None:
        await self._closing.aclose()

    async def accepted(self, at: str, message: str) -> None:
        """A message of each workspace, of which some are in each partition."""
        for name in NAMES:
            answer = await self.apis[at].ask("POST", "/v1/workspaces", {"id": name})
            assert answer.status in (201, 409), answer
            path = f"/v1/workspaces/{name}/messages"
            async with asyncio.timeout(20):
                while (await self.apis[at].ask("POST", path, event(message))).status != 202:
                    pass

    async def upgrade(self, at: str) -> Any:
        return await self.apis[at].ask("POST", UPGRADE)

    async def warnings(self, at: str) -> list[str]:
        found: list[str] = (await self.apis[at].get("/v1/cluster"))["warnings"]
        return found

    def written(self, number: int) -> set[int]:
        """The schemas that the entries of the partition say, but for those of its making."""
        entries = chain.from_iterable(self.made.logs[number].entries.values())
        return {each.header.schema for each in entries if each.header and each.header.epoch}


@pytest.fixture
async def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mixed]:
    monkeypatch.setattr(upgrading, "LOOK_S", 0.05)
    async with _mixed(tmp_path, monkeypatch) as found:
        yield found


@asynccontextmanager
async def _mixed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mixed]:
    async with cluster(folder, PARTITIONS) as made:
        found = Mixed(made, monkeypatch)
        try:
            yield found
        finally:
            await found.close()


def stored(node: Node) -> dict[int, int]:
    """The schema of each copy that the node has, as it is in the database."""
    found = {}
    for number, host in node.hosts.items():
        follower = host.role.state.follower
        if follower is not None:
            found[number] = follower.env.identity.schema
    return found


async def test_nodes_of_two_versions_take_over_from_each_other_in_the_earlier_schema(
    mixed: Mixed,
) -> None:
    old, new = await mixed.start("a"), await mixed.start("b", LATER)
    await shared_out(old, new)
    await mixed.accepted("a", "m1")
    await old.stop()
    await until(lambda: set(new.owned) == ALL)
    await mixed.accepted("b", "m2")
    again = await mixed.start("a")
    await until(lambda: len(again.owned) > 0)
    await new.stop()
    await until(lambda: set(again.owned) == ALL)
    await mixed.accepted("a", "m3")

    assert stored(again) == dict.fromkeys(ALL, SCHEMA)
    assert [mixed.written(number) for number in ALL] == [{SCHEMA}] * PARTITIONS


async def test_the_later_schema_is_written_when_all_recorded_nodes_know_it_and_not_before(
    mixed: Mixed,
) -> None:
    new, old = await mixed.start("a", LATER), await mixed.start("b")
    await shared_out(new, old)
    both = await mixed.upgrade("a")
    of_both = await mixed.warnings("b")
    await old.stop()
    stopped = await mixed.upgrade("a")
    of_one = await mixed.warnings("a")
    assert stored(new) == dict.fromkeys(ALL, SCHEMA)
    await mixed.apis["a"].ask("POST", "/v1/cluster/forget", {"node": "b"})
    shown = await mixed.apis["a"].get("/v1/cluster")
    done = await mixed.upgrade("a")
    await until(lambda: set(stored(new).values()) == {LATER})
    await mixed.accepted("a", "m1")
    again = await mixed.upgrade("a")

    for refused in (both, stopped):
        assert (refused.status, refused.code) == (409, "nodes_behind")
        assert f"schema {LATER}" in refused.document["detail"]
        assert "'b'" in refused.document["detail"]
    behind = f"the cluster writes schema {SCHEMA}, and not schema {LATER}, which b can't read"
    assert behind in of_both
    assert behind in of_one
    assert "b is recorded and does not run: start it, or `hookbundle cluster forget b`" in of_one
    assert (shown["schema"], shown["upgrade"]) == (SCHEMA, LATER)
    assert shown["warnings"][-1] == (
        f"all nodes can schema {LATER}, and the cluster writes schema {SCHEMA}: "
        "`hookbundle cluster upgrade`"
    )
    assert (done.status, done.document) == (
        200,
        {"schema": LATER, "before": SCHEMA, "waits_for": []},
    )
    assert again.document == {"schema": LATER, "before": LATER, "waits_for": []}
    assert all(LATER in mixed.written(number) for number in ALL)
    with pytest.raises(ClusterUnusable, match=f"writes schema {LATER}, and this program knows"):
        await mixed.start("b")


async def test_all_nodes_hear_of_it_and_each_partition_says_once_that_it_was_raised(
    mixed: Mixed,
) -> None:
    nodes = await mixed.start("a", LATER), await mixed.start("b", LATER)
    await shared_out(*nodes)
    done = await mixed.upgrade("b")
    await until(lambda: all(set(stored(each).values()) == {LATER} for each in nodes))
    facts = [
        event.data["detail"]
        for node in nodes
        for owned in node.owned.values()
        for event in FeedReader(owned.partition.env).read(0, 100).events
        if event.type == "daemon.upgraded"
    ]

    assert done.document["waits_for"] == []
    assert facts == [f"from schema {SCHEMA} to {LATER}"] * PARTITIONS
    assert await mixed.warnings("a") == []


async def test_what_was_raised_is_told_once_with_who_asked_for_it(mixed: Mixed) -> None:
    nodes = await mixed.start("a", LATER), await mixed.start("b", LATER)
    await shared_out(*nodes)
    async with reading_at(nodes[1], since="oldest") as feed:
        await mixed.upgrade("b")
        await mixed.upgrade("b")  # there is nothing to raise, and nothing to tell
        mixed.made.known["gone"] = NodeRecord("gone", "1", SCHEMA, 0)
        await mixed.apis["a"].ask("POST", "/v1/cluster/forget", {"node": "gone"})
        found = await heard(feed, "node.forgotten", 1)

    facts = [each["data"] for each in found if each["type"] == "cluster.upgraded"]
    caller = f"uid {os.getuid()}"
    assert facts == [{"node": "b", "caller": caller, "schema": LATER, "before": SCHEMA}]


async def test_a_node_that_can_not_read_what_is_written_owns_nothing_and_ends(
    mixed: Mixed,
) -> None:
    new, old = await mixed.start("a", LATER), await mixed.start("b")
    await shared_out(new, old)
    mixed.made.known.pop("b")  # as if it had been forgotten while it was cut off
    refused = await mixed.upgrade("a")
    mixed.made.record = replace(mixed.made.record, schema=LATER)
    mixed.made.revision += 1
    await new.neighbours.registered()
    why = await asyncio.wait_for(old.failed, 20)

    assert (refused.status, refused.code) == (409, "nodes_not_recorded")
    assert f"the cluster writes schema {LATER}, and this program knows {SCHEMA}" in str(why)


async def test_without_the_log_servers_nothing_is_raised_and_the_cluster_is_shown(
    mixed: Mixed,
) -> None:
    await mixed.start("a", LATER)
    mixed.made.sessions.is_down = True
    refused = await mixed.upgrade("a")
    shown = await mixed.apis["a"].get("/v1/cluster")

    assert (refused.status, refused.code) == (503, "log_waits")
    assert (shown["schema"], shown["upgrade"]) == (SCHEMA, None)


async def test_a_record_that_is_gone_ends_no_node_and_nothing_is_raised(
    mixed: Mixed, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await mixed.start("a", LATER)
    asked = asyncio.Event()

    async def registered() -> Registered:
        asked.set()
        raise ClusterUnusable("there is no cluster of that name")

    monkeypatch.setattr(type(node.neighbours), "registered", lambda self: registered())
    monkeypatch.setattr(node.neighbours, "revision", -1)  # its own beats say more than it knows
    beat = mixed.made.nodes["a"].beat
    monkeypatch.setattr(type(node.neighbours), "beat", lambda self: replace(beat(), record=5))
    async with asyncio.timeout(20):
        await asked.wait()
    refused = await mixed.upgrade("a")

    assert (refused.status, refused.code) == (503, "log_waits")
    assert not node.failed.done()


async def test_a_daemon_alone_has_no_cluster_to_upgrade(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", UPGRADE)

    assert (answer.status, answer.code) == (409, "in_no_cluster")

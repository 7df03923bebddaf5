"""Fewer copies than nodes: each partition has as many as were asked for, also after nodes came and
went, and a node answers for what it has no copy of."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbundle.actors.replication.log import Entries
from hookbundle.engine.replication.assignment import assign, ranking
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import BEHIND_MAX, WHOLE, Role
from hookbundle.server.cluster.asked import Asked
from hookbundle.server.cluster.node import Node
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, event, receiving, until
from hookbundle.tests.server.cluster.commanding.test_giving import looked
from hookbundle.tests.server.cluster.feed.hearing import heard, of
from hookbundle.tests.server.cluster.in_memory import Heard, MemoryCluster, MemoryLog, cluster
from hookbundle.tests.server.cluster.test_tokens import status_of
from hookbundle.tests.server.cluster.two_nodes import reading_at

PARTITIONS = 8
OF_ALL = 0
NAMES = [f"ws{number}" for number in range(12)]
WITHIN_S = 60.0
LOOK_S = 0.02


def holders(nodes: list[Node]) -> list[set[str]]:
    """Of each partition: the nodes that have a complete copy, in memory or on disk."""
    return [
        {
            node.cluster.node
            for node in nodes
            if node.hosts[number].role.state.role in WHOLE
            or (node.config.data / "partitions" / f"{number:03}").exists()
        }
        for number in range(PARTITIONS)
    ]


def wanted(nodes: list[Node], copies: int) -> list[set[str]]:
    names = sorted(node.cluster.node for node in nodes)
    found = [set(each) for each in assign(PARTITIONS, names, copies)]
    found[OF_ALL] = set(names)  # every node follows the tokens for all
    return found


async def quiet(nodes: list[Node], copies: int = 2) -> None:
    """Each partition has the copies that it should have, no other one, and its owner."""
    names = sorted(node.cluster.node for node in nodes)
    owners = [each[0] for each in assign(PARTITIONS, names, copies)]
    async with asyncio.timeout(WITHIN_S):
        while holders(nodes) != wanted(nodes, copies) or any(
            number not in node.owned
            for node in nodes
            for number, owner in enumerate(owners)
            if owner == node.cluster.node
        ):
            await asyncio.sleep(LOOK_S)


async def accepted(node: Node, message: str) -> None:
    """By each workspace, from the same node."""
    async with connected(node.config.listeners.socket_path) as session:
        for name in NAMES:
            await Api(session).accept(name, event(message))


def delivered(receiver: HookReceiver, name: str) -> list[list[str]]:
    """Each delivery once: one under way at a takeover is sent again, with the same id."""
    return list({post.id: post.message_ids for post in receiver.at(name)}.values())


async def test_each_partition_has_its_copies_whatever_nodes_come_and_go(tmp_path: Path) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        nodes = [await made.start(name) for name in "abcde"]
        await quiet(nodes)
        async with connected(nodes[0].config.listeners.socket_path) as session:
            for name in NAMES:
                await Api(session).make(name, receiver, name)

        dead = nodes.pop(1)
        made.nodes["b"].is_cut = True  # it does not know that others take it for dead
        await quiet(nodes)
        await accepted(nodes[0], "m1")

        made.nodes["b"].is_cut = False  # what others copied meanwhile is too much now
        nodes.append(dead)
        await quiet(nodes)
        await accepted(dead, "m2")

        await nodes.pop(0).stop()
        await quiet(nodes)
        await accepted(nodes[0], "m3")

        nodes.append(await made.start("a"))
        await quiet(nodes)
        await accepted(nodes[-1], "m4")
        await until(lambda: all(len(delivered(receiver, name)) == 4 for name in NAMES))

    found = {name: delivered(receiver, name) for name in NAMES}
    assert found == {name: [["m1"], ["m2"], ["m3"], ["m4"]] for name in NAMES}


async def three_of_which_the_last_has_nothing(
    made: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> list[Node]:
    """With one copy each; the last node says from its start that it leaves, so that it follows
    partition 0, and has no other copy."""
    begin = Heard.begin

    async def begun(self: Heard) -> None:
        self.leaves = self.name == "c"
        await begin(self)

    monkeypatch.setattr(Heard, "begin", begun)
    nodes = [await made.start(name, copies=1) for name in "abc"]
    staying = wanted(nodes[:2], copies=1)
    staying[OF_ALL] |= {"c"}
    async with asyncio.timeout(WITHIN_S):
        while holders(nodes) != staying:
            await asyncio.sleep(LOOK_S)
    return nodes


async def test_a_node_without_copies_answers_for_all_and_has_the_feed_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        nodes = await three_of_which_the_last_has_nothing(made, monkeypatch)
        async with (
            connected(nodes[2].config.listeners.socket_path) as session,
            reading_at(nodes[2], since="oldest") as feed,
        ):
            api = Api(session)
            for name in NAMES:
                await api.make(name, receiver, name)
                await api.accept(name, event("m1"))
            listed = await api.get("/v1/workspaces")
            status = await api.get("/v1/status")
            found = await heard(feed, "message.received", len(NAMES))
        await receiver.until(len(NAMES))

    assert sorted(each["id"] for each in listed["workspaces"]) == sorted(NAMES)
    assert status["totals"]["accepted"] == len(NAMES)
    assert of(found, "message.received") == sorted(NAMES)


async def test_a_token_for_all_is_known_to_a_node_without_copies_that_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        nodes = await three_of_which_the_last_has_nothing(made, monkeypatch)
        async with connected(nodes[2].config.listeners.socket_path) as session:
            api = Api(session)
            token = (await api.ask("POST", "/v1/tokens", {"scope": "admin"})).document
            asked: list[Asked] = []
            ask = Heard.ask

            async def counted(self: Heard, node: str, what: Asked) -> Any:
                asked.append(what)
                return await ask(self, node, what)

            async def answers() -> int:
                return await status_of(nodes[2], token["token"], "GET", "/v1/cluster", None)

            async with asyncio.timeout(WITHIN_S):
                while await answers() != 200:
                    await asyncio.sleep(LOOK_S)
            with monkeypatch.context() as patched:
                patched.setattr(Heard, "ask", counted)
                known = await answers()
                count = len(asked)
            await api.ask("DELETE", f"/v1/tokens/{token['id']}")
            async with asyncio.timeout(WITHIN_S):
                while await answers() == 200:
                    await asyncio.sleep(LOOK_S)
            revoked = await answers()

    assert (known, count, revoked) == (200, 0, 401)


async def test_a_partition_is_not_claimed_by_a_node_whose_copy_is_far_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers would wait until it has read what it missed, beside a node that is ready."""
    late, owner, ready = ranking(0, "abc")
    beat, far = Heard.beat, BEHIND_MAX + 1

    def behind(self: Heard) -> Beat:
        said = beat(self)
        if self.name != late:
            return said
        held = {number: replace(each, seq=each.seq - far) for number, each in said.held.items()}
        return replace(said, held=held)

    async with cluster(tmp_path, partitions=1, old=True) as made:
        first = await made.start(owner, copies=3)
        await _renewed(first)  # who reads that first is further for a moment
        second = await made.start(ready, copies=3)
        monkeypatch.setattr(Heard, "beat", behind)
        third = await made.start(late, copies=3)
        await until(lambda: _follows(second) and _follows(third))
        made.nodes[owner].is_cut = True
        await until(lambda: len(second.owned) == 1)

        assert not third.owned
        assert third.hosts[0].role.state.claims == 0


@pytest.mark.parametrize("entries", [0, 40])
async def test_a_partition_is_not_given_to_a_node_that_still_reads_what_it_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: int
) -> None:
    """Few entries may be many bytes: it is joining until it has been near to the log's end.

    `entries`: of the log's that it has read by then.
    """
    late, owner = ranking(0, "ab")
    read, gate = MemoryLog.read, asyncio.Event()
    left = [entries] if entries else []

    async def gated(log: MemoryLog, generation: Generation, after: int, most: int) -> Entries:
        if not after or most == 1:  # the base, or a look whether it is the log that it was
            return await read(log, generation, after, most)
        if not left:
            await gate.wait()
        return await read(log, generation, after, left.pop() if left else most)

    async with cluster(tmp_path, partitions=1, old=True) as made:
        first = await made.start(owner)
        await _renewed(first)  # what comes now is in no base
        async with connected(first.config.listeners.socket_path) as session:
            assert (await Api(session).ask("POST", "/v1/workspaces", {"id": "acme"})).status == 201
            for number in range(entries + 20):
                await Api(session).accept("acme", event(f"m{number}"))
        monkeypatch.setattr(MemoryLog, "read", gated)
        monkeypatch.setattr("hookbundle.server.cluster.node.BEGUN_WITHIN_S", 0.1)
        try:
            second = await made.start(late)
            await until(lambda: _follows(second))
            await looked(first)
            assert (first.live()[late].held[0].role, len(first.owned)) == (Role.JOINING, 1)
        finally:
            gate.set()  # or a node would wait for it when it is stopped
        await until(lambda: len(second.owned) == 1)


async def _renewed(owner: Node) -> None:
    """The log, which is old when it is made, goes on in another generation."""
    await until(lambda: len(owner.owned) == 1)
    maintenance = owner.hosts[0].role.state.maintenance
    assert maintenance is not None
    await until(lambda: maintenance.state.renewed == 1)


def _follows(node: Node) -> bool:
    return node.hosts[0].role.state.role is Role.FOLLOWING

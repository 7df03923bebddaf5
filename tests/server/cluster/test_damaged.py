"""Damaged copies. One that is taken over: callers get another owner, and it is made anew. One that
can't be written, or is looked through: the other copies of its node, which have one thread with it,
are followed and taken over meanwhile."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import pytest

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions import hosting, resting
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication.copies import Copy, open_copy
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import event, until
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, Two, two

NUMBER = 1
NAME = next(name for name in NAMES if of_workspace(name, PARTITIONS) == NUMBER)
ELSEWHERE = [name for name in NAMES if of_workspace(name, PARTITIONS) != NUMBER]
OTHERS = [number for number in range(PARTITIONS) if number != NUMBER]


def damage_chats(env: Environment) -> int:
    """Each record of a chat has another checksum than it says; returns how many."""
    with env.write() as txn:
        rows = [(bytes(key), bytes(value)) for key, value in txn.cursor()]
        chats = [(key, value) for key, value in rows if key[:1] == keyspace.CHATS]
        for key, value in chats:
            txn.put(key, value[:-1] + bytes([value[-1] ^ 0xFF]))
    return len(chats)


def come_to(node: Node, number: int = NUMBER) -> tuple[str, int]:
    """Up to which entry, of which generation of the partition's log, its copy has what counts."""
    follower = node.hosts[number].role.state.follower
    if follower is None:
        return "", 0
    at = follower.position()
    return at.generation, at.seq


def owner_and_other(made: Two) -> tuple[Node, Node]:
    owner = next(node for node in made.nodes if NUMBER in node.owned)
    return owner, next(node for node in made.nodes if node is not owner)


def path_of(node: Node) -> Path:
    return node.config.data / "partitions" / f"{NUMBER:03}"


async def test_a_damaged_record_at_a_new_owner_costs_callers_another_move_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "FIRST_S", 0.1)
    async with two(tmp_path) as made:
        await made.made()
        for number in range(3):
            await made.accepted(NAME, event(f"m{number}", "chat"))
        owner, other = owner_and_other(made)
        follower = other.hosts[NUMBER].role.state.follower
        assert follower is not None
        await until(lambda: come_to(other) == come_to(owner))  # else it would mend what is damaged
        assert damage_chats(follower.env) > 0

        answer = await made.apis[0].ask(
            "POST", "/v1/cluster/move", {"partition": NUMBER, "node": other.cluster.node}
        )
        assert answer.status == 200, answer
        await made.accepted(NAME, event("m3", "chat"))  # asked again until it is accepted
        await until(lambda: NUMBER in owner.owned)
        role = other.hosts[NUMBER].role.state
        await until(lambda: role.role is Role.FOLLOWING)
        async with asyncio.timeout(20):
            while not (found := await made.checked(NUMBER))["copies"][0]["same"]:
                await asyncio.sleep(0.1)
        known = await made.apis[0].accept(NAME, event("m3", "chat"))

    assert "checksum" in role.broken_by
    assert [each["same"] for each in found["copies"]] == [True, True]
    assert not any(each["findings"] for each in found["copies"])
    assert known["duplicate"] == 1


async def test_a_copy_that_breaks_again_and_again_holds_up_no_other_copy_of_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "FIRST_S", 0.05)
    monkeypatch.setattr(resting, "MOST_S", 0.1)
    write, damaged, breaks = Environment.write, set[Path](), 0

    @contextmanager
    def writing(self: Environment) -> Iterator[lmdb.Transaction]:
        nonlocal breaks
        with write(self) as txn:
            yield txn
            if self.path in damaged:
                breaks += 1
                raise CorruptRecord("a page is damaged")

    monkeypatch.setattr(Environment, "write", writing)
    async with two(tmp_path) as made:
        await made.made()
        owner, other = owner_and_other(made)
        damaged.add(path_of(other))
        sent = 0
        while breaks < 3:
            sent += 1
            for name in NAMES:
                await made.accepted(name, event(f"m{sent}", "chat"))
        await until(lambda: all(come_to(other, each) == come_to(owner, each) for each in OTHERS))

        made.cluster.nodes[owner.cluster.node].is_cut = True
        await until(lambda: set(OTHERS) <= set(other.owned))
        api = made.apis[made.nodes.index(other)]
        known = [await api.accept(name, event(f"m{sent}", "chat")) for name in ELSEWHERE]
        before = breaks
        await until(lambda: breaks > before)
        damaged.clear()
        path = f"/v1/workspaces/{NAME}/messages"
        async with asyncio.timeout(TIMEOUT_S):
            while (late := await api.ask("POST", path, event(f"m{sent}", "chat"))).status != 202:
                assert late.status == 503, late
        made.cluster.nodes[owner.cluster.node].is_cut = False

    assert [each["duplicate"] for each in known] == [1] * len(ELSEWHERE)
    assert late.document["duplicate"] == 1


async def test_while_the_pages_of_a_copy_are_looked_through_the_others_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of each copy that was open when its process ended, twice: seconds for a gigabyte."""
    looking, looked_through = threading.Event(), threading.Event()

    def slowly(path: Path, now_ms: int) -> Copy | None:
        if path == path_of(other):
            looking.set()
            looked_through.wait(TIMEOUT_S)
        return open_copy(path, now_ms)

    async with two(tmp_path) as made:
        await made.made()
        owner, other = owner_and_other(made)
        await other.stop()
        monkeypatch.setattr(hosting, "open_copy", slowly)
        try:
            other = await made.cluster.start(other.cluster.node)
            await until(looking.is_set)
            for name in NAMES:
                await made.apis[made.nodes.index(owner)].accept(name, event("m1", "chat"))
            await until(
                lambda: all(come_to(other, each) == come_to(owner, each) for each in OTHERS)
            )
            assert come_to(other) != come_to(owner)
        finally:
            looked_through.set()
        await until(lambda: come_to(other) == come_to(owner))

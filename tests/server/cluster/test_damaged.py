"""A copy with damaged records is taken over: callers get another owner, and it is made anew."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions import resting
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.in_process import event, until
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, two

NUMBER = 1
NAME = next(name for name in NAMES if of_workspace(name, PARTITIONS) == NUMBER)


def damage_chats(env: Environment) -> int:
    """Each record of a chat has another checksum than it says; returns how many."""
    with env.write() as txn:
        rows = [(bytes(key), bytes(value)) for key, value in txn.cursor()]
        chats = [(key, value) for key, value in rows if key[:1] == keyspace.CHATS]
        for key, value in chats:
            txn.put(key, value[:-1] + bytes([value[-1] ^ 0xFF]))
    return len(chats)


def come_to(node: Node) -> int:
    """Up to which entry of the partition's log."""
    return node.hosts[NUMBER].role.state.copy_at().seq


async def test_a_damaged_record_at_a_new_owner_costs_callers_another_move_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "FIRST_S", 0.1)
    async with two(tmp_path) as made:
        await made.made()
        for number in range(3):
            await made.accepted(NAME, event(f"m{number}", "chat"))
        owner = next(node for node in made.nodes if NUMBER in node.owned)
        other = next(node for node in made.nodes if node is not owner)
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

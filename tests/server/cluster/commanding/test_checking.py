"""Copies of a partition are compared with each other while they are written, and verified."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.asked import Asked
from hookbundle.server.cluster.commanding import comparing
from hookbundle.server.cluster.commanding.asking import JSON
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions import resting
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.in_process import daemon_in, event, until
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, Two, two
from hookbundle.tests.storage.page_damage import LEAF, pages_of, zeros

CHECK = "/v1/cluster/check"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "FIRST_S", 0.1)


def owner_of(made: Two, number: int) -> Node:
    return next(node for node in made.nodes if number in node.owned)


def follower_of(made: Two, number: int) -> Node:
    return next(node for node in made.nodes if number not in node.owned)


def env_of(node: Node, number: int) -> Environment:
    follower = node.hosts[number].role.state.follower
    assert follower is not None
    return follower.env


def checkable(made: Two, number: int) -> bool:
    """Both copies have come to the same place, so that nothing is written now."""
    first, second = (node.hosts[number].role.state.copy_at() for node in made.nodes)
    return first.seq == second.seq


def copy_at(found: dict[str, Any], node: Node) -> dict[str, Any]:
    copies: list[dict[str, Any]] = found["copies"]
    return next(each for each in copies if each["node"] == node.cluster.node)


def without_usages(env: Environment) -> None:
    """The copy has lost a record of each workspace, and does not know it."""
    with env.write() as txn:
        keys = [bytes(key) for key, _ in txn.cursor() if bytes(key)[:1] == keyspace.USAGES]
        assert keys
        for key in keys:
            txn.delete(key)


async def test_copies_are_equal_while_messages_come(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await made.made()
        over = asyncio.Event()

        async def send(name: str) -> int:
            count = 0
            while not over.is_set():
                await made.accepted(name, event(f"m{count}"))
                count += 1
            return count

        sending = [asyncio.create_task(send(name)) for name in NAMES]
        found = [await made.checked(number, turn % 2) for turn in range(2) for number in (0, 1, 2)]
        over.set()
        sent = await asyncio.gather(*sending)

    assert min(sent) > 4
    for each in found:
        assert [copy["same"] for copy in each["copies"]] == [True, True], each
        assert each["advice"] == []
        assert len({copy["records"] for copy in each["copies"]}) == 1
        assert each["partitions"] == PARTITIONS
    places = [each["seq"] for each in found if each["partition"] == 1]
    assert places == sorted(places)
    assert places[0] < places[-1]


async def test_a_copy_that_lost_records_is_named_and_made_anew_when_that_is_wanted(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made, made.reading(since="oldest") as feed:
        await made.made()
        owner, follower = owner_of(made, 1), follower_of(made, 1)
        without_usages(env_of(follower, 1))
        found = await made.checked(1)
        repaired = await made.checked(1, repair=True)
        told = (await heard(feed, "partition.repaired", 1))[-1]
        await until(lambda: follower.hosts[1].role.state.role is Role.FOLLOWING)
        after = await made.checked(1)
        state = follower.hosts[1].role.state

    copy = copy_at(found, follower)
    assert (copy["same"], copy["differs"], copy["remade"]) == (False, ["usage"], False)
    assert any("usage" in each["what"] for each in copy["findings"]), copy
    assert copy_at(found, owner) == copy_at(after, owner)
    assert copy_at(found, owner)["findings"] == []
    assert "--repair" in found["advice"][0]
    assert copy_at(repaired, follower)["remade"] is True
    assert "anew" in repaired["advice"][0]
    assert copy_at(after, follower)["same"] is True
    assert after["advice"] == []
    assert "repair" in state.broken_by
    name, caller = follower.cluster.node, f"uid {os.getuid()}"
    assert told["data"] == {"node": name, "caller": caller, "partition": 1, "differs": ["usage"]}


async def test_a_damaged_page_is_named_and_the_copy_that_has_it_is_made_anew(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        name = next(name for name in NAMES if of_workspace(name, PARTITIONS) == 1)
        for number in range(20):
            await made.accepted(name, event(f"m{number}", f"chat {number}", text="x" * 900))
        owner, follower = owner_of(made, 1), follower_of(made, 1)
        await until(lambda: checkable(made, 1))
        data = env_of(follower, 1).path / "data.mdb"
        page = pages_of(data, LEAF)[1]
        zeros(data, page)
        found = await made.checked(1, repair=True)
        await until(lambda: follower.hosts[1].role.state.role is Role.FOLLOWING)
        after = await made.checked(1)

    copy = copy_at(found, follower)
    assert (copy["same"], copy["differs"], copy["remade"]) == (False, [], True)
    assert "can't be read" in copy["findings"][0]["what"]
    assert copy_at(found, owner)["findings"] == []
    assert copy_at(after, follower)["same"] is True


async def test_an_owner_whose_copy_is_wrong_is_not_followed_but_named(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await made.made()
        owner, follower = owner_of(made, 1), follower_of(made, 1)
        without_usages(env_of(owner, 1))
        found = await made.checked(1, repair=True)
        name = follower.cluster.node

    assert copy_at(found, follower)["remade"] is False
    assert found["owner"] == owner.cluster.node
    assert f"`hookbundle cluster move 1 {name}`" in found["advice"][0]


async def test_what_the_log_has_damaged_is_in_all_copies_and_is_not_made_anew(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        for node in made.nodes:
            without_usages(env_of(node, 1))
        found = await made.checked(1, repair=True)

    assert [each["same"] for each in found["copies"]] == [True, True]
    assert all(each["findings"] and not each["remade"] for each in found["copies"])
    assert "stands in its log" in found["advice"][0]


async def test_a_copy_that_can_not_be_looked_at_is_named_with_the_reason(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await made.made()
        first, second = made.nodes
        follower = follower_of(made, 1)
        follower.hosts[1].role.state.role = Role.JOINING
        joining = await made.checked(1)
        follower.hosts[1].role.state.role = Role.FOLLOWING
        second_answers = made.cluster.nodes["b"].answer
        made.cluster.nodes["b"].answer = None
        silent = await made.checked(1)
        made.cluster.nodes["b"].answer = second_answers
        nobody = await made.apis[0].ask("POST", CHECK, {"partition": PARTITIONS})

    assert copy_at(joining, follower)["why"] == "its copy is joining"
    assert copy_at(silent, second)["why"] == "it does not answer"
    assert copy_at(silent, first)["same"] is None
    assert copy_at(silent, first)["records"] > 0
    assert (nobody.status, nobody.code) == (404, "no_partition")


async def test_a_partition_without_an_owner_or_a_copy_is_said_to_be(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await made.made()
        follower = follower_of(made, 1)
        owner = owner_of(made, 1)
        at = made.nodes.index(follower)
        made.cluster.nodes[follower.cluster.node].may_judge = False
        made.cluster.nodes[owner.cluster.node].is_cut = True
        alone = await made.checked(1, at)
        follower.hosts[1].role.state.role = Role.ABSENT
        none = await made.checked(1, at)
        follower.hosts[1].role.state.role = Role.FOLLOWING
        made.cluster.nodes[owner.cluster.node].is_cut = False

    assert alone["owner"] is None
    assert [each["node"] for each in alone["copies"]] == [follower.cluster.node]
    assert alone["advice"] == ["partition 1 has no owner now"]
    assert none["copies"] == []
    assert none["advice"] == ["no node that lives has a copy of partition 1"]


async def test_a_node_looks_through_one_copy_at_a_time_and_ends_when_it_is_stopped(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        hold = made.nodes[0].answer
        first = await hold(asked(comparing.HOLD, {"partition": 0, "check": "one"}))
        second = await hold(asked(comparing.HOLD, {"partition": 1, "check": "two"}))
        forgotten = await hold(
            asked(comparing.LOOK, {"check": "other", "generation": "1x0", "seq": 1})
        )
        async with asyncio.timeout(20):
            await made.nodes[0].stop()

    assert first.status == 200
    assert (second.status, forgotten.status) == (409, 409)
    assert b"another copy" in second.body
    assert b"forgotten" in forgotten.body


def asked(path: str, what: dict[str, Any]) -> Asked:
    return Asked("POST", path, JSON, json.dumps(what).encode())


async def test_a_daemon_alone_has_no_copies_to_compare(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", CHECK, {"partition": 0})

    assert (answer.status, answer.code) == (409, "in_no_cluster")

"""Partitions that are given away by command: one, or all of a node, and how long that lasts."""

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbundle.engine.replication.assignment import assign
from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster import assigning
from hookbundle.server.cluster.commanding import giving
from hookbundle.server.cluster.node import Node
from hookbundle.tests.in_process import daemon_in, until
from hookbundle.tests.server.cluster.two_nodes import PARTITIONS, two

ALL = set(range(PARTITIONS))
MOVE = "/v1/cluster/move"
DRAIN = "/v1/cluster/drain"


async def looked(*nodes: Node, times: int = 4) -> None:
    """Each node has looked at the assignment so often since."""
    for node in nodes:
        seen, count = asyncio.Event(), 0
        rebalance = node.assigning._rebalance

        def counted(live: Any, rebalance: Any = rebalance, seen: Any = seen) -> None:
            nonlocal count
            rebalance(live)
            count += 1
            if count >= times:
                seen.set()

        node.assigning._rebalance = counted  # type: ignore[method-assign]
        async with asyncio.timeout(20):
            await seen.wait()
        node.assigning._rebalance = rebalance  # type: ignore[method-assign]


async def test_a_partition_is_moved_and_stays_and_no_other_one_moves(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        theirs = set(second.owned)
        moved = await made.apis[1].ask("POST", MOVE, {"partition": number, "node": "b"})
        await looked(first, second)
        shown = await made.apis[0].get("/v1/cluster")

        assert (moved.status, moved.document) == (
            200,
            {"partition": number, "owner": "b", "before": "a"},
        )
        assert set(second.owned) == theirs | {number}
        assert set(first.owned) == ALL - theirs - {number}
    assert {each["number"]: each["given_to"] for each in shown["partitions"]} == {
        each: "b" if each == number else None for each in ALL
    }


async def test_a_partition_that_came_back_between_two_looks_can_be_given_away(
    tmp_path: Path,
) -> None:
    """In another epoch. Else it would hold one of the two places of those on their way for ever."""
    async with two(tmp_path) as made:
        owner, heir = sorted(made.nodes, key=lambda node: -len(node.owned))
        owner.assigning._yielding |= {(number, -1) for number in owner.owned}
        wanted = {"partition": min(owner.owned), "node": heir.cluster.node}
        moved = await made.apis[0].ask("POST", MOVE, wanted)

    assert moved.status == 200


async def test_a_partition_that_was_moved_can_be_moved_back(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        mine = set(first.owned)
        for node in ("b", "a"):
            answer = await made.apis[0].ask("POST", MOVE, {"partition": number, "node": node})
            assert answer.status == 200, answer
        await looked(first, second)

        assert set(first.owned) == mine
        assert number not in second.assigning.given()


async def test_what_a_node_was_given_is_another_one_s_when_that_node_ends(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        await made.apis[0].ask("POST", MOVE, {"partition": number, "node": "b"})
        await second.stop()
        await until(lambda: set(first.owned) == ALL)
        await made.cluster.start("b")
        await until(lambda: len(first.owned) < PARTITIONS)

        assert number in first.owned


async def test_a_partition_that_is_just_on_its_way_is_moved_when_it_has_an_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(tmp_path) as made:
        asked, number = made.nodes[0], min(made.nodes[0].owned)
        seen, looks = asked.live, itertools.count(1)

        def live() -> Mapping[str, Beat]:
            beats = dict(seen())
            if next(looks) < 4:
                held = {**beats["a"].held, number: Held(Role.YIELDING)}
                beats["a"] = replace(beats["a"], held=held)
            return beats

        monkeypatch.setattr(asked, "live", live)
        moved = await made.apis[0].ask("POST", MOVE, {"partition": number, "node": "b"})

    assert (moved.status, moved.document["before"]) == (200, "a")


async def test_what_can_not_be_moved_is_refused_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "SOON_S", 0.1)
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        api = made.apis[0]
        nowhere = await api.ask("POST", MOVE, {"partition": PARTITIONS, "node": "b"})
        nobody = await api.ask("POST", MOVE, {"partition": number, "node": "c"})
        below = await api.ask("POST", MOVE, {"partition": -1, "node": "b"})
        unnamed = await api.ask("POST", MOVE, {"partition": number})
        await made.cluster.start("c")
        without = next(
            each for each in ALL if "c" not in assign(PARTITIONS, ["a", "b", "c"], 2)[each]
        )
        no_copy = await api.ask("POST", MOVE, {"partition": without, "node": "c"})
        await api.ask("POST", DRAIN, {"node": "b"})
        leaving = await api.ask("POST", MOVE, {"partition": number, "node": "b"})

        assert second.assigning.given() == {}
    assert (nowhere.status, nowhere.code) == (404, "no_partition")
    assert (nobody.status, nobody.code) == (404, "no_node")
    assert below.status == unnamed.status == 422
    assert (no_copy.status, no_copy.code) == (409, "no_fresh_copy")
    assert (leaving.status, leaving.code) == (409, "node_leaves")


async def test_what_is_not_moved_in_time_is_not_moved_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "WITHIN_S", 0.1)
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        monkeypatch.setattr(first.assigning, "give_away", lambda number, to: None)
        late = await made.apis[0].ask("POST", MOVE, {"partition": number, "node": "b"})
        monkeypatch.undo()

        assert second.assigning.given() == {}
        assert number in first.owned
    assert (late.status, late.code) == (503, "not_moved")
    assert "Retry-After" in {name.title() for name in late.headers}


async def test_a_drained_node_owns_nothing_until_that_is_undone(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        drained = await made.apis[1].ask("POST", DRAIN, {"node": "a"})
        await looked(first, second)
        assert not first.owned
        assert set(second.owned) == ALL
        again = await made.apis[0].ask("POST", DRAIN, {"undo": True})
        await until(lambda: len(first.owned) > 0)

    assert (drained.status, drained.document) == (200, {"node": "a", "leaves": True, "owns": 0})
    assert (again.status, again.document["leaves"]) == (200, False)


async def test_what_is_still_being_given_away_is_owned_as_far_as_a_drain_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "WITHIN_S", 0.1)
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        log = made.cluster.logs[number]
        log.is_up.clear()  # it can not be released
        await made.apis[1].ask("POST", DRAIN, {"node": "a"})
        await until(lambda: set(second.owned) == ALL - {number})
        drained = await made.apis[1].ask("POST", DRAIN, {"node": "a"})
        log.is_up.set()
        await until(lambda: set(second.owned) == ALL)

    assert drained.document == {"node": "a", "leaves": True, "owns": 1}


async def test_room_on_the_disk_does_not_end_a_drain(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        first.assigning._floor_bytes = 1_000
        await made.apis[0].ask("POST", DRAIN, {})
        made.cluster.nodes["a"].free_bytes = 999
        await until(lambda: first.assigning._is_full)
        made.cluster.nodes["a"].free_bytes = 1_000 * assigning.ROOM_AGAIN
        await until(lambda: not first.assigning._is_full)
        await looked(first, second)

        assert made.cluster.nodes["a"].leaves
        assert not first.owned


async def test_the_end_of_a_drain_gives_a_full_disk_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "WITHIN_S", 0.1)
    async with two(tmp_path) as made:
        first, second = made.nodes
        first.assigning._floor_bytes = 1_000
        made.cluster.nodes["a"].free_bytes = 999
        await until(lambda: set(second.owned) == ALL)
        undone = await made.apis[0].ask("POST", DRAIN, {"undo": True})
        await looked(first, second)

        assert not first.owned
    assert (undone.status, undone.document["leaves"]) == (200, True)


async def test_the_last_node_is_not_drained(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        await made.apis[0].ask("POST", DRAIN, {"node": "b"})
        last = await made.apis[0].ask("POST", DRAIN, {"node": "a"})
        unknown = await made.apis[0].ask("POST", DRAIN, {"node": "c"})
        await until(lambda: set(first.owned) == ALL)

        assert not second.owned
    assert (last.status, last.code) == (409, "nobody_stays")
    assert (unknown.status, unknown.code) == (404, "no_node")


async def test_a_drained_node_takes_what_nobody_else_can(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        await made.apis[0].ask("POST", DRAIN, {"node": "b"})
        await first.stop()
        await until(lambda: set(second.owned) == ALL)


async def test_a_daemon_alone_is_in_no_cluster(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        moved = await system.ask("POST", MOVE, {"partition": 0, "node": "b"})
        drained = await system.ask("POST", DRAIN, {})

    assert (moved.status, moved.code) == (409, "in_no_cluster")
    assert (drained.status, drained.code) == (409, "in_no_cluster")

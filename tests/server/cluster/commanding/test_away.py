"""Nodes that are away while the cluster is compacted: their disks have what was deleted."""

import itertools
from pathlib import Path

import pytest

from hookbundle.server.cluster.commanding import commands, compacting
from hookbundle.tests.server.cluster.commanding.compaction import (
    CANARY,
    COMPACT,
    TAKEN_OVER_WITHIN_S,
    kept,
    over,
    shown,
    with_deleted_texts,
)
from hookbundle.tests.server.cluster.two_nodes import PARTITIONS, two


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "AGAIN_S", 0.02)
    monkeypatch.setattr(commands, "LOOK_S", 0.02)


async def test_an_owner_that_is_gone_from_one_moment_to_the_next_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(tmp_path) as made:
        asked = made.nodes[1]
        all_of_them, looks = asked.live, itertools.count(1)
        monkeypatch.setattr(asked, "live", lambda: {} if next(looks) == 2 else all_of_them())
        await made.apis[1].ask("POST", COMPACT)
        ended = await over(made.apis[1])

    assert ended["left_out"] == []


async def test_a_node_that_does_not_run_is_left_out_by_name(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await made.nodes[1].stop()
        await made.apis[0].ask("POST", COMPACT)
        ended = await over(made.apis[0], TAKEN_OVER_WITHIN_S)

    assert ended["left_out"] == ["the copies of b: it does not run"]


async def test_a_node_that_was_away_for_its_turn_has_one_when_it_is_back(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await with_deleted_texts(made)
        made.cluster.nodes["b"].is_cut = True
        made.cluster.logs[PARTITIONS - 1].is_up.clear()
        await made.apis[0].ask("POST", COMPACT)
        await shown(made.apis[0], done=PARTITIONS - 1)
        made.cluster.nodes["b"].is_cut = False
        made.cluster.logs[PARTITIONS - 1].is_up.set()
        ended = await over(made.apis[0])
        after = kept(made.cluster, CANARY)

    assert (ended["left_out"], after) == ([], [])


async def test_who_can_not_say_at_once_which_nodes_there_are_is_asked_again(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        made.cluster.sessions.is_down = True
        await made.apis[0].ask("POST", COMPACT)
        under_way = await shown(made.apis[0], doing="the nodes that do not run")
        made.cluster.sessions.is_down = False
        ended = await over(made.apis[0])

    assert under_way["compaction"]["left_out"] == ended["left_out"] == []


async def test_nodes_of_which_nobody_says_anything_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "RECORD_S", 0.1)
    async with two(tmp_path) as made:
        made.cluster.sessions.is_down = True
        await made.apis[0].ask("POST", COMPACT)
        ended = await over(made.apis[0])

    assert ended["left_out"] == ["the nodes that do not run: the log servers did not say which"]

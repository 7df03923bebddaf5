"""Nodes that are away while the cluster is compacted: their disks have what was deleted."""

import asyncio
import itertools
from pathlib import Path

import pytest

from hookbundle.actors.replication import maintenance
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.commanding import commands, compacting, rewriting
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.commanding.compaction import (
    CANARY,
    COMPACT,
    TAKEN_OVER_WITHIN_S,
    WITHIN_S,
    kept,
    over,
    shown,
    with_deleted_texts,
)
from hookbundle.tests.server.cluster.hostile.apart import apart
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


async def test_a_node_that_is_back_a_moment_after_its_turn_is_left_out_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk has what was deleted, whether it runs or not."""
    async with two(tmp_path) as made:
        node = made.nodes[0]
        all_of_them, looks = node.live, itertools.count(1)
        work = node.serving.commanding._compacting
        monkeypatch.setattr(node, "live", lambda: {} if next(looks) == 1 else all_of_them())
        await work._catch_up({(0, "b"): 1})

    assert work._work.state.left_out == ("the copies of b: it does not run",)


async def test_a_node_that_has_not_opened_its_copies_yet_has_its_turn_when_it_has(
    tmp_path: Path,
) -> None:
    """It was started just now: it is heard before its copies are."""
    async with two(tmp_path) as made:
        node, answer, asked = made.nodes[0], made.nodes[1].answer, asyncio.Event()
        number, heard = min(node.owned), made.cluster.nodes["b"]
        held, heard.held = heard.held, dict

        async def noted(wanted: Asked) -> Answered:
            answered = await answer(wanted)
            if wanted.target == rewriting.NO_COPY:
                asked.set()
            return answered

        heard.answer = noted
        rewritten = asyncio.create_task(
            node.serving.commanding._compacting._rewritten(number, "b", 0)
        )
        async with asyncio.timeout(WITHIN_S):
            await asked.wait()
            was_done = rewritten.done()
            heard.held = held
            is_done = await rewritten

    assert (was_done, is_done) == (False, True)


async def test_nodes_that_have_no_copy_of_a_partition_are_not_left_out(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        await made.api.ask("POST", COMPACT)
        ended = await over(made.api)

    assert ended["left_out"] == []


async def test_a_node_that_comes_while_old_logs_are_deleted_has_its_copy_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have made it from one of those."""
    async with two(tmp_path) as made:
        node, names = made.nodes[0], list[str]()
        work = node.serving.commanding._compacting
        does, rewritten = work._does, work._rewritten

        async def tidied(name: str, path: str, number: int) -> bool:
            if path == rewriting.TIDIED and "c" not in made.cluster.nodes:
                await made.cluster.start("c", copies=3)
                await until(lambda: "c" in work._held(number))
            return await does(name, path, number)

        async def noted(number: int, name: str, least: int) -> bool:
            names.append(name)
            return await rewritten(number, name, least)

        monkeypatch.setattr(work, "_does", tidied)
        monkeypatch.setattr(work, "_rewritten", noted)
        await made.apis[0].ask("POST", COMPACT)
        ended = await over(made.apis[0])

    assert ended["left_out"] == []
    assert names.count("c") == PARTITIONS


async def test_a_partition_that_changes_hands_again_and_again_is_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of its owners renews its log until the last one does."""
    ask, deaf = maintenance.Maintenance.ask, True

    def asked(of: maintenance.Maintenance) -> None:
        if not deaf:
            ask(of)

    monkeypatch.setattr(maintenance.Maintenance, "ask", asked)
    async with two(tmp_path) as made:
        await with_deleted_texts(made)
        number = min(made.nodes[0].owned)
        await made.apis[1].ask("POST", COMPACT)
        await shown(made.apis[1], doing=f"partition {number}: its log")
        for moves, name in enumerate(("b", "a", "b")):
            deaf = moves < 2
            moved = await made.apis[0].ask(
                "POST", "/v1/cluster/move", {"partition": number, "node": name}
            )
            assert moved.status == 200, moved
        ended = await over(made.apis[1])
        after = kept(made.cluster, CANARY)

    assert (ended["left_out"], after) == ([], [])


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

"""Moments of copies that a check holds: at which place they are compared, and for how long."""

import asyncio
import gc
import json
from pathlib import Path
from typing import Any

import pytest

from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.commanding import checking, comparing
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import event, until
from hookbundle.tests.server.cluster.commanding.test_checking import (
    asked,
    checkable,
    copy_at,
    follower_of,
    owner_of,
)
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, two


async def test_a_copy_that_is_behind_is_compared_at_the_place_of_the_one_that_is_not(
    tmp_path: Path,
) -> None:
    """One that is ahead can't go back: it would differ, and be made anew for nothing."""
    name = next(each for each in NAMES if of_workspace(each, PARTITIONS) == 1)
    async with two(tmp_path) as made:
        await made.made()
        owner, follower = owner_of(made, 1), follower_of(made, 1)
        await until(lambda: checkable(made, 1))
        reader = follower.hosts[1].role.state.follower
        assert reader is not None

        async def reads_nothing() -> None:
            pass

        reader.catch_up = reads_nothing  # type: ignore[method-assign]
        await made.accepted(name, event("m1"))
        behind, ahead = (each.hosts[1].role.state.copy_at().seq for each in (follower, owner))
        found = await made.checked(1, repair=True)

    assert behind < ahead == found["seq"]
    assert [each["same"] for each in found["copies"]] == [True, True], found
    assert copy_at(found, follower)["remade"] is False


async def test_who_asks_too_late_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node runs on: it would be the wrong one to look at."""
    monkeypatch.setattr(comparing, "HELD_S", 0.0)
    async with cluster(tmp_path, 1) as made:
        node = await made.start("a")
        await shared_out(node)
        await node.answer(asked(comparing.HOLD, {"partition": 0, "check": "one"}))
        held = node.serving.commanding._comparing._held
        assert held is not None
        await until(lambda: comparing._is_over(held))
        late = {"check": "one", "generation": "1x0", "seq": 1}
        found = await node.answer(asked(comparing.LOOK, late))

    assert json.loads(found.body)["why"] == comparing.TOO_LATE


async def test_a_node_that_does_not_answer_spoils_the_check_of_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hold their copies for as long as others are waited for, and no longer."""
    monkeypatch.setattr(checking, "ANSWER_S", 0.1)
    async with two(tmp_path) as made:
        await made.made()
        first, second = made.nodes
        ask, never = first.ask, asyncio.Event()

        async def silent(name: str, wanted: Asked) -> Answered:
            if (name, wanted.target) == ("b", comparing.HOLD):
                await never.wait()
            return await ask(name, wanted)

        monkeypatch.setattr(first, "ask", silent)
        async with asyncio.timeout(TIMEOUT_S):
            found = await made.checked(1)

    assert copy_at(found, second)["why"] == checking.SILENT
    assert copy_at(found, first)["records"] > 0


async def test_a_moment_that_nobody_asks_for_any_more_makes_room_for_another_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node that gave the command has died between its two questions."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with cluster(tmp_path, 1) as made:
        node = await made.start("a")
        await shared_out(node)
        hold = asked(comparing.HOLD, {"partition": 0, "check": "one"})
        first = await node.answer(hold)
        early = await node.answer(asked(comparing.HOLD, {"partition": 0, "check": "two"}))
        monkeypatch.setattr(comparing, "HELD_S", 0.0)
        async with asyncio.timeout(TIMEOUT_S):
            later = asked(comparing.HOLD, {"partition": 0, "check": "three"})
            while (found := await node.answer(later)).status != 200:
                await asyncio.sleep(0.02)

    gc.collect()
    assert (first.status, early.status, found.status) == (200, 409, 200)
    assert told == [], "an operator would find a traceback"

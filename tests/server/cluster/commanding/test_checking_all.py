"""All partitions are checked by one command, and every node shows how far that is."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.replication.beats import Check, CheckFound, Works, pack, read
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.commanding import checking_all, commands
from hookbundle.server.cluster.partitions import resting
from hookbundle.tests.in_process import Api, daemon_in, until
from hookbundle.tests.server.cluster.commanding.test_checking import (
    env_of,
    follower_of,
    without_usages,
)
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.two_nodes import PARTITIONS, Two, two

CHECK_ALL = "/v1/cluster/check/all"
WITHIN_S = 60.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "FIRST_S", 0.1)
    monkeypatch.setattr(commands, "LOOK_S", 0.02)


async def shown(api: Api, **wanted: Any) -> dict[str, Any]:
    """The check that the node shows, once it says this of it."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found: dict[str, Any] | None = (await api.get("/v1/cluster"))["check"]
            if found is not None and found.items() >= wanted.items():
                return found
            await asyncio.sleep(0.05)


async def over(made: Two, at: int, **wanted: Any) -> dict[str, Any]:
    """What a check that is begun at the node has found, as the other one shows it."""
    begun = await made.apis[at].ask("POST", CHECK_ALL, wanted)
    assert begun.status == 202, begun
    began_at = begun.document["began_at"]
    return await shown(made.apis[1 - at], began_at=began_at, done=PARTITIONS, doing="")


async def test_a_check_of_all_is_shown_by_every_node_and_repairs_if_it_is_told_to(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made, made.reading(since="oldest") as feed:
        await made.made()
        assert (await made.apis[0].get("/v1/cluster"))["check"] is None
        clean = await over(made, 0)
        follower = follower_of(made, 1)
        without_usages(env_of(follower, 1))
        found = await over(made, 0)
        repaired = await over(made, 1, repair=True)
        await until(lambda: follower.hosts[1].role.state.role is Role.FOLLOWING)
        after = await over(made, 1)
        told = (await heard(feed, "partition.repaired", 1))[-1]

    name, caller = follower.cluster.node, f"uid {os.getuid()}"
    assert (clean["node"], clean["caller"], clean["stopped"]) == ("a", caller, False)
    assert (clean["faults"], clean["found"]) == (0, [])
    lines = [(each["partition"], each["node"], each["what"]) for each in found["found"]]
    assert lines == [(1, name, "differs"), (1, name, "faults"), (1, name, "repair")]
    assert found["found"][0]["detail"] == "usage"
    assert found["faults"] > 1
    assert repaired["repairs"] is True
    assert repaired["found"][-1]["what"] == "remade"
    assert (after["faults"], after["found"], after["repairs"]) == (0, [], False)
    assert (told["data"]["node"], told["data"]["caller"]) == (name, caller)


async def test_one_check_of_all_goes_on_at_a_time_and_that_it_has_stopped_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()
    async with two(tmp_path) as made:
        checking = made.nodes[0].serving.commanding._checking
        with monkeypatch.context() as during:
            during.setattr(type(checking), "checked", lambda *_, **__: never.wait())
            begun = await made.apis[0].ask("POST", CHECK_ALL, {})
            await shown(made.apis[1], node="a", doing="partition 0")
            again = [await api.ask("POST", CHECK_ALL, {}) for api in made.apis]
        made.cluster.nodes["a"].is_cut = True
        stopped = await shown(made.apis[1], node="a", stopped=True)
        later = await made.apis[1].ask("POST", CHECK_ALL, {})
        made.cluster.nodes["a"].is_cut = False
        refused = await made.apis[1].ask("POST", CHECK_ALL, {"repair": "yes"})

    assert begun.document["doing"] in ("begins", "partition 0")
    assert [(each.status, each.code) for each in again] == [(409, "check_under_way")] * 2
    assert stopped["doing"] == ""
    assert (later.status, later.document["node"]) == (202, "b")
    assert refused.status == 422


async def test_what_fails_for_one_partition_is_named_and_the_others_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking_all, "FOUND_MAX", 2)
    async with two(tmp_path) as made:
        checking = made.nodes[0].serving.commanding._checking

        async def fails(*_: Any, **__: Any) -> None:
            raise RuntimeError("a bug")

        with monkeypatch.context() as during:
            during.setattr(type(checking), "checked", fails)
            found = await over(made, 0)

    assert (found["faults"], len(found["found"])) == (PARTITIONS, 2)
    assert found["found"][0]["detail"] == "internal error"


async def test_a_word_of_a_later_version_is_passed_over_and_a_full_beat_is_read(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        lines = [CheckFound(255, "n" * 64, "differs", "x" * 200)] * (checking_all.FOUND_MAX - 1)
        said = Check(9, "a", made.nodes[0].life, "c", 1, 1, "", False, 9, (*lines, later_word()))
        made.cluster.nodes["a"].works = lambda: Works(None, said)
        found = await shown(made.apis[1], faults=9)
        beat = made.cluster.nodes["a"].beat()

    assert [each["what"] for each in found["found"]] == ["differs"] * len(lines)
    again = read(pack(beat))
    assert again is not None
    assert again.check == said


def later_word() -> CheckFound:
    return CheckFound(0, "b", "of a later version")


async def test_a_daemon_alone_has_no_cluster_to_check(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", CHECK_ALL, {})

    assert (answer.status, answer.code) == (409, "in_no_cluster")

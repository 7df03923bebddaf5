"""Partitions whose logs have lost something stop, are not claimed, and begin anew by command."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbundle.engine.replication.beats import Held
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions import resting
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.in_process import Api, daemon_in, event, until
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.in_memory import MemoryCluster
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, Two, two

RECOVER = "/v1/cluster/recover"
ALL = set(range(PARTITIONS))


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "FIRST_S", 0.1)
    monkeypatch.setattr(resting, "MOST_S", 0.1)


def lose(cluster: MemoryCluster) -> None:
    for log in cluster.logs:
        log.entries.clear()
        log._oldest = None
        for news in log.news:
            news()


def role_at(node: Node, number: int) -> Role:
    return node.hosts[number].role.state.role


def stopped(node: Node) -> set[int]:
    return {number for number in node.hosts if role_at(node, number) is Role.STOPPED}


async def filled(made: Two) -> None:
    await made.made()
    for name in NAMES:
        await made.accepted(name, event("m1"))
    held = {Role.OWNER, Role.FOLLOWING}
    await until(lambda: all(role_at(node, each) in held for node in made.nodes for each in ALL))


async def recovered(api: Api, node: str, **how: Any) -> dict[str, Any]:
    answer = await api.ask("POST", RECOVER, {"node": node, **how})
    assert answer.status == 200, answer
    assert answer.document["doing"] == ""
    found: dict[str, Any] = answer.document
    return found


async def test_lost_logs_stop_all_and_begin_anew_with_the_copies_of_a_node(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        await filled(made)
        caller = f"uid {os.getuid()}"
        epochs = {
            number: owned.partition.env.identity.epoch for number, owned in first.owned.items()
        }
        lose(made.cluster)
        made.cluster.has_record = False
        await until(lambda: stopped(first) == stopped(second) == ALL)

        for api in made.apis:
            refused = await api.ask("POST", f"/v1/workspaces/{NAMES[0]}/messages", event("m2"))
            read = await api.ask("GET", f"/v1/workspaces/{NAMES[0]}")
            merged = await api.ask("GET", "/v1/workspaces")
            assert (refused.status, refused.code) == (503, "partition_stopped")
            assert (read.status, read.code) == (503, "partition_stopped")
            assert merged.status == 503
            ready = await api.ask("GET", "/readyz")
            reasons = {each["code"] for each in ready.document["reasons"]}
            assert ready.status == 503
            assert {"partitions_stopped", "cluster_record_lost"} <= reasons
        shown = await made.apis[0].get("/v1/cluster")
        assert shown["record_lost"]
        assert [each["stopped"] for each in shown["partitions"]] == [True] * PARTITIONS
        assert any("partition 0 has stopped" in each for each in shown["warnings"])

        done = await recovered(made.apis[1], "a")
        assert set(done["partitions"]) == set(done["done"]) == ALL
        assert (done["left_out"], done["record_made"]) == ([], True)
        for name in NAMES:
            known = await made.apis[0].accept(name, event("m1"))
            assert known["duplicate"] == 1
            await made.apis[1].accept(name, event("m2"))
        await until(lambda: len(first.owned) + len(second.owned) == PARTITIONS)
        for number, epoch in epochs.items():
            owned = (first.owned.get(number) or second.owned[number]).partition
            assert owned.env.identity.epoch != epoch
        assert (await made.apis[0].get("/v1/cluster"))["record_lost"] is False
        async with made.reading(since="oldest") as feed:
            told = (await heard(feed, "cluster.recovered", 1))[-1]
        assert told["data"] == {
            "node": "a",
            "caller": caller,
            "partitions": sorted(ALL),
            "owned": sorted(ALL),
            "left_out": [],
            "force": False,
            "empty": False,
            "record_made": True,
        }


async def test_an_owner_that_had_nothing_to_write_is_recovered_with_the_others(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        await filled(made)
        await second.stop()
        await until(lambda: set(first.owned) == ALL)
        for log in made.cluster.logs:  # and nobody hears of it
            log.entries.clear()
            log._oldest = None
        made.cluster.has_record = False
        assert stopped(first) == set()

        done = await recovered(made.apis[0], "a")
        assert set(done["done"]) == ALL
        assert done["left_out"] == []
        for name in NAMES:
            assert (await made.apis[0].accept(name, event("m1")))["duplicate"] == 1


async def test_a_copy_that_another_node_has_more_than_is_taken_only_by_force(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        await filled(made)
        await second.stop()
        await until(lambda: set(first.owned) == ALL)
        number = of_workspace(NAMES[0], PARTITIONS)
        log = made.cluster.logs[number]
        entries = log.entries[max(log.entries)]
        kept = len(entries)
        for message in ("m2", "m3"):
            await made.apis[0].accept(NAMES[0], event(message))
        del entries[kept:]
        refused = await made.apis[0].ask("POST", f"/v1/workspaces/{NAMES[0]}/messages", event("m4"))
        assert refused.status == 503
        await until(lambda: stopped(first) == {number})
        again = await made.cluster.start("b")
        await until(lambda: role_at(again, number) in (Role.FOLLOWING, Role.STOPPED))
        await until(lambda: len(again.owned) + len(first.owned) == PARTITIONS - 1)
        assert number not in again.owned

        left = await recovered(made.apis[0], "b")
        assert (left["partitions"], left["done"]) == ([], [])
        assert len(left["left_out"]) == 1
        assert f"partition {number}: a has" in left["left_out"][0]
        assert "entries more than b; --force" in left["left_out"][0]
        assert number not in again.owned | first.owned

        done = await recovered(made.apis[0], "a")
        assert (done["done"], done["left_out"]) == ([number], [])
        for message in ("m2", "m3"):
            assert (await made.apis[0].accept(NAMES[0], event(message)))["duplicate"] == 1
        await again.stop()


async def test_by_force_what_another_node_has_more_is_given_up(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        await filled(made)
        number = of_workspace(NAMES[0], PARTITIONS)
        await second.stop()
        await until(lambda: set(first.owned) == ALL)
        log = made.cluster.logs[number]
        entries = log.entries[max(log.entries)]
        kept = len(entries)
        await made.apis[0].accept(NAMES[0], event("m2"))
        del entries[kept:]
        await made.apis[0].ask("POST", f"/v1/workspaces/{NAMES[0]}/messages", event("m3"))
        await until(lambda: stopped(first) == {number})
        again = await made.cluster.start("b")
        await until(lambda: role_at(again, number) is Role.FOLLOWING)
        held = {number: Held(Role.OWNER, 9, "7x9", 1)}
        again.assigning.furthest.note({"gone": replace(again.live()["b"], held=held)})

        done = await recovered(made.apis[0], "b", force=True)
        assert done["done"] == [number]
        assert list(log.entries) == [Generation(8, 10)], "later than all that was heard of"
        again_m2 = await made.apis[0].accept(NAMES[0], event("m2"))
        assert again_m2["accepted"] == 1
        assert (await made.apis[0].accept(NAMES[0], event("m1")))["duplicate"] == 1
        await until(lambda: role_at(first, number) in (Role.FOLLOWING, Role.OWNER))
        await again.stop()


async def test_whole_logs_are_left_alone_and_who_is_not_there_is_refused(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        before = [list(log.entries) for log in made.cluster.logs]
        nothing = await recovered(made.apis[0], "b", force=True, empty=True)
        nobody = await made.apis[0].ask("POST", RECOVER, {"node": "c"})
        garbled = await made.apis[0].ask("POST", RECOVER, {"node": "a", "replicas": 9})

        assert [list(log.entries) for log in made.cluster.logs] == before
    assert nothing["partitions"] == nothing["left_out"] == []
    assert (nobody.status, nobody.code) == (404, "no_node")
    assert garbled.status == 422


async def test_a_node_that_has_not_heard_the_others_for_long_enough_recovers_nothing(
    tmp_path: Path,
) -> None:
    """Another one may have more, and be heard in a moment."""
    async with two(tmp_path) as made:
        made.cluster.has_record = False
        made.cluster.nodes["a"].may_judge = False
        refused = await made.apis[1].ask("POST", RECOVER, {"node": "a"})

    assert (refused.status, refused.code) == (503, "log_waits")
    assert not made.cluster.has_record


async def test_a_record_that_is_lost_alone_is_made_again(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        made.cluster.has_record = False
        done = await recovered(made.apis[0], "a")

        assert made.cluster.has_record
        assert set(made.nodes[0].owned) | set(made.nodes[1].owned) == ALL
    assert (done["record_made"], done["partitions"]) == (True, [])


async def test_what_nobody_has_begins_empty_only_if_that_is_said(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        await filled(made)
        number = of_workspace(NAMES[0], PARTITIONS)
        lost = [name for name in NAMES if of_workspace(name, PARTITIONS) == number]
        await second.stop()
        await first.stop()
        for node in made.nodes:
            shutil.rmtree(node.config.data / "partitions" / f"{number:03}")
        lose(made.cluster)
        made.cluster.has_record = False
        third, fourth = await made.cluster.start("a"), await made.cluster.start("b")
        assert stopped(third) == stopped(fourth) == ALL - {number}

        left = await recovered(made.apis[0], "a")
        assert set(left["done"]) == ALL - {number}
        assert left["left_out"] == [
            f"partition {number}: its log is lost, and no node that lives has a copy; start one "
            "that has, or have it begin empty (--empty)"
        ]
        begun = await recovered(made.apis[0], "a", empty=True)
        assert (begun["done"], begun["left_out"]) == ([number], [])
        for name in NAMES:
            answer = await made.apis[0].ask("GET", f"/v1/workspaces/{name}")
            assert answer.status == (404 if name in lost else 200)
        await third.stop()
        await fourth.stop()


async def test_an_owner_that_hears_of_a_copy_with_more_asks_its_log_and_goes_on(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        assert second.hosts[number].role.state.follower is not None
        assert first.assigning._wanted(number, first.live()).owns
        second.hosts[number].role._hold("a test says so")
        assert not first.assigning._wanted(number, first.live()).owns  # nobody claims it now
        await until(lambda: number in first.assigning._confirming or second.is_stopped(number))
        await until(lambda: not first.is_doubtful(number))
        moved = await made.apis[0].ask("GET", "/v1/cluster")

        assert number in first.owned
        assert moved.status == 200


async def test_a_daemon_alone_has_nothing_to_recover(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", RECOVER, {"node": "a"})

    assert (answer.status, answer.code) == (409, "in_no_cluster")

"""A partition changes hands: given away, taken over, lost while its owner was away."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.server.cluster import assigning
from hookbundle.server.cluster.partitions import under_way
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.in_process import Api, connected, event, receiving, until
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out

PARTITIONS = 3
NAMES = [f"ws{number}" for number in range(6)]


async def test_what_a_node_gives_away_is_answered_by_the_next_one(tmp_path: Path) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        async with connected(second.config.listeners.socket_path) as session:
            for name in NAMES:
                await Api(session).make(name, receiver, name)
            await first.stop()
            for name in NAMES:
                await Api(session).accept(name, event("m1"))
            posts = await receiver.until(len(NAMES))

        assert sorted(second.owned) == list(range(PARTITIONS))
    assert sorted(post.path for post in posts) == NAMES


async def test_a_node_that_hears_nothing_is_replaced_and_does_no_harm_later(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        lost = sorted(second.owned)
        async with connected(first.config.listeners.socket_path) as session:
            for name in NAMES:
                await Api(session).make(name, receiver, name)
            made.nodes["b"].is_cut = True
            await until(lambda: len(first.owned) == PARTITIONS)
            for name in NAMES:
                await Api(session).accept(name, event("m1"))
            async with connected(second.config.listeners.socket_path) as to_stale:
                stale = await Api(to_stale).ask("GET", f"/v1/workspaces/{NAMES[0]}")
            made.nodes["b"].is_cut = False
            await until(lambda: first.hosts[lost[0]].role.state.claims > 0)
            async with asyncio.timeout(20):
                while sorted([*first.owned, *second.owned]) != list(range(PARTITIONS)):
                    await asyncio.sleep(0.02)
            posts = await receiver.until(len(NAMES))

    assert stale.status == 503
    assert sorted(post.path for post in posts) == NAMES


async def test_a_node_without_room_on_its_disk_gives_its_partitions_away(tmp_path: Path) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        first.assigning._floor_bytes = 1_000
        made.nodes["a"].free_bytes = 999
        await until(lambda: len(second.owned) == PARTITIONS)
        assert not first.owned
        made.nodes["a"].free_bytes = 1_500
        await asyncio.sleep(2 * assigning.LOOK_S)
        assert made.nodes["a"].leaves, "it has room, but not enough to begin again"
        made.nodes["a"].free_bytes = 3_000
        await until(lambda: len(first.owned) > 0)


async def test_a_change_whose_log_does_not_answer_is_refused_and_reads_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_way, "STALLED_S", 0.2)
    async with receiving() as receiver, cluster(tmp_path, 1) as made:
        node = await made.start("a")
        async with connected(node.config.listeners.socket_path) as session:
            api = Api(session)
            await api.make("acme", receiver)
            made.logs[0].is_up.clear()
            try:
                async with asyncio.timeout(10):
                    refused = await api.ask("POST", "/v1/workspaces/acme/messages", [event("m1")])
                    at_once = await api.ask("POST", "/v1/workspaces/acme/messages", [event("m2")])
                    shown = await api.show("acme")
                    await node.pulse()
            finally:
                made.logs[0].is_up.set()
            (post,) = await receiver.until(1)
            repeated = await api.accept("acme", event("m1"))

    assert (refused.status, refused.code) == (503, "log_waits")
    assert (at_once.status, at_once.code) == (503, "log_waits")
    assert shown["id"] == "acme"
    assert post.message_ids == ["m1"]
    assert repeated["duplicate"] == 1


async def test_an_answer_that_is_lost_is_a_504_where_it_may_not_be_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        name = next(name for name in NAMES if of_workspace(name, PARTITIONS) in second.owned)
        async with connected(first.config.listeners.socket_path) as session:
            api = Api(session)
            await api.make(name, receiver, name)
            made.nodes["b"].loses_answers = 1
            tested = await api.ask("POST", f"/v1/workspaces/{name}/webhook/test")
            made.nodes["b"].loses_answers = 1
            taken = await api.ask("POST", f"/v1/workspaces/{name}/messages", [event("m1")])

    assert (tested.status, tested.code) == (504, "answer_lost")
    assert (taken.status, taken.document["duplicate"]) == (202, 1)

"""Logs and copies of a cluster are made anew: nothing that was deleted is left in any file."""

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.actors.replication import maintenance, role
from hookbundle.actors.replication.messages import Renew, RewriteCopy
from hookbundle.actors.replication.renewal import Renewal
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.asked import Asked
from hookbundle.server.cluster.commanding import commands, compacting, rewriting
from hookbundle.server.cluster.commanding.asking import DONE, JSON, NOT_YET
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.maintenance.replication.copies import Rewritten, rewrite_copy
from hookbundle.tests.in_process import daemon_in, event, until
from hookbundle.tests.server.cluster.commanding.compaction import (
    CANARY,
    COMPACT,
    HEARD_WITHIN_S,
    STAYS,
    TAKEN_OVER_WITHIN_S,
    WITHIN_S,
    kept,
    over,
    shown,
    with_deleted_texts,
)
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.in_memory import MemoryLog
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, two


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "AGAIN_S", 0.05)
    monkeypatch.setattr(compacting, "AGAIN_S", 0.02)
    monkeypatch.setattr(commands, "LOOK_S", 0.02)


async def test_no_deleted_byte_is_left_in_any_log_or_copy(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await with_deleted_texts(made)
        before = kept(made.cluster, CANARY)
        begun = await made.apis[1].ask("POST", COMPACT)
        again = await made.apis[1].ask("POST", COMPACT)
        elsewhere = await made.apis[0].ask("POST", COMPACT)
        ended = await over(made.apis[1])
        assert await over(made.apis[0], HEARD_WITHIN_S) == ended
        after = kept(made.cluster, CANARY)
        for name in NAMES:
            await made.accepted(name, event("later"))

        logs = {each.partition(",")[0] for each in before if each.startswith("log")}
        assert len(logs) == PARTITIONS
        assert len(before) >= 3 * PARTITIONS, "each copy had it, too"
        assert after == []
        assert len(kept(made.cluster, STAYS)) >= 3 * PARTITIONS
        assert [len(log.entries) for log in made.cluster.logs] == [1] * PARTITIONS
    assert (begun.status, begun.document["partitions"]) == (202, PARTITIONS)
    assert (again.status, again.code) == (409, "compaction_under_way")
    assert (elsewhere.status, elsewhere.code) == (409, "compaction_under_way")
    assert ended["left_out"] == []
    assert (ended["node"], ended["caller"], ended["stopped"]) == ("b", f"uid {os.getuid()}", False)


async def test_what_can_not_be_done_is_left_out_by_name_and_the_rest_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    now_s = loop.time
    async with two(tmp_path) as made:
        await with_deleted_texts(made)
        log = made.cluster.logs[1]
        log.is_up.clear()
        await made.apis[0].ask("POST", COMPACT)
        await shown(made.apis[0], doing="partition 1: its log")
        monkeypatch.setattr(loop, "time", lambda: now_s() + compacting.PARTITION_S)
        ended = await over(made.apis[0])
        log.is_up.set()

    assert ended["done"] == PARTITIONS
    assert ended["left_out"] == ["partition 1: its log: not done in time"]


async def test_what_a_node_has_not_ended_is_named_by_the_others_and_done_by_another_command(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made, made.reading(1, since="oldest") as feed:
        first = next(number for number in made.nodes[0].owned if number != 0)
        made.cluster.logs[first].is_up.clear()  # its renewal waits
        await made.apis[0].ask("POST", COMPACT)
        under_way = await shown(made.apis[1], HEARD_WITHIN_S, node="a", stopped=False)
        made.cluster.nodes["a"].is_cut = True
        stopped = await shown(made.apis[1], stopped=True)
        made.cluster.logs[first].is_up.set()
        told = (await heard(feed, "compaction.stopped", 1))[-1]
        again = await made.apis[1].ask("POST", COMPACT)
        made.cluster.nodes["a"].is_cut = False
        ended = await over(made.apis[1])
        facts = await heard(feed, "compaction.ended", 1)

    assert under_way["compaction"]["doing"]
    assert stopped["compaction"]["doing"] == ""
    assert any("give the command again" in each for each in stopped["warnings"])
    assert told["data"]["node"] == "a"
    assert again.status == 202
    assert (ended["node"], ended["stopped"]) == ("b", False)
    assert not [each for each in facts if each["type"] == "compaction.stopped"], "it is told once"


async def test_who_takes_a_partition_over_is_asked_to_renew_its_log_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number, asked = min(first.owned), asyncio.Event()
        monkeypatch.setattr(first.hosts[number].role.state.maintenance, "ask", asked.set)
        await made.apis[1].ask("POST", COMPACT)
        async with asyncio.timeout(WITHIN_S):
            await asked.wait()
        second.assigning.take(number, 1)
        ended = await over(made.apis[1], TAKEN_OVER_WITHIN_S)

        assert number in second.owned
    assert ended["left_out"] == []


async def test_a_copy_is_written_anew_when_it_has_come_to_the_new_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would follow the old one to its end, with all that was deleted there."""
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        role = second.hosts[number].role
        follower, rewrite = role.state.follower, role._rewrite
        assert follower is not None
        catch_up, is_behind, written = follower.catch_up, True, list[Generation | None]()

        async def gated() -> None:
            if not is_behind:
                await catch_up()

        async def noted(message: RewriteCopy) -> None:
            written.append(role.state.copy_at().generation)
            await rewrite(message)

        monkeypatch.setattr(follower, "catch_up", gated)
        monkeypatch.setattr(role, "_rewrite", noted)
        await made.apis[0].ask("POST", COMPACT)
        await shown(made.apis[0], doing=f"partition {number}: the copy of b")
        is_behind = False
        await over(made.apis[0])

        assert written == list(made.cluster.logs[number].entries)


async def test_a_copy_that_was_written_anew_for_an_earlier_command_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node that was told may have ended before it heard that it was done."""
    written = list[Path]()

    def counted(path: Path, tick: Any) -> Rewritten:
        written.append(path)
        return rewrite_copy(path, tick)

    monkeypatch.setattr(rewriting, "ANSWER_S", 0.0)
    monkeypatch.setattr(role, "rewrite_copy", counted)
    async with two(tmp_path) as made:
        node = made.nodes[0]
        state = node.hosts[next(iter(made.nodes[1].owned))].role.state

        async def ask(began_ms: int) -> int:
            wanted = rewriting.OfPartition(next(iter(made.nodes[1].owned)), began_ms)
            body = msgspec.json.encode(wanted)
            return (await node.answer(Asked("POST", rewriting.REWRITE, JSON, body))).status

        statuses = [await ask(1), await ask(1)]
        await until(lambda: len(written) == 1 and state.role is Role.FOLLOWING)
        statuses.append(await ask(2))
        await until(lambda: len(written) == 2 and state.role is Role.FOLLOWING)
        statuses.append(await ask(2))

    assert statuses == [NOT_YET] * 3 + [DONE]


async def test_a_log_that_was_being_made_anew_already_is_made_anew_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is deleted meanwhile stands in it."""
    begun, may_end = asyncio.Event(), asyncio.Event()
    prepare = Renewal.prepare

    async def slow(renewal: Renewal) -> None:
        await prepare(renewal)
        begun.set()
        await may_end.wait()

    monkeypatch.setattr(Renewal, "prepare", slow)
    async with two(tmp_path) as made:
        await made.made()
        name = next(each for each in NAMES if of_workspace(each, PARTITIONS) in made.nodes[0].owned)
        number = of_workspace(name, PARTITIONS)
        await made.apis[0].accept(name, event("m1", "deleted", text=CANARY * 20))
        made.nodes[0].hosts[number].role.actor_ref.tell(Renew())
        await begun.wait()
        await made.apis[0].ask("DELETE", f"/v1/workspaces/{name}/chats/deleted")
        body = msgspec.json.encode(rewriting.OfPartition(number))
        asked = await made.nodes[0].answer(Asked("POST", rewriting.RENEW, JSON, body))
        made_before = dict(asked.headers)[rewriting.AFTER]
        await made.apis[1].ask("POST", COMPACT)
        may_end.set()
        ended = await over(made.apis[1])
        after = kept(made.cluster, CANARY)

    assert made_before == "2", "one of a later number is as it was asked for"
    assert (ended["left_out"], after) == ([], [])


async def test_a_log_that_goes_on_in_a_new_generation_is_not_tidy_before_it_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former one is there, though nothing was left at the last look."""
    has_ended, may_go_on, begin_with = asyncio.Event(), asyncio.Event(), MemoryLog.begin_with

    async def slow(log: MemoryLog, generation: Generation) -> None:
        has_ended.set()
        await may_go_on.wait()
        await begin_with(log, generation)

    async with two(tmp_path) as made:
        node = made.nodes[0]
        number = min(node.owned)
        role, log = node.hosts[number].role, made.cluster.logs[number]
        owns = role.state.maintenance
        assert owns is not None
        await until(lambda: owns.state.left == 0)
        monkeypatch.setattr(MemoryLog, "begin_with", slow)

        async def status() -> int:
            body = msgspec.json.encode(rewriting.OfPartition(number))
            return (await node.answer(Asked("POST", rewriting.TIDIED, JSON, body))).status

        before = await status()
        role.actor_ref.tell(Renew())
        async with asyncio.timeout(WITHIN_S):
            await has_ended.wait()
        meanwhile, logs = await status(), len(log.entries)
        may_go_on.set()
        await until(lambda: owns.state.left == 0)
        after = await status()

    assert (before, meanwhile, after) == (DONE, NOT_YET, DONE)
    assert (logs, len(log.entries)) == (2, 1)


async def test_a_daemon_alone_has_no_cluster_to_compact(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", COMPACT)

    assert (answer.status, answer.code) == (409, "in_no_cluster")

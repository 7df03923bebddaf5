"""What operators had the cluster do stands in its feed, whichever node they asked."""

import asyncio
import os
from pathlib import Path

import pytest

from hookbundle.engine.errors import HookbundleError, NotOwner
from hookbundle.engine.replication.beats import Beat, Compaction
from hookbundle.engine.replication.cluster import NodeRecord
from hookbundle.server.cluster.asked import Answered, AnswerLost, Asked
from hookbundle.server.cluster.commanding import telling
from hookbundle.server.cluster.commanding.known import AHEAD_MS_MAX, Known
from hookbundle.server.cluster.commanding.telling import Telling
from hookbundle.storage.cluster_facts import NodeForgotten
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.two_nodes import Two, two

ME = f"uid {os.getuid()}"


async def commanded(made: Two, at: int, command: str, document: object) -> None:
    answer = await made.apis[at].ask("POST", f"/v1/cluster/{command}", document)
    assert answer.status < 300, answer


async def test_each_command_is_a_fact_with_who_gave_it(tmp_path: Path) -> None:
    async with two(tmp_path) as made, made.reading(1, since="oldest") as feed:
        number = min(made.nodes[0].owned)
        made.cluster.known["gone"] = NodeRecord("gone", "1", 2, 0)
        await commanded(made, 1, "move", {"partition": number, "node": "b"})
        moved = (await heard(feed, "partition.moved", 1))[-1]
        await commanded(made, 0, "drain", {"node": "b"})
        drained = (await heard(feed, "node.drained", 1))[-1]
        await commanded(made, 1, "drain", {"undo": True})
        undrained = (await heard(feed, "node.undrained", 1))[-1]
        await commanded(made, 0, "forget", {"node": "gone"})
        forgotten = (await heard(feed, "node.forgotten", 1))[-1]
        await commanded(made, 0, "compact", None)
        compaction = await heard(feed, "compaction.ended", 1)

    assert moved["data"] == {"node": "b", "caller": ME, "partition": number, "before": "a"}
    assert drained["data"] == {"node": "b", "caller": ME, "owns": 0}
    assert undrained["data"] == {"node": "b", "caller": ME}
    assert forgotten["data"] == {"node": "gone", "caller": ME}
    (begun,) = [each for each in compaction if each["type"] == "compaction.begun"]
    assert begun["data"] == {"node": "a", "caller": ME, "partitions": 3}
    assert compaction[-1]["data"] == {**begun["data"], "left_out": []}


async def test_what_is_refused_is_no_fact(tmp_path: Path) -> None:
    async with two(tmp_path) as made, made.reading(since="oldest") as feed:
        refused = await made.apis[0].ask("POST", "/v1/cluster/forget", {"node": "nobody"})
        made.cluster.known["gone"] = NodeRecord("gone", "1", 2, 0)
        await commanded(made, 0, "forget", {"node": "gone"})
        found = await heard(feed, "node.forgotten", 1)

    assert refused.status == 404
    assert [each["data"]["node"] for each in found if each["type"] == "node.forgotten"] == ["gone"]


def said(node: str, compaction: Compaction) -> Beat:
    return Beat(node, f"life of {node}", "", 0, 0, "", {}, compaction=compaction)


def compaction(began_ms: int, node: str, **more: object) -> Compaction:
    return Compaction(began_ms, node, f"life of {node}", "uid 0", 3, **more)  # type: ignore[arg-type]


def heard_by(life: str, *beats: Beat) -> Known[Compaction]:
    known = Known[Compaction](life, lambda beat: beat.compaction)
    known.hear({beat.node: beat for beat in beats}, 1_000)
    return known


def test_the_later_compaction_is_known_and_of_one_the_word_of_who_does_it() -> None:
    early = compaction(10, "a", doing="partition 1: its log", done=1)
    now = compaction(10, "a", doing="partition 1: the copy of b", done=1)
    assert heard_by("c", said("a", now), said("b", early)).latest == now
    assert heard_by("c", said("b", early), said("a", now)).latest == now
    later = compaction(11, "b", doing="begins")
    assert heard_by("c", said("a", now), said("b", later)).latest == later


def test_a_time_after_which_none_could_come_is_not_believed() -> None:
    wrong = compaction(1_000 + AHEAD_MS_MAX, "a", doing="begins")
    assert heard_by("c", said("a", wrong)).latest is None


def test_a_compaction_begins_later_than_all_that_were_heard_of() -> None:
    assert heard_by("c").next_ms(1_000) == 1_000
    known = heard_by("c", said("a", compaction(1_500, "a", done=3)))  # its clock is ahead
    assert known.next_ms(1_000) == 1_501
    assert known.next_ms(2_000) == 2_000


def test_a_compaction_has_stopped_when_the_life_that_did_it_is_over() -> None:
    beat = said("a", compaction(10, "a", doing="partition 1: its log"))
    known = heard_by("c", beat)
    assert known.is_under_way({"a": beat})
    assert not known.has_stopped({"a": beat})
    assert known.has_stopped({})
    again = Beat("a", "another life", "", 0, 0, "", {})
    assert known.has_stopped({"a": again})
    assert not known.is_under_way({"a": again})
    over = heard_by("c", said("b", compaction(10, "a", done=3)))
    assert not over.has_stopped({})


class Answers:
    """Partition 0, which answers with these in turn, and at last takes what it is told."""

    def __init__(self, *answers: int | HookbundleError) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def ask(self, number: int, asked: Asked) -> Answered:
        self.asked += 1
        answer = self._answers.pop(0) if self._answers else 204
        if isinstance(answer, HookbundleError):
            raise answer
        return Answered(answer, (), b"")


async def told(answers: Answers) -> int:
    """How often partition 0 was asked until all was told."""
    telling = Telling(answers.ask)
    telling.tell(NodeForgotten(node="gone", caller=ME))
    await asyncio.gather(*telling._tasks)
    await telling.close()
    return answers.asked


async def test_a_fact_is_told_again_until_partition_0_has_an_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "AGAIN_S", (0.0,) * 5)
    unowned = NotOwner.of(NotOwner.other)
    assert await told(Answers(unowned, unowned, 503)) == 4
    assert await told(Answers(*[503] * 9)) == 6, "not for ever"


async def test_a_fact_that_may_have_been_told_is_not_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "AGAIN_S", (0.0,) * 5)
    assert await told(Answers(AnswerLost.of(AnswerLost.other))) == 1


async def test_a_node_that_stops_does_not_wait_for_an_owner_of_partition_0() -> None:
    unowned = Answers(503)
    telling = Telling(unowned.ask)
    telling.tell(NodeForgotten(node="gone", caller=ME))
    async with asyncio.timeout(20):
        await telling.close()
    assert unowned.asked == 1

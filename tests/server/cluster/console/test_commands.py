"""Commands on the page of the cluster: done as by `/v1/cluster`, and asked about before."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hookbundle.engine.replication.cluster import NodeRecord
from hookbundle.server.cluster.commanding import commands, compacting
from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.server.cluster.commanding.test_checking import (
    env_of,
    follower_of,
    without_usages,
)
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.two_nodes import two
from hookbundle.tests.server.console.plain import Seen, Visitor

PAGE = "/console/cluster"
AGREED = re.compile(r'name="agreed" value="([^"]*)"')
WITHIN_S = 60.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "AGAIN_S", 0.02)
    monkeypatch.setattr(commands, "LOOK_S", 0.02)


async def shown(visitor: Visitor, is_so: Callable[[str], bool]) -> str:
    """The page, once it says so."""
    async with asyncio.timeout(WITHIN_S):
        while not is_so((seen := await visitor.get(f"{PAGE}/now")).text):
            await asyncio.sleep(0.05)
    return seen.text


async def commanded(visitor: Visitor, command: str, form: dict[str, str]) -> str:
    """What the page says after the command was given."""
    done = await visitor.post(f"{PAGE}/{command}", form)
    assert (done.status, done.headers["location"]) == (303, PAGE), done.text
    return (await visitor.get(PAGE)).text


def answer_in(question: Seen) -> str:
    """What the button of the question sends."""
    found = AGREED.search(question.text)
    assert found is not None, question.text
    return found[1]


async def agreed(visitor: Visitor, command: str, form: dict[str, str]) -> str:
    """The same of a command about which it is asked first."""
    question = await visitor.post(f"{PAGE}/{command}", form)
    assert question.status == 200
    return await commanded(visitor, command, {**form, "agreed": answer_in(question)})


async def test_copies_are_compared_and_made_anew_and_every_node_shows_it(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        first, second = at.visitors
        begun = await commanded(first, "check", {})
        clean = await shown(second, lambda text: 'data-check="over"' in text)
        follower = follower_of(at, 1)
        without_usages(env_of(follower, 1))
        await commanded(second, "check", {})
        found = await shown(first, lambda text: "hookbundle cluster check --repair" in text)
        await shown(first, lambda text: 'data-check="over"' in text)
        asked = await first.post(f"{PAGE}/check", {"repair": "yes"})
        unasked = await at.apis[0].get("/v1/cluster")
        await agreed(first, "check", {"repair": "yes"})
        await shown(second, lambda text: "is being made anew" in text)

    name = follower.cluster.node
    assert "The copies are being compared" in begun
    assert "found nothing wrong" in clean
    assert 'data-need="none"' in clean
    assert f"the copy of <bdi>{name}</bdi> is not as its owner" in found
    assert 'data-need="check"' in found
    assert "never dropped" in asked.text
    assert unasked["check"]["repairs"] is False


async def test_a_compaction_is_asked_about_and_its_progress_is_shown(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        first, second = at.visitors
        number = max(at.nodes[0].owned)
        at.cluster.logs[number].is_up.clear()  # its renewal waits
        question = await first.post(f"{PAGE}/compact", {})
        before = (await at.apis[0].get("/v1/cluster"))["compaction"]
        begun = await agreed(first, "compact", {})
        await shown(second, lambda text: "<progress" in text)
        refused = await agreed(second, "compact", {})
        at.cluster.logs[number].is_up.set()
        await shown(second, lambda text: "data-compaction" not in text)

    assert "3 partitions are rewritten" in question.text
    assert before is None
    assert "is being compacted" in begun
    assert "the cluster is being compacted already" in refused


async def test_partitions_are_given_away_and_a_node_takes_them_again(tmp_path: Path) -> None:
    async with two(tmp_path) as at, at.reading(1, since="oldest") as feed:
        await at.made()
        await at.sign_in()
        visitor, number = at.visitors[0], min(at.nodes[0].owned)
        moved = await commanded(visitor, "move", {"partition": str(number), "node": "b"})
        owns = len(at.nodes[0].owned)
        question = await visitor.post(f"{PAGE}/drain", {"node": "a"})
        drained = await agreed(visitor, "drain", {"node": "a"})
        nobody = await agreed(visitor, "drain", {"node": "b"})
        again = await commanded(visitor, "drain", {"node": "a", "undo": "yes"})
        wrong = [
            await commanded(visitor, "move", {"partition": partition, "node": node})
            for partition, node in (("no number", "b"), (str(number), "nobody"), ("", ""))
        ]
        caller = (await heard(feed, "node.drained", 1))[-1]["data"]["caller"]

    assert f"<bdi>b</bdi> owns partition {number} now" in moved
    assert f"gives away {owns} partition" in question.text
    assert "owns nothing any more" in drained
    assert "takes partitions again" in again
    assert "This could not be done." in nobody
    assert all("This could not be done." in each for each in wrong)
    assert caller.startswith("tok_")


async def test_the_schema_is_raised_when_that_was_agreed_to(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        visitor, known = at.visitors[0], at.cluster.known
        nothing = await commanded(visitor, "upgrade", {})
        for each in at.cluster.nodes.values():
            each.itself = NodeRecord(each.name, "1", SCHEMA + 1, 0)
            known[each.name] = each.itself
        seen = (await visitor.get(PAGE)).text
        question = await visitor.post(f"{PAGE}/upgrade", {})
        before = at.cluster.record.schema
        raised = await agreed(visitor, "upgrade", {})
        after = at.cluster.record.schema

    assert "This could not be done." not in nothing
    assert 'data-need="upgrade"' in seen
    assert "hookbundle cluster upgrade" in seen
    assert f"schema {SCHEMA + 1}" in question.text
    assert (before, after) == (SCHEMA, SCHEMA + 1)
    assert f"The cluster writes schema {SCHEMA + 1}" in raised


async def test_only_the_operator_commands_and_only_by_this_page(tmp_path: Path) -> None:
    paths = ["check", "compact", "drain", "move", "upgrade"]
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        forged = [
            await at.visitors[0].post(f"{PAGE}/{path}", {"form_token": "x"}) for path in paths
        ]
        await at.sign_in(await at.token("ws9"))
        of_owner = [await at.visitors[0].post(f"{PAGE}/{path}", {}) for path in paths]
        cluster = await at.apis[0].get("/v1/cluster")

    assert {each.status for each in forged} == {403}
    assert {each.status for each in of_owner} == {404}
    assert (cluster["check"], cluster["compaction"]) == (None, None)

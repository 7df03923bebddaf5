"""A backup of a cluster under traffic, and a cluster out of it, by "Back up" of docs/cluster.md.

The commands are those of the page, but for the paths.
"""

import asyncio
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookbundle.server.cluster.partitions.placing import OF_ALL
from hookbundle.tests.docs.cluster.following import part
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import Program, Ran
from hookbundle.tests.reliability.cluster.clients import Client, traffic
from hookbundle.tests.reliability.cluster.nodes import NodeProcess, cluster_of

PARTITIONS = 3
WORKSPACES = 4
WAITING = 5
CLOSED = Answer(503, (("Retry-After", "10"),))  # else the webhook is disabled after a second
WITHIN_S = 60.0
WITH_DATA = ("hookbundle backup", "hookbundle check", "hookbundle cluster init", "mv")

pytestmark = pytest.mark.skipif(bool(os.environ.get("CLUSTER")), reason="makes its own cluster")


@dataclass(frozen=True, slots=True)
class Page:
    """The commands of the section, in order, with paths of this test."""

    backups: Path

    def commands(self) -> list[tuple[str, list[str]]]:
        typed = [step.typed or "" for block in part("Back up") for step in block.steps]
        words = [each.split() for each in typed if each.startswith(WITH_DATA)]
        return [(program, rest) for program, *rest in words]

    def here(self, words: list[str], data: str) -> list[str]:
        return [
            word.replace("/var/lib/hookbundle-backups", str(self.backups)).replace(
                "/var/lib/hookbundle", data
            )
            for word in words
        ]


async def run(
    program: Program, command: tuple[str, list[str]], page: Page, data: str, *more: str
) -> Ran:
    name, words = command
    assert name == "hookbundle"
    ran = await program(*page.here(words, data), *more)
    assert ran.code == 0, ran
    return ran


def data_of(node: NodeProcess) -> str:
    return node.program.env["HOOKBUNDLE_DATA"]


async def sent_again(api: Api, client: Client, acknowledged: list[str]) -> int:
    """How many of the messages the cluster knows already."""
    events = [event(each, f"chat-{client.workspace}") for each in acknowledged]
    answer = await api.accept(client.workspace, *events)
    return int(answer["duplicate"])


async def until_none_is_too_many(api: Api) -> None:
    """The node that began alone has given up what the other one owns now: it has to be read from
    its log. Partition 0 is followed by all."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            partitions = (await api.get("/v1/cluster"))["partitions"]
            others = [each["copies"] for each in partitions if each["number"] != OF_ALL]
            owners = {each["owner"] for each in partitions if each["number"] != OF_ALL}
            if all(len(copies) == 1 for copies in others) and owners == {"a", "b"}:
                return
            await asyncio.sleep(0.1)


async def test_a_cluster_is_made_of_a_backup_of_one_under_traffic_as_the_page_says(
    tmp_path: Path, nats: LogServers
) -> None:
    page = Page(tmp_path / "backups")
    page.backups.mkdir()
    backup, check, aside, init = page.commands()
    async with (
        receiving() as receiver,
        receiving() as closed,
        cluster_of(tmp_path, nats, nodes=2, partitions=PARTITIONS, copies="1") as made,
    ):
        closed.answers(CLOSED)
        asked = made.node("a")
        async with traffic(made.nodes, receiver, WORKSPACES) as clients:
            async with connected(asked.socket_path) as session:
                api = Api(session)
                await api.make("waits", closed, "waits")
                await api.accept("waits", *(event(f"w{n}") for n in range(WAITING)))
                queued = await api.get("/v1/workspaces/waits/deliveries?order=queue")
                waiting = [each["id"] for each in queued["deliveries"]]
                await until_none_is_too_many(api)
            await clients.more(10)
            before = [(each, list(each.acknowledged)) for each in clients.clients]
            ran = await run(asked.program, backup, page, data_of(asked), "--json")
            await clients.more(3)  # nobody was held up by it
        checked = await run(asked.program, check, page, data_of(asked))
        for node in made.nodes:
            assert await node.stop() == 0
        for node in made.nodes:
            subprocess.run([aside[0], *page.here(aside[1], data_of(node))], check=True)
        closed.posts.clear()
        closed.answers(200)

        name = nats.new_cluster()
        anew = {"HOOKBUNDLE_CLUSTER__NAME": name}
        for node in made.nodes:
            node.program.env.update(anew)
        less = "--replicas", "1", "--insecure", "--json"
        done = (await run(asked.program, init, page, data_of(asked), *less)).document
        assert closed.posts == []
        for node in made.nodes:
            node.start()
        for node in made.nodes:
            await node.until_says("ready", 2)
        async with connected(made.node("b").socket_path) as session:
            api = Api(session)
            known = [await sent_again(api, *each) for each in before]
            async with asyncio.timeout(WITHIN_S):
                while ids(closed) != waiting:
                    await asyncio.sleep(0.1)
                later = await api.accept("waits", event("later"))
                while len(closed.posts) <= WAITING:
                    await asyncio.sleep(0.1)
            shown = (await api.get("/v1/cluster"))["partitions"]

    found = ran.document
    assert found["findings"] == []
    assert {each["source"] for each in found["partitions"]} == {"copy", "log"}
    assert checked.code == 0, checked
    former, now = ({number_of(each) for each in of} for of in (found["partitions"], shown))
    assert min(now) > max(former), "a copy of before could go on with the log"
    assert known == [len(acknowledged) for _, acknowledged in before]
    assert (done["partitions"], done["workspaces"]) == (PARTITIONS, WORKSPACES + 1)
    assert later["accepted"] == 1
    assert ids(closed)[:WAITING] == waiting
    assert len(set(ids(closed))) == WAITING + 1, "each was sent once"


def number_of(partition: dict[str, Any]) -> int:
    """Of the generation in which its log is."""
    return int(partition["generation"].partition("x")[0])


def ids(receiver: HookReceiver) -> list[str]:
    return [post.id for post in receiver.posts]

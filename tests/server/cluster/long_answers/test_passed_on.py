"""A long answer of another node: the client has all of it, or sees that it has not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api, connected, event, receiving, until
from hookbundle.tests.server.cluster.in_memory import Heard, cluster, shared_out

PARTITIONS = 2
WS = "ws1"
PATH = f"http://hookbundle/v1/workspaces/{WS}/log"
MESSAGES = 30
TEXT = "long " * 12_000


@dataclass(slots=True)
class Scene:
    """`other` does not own the workspace; `answerer` is the owner as others hear it."""

    owner: Node
    answerer: Heard
    to_owner: aiohttp.ClientSession
    to_other: aiohttp.ClientSession

    @property
    def held(self) -> int:
        assert self.owner._answering is not None
        return len(self.owner._answering.held)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """A workspace whose log has a few megabytes."""
    async with receiving() as receiver, cluster(folder, PARTITIONS) as made:
        nodes = {"a": await made.start("a"), "b": await made.start("b")}
        await shared_out(*nodes.values())
        number = of_workspace(WS, PARTITIONS)
        name = next(name for name, node in nodes.items() if number in node.owned)
        owner, other = nodes[name], nodes["b" if name == "a" else "a"]
        async with (
            connected(owner.config.listeners.socket_path) as to_owner,
            connected(other.config.listeners.socket_path) as to_other,
        ):
            api = Api(to_owner)
            await api.make(WS, receiver)
            await api.accept(WS, *(event(f"m{n}", text=TEXT) for n in range(MESSAGES)))
            await receiver.until(MESSAGES)
            async with asyncio.timeout(TIMEOUT_S):
                while len(await api.get(f"/v1/workspaces/{WS}/log")) < MESSAGES:
                    pass
            yield Scene(owner, made.nodes[name], to_owner, to_other)


async def test_it_is_passed_on_as_the_owner_has_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        async with at.to_owner.get(PATH) as answer:
            owners = await answer.read()
        async with at.to_other.get(PATH) as answer:
            passed_on, headers = await answer.read(), answer.headers

        assert passed_on == owners
        assert len(passed_on) > MESSAGES * len(TEXT)
        assert headers["Content-Disposition"] == f'attachment; filename="{WS}-log.json"'


async def test_a_part_whose_answer_is_lost_is_asked_for_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        async with at.to_owner.get(PATH) as answer:
            owners = await answer.read()
        async with at.to_other.get(PATH) as answer:
            at.answerer.loses_answers = 2
            assert await answer.read() == owners


async def test_a_connection_that_is_lost_for_a_moment_cuts_nobody_off(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        async with at.to_owner.get(PATH) as answer:
            owners = await answer.read()
        async with at.to_other.get(PATH) as answer:
            begun = await answer.content.readany()
            at.answerer.is_cut = True
            asyncio.get_running_loop().call_later(0.2, setattr, at.answerer, "is_cut", False)
            assert begun + await answer.read() == owners


async def test_a_client_that_leaves_ends_it_at_the_owner(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        async with at.to_other.get(PATH) as answer:
            await answer.content.readany()
            assert at.held == 1
            answer.close()
        await until(lambda: at.held == 0)


async def test_a_client_is_cut_off_if_the_owner_is_lost(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        async with at.to_other.get(PATH) as answer:
            await answer.content.readany()
            at.answerer.is_cut = True
            with pytest.raises(aiohttp.ClientError):
                async with asyncio.timeout(20):
                    await answer.read()
        at.answerer.is_cut = False

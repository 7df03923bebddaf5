"""A stream of events, at a node that does not have its token: it lasts as long as that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from hookbundle.engine.errors import HookbundleError
from hookbundle.server.cluster import tokens
from hookbundle.server.cluster.asked import Ask
from hookbundle.server.cluster.callers import unknown_tokens
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.transitions.tokens import digest_of
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api, connected, event, until
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out
from hookbundle.tests.server.cluster.two_nodes import NAMES, Two, two

OF_ALL = 0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_tokens, "LOOK_S", 0.05)


@asynccontextmanager
async def streaming(node: Node, token: str) -> AsyncIterator[aiohttp.ClientResponse]:
    tcp = node.listeners.tcp
    assert tcp is not None
    headers = {"Authorization": f"Bearer {token}"}
    url = f"http://{tcp[0]}:{tcp[1]}/v1/events?since=oldest"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as stream:
        assert stream.status == 200
        yield stream


async def hears(stream: aiohttp.ClientResponse, word: str) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        async for line in stream.content:
            if word.encode() in line:
                return
    raise AssertionError(f"the stream has ended without {word}")


async def ends(stream: aiohttp.ClientResponse) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        async for _ in stream.content:
            pass


def without_copy(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the partition with the tokens for all: it joins, or is being rewritten."""
    followed = node.followed

    def but_one(partition: int) -> Environment | None:
        return None if partition == OF_ALL else followed(partition)

    monkeypatch.setattr(node, "followed", but_one)


def other_than_the_owner(made: Two) -> Node:
    return next(node for node in made.nodes if OF_ALL not in node.owned)


async def revoked(made: Two, token: str) -> None:
    (found,) = (await made.apis[0].get("/v1/tokens"))["tokens"]
    assert (await made.apis[0].ask("DELETE", f"/v1/tokens/{found['id']}")).status == 204


async def test_it_ends_with_a_token_that_only_the_owner_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        token, node = await made.token(), other_than_the_owner(made)
        without_copy(node, monkeypatch)
        async with streaming(node, token) as stream:
            await hears(stream, "workspace.created")
            await made.apis[0].accept(NAMES[0], event("m1"))
            await hears(stream, "message.received")
            await revoked(made, token)
            await ends(stream)
        with pytest.raises(AssertionError):
            async with streaming(node, token):
                pass


async def test_it_goes_on_while_the_copy_that_knew_its_token_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        token, node = await made.token(), other_than_the_owner(made)
        known = node.unknown_tokens.tokens.known
        await until(lambda: known(digest_of(token)) is not None)  # by its copy
        asked: list[int] = []
        asked_for = tokens.asked_for

        async def counted(ask: Ask, place: int, digest: bytes) -> object:
            asked.append(place)
            return await asked_for(ask, place, digest)

        monkeypatch.setattr(unknown_tokens, "asked_for", counted)
        async with streaming(node, token) as stream:
            await hears(stream, "workspace.created")
            without_copy(node, monkeypatch)
            async with asyncio.timeout(TIMEOUT_S):
                while len(asked) < 2:
                    await asyncio.sleep(0.01)
            await made.apis[0].accept(NAMES[0], event("m1"))
            await hears(stream, "message.received")
            await revoked(made, token)
            await ends(stream)

    assert set(asked) == {OF_ALL}


async def test_who_can_not_say_ends_no_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        token, node = await made.token(), other_than_the_owner(made)
        without_copy(node, monkeypatch)
        here = next(name for name in NAMES if of_workspace(name, 3) in node.owned)
        asked = asyncio.Semaphore(0)

        async def silent(ask: Ask, place: int, digest: bytes) -> object:
            asked.release()
            raise HookbundleError("nobody answers")

        async with streaming(node, token) as stream:
            await hears(stream, "workspace.created")
            monkeypatch.setattr(unknown_tokens, "asked_for", silent)
            for number in (1, 2, 3):  # a stream that ends may send a page more
                async with asyncio.timeout(TIMEOUT_S):
                    await asked.acquire()
                await made.apis[0].accept(here, event(f"m{number}"))
                await hears(stream, f'"m{number}"')


async def test_the_events_of_the_only_partition_are_streamed_by_every_node(tmp_path: Path) -> None:
    async with cluster(tmp_path, partitions=1) as made:
        nodes = [await made.start("a"), await made.start("b")]
        await shared_out(*nodes)
        owner = next(node for node in nodes if node.owned)
        async with connected(owner.config.listeners.socket_path) as session:
            api = Api(session)
            assert (await api.ask("POST", "/v1/workspaces", {"id": "acme"})).status == 201
            answer = await api.ask("POST", "/v1/tokens", {"scope": "admin"})
            for node in nodes:
                async with streaming(node, answer.document["token"]) as stream:
                    await hears(stream, "workspace.created")
                    await api.accept("acme", event(f"at-{node.cluster.node}"))
                    await hears(stream, f"at-{node.cluster.node}")

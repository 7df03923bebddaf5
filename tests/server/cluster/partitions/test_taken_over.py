"""What an owner knew of its workspaces, the next one knows: all of it are rows of the partition.

The owner is not asked to give the partition away: others hear it no more, and take it over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.engine.replication.assignment import assign
from hookbundle.server.cluster.node import Node
from hookbundle.tests.crm.requests.oauth_server import oauth_server
from hookbundle.tests.engine.sources.posting import body_of
from hookbundle.tests.hook_receiver import TIMEOUT_S, Answer, HookReceiver
from hookbundle.tests.in_process import Api, connected, event, receiving, until
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster
from hookbundle.tests.server.http.resources.sources import posting

MESSAGES = "/v1/workspaces/acme/messages"
DELIVERIES = "/v1/workspaces/acme/deliveries"
REPLAY = "/v1/workspaces/acme/replay"
HOOK = "/v1/workspaces/acme/webhooks/outbound"
LEARNED, THEN_MISSING = (
    body_of("waha", "07-noweb-lid-learned-then-missing.seq", at) for at in (0, 1)
)


@dataclass(slots=True)
class Pair:
    """Two nodes, of which the first owns the only partition; an API at each."""

    cluster: MemoryCluster
    owner: Node
    heir: Node
    first: Api
    second: Api
    receiver: HookReceiver

    async def taken_over(self) -> None:
        self.cluster.nodes[self.owner.cluster.node].is_cut = True
        await until(lambda: 0 in self.heir.owned)

    async def delivered(self, api: Api, count: int) -> list[str]:
        """The ids of all that was delivered, once they are so many."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                page = await api.get(f"{DELIVERIES}?state=delivered&limit=50")
                if len(page["deliveries"]) >= count:
                    return [each["id"] for each in page["deliveries"]]
                await asyncio.sleep(0.02)


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving())
        made = await stack.enter_async_context(cluster(folder, 1))
        nodes = {name: await made.start(name) for name in ("a", "b")}
        ((first, second),) = assign(1, list(nodes), 2)
        owner, heir = nodes[first], nodes[second]
        await until(lambda: 0 in owner.owned and heir.followed(0) is not None)
        apis = [
            Api(await stack.enter_async_context(connected(node.config.listeners.socket_path)))
            for node in (owner, heir)
        ]
        yield Pair(made, owner, heir, apis[0], apis[1], receiver)


async def test_a_replay_goes_on_and_leaves_nothing_out(tmp_path: Path) -> None:
    async with pair(tmp_path) as made:
        await made.first.make("acme", made.receiver)
        await made.first.accept("acme", *(event(f"m{number}") for number in range(8)))
        before = await made.delivered(made.first, 8)
        answer = asyncio.Event()
        made.receiver.answers(Answer(after=answer))
        wanted = {"dry_run": False, "states": ["delivered"]}
        begun = await made.first.ask("POST", REPLAY, wanted)
        await made.receiver.until(9)

        await made.taken_over()
        answer.set()
        async with asyncio.timeout(TIMEOUT_S):
            while (job := await made.second.get(f"{REPLAY}/1"))["state"] != "done":
                await asyncio.sleep(0.02)

    sent = [post.id for post in made.receiver.posts[8:]]
    assert begun.status == 202
    assert (job["delivered"], job["left_out"]) == (8, 0)
    assert set(sent) == set(before)
    assert len(sent) <= 8 + 1, "but for the attempt that was under way"


async def test_a_budget_is_not_filled_again(tmp_path: Path) -> None:
    async with pair(tmp_path) as made:
        await made.first.make("acme", made.receiver, budget="3/day")
        await made.first.accept("acme", event("m1"), event("m2"))
        await made.delivered(made.first, 2)

        await made.taken_over()
        await made.second.accept("acme", *(event(f"m{number}") for number in range(3, 8)))
        await made.delivered(made.second, 3)
        async with asyncio.timeout(TIMEOUT_S):
            while (hook := await made.second.get(HOOK))["state"] != "over_budget":
                await asyncio.sleep(0.02)

    assert (hook["pace"]["used"], hook["pace"]["left"]) == (3, 0)
    assert len(made.receiver.posts) == 3


async def test_repeats_are_known_by_ids_by_keys_and_what_a_source_has_taught(
    tmp_path: Path,
) -> None:
    keyed = {"Content-Type": "application/json", "Idempotency-Key": "k1"}
    body = msgspec.json.encode([event("m2"), event("m3")])
    async with pair(tmp_path) as made:
        await made.first.make("acme", made.receiver)
        source = await posting.make(made.first)
        await source.post(LEARNED)
        await made.first.accept("acme", event("m1"))
        answered = await made.first.ask("POST", MESSAGES, data=body, headers=keyed)
        await made.receiver.until(4)
        await made.delivered(made.first, 4)

        await made.taken_over()
        again = await made.second.ask("POST", MESSAGES, data=body, headers=keyed)
        repeated = await made.second.accept("acme", event("m1"))
        source.system = made.second
        once_more = await source.post(LEARNED)
        await source.post(THEN_MISSING)
        posts = await made.receiver.until(5)

    assert (again.status, again.body) == (202, answered.body)
    assert repeated["duplicate"] == 1
    assert once_more.status in (200, 202)
    assert len(made.receiver.posts) == 5
    chats = {post.document["chat"]["chat_id"] for post in posts if _is_of_source(post.document)}
    assert len(chats) == 1, "the number under which the source has seen the chat before"


async def test_an_access_token_is_fetched_once_by_each_owner(tmp_path: Path) -> None:
    async with oauth_server() as endpoint, pair(tmp_path) as made:
        await made.first.make("acme", made.receiver, request={"auth": endpoint.auth()})
        await made.first.accept("acme", event("m1"), event("m2"))
        await made.delivered(made.first, 2)
        tested = await made.first.ask("POST", f"{HOOK}/test")
        by_first = len(endpoint.given)

        await made.taken_over()
        await made.second.accept("acme", event("m3"), event("m4"))
        await made.delivered(made.second, 4)

    assert tested.document["outcome"] == "delivered"
    assert (by_first, len(endpoint.given)) == (1, 2)


def _is_of_source(document: dict[str, Any]) -> bool:
    return bool(document["chat"]["chat_id"] != event("m1")["chat"]["chat_id"])

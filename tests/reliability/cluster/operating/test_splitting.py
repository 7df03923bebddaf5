"""A daemon's database becomes a cluster: what waited is sent once, in order, with the same ids."""

import os
from pathlib import Path

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, event, receiving, until
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import program_in, serving

NAMES = [f"ws{number}" for number in range(8)]
MESSAGES = 4
PARTITIONS = "4"


async def _waiting(api: Api, name: str) -> list[str]:
    """The ids of the workspace's queued deliveries, in order."""
    found = await api.get(f"/v1/workspaces/{name}/deliveries?order=queue")
    return [each["id"] for each in found["deliveries"]]


async def _filled(api: Api, receiver: HookReceiver) -> dict[str, list[str]]:
    """Workspaces have deliveries that wait, of which one was tried, and one has an open window."""
    for name in NAMES:
        await api.make(name, receiver, name)
        for number in range(MESSAGES):
            await api.accept(name, event(f"{name}-{number}"))
        await receiver.until(1, name)
    await api.make("slow", receiver, "slow", aggregation="1h")
    await api.accept("slow", event("s1"), event("s2"))
    return {name: await _waiting(api, name) for name in NAMES}


def _ids(receiver: HookReceiver, name: str) -> list[str]:
    """Of the deliveries that have come, in the order of their first attempts."""
    return list(dict.fromkeys(post.id for post in receiver.at(name)))


@pytest.mark.skipif(bool(os.environ.get("CLUSTER")), reason="needs a daemon alone")
async def test_what_waited_in_a_daemon_is_sent_by_a_cluster_once_in_order_with_the_same_ids(
    tmp_path: Path, nats: LogServers
) -> None:
    cluster = {
        "CLUSTER__SERVERS": ",".join(nats.urls),
        "CLUSTER__NAME": nats.new_cluster(),
        "CLUSTER__NODE": "a",
    }
    async with receiving() as receiver:
        receiver.answers(503)
        with serving(tmp_path / "alone", DELIVERY__BACKOFF="2s") as alone:
            async with connected(alone.socket_path) as session:
                waiting = await _filled(Api(session), receiver)
        receiver.answers(200)
        tried = len(receiver.posts)

        made = await program_in(tmp_path / "node", **cluster)(
            *("cluster", "init", "--from", alone.env["HOOKBUNDLE_DATA"]),
            *("--partitions", PARTITIONS, "--replicas", "1", "--insecure", "--json"),
        )
        assert made.document["workspaces"] == len(NAMES) + 1
        assert "start no daemon" in made.err
        assert [path.name for path in (tmp_path / "node" / "data").iterdir()] == ["cluster.key"]
        assert len(receiver.posts) == tried

        with serving(tmp_path / "node", **cluster) as node:
            async with connected(node.socket_path) as session:
                api = Api(session)
                again = await api.accept("ws0", event("ws0-0"))
                await until(lambda: all(_ids(receiver, n) == waiting[n] for n in NAMES))
                flushed = await api.ask("POST", "/v1/workspaces/slow/chats/flush")
                assert flushed.status == 200, flushed
                (slow,) = await receiver.until(1, "slow")
                await receiver.until(tried + len(NAMES) * MESSAGES + 1)
                status = await api.get("/v1/status")
        sent = receiver.posts[tried:]

    assert again["duplicate"] == 1
    assert slow.message_ids == ["s1", "s2"]
    assert len({post.id for post in sent}) == len(sent)  # each once
    for name in NAMES:
        came = [post for post in sent if post.path == name]
        assert [post.id for post in came] == waiting[name]
        assert [post.message_ids for post in came] == [[f"{name}-{n}"] for n in range(MESSAGES)]
    assert status["totals"]["accepted"] == len(NAMES) * MESSAGES + 2

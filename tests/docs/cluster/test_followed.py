"""docs/cluster.md, followed as it stands: a cluster with TLS, whose machines come, go and are lost.

The short form starts a cluster and changes its nodes. The long form (`make cluster-table`) has
clients meanwhile, and an audit of everything that was acknowledged to them.
"""

import asyncio
import shutil

import pytest

from hookbundle.tests.docs.cluster.following import PARTITIONS, Page
from hookbundle.tests.docs.cluster.machines import LOG_SERVERS, machines
from hookbundle.tests.docs.cluster.scenes import LOOK_S, WITHIN_S, WORKSPACES, quiet, under_traffic
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.reliability.harness.battery import FULL, size

FEW = 8  # partitions, in the short form
CLOSED = Answer(503, (("Retry-After", "20"),))  # else webhooks are disabled after a second

long = pytest.mark.skipif(not FULL, reason="long form: make cluster-table")
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


async def test_a_cluster_is_started_and_nodes_come_and_go_as_the_page_says() -> None:
    with machines() as at:
        page = Page(at, ("a", "b", "c", "d"), size(FEW, PARTITIONS))
        await page.follow("Start one")
        assert await quiet(at["a"], "a", "b", "c") == size([2, 3, 3], [10, 11, 11])
        for server in LOG_SERVERS:  # else they go on trying each other, many times a second
            assert "handshake error" not in at[server].log("nats-server")
        async with connected(at["c"].socket_path) as session:
            made = await Api(session).ask("POST", "/v1/workspaces", {"id": "acme"})
            assert made.status == 201
            await Api(session).accept("acme", event("m1"))
        await page.follow("Give partitions away")
        await page.follow("Add a node")
        await quiet(at["a"], "a", "b", "c", "d", moved=1)
        await page.follow("Take a node out")
        assert not at["b"].copies.exists()
        await quiet(at["a"], "a", "c", "d")
        async with connected(at["d"].socket_path) as session:
            known = await Api(session).accept("acme", event("m1"))

    assert known["duplicate"] == 1
    assert page.typed > 20


@long
async def test_machines_are_lost_and_replaced_as_the_page_says() -> None:
    with machines() as at:
        page = Page(at)
        async with under_traffic(at, page) as clients:
            await quiet(at["a"], "a", "b", "c")
            at["b"].kill("hookbundle")
            shutil.rmtree(at["b"].data)
            at["b"].data.mkdir()
            at["n2"].kill("nats-server")
            shutil.rmtree(at["n2"].root / "var" / "lib" / "nats")
            await clients.more(10)
            await page.follow("Lose a machine")
            await quiet(at["a"], "a", "c")
            key = "cluster.key"
            shutil.copy(at["a"].data / key, at["b"].data / key)
            code, printed = at["b"].terminal.runs("systemctl start hookbundle")
            assert code == 0, printed
            await quiet(at["a"], "a", "b", "c")
            # The new log server has everything: it and one other are enough.
            at["n1"].kill("nats-server")
            await clients.more(20)
            at["n1"].terminal.runs("systemctl start nats-server")
            await page.follow("Nothing of what was deleted")
            await quiet(at["a"], "a", "b", "c")


@long
async def test_a_daemon_alone_becomes_a_cluster_as_the_page_says() -> None:
    with machines() as at:
        page = Page(at)
        await page.follow("Three log servers")
        alone = at["a"]
        settings = 'data = "/var/lib/hookbundle"\nsocket = "/run/hookbundle/control.sock"\n'
        file = alone.root / "etc" / "hookbundle" / "config.toml"
        file.write_text(at.placed("a", settings))
        async with receiving() as receiver:
            receiver.answers(CLOSED)
            assert alone.terminal.runs("systemctl start hookbundle")[0] == 0
            async with connected(alone.socket_path) as session:
                api = Api(session)
                for number in range(WORKSPACES):
                    await api.make(f"ws{number}", receiver, f"ws{number}")
                    await api.accept(f"ws{number}", event("m1"))
                for number in range(WORKSPACES):
                    await receiver.until(1, f"ws{number}")
            for part in ("Settings of the nodes", "From one daemon to a cluster"):
                await page.follow(part)
            waiting, tried = {post.id for post in receiver.posts}, len(receiver.posts)
            receiver.answers(200)
            await quiet(alone, "a", "b", "c")
            async with asyncio.timeout(WITHIN_S):
                while {post.id for post in receiver.posts[tried:]} != waiting:
                    await asyncio.sleep(LOOK_S)

    assert len(waiting) == WORKSPACES
    assert page.typed > 10

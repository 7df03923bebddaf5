"""Deleting over the API: nothing is sent any more, and the records go while the daemon runs."""

import asyncio
from pathlib import Path

from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.dues import DueReads
from hookbundle.tests.hook_receiver import TIMEOUT_S, Answer
from hookbundle.tests.in_process import System, daemon_in, event, receiving


async def erased(system: System, kind: str = "workspace.erased", count: int = 1) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        await system.facts.until(kind, count)


def sound(system: System) -> bool:
    with system.daemon.partition.env.read() as txn:
        return not list(check(txn))


async def test_a_deleted_workspace_is_gone_and_its_records_go(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", *(event(f"m{n}", f"chat {n % 700}") for n in range(2_000)))

        deleted = await system.ask("DELETE", "/v1/workspaces/acme")
        shown = await system.ask("GET", "/v1/workspaces/acme")
        sent = await system.ask("POST", "/v1/workspaces/acme/messages", event("m"))
        await erased(system)

        assert deleted.document == {"windows": 700, "deliveries": 0, "messages": 2_000}
        assert (shown.status, sent.status) == (404, 404)
        assert system.daemon.status().windows == 0
        assert not DueReads(system.daemon.partition.env).heads()
        assert sound(system)


async def test_an_attempt_under_way_ends_quietly(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        gate = asyncio.Event()
        receiver.answers(Answer(after=gate), 200)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"), event("m2"))
        await receiver.until(1)

        await system.ask("DELETE", "/v1/workspaces/acme")
        gate.set()
        await erased(system)
        await system.make("blue", receiver, "blue")
        await system.accept("blue", event("m3"))
        posts = await receiver.until(2)

        assert len(posts) == 2
        assert system.daemon.partition.virtual_actors.webhooks.quarantined() == []
        assert sound(system)


async def test_a_stale_etag_does_not_delete(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        stale = await system.ask("DELETE", "/v1/workspaces/acme", headers={"If-Match": '"9"'})
        fresh = await system.ask("DELETE", "/v1/workspaces/acme", headers={"If-Match": '"1"'})

        assert (stale.status, fresh.status) == (412, 200)


async def test_a_deleted_chat_is_not_sent_and_begins_anew(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1", "a/b"), event("m2", "kept"))

        deleted = await system.ask("DELETE", "/v1/workspaces/acme/chats/a%2Fb")
        await erased(system, "chat.erased")
        again = await system.accept("acme", event("m1", "a/b"))

        assert deleted.document == {"messages": 1}
        assert again["accepted"] == 1
        assert (await system.show())["counts"]["windows"] == 2
        assert sound(system)


async def test_what_waits_of_a_deleted_chat_is_never_sent(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.switch("acme", "disable")
        await system.accept("acme", event("m1", "gone"), event("m2", "kept"), event("m3", "gone"))

        await system.ask("DELETE", "/v1/workspaces/acme/chats/gone")
        await system.switch("acme", "enable")
        posts = await receiver.until(1)
        await erased(system, "chat.erased")
        await erased(system, "delivery.delivered")

        assert [post.document["chat"]["chat_id"] for post in posts] == ["kept"]
        assert (await system.show())["counts"]["queued"] == 0
        assert sound(system)

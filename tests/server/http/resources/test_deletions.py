"""Deleting over the API: nothing is sent any more, and the records go while the daemon runs."""

import asyncio
from pathlib import Path

from hookbundle.storage.maintenance.check import check
from hookbundle.tests.hook_receiver import PATIENCE_S, Answer
from hookbundle.tests.in_process import House, event, living, receiving


async def erased(house: House, kind: str = "workspace.erased", count: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await house.facts.until(kind, count)


def sound(house: House) -> bool:
    with house.daemon.env.read() as txn:
        return not list(check(txn))


async def test_a_deleted_workspace_is_gone_and_its_records_go(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")
        await house.accept("acme", *(event(f"m{n}", f"chat {n % 700}") for n in range(2_000)))

        deleted = await house.ask("DELETE", "/v1/workspaces/acme")
        shown = await house.ask("GET", "/v1/workspaces/acme")
        sent = await house.ask("POST", "/v1/workspaces/acme/messages", event("m"))
        await erased(house)

        assert deleted.document == {"windows": 700, "deliveries": 0, "messages": 2_000}
        assert (shown.status, sent.status) == (404, 404)
        assert house.daemon.status().windows == 0
        assert len(house.daemon.reads.due(2**60, 10)) == 0
        assert sound(house)


async def test_an_attempt_under_way_ends_quietly(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        gate = asyncio.Event()
        receiver.answers(Answer(after=gate), 200)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"), event("m2"))
        await receiver.until(1)

        await house.ask("DELETE", "/v1/workspaces/acme")
        gate.set()
        await erased(house)
        await house.make("blue", receiver, "blue")
        await house.accept("blue", event("m3"))
        posts = await receiver.until(2)

        assert len(posts) == 2
        assert house.daemon.residents.webhooks.quarantined() == []
        assert sound(house)


async def test_a_stale_etag_does_not_delete(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver)

        stale = await house.ask("DELETE", "/v1/workspaces/acme", headers={"If-Match": '"9"'})
        fresh = await house.ask("DELETE", "/v1/workspaces/acme", headers={"If-Match": '"1"'})

        assert (stale.status, fresh.status) == (412, 200)


async def test_a_deleted_chat_is_not_sent_and_begins_anew(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")
        await house.accept("acme", event("m1", "a/b"), event("m2", "kept"))

        deleted = await house.ask("DELETE", "/v1/workspaces/acme/chats/a%2Fb")
        await erased(house, "chat.erased")
        again = await house.accept("acme", event("m1", "a/b"))

        assert deleted.document == {"messages": 1}
        assert again["accepted"] == 1
        assert (await house.show())["counts"]["windows"] == 2
        assert sound(house)


async def test_what_waits_of_a_deleted_chat_is_never_sent(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver)
        await house.switch("acme", "disable")
        await house.accept("acme", event("m1", "gone"), event("m2", "kept"), event("m3", "gone"))

        await house.ask("DELETE", "/v1/workspaces/acme/chats/gone")
        await house.switch("acme", "enable")
        posts = await receiver.until(1)
        await erased(house, "chat.erased")
        await erased(house, "delivery.delivered")

        assert [post.document["chat"]["chat_id"] for post in posts] == ["kept"]
        assert (await house.show())["counts"]["pending"] == 0
        assert sound(house)

"""One webhook of two is full: the other goes on, the owner hears of it, and it takes again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event, receiving
from hookbundle.tests.mail_server import MailServer

WEBHOOKS = "/v1/workspaces/acme/webhooks"
MESSAGES = "/v1/workspaces/acme/messages"


@asynccontextmanager
async def two(folder: Path, **config: Any) -> AsyncIterator[tuple[System, Any]]:
    """`outbound` works; `crm`, which may hold two messages, is disabled and holds two."""
    async with (
        receiving() as receiver,
        daemon_in(folder, quota=Quota(messages_max=2), **config) as system,
    ):
        await system.make("acme", receiver)
        wanted = {"id": "crm", "url": receiver.url("crm"), "enabled": False}
        made = await system.ask("POST", WEBHOOKS, wanted)
        assert made.status == 201, made
        receiver.trust(made.document["secret"], "crm")
        await system.accept("acme", event("m1"), event("m2"))
        yield system, receiver


async def crm(system: System) -> Any:
    return await system.get(f"{WEBHOOKS}/crm")


async def test_the_other_goes_on_and_all_is_told_and_counted(tmp_path: Path) -> None:
    async with two(tmp_path) as (system, receiver):
        over = await system.accept("acme", event("m3"))
        again = await system.accept("acme", event("m3"))
        posts = await receiver.until(3, "hook")
        full, activity = (
            await crm(system),
            await system.get("/v1/workspaces/acme/activity?webhook=crm"),
        )
        (fact,) = await system.facts.until("webhook.full")
        received = await system.facts.until("message.received", 3)
        metrics = (await system.ask("GET", "/metrics")).body.decode()
        status = await system.get("/v1/status")

        assert (over["accepted"], over["overflowed"]) == (1, 1)
        assert (again["accepted"], again["duplicate"], "overflowed" in again) == (0, 1, False)
        assert [post.message_ids for post in posts] == [["m1"], ["m2"], ["m3"]]
        assert (full["full"], full["counts"]["overflowed"], full["counts"]["queued"]) == (
            True,
            1,
            2,
        )
        assert not (await system.hook())["full"]
        assert (await system.show())["counts"]["overflowed"] == 1
        assert fact["data"] == {"reason": "held_full", "held_messages": 2}
        assert received[1]["data"]["overflowed"] == {"crm": ["m3"]}
        assert (activity[0]["action"], activity[0]["messages"]) == ("overflowed", 1)
        assert "hookbundle_messages_overflowed_total 1.0" in metrics
        assert status["totals"]["overflowed"] == 1


async def test_after_enabling_it_sends_what_it_held_and_takes_again_and_says_so(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as (system, receiver):
        await system.accept("acme", event("m3"))
        enabled = await system.ask("POST", f"{WEBHOOKS}/crm/enable", {})
        await receiver.until(2, "crm")
        accepted = await system.accept("acme", event("m4"))
        posts = await receiver.until(3, "crm")
        (room,) = await system.facts.until("webhook.has_room")
        now = await crm(system)

        assert enabled.status == 200
        assert "overflowed" not in accepted
        assert [post.message_ids for post in posts] == [["m1"], ["m2"], ["m4"]]
        assert room["data"]["overflowed"] == 1
        assert (now["full"], now["counts"]["overflowed"]) == (False, 1)


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_owner_hears_of_it_by_mail(tmp_path: Path, language: str) -> None:
    async with MailServer(tmp_path) as server, two(tmp_path, smtp=server.config()) as (system, _):
        await system.ask("PATCH", "/v1/workspaces/acme", {"language": language})
        for number in range(3, 6):
            await system.accept("acme", event(f"m{number}"))
        taken = await server.next()
        await system.facts.until("mail.sent")

        subject, text = str(taken.mail["Subject"]), " ".join(taken.text.split())
        assert taken.to == ("owner@acme.example",)
        assert taken.mail["Content-Language"] == language
        assert "acme" in subject
        assert "crm" in text
        assert taken.mail["Message-ID"].startswith("<full-")
        if language == "en":
            assert subject == "A webhook takes no more messages (workspace acme)"
            assert "holds as many messages as it may" in text
            assert "Held until then: 2 messages." in text
            assert "Somebody has switched it off. Enable it" in text
            assert "Repair" not in text
        assert server.taken.empty()  # one for the stretch


async def test_both_full_is_429_and_nothing_is_stored(tmp_path: Path) -> None:
    async with two(tmp_path) as (system, receiver):
        await receiver.until(2, "hook")
        await system.facts.until("delivery.delivered", 2)
        await system.switch("acme", "disable")
        await system.accept("acme", event("m3"), event("m4"))
        before = await system.show()

        refused = await system.ask("POST", MESSAGES, event("m5"))

        assert (refused.status, refused.document["code"]) == (429, "held_full")
        assert int(refused.headers["retry-after"]) > 0
        assert (await system.show())["counts"] == before["counts"]
        await system.switch("acme", "enable", {})
        posts = await receiver.until(4, "hook")
        assert (await system.accept("acme", event("m5")))["accepted"] == 1
        assert [post.message_ids for post in posts[2:]] == [["m3"], ["m4"]]


async def test_one_that_is_deleted_makes_room_and_takes_its_mail_s_cause_along(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as (system, receiver):
        await system.accept("acme", event("m3"))
        deleted = await system.ask("DELETE", f"{WEBHOOKS}/crm")
        accepted = await system.accept("acme", event("m4"))
        system.clock.move(HOUR_MS)
        await receiver.until(4, "hook")

        assert deleted.status == 200
        assert "overflowed" not in accepted
        assert (await system.show())["counts"]["overflowed"] == 0

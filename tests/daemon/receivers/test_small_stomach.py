"""A receiver that takes no large body (413): which limit to lower is said wherever it is seen."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import daemon_in, event
from hookbundle.tests.mail_server import MailServer

MOST = 20_000
QUICK = BackoffPolicy(steps_ms=(1,))
SAID = "too large for the receiver: 40 messages, "
LOWER = "lower limits.messages or limits.bytes of this webhook"
OUTBOUND = "/v1/workspaces/acme/webhooks/outbound"
FLUSH = "/v1/workspaces/acme/chats/flush"


@dataclass(slots=True)
class SmallStomach(HookReceiver):
    """Takes no body above `MOST` bytes."""

    async def _take(self, request: web.Request) -> web.Response:
        self.answers(413 if len(await request.read()) > MOST else 200)
        return await HookReceiver._take(self, request)


def events(count: int, of: str) -> list[dict[str, Any]]:
    return [event(f"{of}{number}", text="x" * 300) for number in range(count)]


async def test_a_dead_letter_says_which_limit_to_lower_and_the_next_ones_are_smaller(
    tmp_path: Path,
) -> None:
    async with SmallStomach() as receiver, daemon_in(tmp_path, policy=QUICK) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", *events(40, "m"))
        await system.ask("POST", FLUSH)
        (fact,) = await system.facts.until("delivery.dead_lettered")
        listed = await system.get("/v1/workspaces/acme/deliveries?state=dead_letter")
        (dead,) = listed["deliveries"]
        shown = await system.get(f"/v1/workspaces/acme/deliveries/{dead['id']}")
        activity = await system.get("/v1/workspaces/acme/activity")

        for said in (fact["data"]["error"], dead["last_error"], activity[0]["detail"]):
            assert said.startswith("status 413: ")
            assert SAID in said
            assert LOWER in said
        assert "limits.bytes" in shown["history"][0]["hint"]
        assert (await system.hook())["last_error"] == dead["last_error"]

        changed = await system.ask("PATCH", OUTBOUND, {"limits": {"bytes": MOST}})
        assert changed.document["limits"] == {"messages": 1_000, "bytes": MOST}
        await system.accept("acme", *events(40, "n"))
        await system.ask("POST", FLUSH)
        sealed = await system.facts.until("delivery.delivered", 2)
        retried = await system.ask("POST", f"/v1/workspaces/acme/deliveries/{dead['id']}/retry")
        await system.facts.until("delivery.dead_lettered", 2)

        assert retried.status == 200  # what is sealed never changes: it is as large as before
        posts = [post for post in receiver.posts if post.message_ids[0].startswith("n")]
        assert sum(len(post.message_ids) for post in posts) == 40
        assert all(len(post.body) <= MOST for post in posts)
        assert len(sealed) == 2


async def test_one_message_that_is_too_large_is_not_blamed_on_a_limit(tmp_path: Path) -> None:
    async with SmallStomach() as receiver, daemon_in(tmp_path, policy=QUICK) as system:
        await system.make("acme", receiver)
        await system.accept("acme", event("m1", text="x" * MOST))
        (fact,) = await system.facts.until("delivery.dead_lettered")

        assert "1 message, 21 KB; no limit divides a message" in fact["data"]["error"]


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_mail_of_a_webhook_disabled_by_it_says_so_too(
    tmp_path: Path, language: str
) -> None:
    policy = BackoffPolicy(steps_ms=(1,), errors_max=1)
    async with (
        MailServer(tmp_path) as server,
        SmallStomach() as receiver,
        daemon_in(tmp_path, policy=policy, smtp=server.config()) as system,
    ):
        await system.make("acme", receiver, aggregation="1h")
        await system.ask("PATCH", "/v1/workspaces/acme", {"language": language})
        await system.accept("acme", *events(40, "m"))
        await system.ask("POST", FLUSH)
        text = " ".join((await server.next()).text.split())

        size = "KB" if language == "en" else "40"
        assert "`limits.messages`" in text
        assert "`limits.bytes`" in text
        assert size in text


@pytest.mark.parametrize(
    ("limits", "path", "said"),
    [
        ({"messages": 0}, "limits.messages", "must be 1 or more; is 0"),
        ({"messages": 1_001}, "limits.messages", "must be at most 1000; is 1001"),
        ({"bytes": 1_023}, "limits.bytes", "must be 1024 or more; is 1023"),
        ({"bytes": 2**20 + 1}, "limits.bytes", "must be at most 1048576; is 1048577"),
        ({"byts": 5_000}, "limits.byts", "did you mean limits.bytes?"),
        ({"bytes": "256KiB"}, "limits.bytes", "must be a whole number"),
        ({"messages": 1.5}, "limits.messages", "must be a whole number"),
        ({"messages": None}, "limits.messages", "must be a whole number"),
        (5, "limits", "must be an object"),
    ],
)
async def test_limits_that_are_none_are_refused_with_what_would_be_right(
    tmp_path: Path, limits: object, path: str, said: str
) -> None:
    async with SmallStomach() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        answer = await system.ask("PATCH", OUTBOUND, {"limits": limits})
        alone = await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"limits": limits}})

        (fault,) = answer.document["errors"]
        assert (answer.status, fault["path"]) == (422, path)
        assert said in fault["detail"]
        assert alone.document["errors"][0]["path"] == f"webhook.{path}"
        assert (await system.hook())["limits"] == {"messages": 1_000, "bytes": 2**20}


async def test_a_limit_that_is_not_named_stays_and_null_takes_both_back(tmp_path: Path) -> None:
    async with SmallStomach() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        for limits in ({"messages": 5}, {"bytes": 4_000}):
            both = await system.ask("PATCH", OUTBOUND, {"limits": limits})
        none = await system.ask("PATCH", OUTBOUND, {"limits": None})
        activity = await system.get("/v1/workspaces/acme/activity")

        assert both.document["limits"] == {"messages": 5, "bytes": 4_000}
        assert none.document["limits"] == {"messages": 1_000, "bytes": 2**20}
        assert [line["detail"] for line in activity[:3]] == [
            f"limits.messages 1000, limits.bytes 1048576, by uid {os.getuid()}",
            f"limits.bytes 4000, by uid {os.getuid()}",
            f"limits.messages 5, by uid {os.getuid()}",
        ]

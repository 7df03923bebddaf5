"""Merges over the API of a real daemon, with a real receiver that counts what it gets."""

import json
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event

ACME = "/v1/workspaces/acme"
AT_ONCE = BackoffPolicy(steps_ms=(1,) * 10)


async def a_day_held(system: System, receiver: HookReceiver, hours: int = 24) -> None:
    """Disabled for a day, in which each hour two chats got a message, sealed after it."""
    await system.make("acme", receiver, aggregation="1h")
    await system.switch("acme", "disable")
    for hour in range(hours):
        for chat in ("c1", "c2"):
            await system.accept("acme", event(f"{chat}-{hour}", chat))
        system.clock.move(HOUR_MS)
        await system.facts.until("delivery.sealed", 2 * (hour + 1))


def ids_in(post: Any) -> list[str]:
    return [each["message_id"] for each in json.loads(post.body)["messages"]]


async def test_after_a_day_of_being_disabled_two_chats_are_two_calls(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path, policy=AT_ONCE) as system:
        await a_day_held(system, receiver)

        answer = await system.ask("POST", f"{ACME}/webhook/enable", {"merge": True})

        assert answer.document["merging"] == {"deliveries": 48, "messages": 48}
        posts = await receiver.until(2)
        assert [ids_in(post) for post in posts] == [
            [f"{chat}-{hour}" for hour in range(24)] for chat in ("c1", "c2")
        ]
        await system.facts.until("webhook.merged", outcome="done", merged=48, into=2)
        await system.facts.until("delivery.delivered", 2)
        assert len(receiver.posts) == 2
        document = (await system.get(ACME))["webhook"]
        assert (document["state"], document["enabled"]) == ("enabled", True)


async def test_each_merged_delivery_is_found_and_names_the_one_with_its_messages(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path, policy=AT_ONCE) as system:
        await a_day_held(system, receiver, 3)
        before = (await system.get(f"{ACME}/deliveries?state=queued"))["deliveries"]

        answer = await system.ask("POST", f"{ACME}/webhooks/outbound/merge")

        assert (answer.status, answer.document) == (202, {"deliveries": 6, "messages": 6})
        await system.facts.until("webhook.merged")
        waits = (await system.get(f"{ACME}/deliveries?state=queued"))["deliveries"]
        merged = (await system.get(f"{ACME}/deliveries?state=merged"))["deliveries"]
        assert [each["reason"] for each in waits] == ["merge", "merge"]
        assert {each["id"] for each in merged} == {each["id"] for each in before}
        assert {each["merged_into"] for each in merged} == {each["id"] for each in waits}
        for each in before:
            shown = await system.get(f"{ACME}/deliveries/{each['id']}")
            assert (shown["id"], shown["state"]) == (each["id"], "merged")
            refused = await system.ask("POST", f"{ACME}/deliveries/{each['id']}/retry")
            assert (refused.status, refused.document["code"]) == (409, "was_merged")
            refused = await system.ask("POST", f"{ACME}/deliveries/{each['id']}/resend")
            assert (refused.status, refused.document["code"]) == (409, "was_merged")
        path = await system.get(f"{ACME}/messages/c1-0?chat=c1")
        assert waits[0]["id"] in json.dumps(path) or waits[1]["id"] in json.dumps(path)


@pytest.mark.parametrize(
    ("path", "document", "status", "code"),
    [
        ("webhook/merge", None, 409, "nothing_merges"),
        ("webhooks/outbound/enable", {"merge": True}, 409, "nothing_merges"),
        ("webhook/enable", {"merge": True, "discard": True}, 422, "invalid_input"),
        ("webhook/enable", {"merge": "yes"}, 422, "invalid_input"),
        ("webhooks/crm/merge", None, 404, "unknown_webhook"),
    ],
)
async def test_a_merge_that_can_not_be_is_refused(
    tmp_path: Path,
    receiver: HookReceiver,
    path: str,
    document: dict[str, Any] | None,
    status: int,
    code: str,
) -> None:
    async with daemon_in(tmp_path, policy=AT_ONCE) as system:
        await system.make("acme", receiver, aggregation="none")
        refused = await system.ask("POST", f"{ACME}/{path}", document)
        assert (refused.status, refused.document["code"]) == (status, code)

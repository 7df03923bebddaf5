"""Webhooks of a workspace over the API: made, changed, switched, deleted; each on its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import System, daemon_in, event

ACME = "/v1/workspaces/acme"
HOOKS, CRM = f"{ACME}/webhooks", f"{ACME}/webhooks/crm"
AT_ONCE = BackoffPolicy(steps_ms=(1,) * 10)
STAR = {"If-Match": "*"}


@pytest.fixture
async def acme(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    async with daemon_in(tmp_path, policy=AT_ONCE) as system:
        await system.make("acme", receiver)
        yield system


async def add(system: System, receiver: HookReceiver, name: str = "crm", **given: Any) -> Any:
    settings = {"id": name, "url": receiver.url(name), "aggregation": "none", **given}
    made = await system.ask("POST", HOOKS, settings)
    assert made.status == 201, made
    receiver.trust(made.document["secret"], name)
    return made


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(each["path"], each["code"]) for each in answer.document["errors"]]


async def test_it_is_made_once_with_its_secret_and_its_place(
    acme: System, receiver: HookReceiver
) -> None:
    made = await add(acme, receiver)
    again = await acme.ask("POST", HOOKS, {"id": "crm", "url": receiver.url("other")})
    shown = await acme.ask("GET", CRM)

    assert made.headers["location"] == CRM
    assert (again.status, again.document["code"]) == (409, "webhook_exists")
    assert "secret" not in shown.document
    assert shown.headers["etag"] == made.headers["etag"] == f'"{made.document["version"]}"'
    assert shown.document == {k: v for k, v in made.document.items() if k != "secret"}
    listed = [each["id"] for each in (await acme.get(HOOKS))["webhooks"]]
    assert listed == ["outbound", "crm"]
    unchanged = await acme.ask("GET", CRM, headers={"If-None-Match": shown.headers["etag"]})
    assert (unchanged.status, unchanged.body) == (304, b"")


async def test_put_replaces_the_whole_only_for_one_who_says_what_he_saw(
    acme: System, receiver: HookReceiver
) -> None:
    url = {"url": receiver.url("crm")}
    made = await acme.ask("PUT", CRM, {**url, "success": "2xx"})
    before = await acme.get(CRM)

    blind = await acme.ask("PUT", CRM, url)
    stale = await acme.ask("PUT", CRM, url, headers={"If-Match": '"999"'})
    taken = await acme.ask("PUT", CRM, url, headers={"If-None-Match": "*"})
    assert await acme.get(CRM) == before
    seen = {"If-Match": made.headers["etag"]}
    replaced = await acme.ask("PUT", CRM, url, headers=seen)
    any_ = await acme.ask("PUT", CRM, {**url, "aggregation": "6h"}, headers=STAR)

    assert made.status == 201
    assert (blind.status, blind.document["code"]) == (428, "webhook_precondition_required")
    assert (stale.status, taken.status) == (412, 412)
    assert stale.document["code"] == "webhook_changed"
    assert (replaced.status, replaced.document["success"]) == (200, "200")
    assert (any_.status, any_.document["aggregation"]) == (200, "6h")


async def test_patch_changes_what_is_named_and_makes_nothing(
    acme: System, receiver: HookReceiver
) -> None:
    absent = await acme.ask("PATCH", CRM, {"success": "2xx"})
    await add(acme, receiver)

    changed = await acme.ask("PATCH", CRM, {"success": "2xx"})

    assert (absent.status, absent.document["code"]) == (404, "unknown_webhook")
    assert (changed.document["success"], changed.document["url"]) == ("2xx", receiver.url("crm"))


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        ({"id": "Crm", "url": "https://r.example/"}, [("id", "no_webhook_id")]),
        ({"id": "x" * 33, "url": "https://r.example/"}, [("id", "no_webhook_id")]),
        ({"id": "Content-Type:", "url": "https://r.example/"}, [("id", "no_webhook_id")]),
        ({"id": "crm"}, [("url", "missing")]),
        ({"id": "crm", "url": None}, [("url", "empty")]),
        (
            {"id": "-", "url": "ftp://x", "aggregation": "1 day"},
            [("id", "no_webhook_id"), ("url", "url_scheme"), ("aggregation", "no_aggregation")],
        ),
    ],
)
async def test_what_is_no_webhook_is_refused_with_every_fault(
    acme: System, document: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    refused = await acme.ask("POST", HOOKS, document)

    assert refused.status == 422
    assert codes(refused) == faults
    assert len((await acme.get(HOOKS))["webhooks"]) == 1


async def test_a_twenty_first_is_refused(acme: System, receiver: HookReceiver) -> None:
    for count in range(limits.WEBHOOKS_MAX - 1):
        await acme.ask("POST", HOOKS, {"id": f"w{count}", "url": receiver.url("w")})

    refused = await acme.ask("POST", HOOKS, {"id": "more", "url": receiver.url("w")})
    put = await acme.ask("PUT", f"{HOOKS}/more", {"url": receiver.url("w")})

    assert (refused.status, refused.document["code"]) == (409, "too_many_webhooks")
    assert (put.status, put.document["code"]) == (409, "too_many_webhooks")
    assert len((await acme.get(HOOKS))["webhooks"]) == limits.WEBHOOKS_MAX


async def test_each_gets_every_message_once_with_its_own_window_and_secret(
    acme: System, receiver: HookReceiver
) -> None:
    await add(acme, receiver, "crm", aggregation="1h")
    await add(acme, receiver, "dwh")
    await acme.accept("acme", event("m1"), event("m2"))
    await acme.facts.until("delivery.delivered", 4)
    flushed = await acme.ask("POST", f"{ACME}/chats/10010001/flush")
    await receiver.until(5)

    assert flushed.status == 200
    sent = {path: [p.message_ids for p in receiver.at(path)] for path in ("hook", "crm", "dwh")}
    assert sent == {"hook": [["m1"], ["m2"]], "crm": [["m1", "m2"]], "dwh": [["m1"], ["m2"]]}


async def test_one_that_is_deleted_goes_with_all_it_held_and_the_others_go_on(
    acme: System, receiver: HookReceiver
) -> None:
    await add(acme, receiver, enabled=False)
    await add(acme, receiver, "dwh", aggregation="1h")
    await acme.accept("acme", event("m1"), event("m2"))

    deleted = await acme.ask("DELETE", CRM)
    await acme.facts.until("webhook.erased", webhook="crm")
    paths = [("GET", CRM), ("DELETE", CRM), ("PATCH", CRM), ("POST", f"{CRM}/enable")]
    answers = [await acme.ask(method, path, {}) for method, path in paths]
    await acme.accept("acme", event("m3"))
    await receiver.until(3, "hook")

    assert deleted.document == {"windows": 0, "deliveries": 2, "messages": 2}
    assert {(each.status, each.document["code"]) for each in answers} == {(404, "unknown_webhook")}
    assert receiver.at("crm") == []
    counts = (await acme.get(f"{HOOKS}/dwh"))["counts"]
    assert (counts["windows"], counts["held_messages"]) == (1, 3)


async def test_one_deleted_while_its_attempt_is_under_way_loses_nothing_of_others(
    acme: System, receiver: HookReceiver
) -> None:
    answered = asyncio.Event()
    async with HookReceiver() as slow:
        slow.answers(Answer(after=answered))
        await add(acme, slow)
        await acme.accept("acme", event("m1"))
        await slow.until(1)

        deleted = await acme.ask("DELETE", CRM)
        await acme.facts.until("webhook.erased", webhook="crm")
        answered.set()
        await acme.accept("acme", event("m2"))
        await receiver.until(2, "hook")
        slow.answers(200)
        again = await add(acme, slow)
        await acme.accept("acme", event("m3"))
        posts = await slow.until(2)

    assert deleted.status == 200
    assert [post.message_ids for post in posts] == [["m1"], ["m3"]]
    assert again.document["consecutive_errors"] == 0
    told = [fact for fact in acme.facts.seen if fact["type"].startswith("delivery.")]
    assert [f for f in told if f["webhook"] == "crm" and f["type"] == "delivery.delivered"] == []


async def test_without_outbound_what_means_it_is_not_found_until_it_is_made_again(
    acme: System, receiver: HookReceiver
) -> None:
    alone = await acme.ask("DELETE", f"{HOOKS}/outbound")
    await add(acme, receiver)
    assert (await acme.ask("DELETE", f"{HOOKS}/outbound")).status == 200

    shown = await acme.show()
    refused = [
        await acme.ask("POST", f"{ACME}/webhook/{what}")
        for what in ("enable", "disable", "test", "rotate-secret")
    ]
    refused.append(await acme.ask("GET", f"{HOOKS}/outbound"))
    refused.append(await acme.ask("PATCH", ACME, {"webhook": {"success": "2xx"}}))
    renamed = await acme.ask("PATCH", ACME, {"name": "Still"})
    await acme.accept("acme", event("m1"))
    await receiver.until(1, "crm")
    made = await acme.ask("POST", HOOKS, {"id": "outbound"})

    assert (alone.status, alone.document["code"]) == (409, "last_webhook")
    assert shown["webhook"] is None
    assert {(each.status, each.document["code"]) for each in refused} == {(404, "no_outbound")}
    assert (renamed.status, renamed.document["name"]) == (200, "Still")
    assert made.status == 201
    assert (made.document["url"], made.document["state"]) == ("", "unconfigured")
    await acme.accept("acme", event("m2"))
    await receiver.until(2, "crm")
    assert (await acme.hook())["counts"]["held_messages"] == 0
    assert receiver.at("hook") == []

"""Filters through the API of a real daemon: two webhooks, real receivers, and what none wants."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event

ACME = "/v1/workspaces/acme"
CRM = f"{ACME}/webhooks/crm"
VIP = {"labels": {"any": ["VIP"]}}
SENT = {"direction": "sent"}


@pytest.fixture
async def two(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    """`outbound` wants what was sent, `crm` what is of important chats; both send at once."""
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver, filter=SENT)
        settings = {"url": receiver.url("crm"), "aggregation": "none", "filter": VIP}
        made = await system.ask("PUT", CRM, settings)
        assert made.status == 201, made
        receiver.trust(made.document["secret"], "crm")
        yield system


def labelled(message_id: str, chat_id: str, *labels: str, **message: Any) -> dict[str, Any]:
    made = event(message_id, chat_id, **message)
    made["chat"]["labels"] = list(labels)
    return made


async def send(system: System, *events: dict[str, Any]) -> dict[str, Any]:
    answer = await system.ask("POST", f"{ACME}/messages", list(events))
    assert answer.status == 202, answer
    document: dict[str, Any] = answer.document
    return document


async def tried(system: System, document: Any, at: str = CRM) -> dict[str, Any]:
    answer = await system.ask("POST", f"{at}/filter-test", document)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.document
    return found


async def test_each_webhook_gets_what_its_filter_wants(two: System, receiver: HookReceiver) -> None:
    answer = await send(
        two,
        labelled("vip", "c1", "vip"),
        labelled("both", "c2", "Vip", direction="sent"),
        labelled("sent", "c3", direction="sent"),
        labelled("none", "c4", "spam"),
    )

    assert answer == {"accepted": 4, "duplicate": 0, "skipped": [], "unrouted": 1}
    posts = await receiver.until(4)
    got = sorted(
        (post.path.rpartition("/")[2] == "crm", post.document["message"]["message_id"])
        for post in posts
    )
    assert got == [(False, "both"), (False, "sent"), (True, "both"), (True, "vip")]


async def test_a_message_s_path_says_which_webhook_s_filter_did_not_keep_it(two: System) -> None:
    await send(two, labelled("m1", "c1", "vip"), labelled("m2", "c1", direction="sent"))
    await two.ask("PATCH", CRM, {"filter": {}})

    first = await two.get(f"{ACME}/messages/m1?chat=c1")
    other = await two.get(f"{ACME}/messages/m2?chat=c1")

    lines = {each["webhook"]: each for each in first["webhooks"]}
    assert list(lines) == ["outbound", "crm"]
    assert (lines["outbound"]["attempts"], lines["outbound"]["group"]["delivery_id"]) == ([], None)
    told = lines["outbound"]["became"]
    assert (told["what"], told["code"], told["webhook"]) == ("filtered", "filtered", "outbound")
    assert told["detail"].startswith("The webhook outbound did not get it at ")
    assert told["detail"].endswith(": its filter did not keep it.")
    assert told["at"] == first["group"]["messages"][0]["arrived_at"]
    assert first["feed_since"] <= told["at"]
    assert first["became"]["what"] != "filtered"
    assert (first["group"]["webhook"], first["came"]) == ("crm", [])
    assert {each["webhook"]: each["became"]["what"] for each in other["webhooks"]}["crm"] == (
        "filtered"
    )


async def test_what_no_webhook_wants_is_known_and_told(two: System) -> None:
    assert await send(two, event("m1")) == {
        "accepted": 1,
        "duplicate": 0,
        "skipped": [],
        "unrouted": 1,
    }
    assert await send(two, event("m1")) == {"accepted": 0, "duplicate": 1, "skipped": []}

    (fact, _) = await two.facts.until("message.received", 2)
    assert fact["data"]["unrouted"] == fact["data"]["accepted"] == ["m1"]
    path = await two.get(f"{ACME}/messages/m1?chat=10010001")
    assert path["became"]["what"] == "unrouted"
    metrics = await two.ask("GET", "/metrics")
    assert b"hookbundle_messages_unrouted_total 1.0" in metrics.body


async def test_a_changed_filter_does_not_touch_what_was_accepted(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("before"))
        await system.ask("PATCH", f"{ACME}/webhooks/outbound", {"filter": SENT})
        dropped = await send(system, event("after"))
        await system.accept("acme", event("wanted", direction="sent"))
        system.clock.move(HOUR_MS)
        (post,) = await receiver.until(1)

    assert dropped["unrouted"] == 1
    assert [each["message_id"] for each in post.document["messages"]] == ["before", "wanted"]


async def test_a_filter_is_shown_as_it_was_written_and_taken_away_with_null(two: System) -> None:
    assert (await two.get(CRM))["filter"] == VIP
    assert (await two.get(ACME))["webhook"]["filter"] == SENT
    nothing: dict[str, Any] | None
    for nothing in (None, {}):
        await two.ask("PATCH", CRM, {"filter": VIP})
        changed = await two.ask("PATCH", CRM, {"filter": nothing})
        assert changed.document["filter"] == {}

    assert "unrouted" not in await send(two, event("m1"))
    replaced = {"url": "https://receiver.example/x", "aggregation": "none"}
    await two.ask("PATCH", CRM, {"filter": VIP})
    whole = await two.ask("PUT", CRM, replaced, headers={"If-Match": "*"})
    assert whole.document["filter"] == {}


@pytest.mark.parametrize("at", ["filter", "webhook.filter"])
async def test_every_fault_of_a_filter_is_named_and_nothing_is_changed(
    two: System, at: str
) -> None:
    wrong = {"directon": "sent", "any": [{"labels": {"any": [7]}}]}
    whole = at != "filter"
    document = {"webhook": {"filter": wrong}} if whole else {"filter": wrong}
    refused = await two.ask("PATCH", ACME if whole else CRM, document)

    assert refused.status == 422
    faults = [(each["path"], each["code"]) for each in refused.document["errors"]]
    assert faults == [
        (f"{at}.directon", "misspelt_field"),
        (f"{at}.any[0].labels.any[0]", "not_text"),
    ]
    assert (await two.get(CRM))["filter"] == VIP


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (b'{"filter": {"kind": "direct", "kind": "group"}}', "filter.kind", "given_twice"),
        (b'{"filter": ["kind"]}', "filter", "not_an_object"),
        (b'{"filter": "' + b"x" * 20_000 + b'"}', "filter", "not_an_object"),
        (
            b'{"filter": {"chat_ids": ["' + b'","'.join([b"c" * 190] * 100) + b'"]}}',
            "filter",
            "too_long_as_bytes",
        ),
        (b'{"filter": ' + b'{"any":[' * 5_000 + b"]}" * 5_000 + b"}", "", "json_too_deep"),
    ],
)
@pytest.mark.parametrize("way", ["set", "test"])
async def test_what_is_no_filter_is_refused(
    two: System, body: bytes, path: str, code: str, way: str
) -> None:
    method, at = ("PATCH", CRM) if way == "set" else ("POST", f"{CRM}/filter-test")
    refused = await two.ask(method, at, data=body, headers={"Content-Type": "application/json"})

    assert refused.status == 422
    assert [(each["path"], each["code"]) for each in refused.document["errors"]] == [(path, code)]


async def test_a_filter_is_tried_on_the_last_messages_and_nothing_changes(two: System) -> None:
    version = (await two.get(CRM))["version"]
    await send(two, labelled("m1", "c1", "vip"))
    await send(two, labelled("m2", "c2", direction="sent"))
    await send(two, event("gone"))

    found = await tried(two, {"filter": SENT, "last": 5})

    assert (found["tested"], found["kept"], found["dropped"]) == (2, 1, 1)
    assert found["searched_to"] is None
    newest, oldest = found["messages"]
    assert (newest["message_id"], newest["kept"], newest["why"]) == ("m2", True, None)
    assert (oldest["chat_id"], oldest["kept"]) == ("c1", False)
    assert (oldest["path"], oldest["code"]) == ("filter.direction", "direction")
    assert oldest["why"] == "The filter wants messages of another direction."
    assert "text" not in oldest
    assert (await two.get(CRM))["version"] == version
    assert (await two.get(CRM))["filter"] == VIP


async def test_without_a_filter_the_webhook_s_own_is_tried(two: System) -> None:
    await send(two, labelled("m1", "c1", "vip"), labelled("m2", "c2", direction="sent"))

    of_crm = await tried(two, {})
    of_outbound = await tried(two, {"last": 10}, f"{ACME}/webhook")
    of_all = await tried(two, {"filter": None, "last": 1})

    kept = [each["message_id"] for each in of_crm["messages"] if each["kept"]]
    assert kept == ["m1"]
    assert [each["message_id"] for each in of_outbound["messages"] if each["kept"]] == ["m2"]
    assert (of_all["tested"], of_all["kept"]) == (1, 1)


async def test_what_a_bundle_can_t_tell_of_each_message_is_said(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", labelled("m1", "c", "vip"), labelled("m2", "c", "old"))

        by_labels = await tried(system, {"filter": VIP}, f"{ACME}/webhook")
        by_text = await tried(system, {"filter": {"text_contains": "M1"}}, f"{ACME}/webhook")

    assert [each["by_newest"] for each in by_labels["messages"]] == [True, True]
    assert (by_labels["kept"], by_text["kept"]) == (0, 1)


@pytest.mark.parametrize("last", [0, 1_001, "5", None])
async def test_a_filter_test_has_bounds(two: System, last: Any) -> None:
    refused = await two.ask("POST", f"{CRM}/filter-test", {"last": last})

    assert refused.status == 422
    assert [each["path"] for each in refused.document["errors"]] == ["last"]


async def test_a_filter_test_is_of_a_webhook_that_is_there(two: System) -> None:
    missing = await two.ask("POST", f"{ACME}/webhooks/nothing/filter-test", {"filter": {}})

    assert missing.status == 404

"""Everything that is read or done of windows, deliveries and logs, in a workspace of two webhooks.

Over the API of a real daemon: a path of the first edition means all webhooks or `outbound`, as it
says, and `?webhook=` one of them.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, daemon_in, event

ACME = "/v1/workspaces/acme"
CHATS, DELIVERIES = f"{ACME}/chats", f"{ACME}/deliveries"
AT_ONCE = BackoffPolicy(steps_ms=(1,) * 10)
UNKNOWN = [
    ("GET", f"{CHATS}?webhook=nothing"),
    ("GET", f"{CHATS}?order=due&webhook=nothing"),
    ("GET", f"{CHATS}/c1?webhook=nothing"),
    ("POST", f"{CHATS}/flush?webhook=nothing"),
    ("POST", f"{CHATS}/c1/flush?webhook=nothing"),
    ("GET", f"{DELIVERIES}?webhook=nothing"),
    ("GET", f"{DELIVERIES}?order=queue&webhook=nothing"),
    ("POST", f"{DELIVERIES}/retry?webhook=nothing"),
    ("GET", f"{ACME}/activity?webhook=nothing"),
    ("GET", f"{ACME}/log?webhook=nothing"),
]


@pytest.fixture
async def two(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    """Both collect for an hour; `crm` has a path of its own at the receiver."""
    async with daemon_in(tmp_path, policy=AT_ONCE) as system:
        await system.make("acme", receiver, aggregation="1h")
        await add(system, receiver, "crm", aggregation="1h")
        yield system


@pytest.fixture
async def singles(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    """Both send each message alone, and the receiver rejects all that it is sent."""
    receiver.answers(*[404] * 200)
    async with daemon_in(tmp_path, policy=AT_ONCE) as system:
        await system.make("acme", receiver)
        await add(system, receiver, "crm")
        yield system


async def add(system: System, receiver: HookReceiver, name: str, **given: Any) -> None:
    settings = {"url": receiver.url(name), "aggregation": "none", **given}
    made = await system.ask("PUT", f"{ACME}/webhooks/{name}", settings)
    assert made.status == 201, made
    receiver.trust(made.document["secret"], name)


async def dead_letters(system: System, *message_ids: str) -> list[dict[str, Any]]:
    """Those of both webhooks, newest first, when all of the messages are dead letters."""
    for each in message_ids:
        await system.accept("acme", event(each, "c1"))
    await system.facts.until("delivery.dead_lettered", 2 * len(message_ids))
    found: list[dict[str, Any]] = (await system.get(f"{DELIVERIES}?state=dead_letter"))[
        "deliveries"
    ]
    return found


def hooks(found: list[dict[str, Any]]) -> list[str]:
    return [each["webhook"] for each in found]


@pytest.mark.parametrize(("method", "path"), UNKNOWN)
async def test_an_unknown_webhook_is_404(two: System, method: str, path: str) -> None:
    answer = await two.ask(method, path)

    assert (answer.status, answer.document["code"]) == (404, "unknown_webhook")


@pytest.mark.parametrize("order", ["chat", "due"])
async def test_windows_of_all_webhooks_are_listed_in_pages(two: System, order: str) -> None:
    await two.accept("acme", event("m1", "c1"), event("m2", "c2"))

    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await two.get(f"{CHATS}?order={order}&limit=1&cursor={cursor}")
        found, cursor = found + page["chats"], page["cursor"]
    of_crm = (await two.get(f"{CHATS}?order={order}&webhook=crm"))["chats"]

    assert sorted((each["chat_id"], each["webhook"]) for each in found) == [
        ("c1", "crm"),
        ("c1", "outbound"),
        ("c2", "crm"),
        ("c2", "outbound"),
    ]
    assert [(each["chat_id"], each["webhook"]) for each in of_crm] == [("c1", "crm"), ("c2", "crm")]


async def test_a_preview_has_the_fields_of_outbound_and_a_list_of_all(two: System) -> None:
    await two.accept("acme", event("m1", "c1"))
    await two.ask("POST", f"{CHATS}/c1/flush?webhook=outbound")
    alone = await two.get(f"{CHATS}/c1")
    await two.accept("acme", event("m2", "c1"))

    both, of_crm = await two.get(f"{CHATS}/c1"), await two.get(f"{CHATS}/c1?webhook=crm")

    assert (alone["webhook"], "windows" in alone) == ("crm", False)
    assert (both["webhook"], both["messages"], hooks(both["windows"])) == (
        "outbound",
        1,
        ["outbound", "crm"],
    )
    assert (of_crm["webhook"], of_crm["messages"], "windows" in of_crm) == ("crm", 2, False)
    assert len(json.loads(of_crm["body"])["messages"]) == 2


async def test_a_flush_is_of_all_webhooks_or_of_one(two: System, receiver: HookReceiver) -> None:
    for chat in ("c1", "c2", "c3"):
        await two.accept("acme", event(f"m-{chat}", chat))

    one = await two.ask("POST", f"{CHATS}/c1/flush?webhook=crm")
    again = await two.ask("POST", f"{CHATS}/c1/flush?webhook=crm")
    both = await two.ask("POST", f"{CHATS}/c2/flush")
    of_crm = await two.ask("POST", f"{CHATS}/flush?webhook=crm")
    rest = await two.ask("POST", f"{CHATS}/flush")

    assert one.document == {"sealed": 1, "messages": 1, "cursor": None}
    assert (again.status, again.document["code"]) == (404, "no_window")
    assert both.document["sealed"] == 2
    assert of_crm.document["sealed"] == 1
    assert rest.document["sealed"] == 2
    assert len(await receiver.until(3, "hook")) == len(await receiver.until(3, "crm")) == 3


async def test_all_windows_are_sealed_page_by_page(two: System) -> None:
    await two.accept("acme", *(event(f"m{number}", f"c{number}") for number in range(5)))
    sealed, cursor = 0, ""
    for _ in range(20):
        step = (await two.ask("POST", f"{CHATS}/flush?limit=3&cursor={cursor}")).document
        assert step["sealed"] <= 3
        sealed += step["sealed"]
        if step["cursor"] is None:
            break
        cursor = step["cursor"]

    assert sealed == 10
    assert (await two.get(CHATS))["chats"] == []


async def test_what_waits_is_listed_of_both_webhooks_in_order(singles: System) -> None:
    await dead_letters(singles, "m1", "m2")

    both = (await singles.get(f"{DELIVERIES}?order=queue"))["deliveries"]
    of_crm = (await singles.get(f"{DELIVERIES}?order=queue&webhook=crm"))["deliveries"]

    assert sorted(hooks(both)) == ["crm", "crm", "outbound", "outbound"]
    assert [each["sealed_at"] for each in both] == sorted(each["sealed_at"] for each in both)
    assert hooks(of_crm) == ["crm", "crm"]
    assert [each["id"] for each in both if each["webhook"] == "crm"] == [
        each["id"] for each in of_crm
    ]


async def test_a_delivery_of_any_webhook_is_retried_discarded_and_sent_again(
    singles: System, receiver: HookReceiver
) -> None:
    found = [each for each in await dead_letters(singles, "m1", "m2") if each["webhook"] == "crm"]
    receiver.answers(*[200] * 100)

    gone = await singles.ask("DELETE", f"{DELIVERIES}/{found[0]['id']}?reason=known")
    retried = await singles.ask("POST", f"{DELIVERIES}/{found[1]['id']}/retry")
    await singles.facts.until("delivery.delivered", 1)
    resent = await singles.ask("POST", f"{DELIVERIES}/{found[1]['id']}/resend")
    await singles.facts.until("delivery.resent", 1)

    states = {
        (each["webhook"], each["state"]): each["id"]
        for each in (await singles.get(DELIVERIES))["deliveries"]
    }
    assert (gone.document["was"], retried.document["returned"]) == ("dead_letter", 1)
    assert resent.status == 200
    assert states.keys() == {
        ("outbound", "dead_letter"),
        ("crm", "discarded"),
        ("crm", "delivered"),
    }
    assert states["crm", "delivered"] == found[1]["id"]


async def test_dead_letters_are_retried_of_one_webhook_or_of_all(
    singles: System, receiver: HookReceiver
) -> None:
    await dead_letters(singles, "m1", "m2")
    await singles.ask("POST", f"{ACME}/webhooks/crm/disable")
    await singles.ask("POST", f"{ACME}/webhooks/outbound/disable")

    of_crm = await singles.ask("POST", f"{DELIVERIES}/retry?webhook=crm")
    left = (await singles.get(f"{DELIVERIES}?state=dead_letter"))["deliveries"]
    rest = await singles.ask("POST", f"{DELIVERIES}/retry")

    assert of_crm.document == {"returned": 2, "messages": 2}
    assert hooks(left) == ["outbound", "outbound"]
    assert rest.document == {"returned": 2, "messages": 2}
    assert (await singles.get(f"{DELIVERIES}?state=dead_letter"))["deliveries"] == []


async def test_a_replay_is_of_its_webhook_alone(singles: System, receiver: HookReceiver) -> None:
    await dead_letters(singles, "m1", "m2")
    receiver.answers(*[200] * 100)

    asked = await singles.ask("POST", f"{ACME}/replay", {"webhook": "crm", "dry_run": False})
    await singles.facts.until("replay.ended", 1)
    (listed,) = (await singles.get(f"{ACME}/replay"))["replays"]
    one = await singles.get(f"{ACME}/replay/{asked.document['job']}")
    over = await singles.ask("DELETE", f"{ACME}/replay/{asked.document['job']}")
    left = (await singles.get(f"{DELIVERIES}?state=dead_letter"))["deliveries"]

    assert asked.document["deliveries"] == 2
    assert (listed["webhook"], one["webhook"], one["delivered"]) == ("crm", "crm", 2)
    assert (over.status, over.document["code"]) == (409, "replay_over")
    assert hooks(left) == ["outbound", "outbound"]


async def test_logs_are_of_both_webhooks_newest_first(singles: System) -> None:
    await dead_letters(singles, "m1", "m2")

    both = await singles.get(f"{ACME}/log")
    of_crm = await singles.get(f"{ACME}/log?webhook=crm")
    lines = await singles.get(f"{ACME}/activity?webhook=crm")

    times = [each["at"] for each in both]
    assert times == sorted(times, reverse=True)
    assert sorted(hooks(both)) == ["crm"] * 6 + ["outbound"] * 6
    assert hooks(of_crm) == ["crm"] * 6
    assert of_crm == [each for each in both if each["webhook"] == "crm"]
    assert set(hooks(lines)) == {"crm"}


async def test_a_message_has_a_line_for_each_webhook(two: System) -> None:
    await two.accept("acme", event("m1", "c1"))
    await two.ask("POST", f"{CHATS}/c1/flush?webhook=crm")
    await two.facts.until("delivery.delivered", 1)

    path = await two.get(f"{ACME}/messages/m1?chat=c1")
    history = await two.get(f"{CHATS}/c1/history")

    assert [(each["webhook"], each["became"]["what"]) for each in path["webhooks"]] == [
        ("outbound", "collecting"),
        ("crm", "delivered"),
    ]
    assert (path["became"]["what"], path["attempts"]) == ("collecting", [])
    assert len(path["webhooks"][1]["attempts"]) == 1
    assert sorted(hooks(history["groups"])) == ["crm", "outbound"]


async def test_a_message_of_one_webhook_is_shown_as_before(
    system: System, receiver: HookReceiver
) -> None:
    await system.accept("acme", event("m1", "c1"))
    await system.facts.until("delivery.delivered", 1)

    path = await system.get(f"{ACME}/messages/m1?chat=c1")

    assert "webhooks" not in path
    assert path["group"]["webhook"] == "outbound"


async def test_events_name_their_webhook_and_are_filtered_by_it(singles: System) -> None:
    await dead_letters(singles, "m1")
    url = "http://hookbundle/v1/events?since=oldest&webhook=crm&chat=c1&type=delivery.*"

    events: list[dict[str, Any]] = []
    async with singles.session.get(url) as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                events.append(json.loads(line.removeprefix(b"data: ")))
            if events and events[-1]["type"] == "delivery.dead_lettered":
                break

    assert {(each["webhook"], each["chat"]) for each in events} == {("crm", "c1")}
    assert [each["type"] for each in events].count("delivery.sealed") == 1

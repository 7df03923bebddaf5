"""Windows by rule through the API of a real daemon: what is set, and when the bundles come."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS, System, daemon_in, event

ACME = "/v1/workspaces/acme"
OUTBOUND = f"{ACME}/webhooks/outbound"
QUIET = {"quiet": "10m", "max": "1h"}


@pytest.fixture
async def acme(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="24h")
        yield system


async def change(system: System, **settings: Any) -> dict[str, Any]:
    answer = await system.ask("PATCH", OUTBOUND, settings)
    assert answer.status == 200, answer
    document: dict[str, Any] = answer.document
    return document


async def faults(system: System, **settings: Any) -> list[tuple[str, str]]:
    answer = await system.ask("PATCH", OUTBOUND, settings)
    assert answer.status == 422, answer
    return [(each["path"], each["code"]) for each in answer.document["errors"]]


def ids(post: Any) -> list[str]:
    return [each["message_id"] for each in post.document["messages"]]


async def reasons(system: System) -> list[str]:
    page = await system.get(f"{ACME}/deliveries")
    return [each["reason"] for each in reversed(page["deliveries"])]


async def test_a_bundle_leaves_when_its_chat_is_quiet(acme: System, receiver: HookReceiver) -> None:
    shown = await change(acme, window=QUIET)
    assert (shown["aggregation"], shown["window"]) == ("custom", QUIET)

    for number in range(3):
        await acme.accept("acme", event(f"m{number}"))
        acme.clock.move(9 * MINUTE_MS)
    (chat,) = (await acme.get(f"{ACME}/chats"))["chats"]
    assert (chat["messages"], chat["why"]) == (3, "quiet")
    acme.clock.move(MINUTE_MS)

    (post,) = await receiver.until(1)
    assert ids(post) == ["m0", "m1", "m2"]
    assert await reasons(acme) == ["quiet"]


async def test_a_chat_that_is_never_quiet_is_told_of_at_max(
    acme: System, receiver: HookReceiver
) -> None:
    await change(acme, window=QUIET)

    for number in range(8):
        await acme.accept("acme", event(f"m{number}"))
        acme.clock.move(8 * MINUTE_MS)

    (post,) = await receiver.until(1)
    assert ids(post) == [f"m{number}" for number in range(8)]
    assert await reasons(acme) == ["max"]


async def test_a_first_message_leaves_at_once_and_is_not_in_the_bundle(
    acme: System, receiver: HookReceiver
) -> None:
    await change(acme, window={**QUIET, "first": "now"})

    await acme.accept("acme", event("m0"))
    (first,) = await receiver.until(1)
    chat = await acme.get(f"{ACME}/chats/10010001")
    assert (chat["first"], chat["messages"], chat.get("body")) == (True, 0, None)
    await acme.accept("acme", event("m1"))
    acme.clock.move(10 * MINUTE_MS)

    _, rest = await receiver.until(2)
    assert (ids(first), ids(rest)) == (["m0"], ["m1"])
    assert await reasons(acme) == ["first", "quiet"]


async def test_a_time_of_day_is_one_of_the_workspace_s_zone_until_that_changes(
    acme: System, receiver: HookReceiver
) -> None:
    await acme.ask("PATCH", ACME, {"time_zone": "Asia/Tokyo"})
    await change(acme, window={"at": ["18:00"]})
    await acme.accept("acme", event("m0"))
    (tokyo,) = (await acme.get(f"{ACME}/chats"))["chats"]
    assert (tokyo["due_at"][11:16], tokyo["why"]) == ("09:00", "at")

    await acme.ask("PATCH", ACME, {"time_zone": "UTC"})
    await acme.facts.until("window.retimed")
    (utc,) = (await acme.get(f"{ACME}/chats"))["chats"]

    assert utc["due_at"][11:16] == "18:00"
    acme.clock.move(24 * HOUR_MS)
    (post,) = await receiver.until(1)
    assert ids(post) == ["m0"]


async def test_a_rule_is_chosen_by_the_message_that_opens_the_window(
    acme: System, receiver: HookReceiver
) -> None:
    rule = {"match": {"direction": "sent"}, "window": "none"}
    await change(acme, window={"rules": [rule], "else": {"every": "1h"}})

    await acme.accept("acme", event("alone", "c1", direction="sent"))
    await acme.accept("acme", event("opens", "c2"))
    await acme.accept("acme", event("joins", "c2", direction="sent"))
    await receiver.until(1)
    acme.clock.move(HOUR_MS)

    _, bundle = await receiver.until(2)
    assert ids(bundle) == ["opens", "joins"]
    assert await reasons(acme) == ["single", "time"]


async def test_a_plain_length_is_the_same_in_both_fields(acme: System) -> None:
    by_rule = await change(acme, window={"every": "6h"})
    by_length = await change(acme, aggregation="1h")
    alone = await change(acme, window="none")

    shown = [(each["aggregation"], each["window"]) for each in (by_rule, by_length, alone)]
    assert shown == [("6h", {"every": "6h"}), ("1h", {"every": "1h"}), ("none", "none")]


async def test_a_document_that_was_read_can_be_written_back(acme: System) -> None:
    read = await change(acme, window=QUIET)
    both = {name: read[name] for name in ("url", "aggregation", "window")}

    answer = await acme.ask("PUT", OUTBOUND, both, headers={"If-Match": "*"})

    assert (answer.status, answer.document["window"]) == (200, QUIET)


async def test_a_length_replaces_a_rule(acme: System) -> None:
    await change(acme, window=QUIET)

    shown = await change(acme, aggregation="1h")

    assert (shown["aggregation"], shown["window"]) == ("1h", {"every": "1h"})


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"window": {"quiet": "10m", "max": "5m"}}, [("window.max", "max_below_quiet")]),
        ({"window": {"at": []}}, [("window.at", "empty")]),
        (
            {"window": {"at": ["18:00"], "zone": "Asia/Tokio"}},
            [("window.zone", "no_zone_but_near")],
        ),
        ({"window": {"at": ["18:00"], "days": "xyz"}}, [("window.days", "no_day")]),
        ({"window": {"rules": [{"match": {"direction": "sent"}, "window": "none"}]}}, None),
        ({"window": "1h"}, None),
        ({"window": None}, None),
        ({"window": {"every": "1h"}, "aggregation": "6h"}, [("window", "two_windows")]),
        ({"aggregation": "custom"}, [("aggregation", "no_aggregation")]),
        ({"window": {"every": "1h"}, "aggregation": "custom"}, [("aggregation", "no_aggregation")]),
    ],
)
async def test_a_wrong_window_is_refused_with_what_would_be_right(
    acme: System, settings: dict[str, Any], found: list[tuple[str, str]] | None
) -> None:
    refused = await faults(acme, **settings)

    assert refused
    assert all(path.startswith(("window", "aggregation")) for path, _ in refused)
    assert found is None or refused == found
    assert (await acme.get(OUTBOUND))["window"] == {"every": "24h"}

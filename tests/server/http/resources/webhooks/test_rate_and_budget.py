"""Rate and budget over the API, with a real receiver: what goes over them waits, no error."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, SECOND_MS, System, daemon_in, event, receiving

ONE = "/v1/workspaces/acme/webhooks/outbound"
DAY_MS = 24 * HOUR_MS


def events(first: int, last: int) -> list[dict[str, Any]]:
    return [event(f"m{number}") for number in range(first, last + 1)]


async def change(system: System, **settings: Any) -> Any:
    answer = await system.ask("PATCH", ONE, settings)
    assert answer.status == 200, answer
    return answer.document


def move_to(system: System, time: str) -> None:
    system.clock.move(parse_ms(time) - system.clock.now_ms() + 2 * SECOND_MS)


def at_noon() -> MovableClock:
    """Of tomorrow, in UTC: so no day ends during a test."""
    clock = MovableClock()
    clock.move(DAY_MS - clock.now_ms() % DAY_MS + 12 * HOUR_MS)
    return clock


@pytest.fixture
async def system(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    async with daemon_in(tmp_path, at_noon()) as system:
        await system.make("acme", receiver)
        yield system


async def test_the_receiver_gets_no_more_than_the_rate(
    system: System, receiver: HookReceiver
) -> None:
    await change(system, rate="3/1h")
    await system.accept("acme", *events(1, 7))
    await system.facts.until("delivery.delivered", 3)
    await system.accept("acme", event("m8"))  # an answer shows that the third is behind us
    hook, listed = await system.get(ONE), await system.get("/v1/workspaces?state=over_budget")
    first = [post.message_ids for post in receiver.posts]

    system.clock.move(HOUR_MS + SECOND_MS)
    await system.facts.until("delivery.delivered", 6)
    second = len(receiver.posts)
    system.clock.move(HOUR_MS + SECOND_MS)
    await system.facts.until("delivery.delivered", 8)

    assert first == [["m1"], ["m2"], ["m3"]]
    assert (hook["state"], hook["consecutive_errors"], hook["last_error"]) == (
        *("over_budget", 0),
        None,
    )
    assert hook["rate"] == "3/1h"
    assert parse_ms(hook["next_attempt_at"]) > system.clock.now_ms() - 3 * HOUR_MS
    assert [each["id"] for each in listed["workspaces"]] == ["acme"]
    assert second == 6
    assert [post.message_ids for post in receiver.posts] == [[f"m{n}"] for n in range(1, 9)]
    assert (await system.get(ONE))["state"] == "enabled"
    assert not system.facts.known("delivery.failed")


async def test_the_budget_of_a_day_is_used_told_and_there_again_after_midnight_of_the_zone(
    system: System, receiver: HookReceiver
) -> None:
    await system.ask("PATCH", "/v1/workspaces/acme", {"time_zone": "Asia/Kathmandu"})
    before = await change(system, budget="5/day")
    await system.accept("acme", *events(1, 8))
    (warned,) = await system.facts.until("webhook.budget_warned")
    (used_up,) = await system.facts.until("webhook.budget_used_up")
    await system.facts.until("delivery.delivered", 5)
    await system.accept("acme", event("m9"))
    hook = await system.get(ONE)
    log = (await system.get("/v1/workspaces/acme/activity"))[:10]
    path = await system.get("/v1/workspaces/acme/messages/m9?chat=10010001")

    assert before["pace"]["used"] == 0
    pace = hook["pace"]
    assert (pace["used"], pace["left"], pace["forecast"]) == (5, 0, "used_up")
    assert hook["next_attempt_at"] == pace["resets_at"] == used_up["data"]["resets"]
    assert pace["resets_at"].endswith("T18:15:00.000Z"), "00:00 in Kathmandu"
    assert (warned["data"]["used"], used_up["data"]["used"]) == (4, 5)
    assert {line["outcome"] for line in log if line["action"] == "budget"} == {
        "nearly_used",
        "used_up",
    }
    assert path["became"]["code"] == "held.over_budget"
    assert len(receiver.posts) == 5

    move_to(system, pace["resets_at"])
    await system.facts.until("delivery.delivered", 9)
    pace = (await system.get(ONE))["pace"]
    assert (pace["used"], pace["left"]) == (4, 1)


async def test_a_budget_survives_a_restart_and_a_test_request_is_none_of_it(
    tmp_path: Path,
) -> None:
    clock = at_noon()
    async with receiving() as receiver:
        async with daemon_in(tmp_path, clock) as system:
            await system.make("acme", receiver, budget="3/day")
            await system.accept("acme", *events(1, 2))
            await system.facts.until("delivery.delivered", 2)
            tested = await system.ask("POST", f"{ONE}/test")
        async with daemon_in(tmp_path, clock) as system:
            await system.accept("acme", *events(3, 5))
            await system.facts.until("webhook.budget_used_up")
            await system.facts.until("delivery.delivered", 3)
            await system.accept("acme", event("m6"))
            pace = (await system.get(ONE))["pace"]

    assert tested.document["outcome"] == "delivered"
    assert (pace["used"], pace["left"]) == (3, 0)
    assert len(receiver.posts) == 3 + 1


async def test_a_raised_budget_and_none_go_on_at_once_and_a_retry_does_not_pass_one(
    system: System, receiver: HookReceiver
) -> None:
    await change(system, budget="1/day")
    await system.accept("acme", *events(1, 4))
    await system.facts.until("delivery.delivered")
    await system.facts.until("webhook.budget_used_up")
    await system.accept("acme", event("m5"))
    queue = await system.get("/v1/workspaces/acme/deliveries?state=queued&order=queue")
    first = queue["deliveries"][0]
    retried = await system.ask("POST", f"/v1/workspaces/acme/deliveries/{first['id']}/retry")

    assert retried.document["waits_until"] == (await system.get(ONE))["pace"]["resets_at"]
    assert first["next_attempt_at"] == retried.document["waits_until"]
    assert len(receiver.posts) == 1
    await change(system, budget="2/day")
    await system.facts.until("delivery.delivered", 2)
    without = await change(system, budget=None)
    await system.facts.until("delivery.delivered", 5)
    assert (without["budget"], without["pace"]) == (None, None)


async def test_what_waits_for_its_budget_is_nothing_that_could_have_moved(
    system: System, receiver: HookReceiver
) -> None:
    await change(system, budget="1/day")
    await system.accept("acme", *events(1, 3))
    await system.facts.until("webhook.budget_used_up")
    await system.facts.until("delivery.delivered")
    await system.accept("acme", event("m4"))
    assert (await system.get(ONE))["state"] == "over_budget"

    system.clock.move(10 * SECOND_MS)
    status = system.daemon.watch.look()

    assert (status.oldest, status.is_ready) == (None, True)


async def test_the_forecast_goes_by_the_pace_since_it_is_counted(system: System) -> None:
    move_to(system, (await change(system, budget="40/day"))["pace"]["resets_at"])
    await change(system, budget=None)
    early = await change(system, budget="40/day")
    await system.accept("acme", *events(1, 20))
    await system.facts.until("delivery.delivered", 20)
    system.clock.move(2 * HOUR_MS)
    late = (await system.get(ONE))["pace"]
    raised = (await change(system, budget="1000/day"))["pace"]

    assert early["pace"]["forecast"] == "unknown"
    assert late["forecast"] == "runs_out"
    over_ms = parse_ms(late["used_up_at"]) - parse_ms(late["counted_since"])
    assert abs(over_ms - 4 * HOUR_MS) < 60 * SECOND_MS
    assert (raised["forecast"], raised["used_up_at"]) == ("lasts", None)


@pytest.mark.parametrize(
    ("settings", "path", "code"),
    [
        *(({"budget": text}, "budget", "no_budget") for text in ("0/day", "1000", "1000/week")),
        *(({"budget": text}, "budget", "no_budget") for text in ("-1/day", "1 /day", "")),
        ({"budget": "100000001/day"}, "budget", "no_budget"),
        *(({"rate": text}, "rate", "no_rate") for text in ("100", "100/0s", "-1/10s", "0/10s")),
        *(({"rate": text}, "rate", "no_rate") for text in ("100 / 10s", "100/10s ", "none", "")),
        ({"rate": "10001/10s"}, "rate", "no_rate"),
        ({"rate": "1/25h"}, "rate", "no_rate"),
        ({"rate": "9" * 65 + "/1s"}, "rate", "too_long"),
        ({"budget": "9" * 65 + "/day"}, "budget", "too_long"),
        *(({"rate": value}, "rate", "no_rate") for value in (0, 100, 1.5, True, ["100/10s"])),
        *(({"budget": value}, "budget", "no_budget") for value in (0, 1000, -1, {"day": 5})),
    ],
)
async def test_what_is_no_rate_or_budget_is_refused_and_what_would_be_right_is_said(
    system: System, settings: dict[str, Any], path: str, code: str
) -> None:
    of_webhook = await system.ask("PATCH", ONE, settings)
    of_workspace = await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": settings})

    for answer, at in ((of_webhook, path), (of_workspace, f"webhook.{path}")):
        (fault,) = answer.document["errors"]
        assert (answer.status, fault["path"], fault["code"]) == (422, at, code)
        if code.startswith("no_"):
            assert "100/10s" in fault["detail"] or "1000/day" in fault["detail"]
            assert "null is none" in fault["detail"]
    hook = await system.get(ONE)
    assert (hook["rate"], hook["budget"]) == (None, None)

"""Windows are simulated, and calls are counted, through the API of a real daemon."""

from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.actors.timers import StillClock
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS, System, daemon_in, event

ACME = "/v1/workspaces/acme"
OUTBOUND = f"{ACME}/webhooks/outbound"


async def simulated(system: System, document: Any, at: str = OUTBOUND) -> dict[str, Any]:
    answer = await system.ask("POST", f"{at}/simulate", document)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.document
    return found


async def test_a_window_is_simulated_beside_the_one_there_is(tmp_path: Path) -> None:
    async with daemon_in(tmp_path, StillClock()) as system:  # what the machine takes is no delay
        await system.ask("PUT", ACME, {"webhook": {"aggregation": "1h"}})
        for minute in range(6):
            await system.accept("acme", event(f"a{minute}", "one"), event(f"b{minute}", "two"))
            system.clock.move(20 * MINUTE_MS)

        found = await simulated(system, {"window": {"quiet": "5m"}, "days": 1})
        own = await simulated(system, {}, f"{ACME}/webhook")

    assert found["messages"] == 12
    assert (found["chats"], found["cut"]) == (2, False)
    assert found["now"] == {
        "calls": 4,
        "median_delay_seconds": 40 * 60,
        "p95_delay_seconds": 3_600,
        "biggest": 3,
        "rules_left_out": False,
    }
    assert (found["then"]["calls"], found["then"]["median_delay_seconds"]) == (12, 300)
    assert own["now"] == found["now"]
    assert "then" not in own


async def test_every_fault_of_what_is_asked_is_told_with_its_path(tmp_path: Path) -> None:
    wrong = {"window": {"every": "1x", "hours": {"from": "9"}}, "days": 11}
    async with daemon_in(tmp_path) as system:
        await system.ask("PUT", ACME, {})
        answer = await system.ask("POST", f"{OUTBOUND}/simulate", wrong)
        missing = await system.ask("POST", f"{ACME}/webhooks/nobody/simulate", {})

    assert answer.status == 422
    faults = {each["path"]: each["code"] for each in answer.document["errors"]}
    assert faults == {
        "window.every": "no_length",
        "window.hours.from": "no_time_of_day",
        "window.hours.to": "missing",
        "days": "too_large",
    }
    assert (missing.status, missing.document["code"]) == (404, "unknown_webhook")


@pytest.mark.parametrize(
    ("wrong", "path", "code"),
    [
        ({"window": 5}, "window", "not_a_window"),
        ({"window": None}, "window", "not_a_window"),
        ({"window": "1h"}, "window", "only_a_length"),
        ({"days": 0}, "days", "too_small"),
        ({"days": "7"}, "days", "not_a_whole_number"),
        ({"aggregation": "1h"}, "aggregation", "unknown_field"),
    ],
)
async def test_a_wrong_question_is_refused(
    tmp_path: Path, wrong: Any, path: str, code: str
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.ask("PUT", ACME, {})
        answer = await system.ask("POST", f"{OUTBOUND}/simulate", wrong)

    assert answer.status == 422
    assert [(each["path"], each["code"]) for each in answer.document["errors"]] == [(path, code)]


async def test_the_meter_counts_what_was_sealed(tmp_path: Path, receiver: HookReceiver) -> None:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", *(event(f"m{number}") for number in range(5)))
        before = (await system.get(OUTBOUND))["meter"]
        system.clock.move(HOUR_MS)
        await receiver.until(1)
        await system.ask("POST", f"{OUTBOUND}/test")

        after = (await system.get(OUTBOUND))["meter"]
        system.clock.move(8 * 24 * HOUR_MS)
        later = (await system.get(f"{ACME}/webhooks"))["webhooks"][0]["meter"]

    assert before == {"days": 7, "messages": 0, "calls": 0}
    assert after == {"days": 7, "messages": 5, "calls": 1}
    assert later == before

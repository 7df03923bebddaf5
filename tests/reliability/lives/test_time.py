"""Daylight saving time, a machine that sleeps, and a wall clock that is set by years.

Single steps of the wall clock and restarts are tested in actors/test_timer.py.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.tests.actors.test_timer import SteppedClock
from hookbundle.tests.hook_receiver import HookReceiver, verified
from hookbundle.tests.in_process import (
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    System,
    daemon_in,
    event,
    facts_of,
    receiving,
)

DAY_MS = 24 * HOUR_MS
YEARS_MS = 10 * 365 * DAY_MS
NOONS_BEFORE = {
    "spring": ("Europe/Berlin", datetime(2027, 3, 27, 12)),
    "autumn": ("Europe/Berlin", datetime(2027, 10, 30, 12)),
    "half an hour on": ("Australia/Lord_Howe", datetime(2027, 10, 2, 12)),
    "half an hour back": ("Australia/Lord_Howe", datetime(2027, 4, 3, 12)),
    "a day that never was": ("Pacific/Apia", datetime(2011, 12, 29, 12)),
}


@pytest.fixture
def living_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A function that sets the process's time zone; the old one is back after the test."""

    def move_to(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move_to
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("case", NOONS_BEFORE)
async def test_a_window_of_a_day_is_86400_seconds_whatever_daylight_saving_time_does(
    tmp_path: Path, living_in: Callable[[str], None], case: str
) -> None:
    zone, noon = NOONS_BEFORE[case]
    living_in(zone)
    noon_ms = round(noon.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1_000)
    a_day_later = datetime.fromtimestamp((noon_ms + DAY_MS) / 1_000, ZoneInfo(zone))
    assert a_day_later.replace(tzinfo=None) != noon + timedelta(days=1), "no clock was changed"
    clock = MovableClock()
    clock.move(noon_ms - clock.now_ms())
    async with receiving() as receiver:
        async with daemon_in(tmp_path, clock) as system:
            await system.make("acme", receiver, aggregation="24h")
            await system.accept("acme", event("m1"))
            (accepted,) = await system.facts.until("message.received")
            clock.move(13 * HOUR_MS)

        async with daemon_in(tmp_path, clock) as system:
            await passes(system, receiver, 11 * HOUR_MS - MINUTE_MS)
            too_early = system.facts.known("delivery.sealed", workspace="acme")
            clock.move(MINUTE_MS)
            (delivered,) = await system.facts.until("delivery.delivered", workspace="acme")
            (sealed,) = await system.facts.until("delivery.sealed", workspace="acme")

    assert too_early == []
    assert parse_ms(accepted["data"]["due"]) - noon_ms - DAY_MS in range(MINUTE_MS)
    assert sealed["data"]["delivery"] == delivered["data"]["delivery"]


async def test_after_sleep_everything_due_is_done_at_once_and_only_once(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500, 200)
        await system.make("waiting", receiver, "waiting")
        await system.accept("waiting", event("m1"))
        await system.facts.until("delivery.failed")
        await system.make("acme", receiver, "acme", aggregation="1h")
        for chat_id in ("c", "a", "b"):
            await system.accept("acme", event("m1", chat_id))
            system.clock.move(SECOND_MS)
        before_ms = system.clock.now_ms()

        system.clock.move(8 * HOUR_MS)
        await system.facts.until("delivery.delivered", 4)
        awake_ms = system.clock.now_ms() - before_ms - 8 * HOUR_MS
        await passes(system, receiver, HOUR_MS)

        chats = [post.document["chat"]["chat_id"] for post in receiver.at("acme")]
        hook = await system.hook("waiting")

    assert awake_ms < 30 * SECOND_MS
    assert chats == ["c", "a", "b"]
    assert len(receiver.at("waiting")) == 2
    assert (hook["state"], hook["consecutive_errors"]) == ("enabled", 0)
    assert system.facts.known("clock.stepped") == [], "time that passes is no step"


async def test_a_wall_clock_set_years_ahead_lets_nothing_expire(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with receiving() as receiver, daemon_in(tmp_path, clock) as system:
        old = await system.make("acme", receiver)
        new = (await system.switch("acme", "rotate-secret", {"keep": "2h"}))["secret"]
        receiver.trust(new)
        await system.accept("acme", event("m1"))
        await system.facts.until("delivery.delivered")
        await system.make("off", receiver, "off")
        await system.switch("off", "disable")
        first = await accepted_under_key(system, "off", "m1")

        clock.step_ms = YEARS_MS
        await system.facts.until("clock.stepped")
        await passes(system, receiver, HOUR_MS)
        again = await system.accept("acme", event("m1"), event("m2"))
        held = await system.accept("off", event("m2"))
        repeated = await accepted_under_key(system, "off", "m1")
        (_, post) = await receiver.until(2, "hook")
        async with facts_of(system.daemon.config.listeners.socket_path) as feed:
            (oldest,) = await feed.until("daemon.started")

    assert (again["accepted"], again["duplicate"]) == (1, 1)
    assert (held["accepted"], repeated) == (1, first)
    assert [verified(post, [secret]) for secret in (old, new)] == [True, True]
    assert oldest["seq"] == 1


@pytest.mark.parametrize("wrong_ms", [YEARS_MS, 3 * DAY_MS])
async def test_a_start_that_trusts_the_clock_waits_for_no_time_that_was_wrong(
    tmp_path: Path, wrong_ms: int
) -> None:
    async with receiving() as receiver:
        receiver.answers(500, 200)
        async with daemon_in(tmp_path, SteppedClock(wrong_ms)) as system:
            await system.make("waiting", receiver, "waiting")
            await system.accept("waiting", event("m1"))
            await system.facts.until("delivery.failed")
            await system.make("acme", receiver, "acme", aggregation="1h")
            await system.accept("acme", event("m1"))
            assert system.clock.now_ms() > MovableClock().now_ms() + DAY_MS

        clock = MovableClock()
        async with daemon_in(tmp_path, clock, trust_clock=True) as system:
            await system.facts.until("delivery.delivered", workspace="waiting")
            await system.facts.until("window.retimed")
            await passes(system, receiver, 59 * MINUTE_MS)
            too_early = system.facts.known("delivery.sealed", workspace="acme")
            clock.move(MINUTE_MS)
            await system.facts.until("delivery.delivered", workspace="acme")

        async with daemon_in(tmp_path, clock) as system:
            status = await system.get("/v1/status")

    assert too_early == []
    assert status["clock_held"] is False, "once is enough"


async def passes(system: System, receiver: HookReceiver, by_ms: int) -> None:
    """It is `by_ms` later, and the daemon has acted on everything due by then."""
    ws = f"beat{len(system.facts.seen)}"
    await system.make(ws, receiver, ws, aggregation="1s")
    system.clock.move(by_ms - SECOND_MS)
    await system.accept(ws, event("m1"))
    system.clock.move(SECOND_MS)
    await system.facts.until("delivery.delivered", workspace=ws)


async def accepted_under_key(system: System, ws: str, message_id: str) -> Any:
    """The answer to a message that is sent with an idempotency key of its own."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": message_id}
    data = msgspec.json.encode(event(message_id))
    answer = await system.ask("POST", f"/v1/workspaces/{ws}/messages", data=data, headers=headers)
    assert answer.status == 202, answer
    return answer.document

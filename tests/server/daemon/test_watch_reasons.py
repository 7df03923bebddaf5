"""What is said when there are two reasons, and when webhooks wait for slots."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.actors.timer import Poll
from hookbundle.tests.actors.stores import Disk
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import HOUR_MS, daemon_in, event, receiving
from hookbundle.tests.server.daemon.test_watch import STEP_MS, STEPS, codes, on


@pytest.mark.parametrize("timer", ["gone", "at work"])
async def test_a_timer_that_is_gone_is_told_beside_a_full_disk(
    timer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that can do nothing for want of room is no standstill: room is all that is missing."""
    on(monkeypatch, Disk)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))
        disk, state = system.daemon.partition.env, system.daemon.partition.timer_state
        assert isinstance(disk, Disk)
        assert state.alarm is not None
        room, disk.full, disk.free_bytes = disk.free_bytes, True, 0
        await system.ask("POST", "/v1/workspaces/acme/messages", [event("m2")])
        if timer == "gone":
            state.alarm.cancel()
        system.clock.move(HOUR_MS)
        answers = []
        for _ in range(STEPS):
            answers.append(await system.ask("GET", "/readyz"))
            if timer == "at work":
                system.daemon.partition._timer.tell(Poll())
            await system.daemon.pulse()
            system.clock.move(STEP_MS)
        disk.full, disk.free_bytes = False, room

    assert codes(answers[0]) == ["intake_closed"]
    beside = ["standstill"] if timer == "gone" else []
    assert codes(answers[-1]) == ["intake_closed", *beside]


@pytest.mark.parametrize(
    ("before", "code", "held"), [(200, "all_slots_used", 4), (500, "slots_taken", 2)]
)
async def test_who_holds_the_slots_is_told_where_others_wait_for_them(
    before: int, code: str, held: int, tmp_path: Path
) -> None:
    """To raise the limit helps against many that work, and not against some that fail."""
    outcome = "delivery.delivered" if before == 200 else "delivery.failed"
    async with (
        receiving() as receiver,
        daemon_in(tmp_path, in_flight_max=4, stop_within_s=0.05) as system,
    ):
        receiver.answers(before)
        for n in range(6):
            await system.make(f"ws{n}", receiver, f"p{n}")
            await system.accept(f"ws{n}", event("m1"))
        await system.facts.until(outcome, 6)
        receiver.answers(Answer(after=asyncio.Event()))
        for n in range(6):
            await system.accept(f"ws{n}", event("m2"))
        system.clock.move(10_000)
        await receiver.until(6 + held)
        status = await system.get("/v1/status")
        async with asyncio.timeout(20):
            while len(status["reasons"]) < 2:  # the last of them may be on its way to the line
                status = await system.get("/v1/status")

    (reason,) = [each for each in status["reasons"] if each["code"] != "smtp_not_set"]
    assert reason["code"] == code
    assert reason["values"]["count"] == 6 - held
    assert reason["values"].get("sound", 0) == (4 if before == 200 else 0)

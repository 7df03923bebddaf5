"""Trouble in one workspace does not affect others. Tests check the order, not the time."""

import asyncio
from pathlib import Path

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import daemon_in, event, receiving

NEVER = asyncio.Event


async def test_a_receiver_that_never_answers_holds_up_nobody_else(tmp_path: Path) -> None:
    async with (
        HookReceiver() as silent,
        receiving() as receiver,
        daemon_in(tmp_path, stop_within_s=0.05) as system,
    ):
        silent.answers(Answer(after=NEVER()))
        await system.make("silent", silent)
        await system.make("sound", receiver)
        await system.accept("silent", *(event(f"m{number}") for number in range(50)))
        await silent.until(1)

        await system.accept("sound", *(event(f"m{number}") for number in range(50)))
        await system.facts.until("delivery.delivered", 50, workspace="sound")

        assert len(receiver.posts) == 50
        assert len(silent.posts) == 1
        assert system.facts.known("delivery.failed", workspace="silent") == []


async def test_many_silent_receivers_leave_slots_for_others(tmp_path: Path) -> None:
    async with (
        HookReceiver() as silent,
        receiving() as receiver,
        daemon_in(tmp_path, in_flight_max=28, stop_within_s=0.05) as system,
    ):
        silent.answers(Answer(after=NEVER()))
        for number in range(20):
            await system.make(f"silent{number}", silent, f"p{number}")
            await system.accept(f"silent{number}", event("m1"), event("m2"))
        await silent.until(20)
        for ws in ("one", "two", "three"):
            await system.make(ws, receiver, ws)

        for ws in ("one", "two", "three"):
            await system.accept(ws, event("m1"), event("m2"))

        await receiver.until(6)
        assert len(silent.posts) == 20


async def test_more_silent_receivers_than_slots_give_way_after_their_time(
    tmp_path: Path,
) -> None:
    # Longer than a slow machine needs between the two messages: the second waits before the
    # first has used up its time.
    limits = AttemptLimits(connect_timeout_ms=5_000, total_timeout_ms=5_000)
    async with (
        HookReceiver() as silent,
        receiving() as receiver,
        daemon_in(tmp_path, in_flight_max=1, limits=limits) as system,
    ):
        silent.answers(Answer(after=NEVER()))
        await system.make("silent", silent)
        await system.make("sound", receiver)
        await system.accept("silent", event("m1"))
        await silent.until(1)

        await system.accept("sound", event("m1"))
        await system.facts.until("delivery.delivered", workspace="sound")

        (ended,) = await system.facts.until("delivery.unknown", workspace="silent")
        assert "others waited" in ended["data"]["error"]
        assert (await system.hook("silent"))["consecutive_errors"] == 0


async def test_errors_of_one_change_nothing_of_another(tmp_path: Path) -> None:
    policy = BackoffPolicy(steps_ms=(1,))
    async with HookReceiver() as failing, receiving() as receiver:
        async with daemon_in(tmp_path, policy=policy) as system:
            failing.answers(500)
            await system.make("failing", failing)
            await system.make("sound", receiver)
            await system.accept("failing", event("m1"))
            await system.accept("sound", *(event(f"m{number}") for number in range(20)))

            await system.facts.until("webhook.disabled", workspace="failing")
            await system.facts.until("delivery.delivered", 20, workspace="sound")

            sound = await system.hook("sound")
            assert (sound["state"], sound["consecutive_errors"]) == ("enabled", 0)
        assert [p.message_ids for p in receiver.posts] == [[f"m{n}"] for n in range(20)]


async def test_one_workspace_at_a_time_has_one_request_open_however_many_chats(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        batches = [
            system.accept("acme", *(event(f"m{n}", f"chat{n}") for n in range(at, at + 10)))
            for at in range(0, 60, 10)
        ]
        await asyncio.gather(*batches)
        await system.facts.until("delivery.delivered", 60)

        assert receiver.open_at_most == 1
        ids = [post.id for post in receiver.posts]
        assert ids == sorted(ids)

"""Webhook actors on a real Store, calling a real receiver: order, slots, faults of this machine."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.actors import webhook
from hookbundle.actors.virtual_actors import INTENSITY
from hookbundle.storage.tables import history
from hookbundle.storage.transitions.attempting import BeginAttempt
from hookbundle.tests.actors.hooks import sending
from hookbundle.tests.actors.stores import SECRET
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.storage.logs import log_of


async def test_deliveries_leave_one_at_a_time_and_in_order(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        number = await hooks.workspace("acme")
        ids = [f"m{n}" for n in range(20)]
        await hooks.enqueue(number, *ids)

        hooks.wake(number, number, number)
        await hooks.rested()

        assert [post.message_ids for post in hooks.receiver.posts] == [[one] for one in ids]
        assert hooks.receiver.open_at_most == 1


async def test_after_an_error_the_same_delivery_comes_first(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        hooks.receiver.answers(500, 200)
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1", "m2")
        hooks.wake(number)
        await hooks.receiver.until(1)
        await hooks.store.caught_up()

        hooks.store.clock.move(5_000)
        hooks.wake(number)
        await hooks.rested()

        posts = hooks.receiver.posts
        assert [post.message_ids for post in posts] == [["m1"], ["m1"], ["m2"]]
        assert posts[0].id == posts[1].id


async def test_nothing_is_sent_before_the_wait_is_over(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        hooks.receiver.answers(500)
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")

        hooks.wake(number, number, number)
        await hooks.rested()

        assert len(hooks.receiver.posts) == 1
        assert hooks.state().consecutive_errors == 1


async def test_an_outcome_that_finds_the_disk_full_is_stored_later_without_sending_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "STORE_AGAIN_S", 0.01)
    async with sending(tmp_path) as hooks:
        answering = asyncio.Event()
        hooks.receiver.answers(Answer(after=answering))
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")
        hooks.wake(number)
        await hooks.receiver.until(1)
        hooks.store.disk.full = True
        hooks.store.disk.failures.clear()

        answering.set()
        await hooks.store.disk.failed(3)
        hooks.store.disk.full = False
        await hooks.rested()

        assert hooks.state().queued == 0
        assert len(hooks.receiver.posts) == 1


async def test_a_disk_that_is_full_before_an_attempt_puts_no_webhook_in_quarantine(
    tmp_path: Path,
) -> None:
    async with sending(tmp_path) as hooks:
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")
        hooks.store.disk.full = True
        hooks.store.disk.failures.clear()

        for _ in range(INTENSITY.failures_max + 2):
            hooks.wake(number)
        await hooks.store.disk.failed(INTENSITY.failures_max + 2)
        hooks.store.disk.full = False
        hooks.wake(number)
        await hooks.rested()

        assert hooks.quarantined.empty()
        assert [post.message_ids for post in hooks.receiver.posts] == [["m1"]]


async def test_a_fault_of_this_machine_is_no_error_of_the_receiver(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        hooks.client.tries = 1
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")

        hooks.wake(number)
        await hooks.rested()

        state = hooks.state()
        assert (state.consecutive_errors, state.queued, state.ready) == (0, 1, False)
        assert [e.result.outcome for e in log_of(hooks.store.reads, "acme")] == ["unknown"]
        assert state.retry_ms > hooks.store.clock.now_ms()
        assert hooks.seen == [("unknown", "local")]
        assert hooks.receiver.posts == []


async def test_a_fault_of_this_machine_is_not_retried_at_once_even_with_few_slots(
    tmp_path: Path,
) -> None:
    async with sending(tmp_path, slots=1) as hooks:
        hooks.client.tries = 1_000
        numbers = [await hooks.workspace(ws) for ws in ("one", "two")]
        for number in numbers:
            await hooks.enqueue(number, "m1")

        hooks.wake(*numbers)
        await hooks.rested()

        assert hooks.client.tries == 998


async def test_more_workspaces_than_slots_are_all_served(tmp_path: Path) -> None:
    async with sending(tmp_path, slots=2) as hooks:
        numbers = [await hooks.workspace(f"ws{n}") for n in range(7)]
        for number in numbers:
            await hooks.enqueue(number, "m1", "m2")

        hooks.wake(*numbers)
        await hooks.receiver.until(14)

        assert hooks.receiver.open_at_most <= 2
        assert {len(hooks.receiver.at(f"ws{n}")) for n in range(7)} == {2}


async def test_receivers_that_hang_leave_slots_for_a_webhook_that_works(tmp_path: Path) -> None:
    async with HookReceiver() as silent, sending(tmp_path, slots=4) as hooks:
        silent.answers(Answer(after=asyncio.Event()))
        sound = await hooks.workspace("sound")
        await hooks.enqueue(sound, "m1")
        hooks.wake(sound)
        await hooks.store.caught_up()
        await hooks.receiver.until(1)
        for n in range(8):
            number = await hooks.store.workspace(f"silent{n}", url=silent.url(f"silent{n}"))
            silent.trust(SECRET, f"silent{n}")
            await hooks.enqueue(number, "m1")
            hooks.wake(number)
        await silent.until(3)

        await hooks.enqueue(sound, "m2")
        hooks.wake(sound)
        await hooks.receiver.until(2)

        # No attempt of the others has ended yet.
        assert {outcome for outcome, _ in hooks.seen} == {"delivered"}
        hooks.traffic.abandoned = True
        await hooks.client.close()


async def test_a_long_queue_gives_way_to_others(tmp_path: Path) -> None:
    async with sending(tmp_path, slots=1) as hooks:
        busy, quiet = await hooks.workspace("busy"), await hooks.workspace("quiet")
        await hooks.enqueue(busy, *(f"m{n}" for n in range(30)))
        await hooks.enqueue(quiet, "m1")

        hooks.wake(busy, quiet)
        await hooks.receiver.until(31)

        assert [post.path for post in hooks.receiver.posts].index("quiet") <= 2


async def test_a_damaged_delivery_ends_in_quarantine_and_frees_its_slot(tmp_path: Path) -> None:
    async with sending(tmp_path, slots=1) as hooks:
        answering = asyncio.Event()
        hooks.receiver.answers(Answer(after=answering), 200)
        broken, sound = await hooks.workspace("broken"), await hooks.workspace("sound")
        await hooks.enqueue(broken, "m1")
        await hooks.enqueue(sound, "m1")
        hooks.wake(broken)
        await hooks.receiver.until(1)
        hooks.store.damage(history.key_of(broken, 1))

        answering.set()
        for _ in range(INTENSITY.failures_max):
            hooks.wake(broken)
        hooks.wake(sound)
        await hooks.receiver.until(1, "sound")

        assert await asyncio.wait_for(hooks.quarantined.get(), 20) == broken


async def test_attempts_that_were_abandoned_are_not_recorded(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        hooks.receiver.answers(Answer(after=asyncio.Event()))
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")
        hooks.wake(number)
        await hooks.receiver.until(1)

        hooks.traffic.open, hooks.traffic.abandoned = False, True
        await hooks.client.close()
        await hooks.rested()

        state = hooks.state()
        assert (state.consecutive_errors, state.queued) == (0, 1)
        assert state.flight is not None
        assert log_of(hooks.store.reads, "acme") == []


async def test_the_attempt_after_an_unrecorded_one_says_so(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")
        await hooks.store.do(BeginAttempt(number, hooks.store.clock.now_ms()))

        hooks.wake(number)
        await hooks.rested()

        log = log_of(hooks.store.reads, "acme")
        assert [(e.attempt, e.result.outcome) for e in log] == [(2, "delivered"), (1, "unknown")]

"""Webhooks whose receivers hold their slots for long, and one whose receiver answers at once."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.actors import slot_lanes
from hookbundle.actors.outbound import connection
from hookbundle.actors.slot_lanes import FORGOTTEN_PER_S, LONG_S, SUM_S, Lane
from hookbundle.tests.actors.fairness.slots import (
    FAILING,
    GIVE_WAY_S,
    NEW,
    PROVEN,
    Scene,
    running,
    settled,
)
from hookbundle.tests.actors.hooks import Webhooks, sending
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.receivers import Receiver, Script, Wire, receiving

SLOTS, HOLDING = 8, 12
FOR_EVER_S = 3_600.0


async def in_a_head(wire: Wire) -> None:
    await wire.request()
    await wire.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await wire.until_closed()


async def in_a_body(wire: Wire) -> None:
    await wire.request()
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")
    await wire.until_closed()


async def before_the_status(wire: Wire) -> None:
    """The first answer is late, and right; the ones after it don't end."""
    is_first = wire.receiver.connections <= HOLDING
    while await wire.request() is not None:
        await wire.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        if not is_first:
            await wire.until_closed()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("behave", [in_a_head, in_a_body, before_the_status])
async def test_however_many_deliver_and_hold_slots_for_long_one_that_is_quick_has_one(
    behave: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them ever has an error. What is long is set here, not measured."""
    monkeypatch.setattr(slot_lanes, "LONG_S", FOR_EVER_S)
    monkeypatch.setattr(slot_lanes, "SUM_S", 1e-9)
    monkeypatch.setattr(slot_lanes, "FORGOTTEN_PER_S", 0.0)
    monkeypatch.setattr(connection, "BODY_S_MAX", 0.0)

    async with receiving(behave) as slow, sending(tmp_path, SLOTS) as hooks:
        hooks.traffic.slots.give_way_s = FOR_EVER_S
        quick = await hooks.workspace("quick")
        await hooks.enqueue(quick, "m1")
        hooks.wake(quick)
        await hooks.store.until(lambda: delivered(hooks) == 1)
        monkeypatch.setattr(slot_lanes, "LONG_S", 0.0)
        holding = [await hooks.store.workspace(f"slow{n}", url=slow.url) for n in range(HOLDING)]
        for number in holding:
            await hooks.enqueue(number, "m1")
        hooks.wake(*holding)
        await hooks.store.until(lambda: delivered(hooks) == HOLDING + 1)
        monkeypatch.setattr(connection, "BODY_S_MAX", FOR_EVER_S)
        for number in holding:
            await hooks.enqueue(number, "m2")
        hooks.wake(*holding)
        await asked(slow, HOLDING + SLOTS - 1)

        await hooks.enqueue(quick, "m2")
        hooks.wake(quick)
        await hooks.store.until(lambda: delivered(hooks) == HOLDING + 2)
        seen = list(hooks.seen)
        hooks.traffic.open = False
        await hooks.client.close()

    assert [post.message_ids for post in hooks.receiver.posts] == [["m1"], ["m2"]]
    assert {outcome for outcome, _ in seen} == {"delivered"}


@pytest.mark.parametrize("took_s", [1.0, 1.9, 2.0, 2.9])
async def test_however_many_take_seconds_one_that_is_quick_has_a_slot_at_once(
    took_s: float,
) -> None:
    scene = Scene(total=20)
    began_s = scene.now_s
    for webhook in range(50):
        scene.now_s = began_s  # all at the same time
        for _ in range(3):
            await scene.run(webhook, took_s=took_s)
    long = await scene.asked(range(50), PROVEN)

    (quick,) = await scene.asked(range(60, 61), PROVEN)

    assert quick.done()
    assert len(running(long)) == 17
    assert {slot.lane for slot in running(long)} == {Lane.LONG}


async def test_what_takes_seconds_is_not_among_what_fails() -> None:
    """Its part is its own, however many hang."""
    scene = Scene(total=8)
    await scene.run(5_000, took_s=LONG_S + SUM_S)
    await scene.asked(range(1_000), FAILING)
    await scene.asked(range(1_000, 2_000), NEW)

    (long,) = await scene.asked(range(5_000, 5_001), PROVEN)

    assert long.result().lane is Lane.LONG


async def test_one_long_answer_now_and_then_is_forgotten_before_the_next() -> None:
    scene = Scene(total=20)

    for _ in range(10):
        await scene.run(1, took_s=1.3)
        scene.now_s += (1.3 - LONG_S) / FORGOTTEN_PER_S

    assert scene.lane_of(1) is Lane.PROVEN


async def test_what_takes_seconds_waits_no_longer_for_what_hangs_than_others_do() -> None:
    scene = Scene(total=1)
    await scene.run(1, took_s=LONG_S + 2 * SUM_S)
    (slot,) = running(await scene.asked(range(1), PROVEN))
    (long,) = await scene.asked(range(1, 2), PROVEN)

    scene.now_s += GIVE_WAY_S
    scene.look()
    scene.finish(slot, timed_out=True)
    await settled()

    assert slot.gave_way
    assert long.result().lane is Lane.LONG


def delivered(hooks: Webhooks) -> int:
    return hooks.store.reads.meta().totals.delivered


async def asked(receiver: Receiver, count: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while len(receiver.requests) < count:
            receiver.asked.clear()
            await receiver.asked.wait()

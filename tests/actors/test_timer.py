"""The clock of the house, on a whole daemon: windows, waits, chores, steps of the wall clock."""

import asyncio
from pathlib import Path

from hookbundle.engine.clock import MovableClock
from hookbundle.storage.database import keyspace
from hookbundle.tests.hook_receiver import PATIENCE_S
from hookbundle.tests.in_process import (
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    House,
    event,
    living,
    receiving,
)


class SteppedClock(MovableClock):
    """A clock of which somebody sets the wall's hands; the time that passes is untouched."""

    def __init__(self, step_ms: int = 0) -> None:
        self.step_ms = step_ms
        super().__init__()

    def wall_ms(self) -> int:
        return super().wall_ms() + self.step_ms


async def test_a_window_closes_one_length_after_its_first_message(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")
        await house.accept("acme", event("m1", "first"))
        house.clock.move(20 * MINUTE_MS)
        await house.accept("acme", event("m2", "first"), event("m3", "second"))

        house.clock.move(40 * MINUTE_MS)
        (first,) = await receiver.until(1)
        await house.facts.until("delivery.delivered")
        still_open = (await house.show())["counts"]["windows"]
        house.clock.move(20 * MINUTE_MS)
        _, second = await receiver.until(2)

        assert still_open == 1
        assert (first.message_ids, second.message_ids) == (["m1", "m2"], ["m3"])


async def test_windows_that_fell_due_during_downtime_are_sent_in_their_order(
    tmp_path: Path,
) -> None:
    clock = MovableClock()
    async with receiving() as receiver:
        async with living(tmp_path, clock) as house:
            await house.make("acme", receiver, aggregation="6h")
            for chat_id in ("c", "a", "b"):
                await house.accept("acme", event("m1", chat_id))
                clock.move(MINUTE_MS)
        clock.move(72 * HOUR_MS)

        async with living(tmp_path, clock) as house:
            posts = await receiver.until(3)
            await house.facts.until("delivery.delivered", 3)

        assert [post.document["chat"]["chat_id"] for post in posts] == ["c", "a", "b"]


async def test_a_restart_neither_restarts_nor_shortens_a_window(tmp_path: Path) -> None:
    clock = MovableClock()
    async with receiving() as receiver:
        async with living(tmp_path, clock) as house:
            await house.make("acme", receiver, aggregation="24h")
            await house.accept("acme", event("m1"))
            clock.move(23 * HOUR_MS)
            await house.accept("acme", event("m2", "other"))

        async with living(tmp_path, clock) as house:
            clock.move(HOUR_MS)
            (post,) = await receiver.until(1)
            await house.facts.until("delivery.delivered")
            windows = (await house.show())["counts"]["windows"]

        assert post.message_ids == ["m1"]
        assert windows == 1


async def test_a_step_of_the_wall_clock_is_reported_and_hastens_nothing(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with receiving() as receiver, living(tmp_path, clock) as house:
        await house.make("acme", receiver, aggregation="1h")
        await house.accept("acme", event("m1"))

        clock.step_ms = 3 * HOUR_MS
        await house.facts.until("clock.stepped")
        windows = (await house.show())["counts"]["windows"]
        clock.move(HOUR_MS)

        await receiver.until(1)
        assert windows == 1


async def test_a_step_back_of_the_wall_clock_delays_nothing(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with receiving() as receiver, living(tmp_path, clock) as house:
        await house.make("acme", receiver, aggregation="1h")
        await house.accept("acme", event("m1"))

        clock.step_ms = -3 * HOUR_MS
        await house.facts.until("clock.stepped")
        clock.move(HOUR_MS)

        (post,) = await receiver.until(1)
        assert post.message_ids == ["m1"]


async def test_a_start_with_the_wall_clock_behind_holds_the_timers_but_takes_messages(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver:
        async with living(tmp_path) as house:
            await house.make("acme", receiver, aggregation="1h")
            await house.accept("acme", event("m1"))
        clock = SteppedClock(-10 * 365 * 24 * HOUR_MS)

        async with living(tmp_path, clock) as house:
            await house.facts.until("clock.held")
            clock.move(2 * HOUR_MS)
            await house.accept("acme", event("m2", "other"))
            status = await house.get("/v1/status")
            sent_while_held = list(receiver.posts)
            clock.step_ms = 0
            await house.facts.until("clock.released")
            (post,) = await receiver.until(1)

        assert (status["clock_held"], status["windows"]) == (True, 2)
        assert sent_while_held == []
        assert post.message_ids == ["m1"]


async def test_the_time_of_the_next_attempt_survives_a_restart(tmp_path: Path) -> None:
    clock = MovableClock()
    async with receiving() as receiver:
        receiver.answers(500, 500, 200)
        async with living(tmp_path, clock) as house:
            await house.make("acme", receiver)
            await house.accept("acme", event("m1"))
            await house.facts.until("delivery.failed", 1)
            clock.move(6 * SECOND_MS)
            await house.facts.until("delivery.failed", 2)
            before = await house.hook()

        async with living(tmp_path, clock) as house:
            after = await house.hook()
            clock.move(34 * SECOND_MS)
            await house.facts.until("delivery.delivered")

        assert before["state"] == "backing_off"
        assert before["next_attempt_at"] == after["next_attempt_at"]
        assert after["consecutive_errors"] == 2


async def test_a_shorter_aggregation_reaches_every_open_window(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="24h")
        await house.accept("acme", *(event("m1", f"c{number}") for number in range(700)))

        await house.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "1h"}})
        await house.facts.until("window.retimed", 700)
        retimed = (await house.show())["counts"]["windows"]
        await house.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "none"}})
        await house.facts.until("delivery.sealed", 700, reason="settings")

        assert retimed == 700
        assert (await house.show())["counts"]["windows"] == 0


async def test_message_ids_are_forgotten_after_the_promised_time(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"))
        await receiver.until(1)

        house.clock.move(47 * HOUR_MS)
        known = await house.accept("acme", event("m1"))
        await house.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "2h"}})
        await house.accept("acme", event("m1", "later"))
        house.clock.move(2 * HOUR_MS)
        await receiver.until(2)
        forgotten = await house.accept("acme", event("m1"))

        assert (known["accepted"], known["duplicate"]) == (0, 1)
        assert (forgotten["accepted"], forgotten["duplicate"]) == (1, 0)


async def test_a_damaged_chat_holds_up_no_other_and_is_not_tried_over_and_over(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")
        await house.accept("acme", event("m1", "broken"), event("m1", "sound"))
        damage(house, keyspace.owned(keyspace.CHATS, 1, b"broken"))

        house.clock.move(HOUR_MS)
        await receiver.until(1)
        for later in ("one", "two", "three"):
            await house.accept("acme", event("m1", later))
            house.clock.move(HOUR_MS)
            await house.facts.until("delivery.delivered", chat=later)

        tries = house.daemon.door.state.rolled_back
        assert receiver.posts[0].document["chat"]["chat_id"] == "sound"
        assert tries <= 2 * 4  # once an hour of the engine's time, in a group and then alone


async def test_a_damaged_webhook_keeps_no_other_waiting(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        receiver.answers(500, 500, 500, 200)
        for ws in ("one", "two", "three"):
            await house.make(ws, receiver, ws)
            await house.accept(ws, event("m1"))
        await house.facts.until("delivery.failed", 3)
        damage(house, keyspace.owned(keyspace.STATES, 2))

        house.clock.move(6 * SECOND_MS)

        await house.facts.until("delivery.delivered", workspace="one")
        await house.facts.until("delivery.delivered", workspace="three")


async def test_a_damaged_chat_keeps_no_other_from_being_forgotten(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver)
        await house.accept("acme", *(event("m1", chat_id) for chat_id in ("a", "b", "c")))
        await receiver.until(3)
        damage(house, keyspace.owned(keyspace.CHATS, 1, b"b"))
        house.clock.move(47 * HOUR_MS)
        await house.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "2h"}})
        await house.accept("acme", event("m1", "later"))

        house.clock.move(2 * HOUR_MS)
        await receiver.until(4)
        answer = await house.accept("acme", event("m1", "a"), event("m1", "c"))

        assert answer["accepted"] == 2


async def test_a_timer_that_cant_go_on_ends_the_daemon(tmp_path: Path) -> None:
    async with living(tmp_path) as house:
        of_no_kind = keyspace.DUES + bytes(8) + b"\xff" + bytes(4)

        with house.daemon.env.write() as txn:
            txn.put(of_no_kind, b"")

        error = await asyncio.wait_for(house.daemon.failed, PATIENCE_S)
        assert "255" in str(error)


def damage(house: House, key: bytes) -> None:
    """The record under the key is no longer what was written."""
    with house.daemon.env.write() as txn:
        value = bytes(txn.get(key) or b"")
        assert value, f"there is no record {key!r}"
        txn.put(key, value[:-1] + bytes([value[-1] ^ 1]))

"""The timer, on a whole daemon: windows, waits, maintenance, steps of the wall clock."""

import asyncio
from pathlib import Path

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.dues import DueReads
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import (
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    System,
    daemon_in,
    event,
    receiving,
)

FAR_MS = 10**15


class SteppedClock(MovableClock):
    """A clock whose wall clock can be set; the elapsed time is unaffected."""

    def __init__(self, step_ms: int = 0) -> None:
        self.step_ms = step_ms
        super().__init__()

    def wall_ms(self) -> int:
        return super().wall_ms() + self.step_ms


async def test_a_window_closes_one_length_after_its_first_message(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1", "first"))
        system.clock.move(20 * MINUTE_MS)
        await system.accept("acme", event("m2", "first"), event("m3", "second"))

        system.clock.move(40 * MINUTE_MS)
        (first,) = await receiver.until(1)
        await system.facts.until("delivery.delivered")
        still_open = (await system.show())["counts"]["windows"]
        system.clock.move(20 * MINUTE_MS)
        _, second = await receiver.until(2)

        assert still_open == 1
        assert (first.message_ids, second.message_ids) == (["m1", "m2"], ["m3"])


async def test_windows_that_fell_due_during_downtime_are_sent_in_their_order(
    tmp_path: Path,
) -> None:
    clock = MovableClock()
    async with receiving() as receiver:
        async with daemon_in(tmp_path, clock) as system:
            await system.make("acme", receiver, aggregation="6h")
            for chat_id in ("c", "a", "b"):
                await system.accept("acme", event("m1", chat_id))
                clock.move(MINUTE_MS)
        clock.move(72 * HOUR_MS)

        async with daemon_in(tmp_path, clock) as system:
            posts = await receiver.until(3)
            await system.facts.until("delivery.delivered", 3)

        assert [post.document["chat"]["chat_id"] for post in posts] == ["c", "a", "b"]


async def test_a_restart_neither_restarts_nor_shortens_a_window(tmp_path: Path) -> None:
    clock = MovableClock()
    async with receiving() as receiver:
        async with daemon_in(tmp_path, clock) as system:
            await system.make("acme", receiver, aggregation="24h")
            await system.accept("acme", event("m1"))
            clock.move(23 * HOUR_MS)
            await system.accept("acme", event("m2", "other"))

        async with daemon_in(tmp_path, clock) as system:
            clock.move(HOUR_MS)
            (post,) = await receiver.until(1)
            await system.facts.until("delivery.delivered")
            windows = (await system.show())["counts"]["windows"]

        assert post.message_ids == ["m1"]
        assert windows == 1


async def test_a_step_of_the_wall_clock_is_reported_and_hastens_nothing(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with receiving() as receiver, daemon_in(tmp_path, clock) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))

        clock.step_ms = 3 * HOUR_MS
        await system.facts.until("clock.stepped")
        windows = (await system.show())["counts"]["windows"]
        clock.move(HOUR_MS)

        await receiver.until(1)
        assert windows == 1


async def test_a_step_back_of_the_wall_clock_delays_nothing(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with receiving() as receiver, daemon_in(tmp_path, clock) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))

        clock.step_ms = -3 * HOUR_MS
        await system.facts.until("clock.stepped")
        clock.move(HOUR_MS)

        (post,) = await receiver.until(1)
        assert post.message_ids == ["m1"]


async def test_a_start_with_the_wall_clock_behind_holds_the_timers_but_takes_messages(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver:
        async with daemon_in(tmp_path) as system:
            await system.make("acme", receiver, aggregation="1h")
            await system.accept("acme", event("m1"))
        clock = SteppedClock(-10 * 365 * 24 * HOUR_MS)

        async with daemon_in(tmp_path, clock) as system:
            await system.facts.until("clock.held")
            clock.move(2 * HOUR_MS)
            await system.accept("acme", event("m2", "other"))
            status = await system.get("/v1/status")
            sent_while_held = list(receiver.posts)
            clock.step_ms = 0
            await system.facts.until("clock.released")
            (post,) = await receiver.until(1)

        assert (status["clock_held"], status["windows"]) == (True, 2)
        assert sent_while_held == []
        assert post.message_ids == ["m1"]


async def test_the_time_of_the_next_attempt_survives_a_restart(tmp_path: Path) -> None:
    clock = MovableClock()
    async with receiving() as receiver:
        receiver.answers(500, 500, 200)
        async with daemon_in(tmp_path, clock) as system:
            await system.make("acme", receiver)
            await system.accept("acme", event("m1"))
            await system.facts.until("delivery.failed", 1)
            clock.move(6 * SECOND_MS)
            await system.facts.until("delivery.failed", 2)
            before = await system.hook()

        async with daemon_in(tmp_path, clock) as system:
            after = await system.hook()
            clock.move(34 * SECOND_MS)
            await system.facts.until("delivery.delivered")

        assert before["state"] == "backing_off"
        assert before["next_attempt_at"] == after["next_attempt_at"]
        assert after["consecutive_errors"] == 2


async def test_a_shorter_aggregation_reaches_every_open_window(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="24h")
        await system.accept("acme", *(event("m1", f"c{number}") for number in range(700)))

        await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "1h"}})
        await system.facts.until("window.retimed", 700)
        retimed = (await system.show())["counts"]["windows"]
        await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "none"}})
        await system.facts.until("delivery.sealed", 700, reason="settings")

        assert retimed == 700
        assert (await system.show())["counts"]["windows"] == 0


async def test_message_ids_are_forgotten_after_the_promised_time(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await receiver.until(1)

        system.clock.move(47 * HOUR_MS)
        known = await system.accept("acme", event("m1"))
        await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "2h"}})
        await system.accept("acme", event("m1", "later"))
        system.clock.move(2 * HOUR_MS)
        await receiver.until(2)
        forgotten = await system.accept("acme", event("m1"))

        assert (known["accepted"], known["duplicate"]) == (0, 1)
        assert (forgotten["accepted"], forgotten["duplicate"]) == (1, 0)


async def test_a_damaged_chat_holds_up_no_other_and_is_not_tried_over_and_over(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1", "broken"), event("m1", "sound"))
        damage(system, keyspace.owned(keyspace.CHATS, 1, b"broken"))

        system.clock.move(HOUR_MS)
        await receiver.until(1)
        for later in ("one", "two", "three"):
            await system.accept("acme", event("m1", later))
            system.clock.move(HOUR_MS)
            await system.facts.until("delivery.delivered", chat=later)

        (row,) = DueReads(system.daemon.partition.env).due(DueKind.POSTPONED, FAR_MS, limit=10)
        assert receiver.posts[0].document["chat"]["chat_id"] == "sound"
        assert key_fields.due(row.subject).subject == b"broken"
        assert system.daemon.partition.store_queue.state.rolled_back == 0


async def test_a_damaged_webhook_keeps_no_other_waiting(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500, 500, 500, 200)
        for ws in ("one", "two", "three"):
            await system.make(ws, receiver, ws)
            await system.accept(ws, event("m1"))
        await system.facts.until("delivery.failed", 3)
        damage(system, keyspace.owned(keyspace.STATES, 2))

        system.clock.move(6 * SECOND_MS)

        await system.facts.until("delivery.delivered", workspace="one")
        await system.facts.until("delivery.delivered", workspace="three")


async def test_a_damaged_chat_keeps_no_other_from_being_forgotten(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", *(event("m1", chat_id) for chat_id in ("a", "b", "c")))
        await receiver.until(3)
        damage(system, keyspace.owned(keyspace.CHATS, 1, b"b"))
        system.clock.move(47 * HOUR_MS)
        await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "2h"}})
        await system.accept("acme", event("m1", "later"))

        system.clock.move(2 * HOUR_MS)
        await receiver.until(4)
        answer = await system.accept("acme", event("m1", "a"), event("m1", "c"))

        assert answer["accepted"] == 2


async def test_a_timer_that_cant_go_on_ends_the_daemon(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        cut_short = keyspace.due_of(DueKind.WINDOW) + bytes(4)

        with system.daemon.partition.env.write() as txn:
            txn.put(cut_short, b"")

        error = await asyncio.wait_for(system.daemon.failed, TIMEOUT_S)
        assert "a buffer of at least 14 bytes" in str(error)


def damage(system: System, key: bytes) -> None:
    """The record under the key is damaged."""
    with system.daemon.partition.env.write() as txn:
        value = bytes(txn.get(key) or b"")
        assert value, f"there is no record {key!r}"
        txn.put(key, value[:-1] + bytes([value[-1] ^ 1]))

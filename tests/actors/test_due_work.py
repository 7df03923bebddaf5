"""The timer's kinds of work leave each other room, and what fails does not come first for ever."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog

from hookbundle.actors.due_rows import BUDGETS
from hookbundle.actors.due_work import RETIME_AT_ONCE
from hookbundle.engine.errors import CorruptRecord, HookbundleError, NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.sealing import SealDue
from hookbundle.tests.actors.timers import StillClock, Timing, put_mails, timing
from hookbundle.tests.storage import postponed

SECOND_MS = 1_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


async def test_a_flood_of_mails_with_a_silent_server_does_not_delay_a_window(
    tmp_path: Path,
) -> None:
    async with timing(tmp_path) as timer:
        number = await timer.store.workspace(aggregation_ms=SECOND_MS)
        put_mails(timer.store, number, 2_000)
        await timer.polls(2)

        await timer.windows(number, "chat")
        timer.store.clock.move(SECOND_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])

        assert len(timer.mailed) == BUDGETS[DueKind.MAIL].claimed_max
        assert len(timer.rows(DueKind.MAIL)) == 2_000
        assert timer.state.late_ms == SECOND_MS  # the mails


async def test_mails_that_are_sent_make_room_for_the_next_ones(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        number = await timer.store.workspace()
        put_mails(timer.store, number, 200)
        await timer.polls(2)
        first = set(timer.mailed)

        with timer.store.disk.write() as txn:
            for row in timer.rows(DueKind.MAIL):
                if row.number in first:
                    txn.delete(keyspace.due(row))
        await timer.polls(2)

        assert len(first) == BUDGETS[DueKind.MAIL].claimed_max
        assert timer.mailed == set(range(1, 201))


async def test_a_damaged_record_with_1100_windows_hides_no_other_window(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        broken, sound = await two_workspaces(timer)
        await timer.windows(broken, *(f"c{number}" for number in range(1_100)))
        timer.store.clock.move(1)
        await timer.windows(sound, "chat")
        timer.store.damage(timer.store.state_key(broken))

        timer.store.clock.move(HOUR_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])

        assert timer.store.reads.workspace("sound").state.queued == 1
        assert tries(timer) == [1] * 1_100


async def test_each_damaged_row_is_tried_again_and_waits_longer_each_time(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        broken, _ = await two_workspaces(timer)
        await timer.windows(broken, *(f"c{number}" for number in range(100)))
        timer.store.damage(timer.store.state_key(broken))
        timer.store.clock.move(HOUR_MS)
        await timer.store.until(lambda: tries(timer) == [1] * 100)

        waits = []
        for tried in range(1, 13):
            wait_ms = timer.rows(DueKind.POSTPONED)[0].at_ms - timer.store.clock.now_ms()
            waits.append(wait_ms // 1_000)
            timer.store.clock.move(wait_ms)
            await timer.store.until(partial(have_been_tried, timer, tried + 1, 100))

        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


async def test_a_repaired_record_has_its_window_sealed_at_the_next_try(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        broken, _ = await two_workspaces(timer)
        await timer.windows(broken, "chat")
        timer.store.damage(timer.store.state_key(broken))
        timer.store.clock.move(HOUR_MS)
        await timer.store.until(lambda: tries(timer) == [1])

        timer.store.damage(timer.store.state_key(broken))  # the same bit: it is sound again
        timer.store.clock.move(SECOND_MS)
        await timer.store.until(lambda: timer.rows(DueKind.POSTPONED) == [])

        assert timer.store.reads.workspace("broken").state.queued == 1
        assert broken in timer.woken


async def test_a_row_that_fails_a_transition_is_found_and_the_others_are_acted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for(monkeypatch, b"c7", b"c70")
    async with timing(tmp_path) as timer:
        number = await timer.store.workspace(aggregation_ms=HOUR_MS)
        await timer.windows(number, *(f"c{chat}" for chat in range(100)))

        timer.store.clock.move(HOUR_MS)
        with structlog.testing.capture_logs() as logged:
            await timer.store.until(lambda: tries(timer) == [1, 1])

        assert timer.rows(DueKind.WINDOW) == []
        assert timer.store.reads.workspace("acme").state.queued == 98
        lines = [line for line in logged if line["event"] == "due rows failed"]
        assert sum(line["postponed"].get("window", 0) for line in lines) == 2
        assert len([line for line in logged if line["event"] == "transition failed"]) == 1


async def test_after_a_restart_a_failed_row_is_not_first_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = StillClock()
    failing_for(monkeypatch, b"bad")
    async with timing(tmp_path, clock) as timer:
        number = await timer.store.workspace(aggregation_ms=HOUR_MS)
        await timer.windows(number, "bad")
        clock.move(HOUR_MS)
        await timer.store.until(lambda: tries(timer) == [1])
        clock.move(SECOND_MS)
        await timer.store.until(lambda: tries(timer) == [2])

    monkeypatch.undo()
    async with timing(tmp_path, clock) as timer:
        before = tries(timer), timer.rows(DueKind.WINDOW)
        await timer.polls(2)
        unchanged = tries(timer)
        clock.move(2 * SECOND_MS)
        await timer.store.until(lambda: timer.rows(DueKind.POSTPONED) == [])

        assert before == ([2], [])
        assert unchanged == [2]
        assert timer.store.reads.workspace("acme").state.queued == 1


async def test_a_full_disk_is_no_fault_of_a_row(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        number = await timer.store.workspace(aggregation_ms=HOUR_MS)
        await timer.windows(number, "chat")
        timer.store.disk.full = True

        timer.store.clock.move(HOUR_MS)
        await timer.store.disk.failed(1)
        timer.store.disk.full = False
        await timer.polls(3)
        waiting = [row.kind for row in timer.rows(DueKind.WINDOW)]
        timer.store.clock.move(SECOND_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])

        assert waiting == [DueKind.WINDOW]
        assert timer.rows(DueKind.POSTPONED) == []
        assert timer.store.reads.workspace("acme").state.queued == 1


async def test_a_row_of_what_was_deleted_is_gone_at_the_next_look(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        now_ms = timer.store.clock.now_ms()
        with timer.store.disk.write() as txn:
            for kind in (DueKind.RETIME, DueKind.MOVE, DueKind.ERASE, DueKind.TRIM):
                txn.put(keyspace.due(Due(0, kind, 77)), b"")
            txn.put(keyspace.due(Due(now_ms, DueKind.RETRY, 77)), b"")

        await timer.store.until(lambda: timer.dues.heads() == {})

        assert timer.failed.empty()


async def test_one_row_of_what_was_deleted_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for(monkeypatch, b"c3", error=NotFound("it was deleted"))
    async with timing(tmp_path) as timer:
        number = await timer.store.workspace(aggregation_ms=HOUR_MS)
        await timer.windows(number, *(f"c{chat}" for chat in range(10)))

        timer.store.clock.move(HOUR_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])

        assert timer.store.reads.workspace("acme").state.queued == 9
        assert timer.rows(DueKind.POSTPONED) == []


async def test_history_is_trimmed_when_it_has_been_kept_long_enough(tmp_path: Path) -> None:
    async with timing(tmp_path, retention=Retention(history_ms=3 * DAY_MS)) as timer:
        number = await timer.store.workspace()
        await timer.history("acme", number, "one", "two")
        timer.store.clock.move(2 * DAY_MS)
        await timer.history("acme", number, "three")
        timer.store.clock.move(DAY_MS - 1)
        await timer.polls(2)
        kept = timer.store.reads.workspace("acme").usage.history

        timer.store.clock.move(1)
        await timer.store.until(lambda: timer.store.reads.workspace("acme").usage.history == 1)
        timer.store.clock.move(2 * DAY_MS)
        await timer.store.until(lambda: timer.store.reads.workspace("acme").usage.history == 0)

        assert kept == 3
        assert timer.rows(DueKind.TRIM) == []


async def test_a_shorter_retention_of_a_reload_is_used_at_once(tmp_path: Path) -> None:
    async with timing(tmp_path, retention=Retention(history_ms=3 * DAY_MS)) as timer:
        number = await timer.store.workspace()
        await timer.history("acme", number, "one")
        timer.store.clock.move(DAY_MS)

        timer.store.store_queue.retention = Retention(history_ms=DAY_MS)

        await timer.store.until(lambda: timer.history_bytes("acme") == 0)


async def test_the_index_is_not_read_while_nothing_is_stored_or_falls_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with timing(tmp_path) as timer:
        await timer.windows(await timer.store.workspace(aggregation_ms=HOUR_MS), "chat")
        await timer.polls(3)
        reads: list[DueReads] = []
        with monkeypatch.context() as patched:
            patched.setattr(DueReads, "heads", lambda self, *_: reads.append(self))
            await timer.polls(3)

        assert not reads
        timer.store.clock.move(HOUR_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])


async def test_a_chain_of_steps_is_claimed_until_its_last_step(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        number = await timer.store.workspace(aggregation_ms=DAY_MS)
        await timer.windows(number, *(f"c{chat}" for chat in range(3 * RETIME_AT_ONCE - 1)))

        await timer.store.do(timer.store.changing("acme", aggregation_ms=HOUR_MS))
        transitions = timer.store.store_queue.state.transitions
        await timer.store.until(lambda: timer.rows(DueKind.RETIME) == [])

        assert timer.store.store_queue.state.transitions == transitions + 3
        assert {row.at_ms for row in timer.rows(DueKind.WINDOW)} == {
            timer.store.clock.now_ms() + HOUR_MS
        }


async def two_workspaces(timer: Timing) -> tuple[int, int]:
    broken = await timer.store.workspace("broken", aggregation_ms=HOUR_MS)
    return broken, await timer.store.workspace("sound", aggregation_ms=HOUR_MS)


def tries(timer: Timing) -> list[int]:
    """How often each POSTPONED row was tried."""
    return sorted(postponed.tries(timer.store.disk, row) for row in timer.rows(DueKind.POSTPONED))


def have_been_tried(timer: Timing, times: int, rows: int) -> bool:
    return tries(timer) == [times] * rows


def failing_for(
    monkeypatch: pytest.MonkeyPatch,
    *chats: bytes,
    error: HookbundleError = CorruptRecord("a bug"),  # noqa: B008 - never changed
) -> None:
    """Sealing has a bug that fails the whole transition if one of these chats is in it."""
    seal_due: Callable[[Unit, Any], Any] = table.TRANSITIONS[SealDue]

    def failing(unit: Unit, transition: SealDue) -> Any:
        if any(row.subject in chats for row in transition.rows):
            raise error
        return seal_due(unit, transition)

    transitions: dict[Any, Any] = table.TRANSITIONS
    monkeypatch.setitem(transitions, SealDue, failing)

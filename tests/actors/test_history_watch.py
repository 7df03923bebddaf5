"""History gives way before the disk is full: the largest first, and before intake is refused."""

from pathlib import Path
from typing import Any

import pytest

from hookbundle.actors.history_watch import HistoryTotal, level_of
from hookbundle.engine.errors import StoreFull
from hookbundle.storage.database import keyspace
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.timed.trimming import TrimHistory
from hookbundle.tests.actors.timers import timing

KB = 1_000
FLOOR = 1_000 * KB
SECOND_MS = 1_000


@pytest.mark.parametrize(
    ("sizes", "wanted", "next_bytes", "level"),
    [
        ([10, 6, 1], 3, 0, 7),
        ([10, 6, 1], 4, 0, 6),
        ([10, 6, 1], 12, 0, 2),
        ([10, 6, 1], 17, 0, 0),
        ([10, 6, 1], 99, 0, 0),
        ([10, 10, 10], 3, 0, 9),
        ([10, 10, 10], 29, 7, 7),
        ([], 5, 0, 0),
    ],
)
def test_the_largest_shrink_to_one_size(
    sizes: list[int], wanted: int, next_bytes: int, level: int
) -> None:
    assert level_of(sizes, wanted, next_bytes) == level


def test_the_limit_is_a_size_or_a_part_of_the_disk() -> None:
    assert HistoryTotal().of(1_000) == 200
    assert HistoryTotal(percent=3).of(1_000) == 30
    assert HistoryTotal(bytes=7).of(1_000) == 7


async def test_over_the_limit_the_largest_is_trimmed_first_and_the_small_ones_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = trimmed(monkeypatch)
    async with timing(tmp_path, total=HistoryTotal(bytes=1 << 40)) as timer:
        numbers = {ws: await timer.store.workspace(ws) for ws in ("small", "large", "middle")}
        await timer.history("small", numbers["small"], *["x" * 10 * KB] * 3)
        await timer.history("middle", numbers["middle"], *["x" * 10 * KB] * 12)
        await timer.history("large", numbers["large"], *["x" * 10 * KB] * 30)
        before = {ws: timer.history_bytes(ws) for ws in numbers}
        limit = sum(before.values()) - before["large"]

        timer.reconfigure(HistoryTotal(bytes=limit))
        timer.store.clock.move(2 * SECOND_MS)
        await timer.store.until(lambda: timer.store.reads.meta().history_bytes <= limit)
        after = {ws: timer.history_bytes(ws) for ws in numbers}

        assert steps[0] == numbers["large"]
        assert set(steps) == {numbers["large"], numbers["middle"]}
        assert after["small"] == before["small"]
        assert abs(after["large"] - after["middle"]) < 30 * KB
        assert sum(after.values()) > limit - 30 * KB


async def test_near_the_floor_history_goes_before_intake_is_refused(tmp_path: Path) -> None:
    async with timing(tmp_path, floor_bytes=FLOOR) as timer:
        number = await timer.store.workspace()
        await timer.history("acme", number, *["x" * 60 * KB] * 60)
        full = timer.history_bytes("acme")
        timer.store.disk.free_inside_bytes = None

        timer.store.disk.free_bytes = FLOOR // 2
        for second in range(5):
            timer.store.clock.move(SECOND_MS)
            accepted = await timer.store.do(timer.store.accepting(number, f"m{second}"))
            assert isinstance(accepted, Accepted)
        await timer.store.until(lambda: timer.store.disk.usage().room_bytes >= 2 * FLOOR)

        assert timer.store.store_queue.state.intake_open
        assert 0 < timer.history_bytes("acme") < full


async def test_below_the_floor_intake_closes_when_nothing_is_left_to_trim(tmp_path: Path) -> None:
    async with timing(tmp_path, floor_bytes=FLOOR) as timer:
        number = await timer.store.workspace()
        await timer.history("acme", number, *["x" * 10 * KB] * 10)

        timer.store.disk.free_bytes = FLOOR // 2  # and what is freed inside the file does not count
        timer.store.clock.move(2 * SECOND_MS)
        await timer.store.until(lambda: timer.history_bytes("acme") == 0)
        timer.store.clock.move(2 * SECOND_MS)
        with pytest.raises(StoreFull):
            await timer.store.do(timer.store.accepting(number, "m1"))
        timer.store.disk.free_bytes = 2 * FLOOR
        timer.store.clock.move(2 * SECOND_MS)
        await timer.polls(2)
        await timer.store.caught_up()

        assert timer.store.store_queue.state.intake_open


async def test_history_that_the_logs_show_can_not_be_trimmed_and_intake_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with timing(tmp_path, floor_bytes=FLOOR) as timer:
        number = await timer.store.workspace()
        await timer.history("acme", number, *["x" * 10 * KB] * 10)
        keep_all(monkeypatch)

        timer.store.disk.free_bytes = FLOOR // 2
        timer.store.clock.move(2 * SECOND_MS)
        await timer.until_polled(lambda: not timer.store.store_queue.history_gives)
        timer.store.clock.move(SECOND_MS)
        with pytest.raises(StoreFull):
            await timer.store.do(timer.store.accepting(number, "m1"))
        timer.store.disk.free_bytes = 2 * FLOOR
        timer.store.clock.move(2 * SECOND_MS)
        await timer.until_polled(lambda: timer.store.store_queue.history_gives)

        assert timer.history_bytes("acme") > 0


async def test_a_damaged_workspace_keeps_no_other_from_being_trimmed(tmp_path: Path) -> None:
    async with timing(tmp_path) as timer:
        broken = await timer.store.workspace("broken")
        sound = await timer.store.workspace("sound")
        await timer.history("broken", broken, *["x" * 10 * KB] * 20)
        await timer.history("sound", sound, *["x" * 10 * KB] * 10)
        timer.store.damage(keyspace.workspace("broken"))

        timer.reconfigure(HistoryTotal(bytes=0))
        timer.store.clock.move(2 * SECOND_MS)

        await timer.store.until(lambda: timer.history_bytes("sound") == 0)


def trimmed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The workspaces of the steps, in their order."""
    found: list[int] = []
    transitions: dict[Any, Any] = table.TRANSITIONS
    trim = transitions[TrimHistory]

    def noting(unit: Any, transition: TrimHistory) -> Any:
        found.append(transition.workspace_number)
        return trim(unit, transition)

    monkeypatch.setitem(transitions, TrimHistory, noting)
    return found


def keep_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The logs show all deliveries."""
    monkeypatch.setattr(
        "hookbundle.storage.tables.detailed_log.shown", lambda unit, webhook: range(1_000)
    )


async def test_more_than_the_limit_that_the_logs_show_is_no_alarm_about_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = trimmed(monkeypatch)
    async with timing(tmp_path, total=HistoryTotal(percent=0)) as timer:
        number = await timer.store.workspace()
        keep_all(monkeypatch)
        await timer.history("acme", number, "x")

        timer.store.clock.move(2 * SECOND_MS)
        await timer.store.until(lambda: bool(steps))
        timer.store.clock.move(2 * SECOND_MS)
        await timer.polls(3)

        assert timer.history_bytes("acme") > 0
        assert timer.store.store_queue.history_gives

"""What is due is shared among webhooks: no flood of one of them hides, or delays, another's."""

from pathlib import Path

from hookbundle.actors.due_rows import BUDGETS
from hookbundle.actors.due_work import tasks_of
from hookbundle.storage.database.keyspace import QUEUED, Due, DueKind
from hookbundle.tests.actors.timers import timing

HOUR_MS = 3_600_000


async def test_a_window_behind_a_flood_of_another_webhooks_is_sealed_among_the_first(
    tmp_path: Path,
) -> None:
    async with timing(tmp_path) as timer:
        greedy = await timer.store.workspace("greedy", aggregation_ms=HOUR_MS)
        quiet = await timer.store.workspace("quiet", aggregation_ms=HOUR_MS)
        for first in range(0, 6_000, 1_000):
            await timer.windows(greedy, *(f"c{chat}" for chat in range(first, first + 1_000)))
            timer.store.clock.move(1)
        await timer.windows(quiet, "chat")

        timer.store.clock.move(HOUR_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])

        numbers = [each.number for each in timer.store.reads.deliveries("quiet", QUEUED, 10)]
        assert len(numbers) == 1
        assert numbers[0] <= 2 * BUDGETS[DueKind.WINDOW].at_once


async def test_large_windows_are_sealed_in_many_transitions_and_a_small_one_among_them(
    tmp_path: Path,
) -> None:
    async with timing(tmp_path) as timer:
        greedy = await timer.store.workspace("greedy", aggregation_ms=HOUR_MS)
        quiet = await timer.store.workspace("quiet", aggregation_ms=HOUR_MS)
        store, text = timer.store, "x" * 60_000
        for chat in range(40):
            ids = (f"m{number}" for number in range(7))
            await store.do(store.accepting(greedy, *ids, chat_id=f"c{chat}", text=text))
        timer.store.clock.move(1)
        await timer.windows(quiet, "chat")
        transitions = store.store_queue.state.transitions

        timer.store.clock.move(HOUR_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])

        (delivery,) = store.reads.deliveries("quiet", QUEUED, 10)
        assert delivery.number <= 10, "it waited for what is much heavier"
        assert store.store_queue.state.transitions - transitions >= 8


def test_a_webhook_with_much_has_tasks_of_its_own_and_those_with_little_share_some() -> None:
    greedy = [Due(1, DueKind.WINDOW, 1, b"c%d" % chat) for chat in range(300)]
    others = [Due(2, DueKind.WINDOW, 2 + number, b"c") for number in range(200)]

    tasks = [[row.number for row in task] for task in tasks_of((*greedy, *others))]

    assert [len(task) for task in tasks] == [128, 72, 128, 128, 44]
    assert sorted(number for task in tasks[:2] for number in task) == list(range(2, 202))
    assert {number for task in tasks[2:] for number in task} == {1}

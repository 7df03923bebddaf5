"""The timer seals windows by rule when they end, also those that move, also after a restart."""

from pathlib import Path

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.tests.actors.timers import StillClock, Timing, timing

MINUTE_MS = 60_000
QUIET = b'{"quiet":"10m","first":"now"}'


async def says(timer: Timing, number: int, *ids: str) -> None:
    for message_id in ids:
        await timer.store.do(timer.store.accepting(number, message_id, chat_id="c"))


def sealed(timer: Timing) -> list[str]:
    """Why each delivery was sealed."""
    return [each.reason for each in timer.store.reads.deliveries("acme", keyspace.QUEUED, 100)]


async def test_a_window_that_moves_is_sealed_once_and_one_that_is_empty_makes_no_call(
    tmp_path: Path,
) -> None:
    clock = StillClock()
    async with timing(tmp_path, clock) as timer:
        number = await timer.store.workspace(window=QUIET)
        await says(timer, number, "a", "b")
        clock.move(9 * MINUTE_MS)
        await says(timer, number, "c")
        clock.move(9 * MINUTE_MS)
        await timer.polls(2)
        before = sealed(timer)

    async with timing(tmp_path, clock) as timer:
        clock.move(MINUTE_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])
        clock.move(10 * MINUTE_MS)
        await says(timer, number, "d")
        clock.move(10 * MINUTE_MS)
        await timer.store.until(lambda: timer.rows(DueKind.WINDOW) == [])

        assert before == ["first"]
        assert sealed(timer) == ["first", "quiet", "first"]

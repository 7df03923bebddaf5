"""kill -9 at any moment of a daemon's life under load, again and again."""

from pathlib import Path

from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.harness.checker import faults
from hookbundle.tests.reliability.harness.crashing import surviving

KILLS = size(3, 60)
OF_EACH = size(1, 12)  # workspaces of each of four kinds


async def test_whenever_the_daemon_is_killed_nothing_is_lost_invented_or_needlessly_repeated(
    tmp_path: Path,
) -> None:
    async with surviving(tmp_path, SEED, OF_EACH) as history:
        planned = Planned(history.seen.classes())
        await history.begins()
        for _ in range(KILLS - 1):
            await history.dies_at_random()
        await history.dies_when_all_was_seen()
        seen = await history.ends_well()

    found = faults(seen)
    print(f"BATTERY_SEED={SEED}: {seen.classes()}, {len(seen.killed)} kills, faults: {found}")
    assert not found, f"BATTERY_SEED={SEED} makes it again"
    for what, count in seen.classes().items():
        if count:
            planned.saw(what)
    planned.check()

"""Simulated lives of a cluster: whatever its servers and nodes do, what was acknowledged is there.

Nothing acknowledged is lost or stored twice, order holds, and the copies are equal record by
record. With BATTERY_SEED=7 life 7 is the first one: a failure prints its seed.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.storage.database.environment import Environment
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.replication.simulated.life import Life
from hookbundle.tests.storage.scratch import ScratchDatabase

LIVES = size(40, 1_000)
ENOUGH = size(16, 1_000)  # if every fault was met in them
SECONDS = 20.0
IN_MEMORY = Path("/dev/shm")
FAULTS = (
    "crash",
    "crash while a group waits",
    "copy lost",
    "owner frozen",
    "fenced",
    "claim lost",
    "yielded",
    "renewed",
    "past",
    "left over",
    "crash while its log is renewed",
    "crash while its log turns",
    "frozen while its log is renewed",
    "frozen while its log turns",
    "rewritten",
    "given up",
    "lost",
    "late",
    "unacked",
    "twice",
    "refused",
    "foreign",
    "behind",
    "blind",
    "disk",
    "broken",
    "unchecked",
    "down",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    within = IN_MEMORY if IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=within) as name:
        yield Path(name)


@pytest.fixture
def base(folder: Path) -> Iterator[Environment]:
    """A database with a workspace, with which each cluster begins."""
    db = ScratchDatabase(folder / "base")
    db.workspace()
    yield db.env
    db.close()


def test_whatever_happens_what_was_acknowledged_is_there_once_in_order_and_on_all_copies(
    folder: Path, base: Environment
) -> None:
    planned, acknowledged = Planned(FAULTS), 0

    for lives, seed in enumerate(range(SEED, SEED + LIVES)):
        if lives >= ENOUGH and all(planned.seen.values()):
            break
        with tempfile.TemporaryDirectory(dir=folder) as of_life:
            life = Life(seed, base, Path(of_life), SECONDS)
            try:
                life.run()
            except Exception as exc:  # noqa: BLE001 - the seed has to be printed for any failure
                pytest.fail(f"BATTERY_SEED={seed} repeats this: {type(exc).__name__}: {exc}")
        acknowledged += life.acknowledged
        planned.seen.update(life.seen)

    print(f"{lives} lives, {acknowledged} messages acknowledged; {dict(planned.seen)}")
    assert acknowledged > lives
    planned.check()

"""After a power cut at any moment of a Store's work, nothing that was answered is lost.

kill -9 can't show this: what a process has written survives it, synced or not. So strace logs the
system calls of the Store's process, and images.py derives from them what the disk may hold.
"""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from random import Random

import pytest

from hookbundle.storage.database.files import MARKER
from hookbundle.tests.reliability.harness import tracing
from hookbundle.tests.reliability.harness.image_checking import ImageChecker, image_checking
from hookbundle.tests.reliability.harness.images import image
from hookbundle.tests.reliability.harness.promises import AcceptedIds, AttemptBegun, AttemptFinished
from hookbundle.tests.reliability.harness.tracing import (
    Answered,
    Event,
    Made,
    SyncedNames,
    UnknownCall,
    Wrote,
)

ROUNDS = int(os.environ.get("POWER_CUT_ROUNDS", "40"))
IMAGES = int(os.environ.get("POWER_CUT_IMAGES", "48"))
SEED = int(os.environ.get("POWER_CUT_SEED", "1"))
SEEDS_A_CUT = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traced")


@pytest.fixture(scope="module")
def events(folder: Path) -> list[Event]:
    """The events of a Store at work."""
    log = folder / "strace.log"
    module = "hookbundle.tests.reliability.harness.traffic"
    tracing.traced(log, "-m", module, str(folder), str(ROUNDS))
    return tracing.history(log, folder)


@pytest.fixture(scope="module")
def image_checker() -> Iterator[ImageChecker]:
    with image_checking() as image_checker:
        yield image_checker


def test_after_a_power_cut_the_database_opens_and_keeps_every_promise(
    events: list[Event], folder: Path, tmp_path: Path, image_checker: ImageChecker
) -> None:
    marker = (folder / "data" / MARKER).read_bytes()

    wrong = {}
    for number, cut in enumerate(cuts(events)):
        seed = SEED * 1_000_000 + cut
        left = image(folder / "data", events[:cut], Random(seed))
        left.put_into(tmp_path / f"image{number}", marker)
        faults = image_checker.faults_of(tmp_path / f"image{number}", left.promises)
        if faults:
            wrong[seed] = faults[:3]

    print(f"{len(wrong)} of {IMAGES} images faulty, POWER_CUT_SEED={SEED}; by seed: {wrong}")
    assert not wrong


def test_the_traffic_has_every_kind_of_promise(events: list[Event]) -> None:
    promises = [one for event in events if isinstance(event, Answered) for one in event.promises]

    kinds = Counter(type(promise) for promise in promises)

    print({kind.__name__: count for kind, count in kinds.items()})
    assert kinds[AcceptedIds] >= 3 * ROUNDS
    assert kinds[AttemptBegun] == kinds[AttemptFinished] >= ROUNDS
    assert {one.outcome for one in promises if isinstance(one, AttemptFinished)} == {
        "delivered",
        "failed",
        "rejected",
    }


def test_nothing_reaches_the_data_file_but_by_calls_that_can_be_watched(
    events: list[Event],
) -> None:
    assert [event for event in events if isinstance(event, UnknownCall)] == []


def test_the_directory_itself_is_on_disk_before_the_first_answer(
    events: list[Event], folder: Path
) -> None:
    before = list(takewhile(lambda event: not isinstance(event, Answered), events))

    made = before.index(Made(folder / "data"))

    assert SyncedNames(folder) in before[made:]


def cuts(events: list[Event]) -> list[int]:
    """The number of events before each cut; half of the cuts come right after an answer."""
    rng = Random(SEED)
    answers = [at + 1 for at, event in enumerate(events) if isinstance(event, Answered)]
    first = next(at for at, event in enumerate(events) if isinstance(event, Wrote))
    half = IMAGES // 2
    anywhere = [rng.randrange(first, len(events) + 1) for _ in range(IMAGES - half)]
    return [*rng.sample(answers, half), *anywhere]


def test_a_power_cut_while_the_database_is_made_leaves_one_that_can_be_used(
    events: list[Event], folder: Path, tmp_path: Path, image_checker: ImageChecker
) -> None:
    marker = (folder / "data" / MARKER).read_bytes()
    first = next(at for at, event in enumerate(events) if isinstance(event, Wrote))
    answered = next(at for at, event in enumerate(events) if isinstance(event, Answered))

    wrong = {}
    for cut in range(first, answered + 1):
        for seed in range(SEED, SEED + SEEDS_A_CUT):
            left = image(folder / "data", events[:cut], Random(seed))
            left.put_into(tmp_path / f"{cut}-{seed}", marker)
            faults = image_checker.faults_of(tmp_path / f"{cut}-{seed}", left.promises)
            if faults:
                wrong[cut, seed] = [left.marked, *faults]

    assert not wrong

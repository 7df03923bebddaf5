"""An upgrade that kills itself, or fails, before its n-th step.

    python -m hookbundle.tests.storage.maintenance.migration.killed DIRECTORY N

A step is a call of the operating system that changes a name or makes something durable, a commit of
a batch, or every hundredth record. The batches are small here, so that there are several.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from hookbundle.storage.maintenance.migration import target
from hookbundle.storage.maintenance.migration.migrating import migrate
from hookbundle.tests.reliability.harness.wrapping import Point, before

CALLS = ("fsync", "rename", "link", "unlink", "rmdir", "mkdir")
BATCH_ROWS = 250
RECORDS_A_STEP = 100


def steps(point: Point) -> Callable[[int, int], None]:
    """The point is passed before each step. Returns the progress with which to migrate."""
    for name in CALLS:
        before(os, name, point)
    target.BATCH_ROWS = BATCH_ROWS
    batch_ends = target.Target._make_room

    def make_room(self: target.Target) -> None:
        if self._rows >= BATCH_ROWS:
            point.passed()
        batch_ends(self)

    target.Target._make_room = make_room  # type: ignore[method-assign]
    heard = 0

    def progress(done: int, records: int) -> None:
        nonlocal heard
        heard += 1
        if heard % RECORDS_A_STEP == 0 or done == records:
            point.passed()

    return progress


def main(directory: str, nth: str) -> None:
    migrate(Path(directory), 0, steps(Point(int(nth))))


if __name__ == "__main__":
    main(*sys.argv[1:])

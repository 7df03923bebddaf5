"""`hookbundle` whose upgrade of a database stops at the first record, until a file is written to.

    python -m hookbundle.tests.daemon.held_upgrade FIFO run

The file is a FIFO; opening it for writing lets the upgrade go on. While it is held it counts the
same record again and again, so that it can be asked to stop. The log says `held` once.
"""

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from hookbundle import cli
from hookbundle.storage.maintenance.migration import migrating
from hookbundle.storage.maintenance.migration.migrating import Migrated
from hookbundle.tests.reliability.harness.wrapping import replace

POLL_S = 0.02


def command(fifo: Path) -> list[str]:
    """The command to run in place of `hookbundle`."""
    os.mkfifo(fifo)
    return [sys.executable, "-m", __name__, str(fifo)]


def main(fifo: str, *arguments: str) -> None:
    migrate = migrating.migrate
    gate = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    def held(path: Path, now_ms: int, progress: Callable[[int, int], None]) -> Migrated:
        waits = [gate]

        def count(done: int, records: int) -> None:
            progress(done, records)
            if waits:
                structlog.get_logger(__name__).info("held", done=done, records=records)
            while waits and not select.select(waits, (), (), POLL_S)[0]:
                progress(done, records)
            waits.clear()

        return migrate(path, now_ms, count)

    replace(migrating, "migrate", held)
    cli.main(list(arguments), prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])

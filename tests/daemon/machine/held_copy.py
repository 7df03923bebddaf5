"""`hookbundle` whose copy of the database, for a backup, has no end.

    python -m hookbundle.tests.daemon.machine.held_copy run

The log says `copying` when the copy is under way. LMDB itself is as it is: what stands still is
what takes its bytes.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from hookbundle import cli
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.reliability.harness.wrapping import replace


def command() -> list[str]:
    """The command to run in place of `hookbundle`."""
    return [sys.executable, "-m", __name__]


def main(*arguments: str) -> None:
    copy = Environment.copy_compact

    def held(env: Environment, into: Path, tick: Callable[[], None]) -> None:
        def hold() -> None:
            structlog.get_logger(__name__).info("copying")
            while True:
                tick()

        copy(env, into, hold)

    replace(Environment, "copy_compact", held)
    cli.main(list(arguments), prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The steps of a renewal, and of writing a copy anew, at which a node is killed; and the command
that runs one.

    python -m hookbundle.tests.reliability.cluster.erasing.renewal_points "end appended" 1 run

As those of a daemon alone (harness/failpoints.py): functions of the product are wrapped, and have
no code for it.
"""

import sys
from collections.abc import Callable
from typing import Any

from hookbundle import cli
from hookbundle.actors.replication import generations, renewal
from hookbundle.actors.replication.log import Log
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.renewal import Renewal
from hookbundle.engine.replication.entries import Kind
from hookbundle.storage.database.replication import copy_state
from hookbundle.storage.maintenance.replication import copies
from hookbundle.tests.reliability.harness.wrapping import Point, after, before, replace

PART_BYTES = 1_000  # so that a small base has several entries
HALF = 20  # records of a copy


def stream_made(point: Point) -> None:
    after(NatsLog, "make", point)


def base_half_written(point: Point) -> None:
    replace(generations, "PART_BYTES", PART_BYTES)
    bases = 0

    def is_second(_log: Log, kind: Kind, _body: bytes) -> bool:
        nonlocal bases
        bases += kind is Kind.BASE
        return kind is Kind.BASE and bases == 2

    before(Log, "append", point, is_second)


def groups_copied(point: Point) -> None:
    after(Renewal, "_copy", point)


def begin_written(point: Point) -> None:
    before(Log, "append", point, lambda _log, kind, _body: kind is Kind.END)


def end_appended(point: Point) -> None:
    before(renewal, "go_on", point)


def old_log_there(point: Point) -> None:
    before(NatsLog, "delete", point)


def old_log_deleted(point: Point) -> None:
    after(NatsLog, "delete", point)


def copy_half_rewritten(point: Point) -> None:
    def half(env: Any, target: Any, tick: Callable[[], None]) -> Any:
        records = 0

        def ticks() -> None:
            nonlocal records
            records += 1
            if records == HALF:
                point.passed()
            tick()

        return put_all(env, target, ticks)

    put_all = replace(copies, "put_all", half)


def copy_rewritten(point: Point) -> None:
    """It has the place of the one before; what is said of that is not forgotten."""
    before(copy_state, "forget", point)


POINTS: dict[str, Callable[[Point], None]] = {
    "stream made": stream_made,
    "base half-written": base_half_written,
    "groups copied": groups_copied,
    "begin written": begin_written,
    "end appended": end_appended,
    "old log there": old_log_there,
    "old log deleted": old_log_deleted,
    "copy half rewritten": copy_half_rewritten,
    "copy rewritten": copy_rewritten,
}


def command(point: str, nth: int = 1) -> list[str]:
    """The command to run in place of `hookbundle`."""
    return [sys.executable, "-m", __name__, point, str(nth)]


def main(point: str, nth: str, *arguments: str) -> None:
    POINTS[point](Point(int(nth)))
    cli.main(list(arguments), prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])

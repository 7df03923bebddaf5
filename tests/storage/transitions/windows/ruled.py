"""Workspaces whose windows follow a rule, for tests. Times of the day are those of 14 July 2025."""

from typing import Any

from hookbundle.engine.windows.parsing import parse, written
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import PRODUCT, ScratchDatabase

MIDNIGHT_MS = 1_752_451_200_000  # Monday, 14 July 2025, 00:00 UTC
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
FIRST = {"every": "1h", "first": "now"}


def window(value: Any) -> bytes:
    """The rule as it is stored."""
    parse(value)
    return written(value)


def ruled(db: ScratchDatabase, value: Any, at: str = "09:00", **settings: Any) -> int:
    """A workspace whose webhook has such windows; it is that time. Returns its number."""
    db.now_ms = at_time(at)
    return db.workspace("acme", window=window(value), **settings)


def at_time(text: str, day: int = 0) -> int:
    """That time, of so many days later."""
    hours, minutes = text.split(":")
    return MIDNIGHT_MS + day * DAY_MS + int(hours) * HOUR_MS + int(minutes) * MINUTE_MS


def goes(db: ScratchDatabase, at: str, day: int = 0) -> None:
    """It is that time, and the timer has done all that was due until then, each when it was."""
    until_ms = at_time(at, day)
    while rows := [row for row in db.dues(DueKind.WINDOW) if row.at_ms <= until_ms]:
        db.now_ms = max(db.now_ms, rows[0].at_ms)
        db.do(SealDue((rows[0],), db.now_ms, PRODUCT), DueSealed)
    db.now_ms = until_ms


def says(db: ScratchDatabase, at: str, *ids: str, day: int = 0, chat: str = "c") -> None:
    """The timer goes to that time, and then the messages come."""
    goes(db, at, day)
    db.accept(*ids, chat=chat)


def sent(db: ScratchDatabase) -> list[tuple[str, list[str]]]:
    """The deliveries in order: why each was sealed, and its messages."""
    return [(each.reason, ids_in(each)) for each in db.queued()]


def retime_all(db: ScratchDatabase, most: int = 100) -> None:
    """The timer does all steps of the re-timing that is asked for, if any is."""
    while rows := db.dues(DueKind.RETIME):
        db.do(RetimeWindows(rows[0].number, most, db.now_ms, PRODUCT), Retimed)


def due(db: ScratchDatabase, chat: str = "c") -> int:
    """When the chat's open window ends, which its only row of the index says too."""
    found = db.window(chat)
    assert found is not None
    rows = [row for row in db.dues(DueKind.WINDOW) if row.subject == chat.encode()]
    assert [row.at_ms for row in rows] == [found.due_ms]
    return found.due_ms

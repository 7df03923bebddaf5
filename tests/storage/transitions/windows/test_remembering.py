"""How long a chat is remembered, so that a message of a conversation is not its first once more."""

from typing import Any

import pytest

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.windows.ruled import (
    DAY_MS,
    FIRST,
    HOUR_MS,
    at_time,
    goes,
    ruled,
    says,
    sent,
)

WEEKLY = {"at": ["18:00"], "days": "mon", "first": "now"}


def forget(db: ScratchDatabase) -> None:
    """The timer does what is due."""
    rows = tuple(row for row in db.dues(DueKind.FORGET) if row.at_ms <= db.now_ms)
    db.done(Forget(rows, db.now_ms))


@pytest.mark.parametrize(
    "value",
    [FIRST, {"every": "24h", "first": "now"}, {**WEEKLY, "first": None}, {"quiet": "1h"}],
)
def test_a_chat_whose_windows_are_days_at_most_is_forgotten_after_48_hours(
    db: ScratchDatabase, value: dict[str, Any]
) -> None:
    ruled(db, {name: given for name, given in value.items() if given is not None})
    says(db, "09:00", "a")
    goes(db, "18:00")
    db.seal()

    goes(db, "09:00", day=2)
    forget(db)

    assert db.chat() is None


def test_a_chat_is_remembered_for_a_week_if_the_first_since_then_leaves_at_once(
    db: ScratchDatabase,
) -> None:
    ruled(db, WEEKLY)
    says(db, "19:00", "a")
    says(db, "19:10", "b")
    db.seal()

    goes(db, "19:00", day=6)
    forget(db)
    says(db, "17:00", "c", day=7)
    goes(db, "18:00", day=7)

    assert sent(db) == [("first", ["a"]), ("flush", ["b"]), ("at", ["c"])]
    assert findings(db) == []


def test_after_eight_days_it_is_forgotten_with_its_ids(db: ScratchDatabase) -> None:
    ruled(db, WEEKLY)
    says(db, "19:00", *(f"m{number}" for number in range(200)))
    db.seal()
    kept = []

    for day in range(2, 9):
        goes(db, "19:00", day)
        for _ in range(3):  # ids go in steps
            forget(db)
            db.now_ms += 1
        kept.append(db.chat() is not None)

    assert kept == [True] * 6 + [False]
    assert db.dues(DueKind.FORGET) == []


def test_the_rule_of_now_decides_how_long(db: ScratchDatabase) -> None:
    ruled(db, WEEKLY)
    says(db, "19:00", "a")
    db.seal()
    db.now_ms = at_time("19:00", day=3)
    forget(db)
    rows = [row.at_ms for row in db.dues(DueKind.FORGET)]

    db.change("acme", aggregation_ms=HOUR_MS)
    db.now_ms = at_time("19:00", day=8)
    forget(db)

    assert rows == [at_time("19:00") + 8 * DAY_MS]
    assert db.chat() is None

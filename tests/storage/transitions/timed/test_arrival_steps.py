"""Arrivals are kept for ten days, and trimmed day by day, in steps."""

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.tests.storage.arriving import DAY_MS, MIDNIGHT_MS, counts, days, trim, trim_if_due
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook


def fill(db: ScratchDatabase, chat: str = "c", count: int = 24) -> None:
    """The chat has rows of now."""
    db.accept(*(f"{db.now_ms}-{each}" for each in range(count)), chat=chat)


def test_a_day_is_kept_until_its_last_message_is_ten_days_old(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.now_ms = MIDNIGHT_MS - 1
    fill(db)
    fill(db, "other")
    (row,) = db.dues(DueKind.ARRIVALS)

    assert MIDNIGHT_MS + 10 * DAY_MS <= row.at_ms < MIDNIGHT_MS + 10 * DAY_MS + HOUR_MS
    db.now_ms = MIDNIGHT_MS + 10 * DAY_MS - 1
    assert trim(db).finished
    assert days(db) == [0]
    assert db.dues(DueKind.ARRIVALS) == [row]
    db.now_ms = row.at_ms
    assert trim(db).finished
    assert days(db) == []
    assert db.dues(DueKind.ARRIVALS) == []
    assert_sound(db)


def test_days_go_one_after_the_other(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    add_webhook(db, "acme", "crm", aggregation_ms=0)

    for _ in range(25):
        fill(db)
        trim_if_due(db)
        assert len(days(db)) <= 12
        assert_sound(db)
        db.now_ms += DAY_MS

    assert days(db) == list(range(14, 25))
    assert db.view().usage.arrival_bytes > 0


def test_a_step_deletes_as_many_rows_as_it_may(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(5):
        fill(db, f"chat {number}")
    db.now_ms += 12 * DAY_MS

    finished = []
    left = []
    for _ in range(3):
        finished.append(trim(db, most=2).finished)
        left.append(len(counts(db)))
        assert_sound(db)

    assert finished == [False, False, True]
    assert left == [3, 1, 0]


def test_a_day_that_has_not_come_goes_with_the_clock_that_brought_it(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    fill(db)
    true_ms, db.now_ms = db.now_ms, db.now_ms + 1_000 * DAY_MS
    fill(db)
    assert days(db) == [0, 1_000]

    db.now_ms = true_ms
    db.done(TrustClock(true_ms))
    trim_if_due(db)

    assert days(db) == [0]
    assert_sound(db)

"""Rows whose work failed wait longer each time, and go when the work is done."""

import pytest

from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.tests.storage.postponed import tries
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, START_MS, ScratchDatabase

ROW = Due(START_MS, DueKind.WINDOW, 1, b"c")


@pytest.fixture
def postponed(db: ScratchDatabase) -> Due:
    with db.unit() as unit:
        unit.put_due(ROW)
    db.done(Postpone((ROW,), db.now_ms))
    return only_row(db)


def test_a_row_that_failed_leaves_its_kind_and_knows_what_it_was(
    db: ScratchDatabase, postponed: Due
) -> None:
    assert db.dues() == [postponed]
    assert postponed.at_ms == db.now_ms + 1_000
    assert key_fields.due(postponed.subject) == ROW


def test_each_failure_doubles_the_wait_up_to_ten_minutes(
    db: ScratchDatabase, postponed: Due
) -> None:
    row, waits = postponed, []
    for _ in range(12):
        db.now_ms = row.at_ms
        db.done(Postpone((row,), db.now_ms))
        row = only_row(db)
        waits.append((row.at_ms - db.now_ms) // 1_000)

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
    assert key_fields.due(row.subject) == ROW


def test_a_row_whose_work_was_done_is_gone(db: ScratchDatabase, postponed: Due) -> None:
    db.done(Settle((postponed,), postponed.at_ms))

    assert db.dues() == []


def test_a_row_of_any_kind_that_asks_for_nothing_is_gone(db: ScratchDatabase) -> None:
    with db.unit() as unit:
        unit.put_due(ROW)

    db.done(Settle((ROW,), db.now_ms))

    assert db.dues() == []


def test_a_try_that_postponed_its_row_by_itself_counts_on(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1")
    with db.env.write() as txn:
        txn.put(keyspace.owned(keyspace.STATES, 1), b"damaged")
    db.now_ms += HOUR_MS
    (window,) = db.dues(DueKind.WINDOW)
    db.do(SealDue((window,), db.now_ms, PRODUCT), DueSealed)
    first = only_row(db)

    db.now_ms = first.at_ms
    db.do(SealDue((window,), db.now_ms, PRODUCT), DueSealed)
    db.done(Settle((first,), db.now_ms))

    again = only_row(db)
    assert again.at_ms == db.now_ms + 2_000
    assert tries(db.env, again) == 2


def test_a_row_whose_count_is_damaged_waits_the_longest(
    db: ScratchDatabase, postponed: Due
) -> None:
    with db.env.write() as txn:
        txn.put(keyspace.due(postponed), b"damaged")

    db.done(Postpone((postponed,), db.now_ms))

    assert only_row(db).at_ms == db.now_ms + 600_000


def only_row(db: ScratchDatabase) -> Due:
    (row,) = db.dues(DueKind.POSTPONED)
    return row

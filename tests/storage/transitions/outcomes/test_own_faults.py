"""Attempts that a fault of this machine ended: they wait by the steps, and not all are forgiven."""

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Outcome, Rejected
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import CUT, NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import queued


def counts(db: ScratchDatabase) -> tuple[int, int]:
    state = db.view().state
    return state.consecutive_errors, state.own_faults


def wait_s(db: ScratchDatabase) -> float:
    return (db.view().state.next_attempt_ms - db.now_ms) / 1_000


def test_they_wait_by_the_steps_and_the_fourth_in_a_row_counts(db: ScratchDatabase) -> None:
    queued(db, "m1")
    db.policy = BackoffPolicy(jitter=0)
    found = []
    for _ in range(6):
        db.attempt(CUT)
        found.append((*counts(db), wait_s(db)))
        assert db.begin() == Idle()
        assert_sound(db)

    assert found == [(0, 1, 5), (0, 2, 30), (0, 3, 120), (1, 3, 5), (2, 3, 30), (3, 3, 120)]
    outcomes = [e["type"] for e in db.events("delivery.unknown", "delivery.failed")]
    assert outcomes == ["delivery.unknown"] * 3 + ["delivery.failed"] * 3
    error = db.view().state.last_error
    assert error.endswith("; it counts, after 3 in a row that did not")


@pytest.mark.parametrize("other", [OK, NO, failed()])
def test_only_those_in_a_row_are_added_up(db: ScratchDatabase, other: Outcome) -> None:
    queued(db, "m1", "m2")
    for outcome in (CUT, CUT, CUT, other):
        db.attempt(outcome)
    before = counts(db)

    for _ in range(3):
        db.attempt(CUT)

    assert before == (0 if isinstance(other, Delivered) else 1, 0)
    assert counts(db) == (before[0], 3)


def test_one_that_never_shows_itself_is_disabled_and_its_owner_told(db: ScratchDatabase) -> None:
    queued(db, "m1")
    made = 0
    while db.view().state.enabled:
        db.attempt(CUT)
        made += 1

    assert (made, counts(db)[0]) == (14, 11)
    assert len(db.dues(DueKind.MAIL)) == 2  # a warning came before
    assert_sound(db)


def test_the_count_survives_a_restart_and_a_stop_adds_nothing(db: ScratchDatabase) -> None:
    queued(db, "m1")
    for _ in range(3):
        db.attempt(CUT)
    db.wait()
    db.begun()
    db.reopen()
    db.begun()
    db.reopen()

    begun = db.begun()  # both were repeated at once

    assert (begun.attempt, counts(db)) == (6, (0, 3))
    db.finish(begun, CUT)
    assert counts(db) == (1, 3)


def test_enabling_forgives_them(db: ScratchDatabase) -> None:
    queued(db, "m1")
    for _ in range(3):
        db.attempt(CUT)

    db.disable()
    db.enable()

    assert counts(db) == (0, 0)


def test_the_owner_sees_why_it_stands_still(db: ScratchDatabase) -> None:
    queued(db, "m1")

    db.attempt(CUT)

    state = db.view().state
    assert (state.last_error, state.ready) == (CUT.error, False)
    assert state.retry_ms > db.now_ms
    assert db.events("delivery.unknown")[0]["data"]["own_faults"] == 1


def test_a_rejection_is_no_fault_of_ours(db: ScratchDatabase) -> None:
    queued(db, "m1", "m2")
    for _ in range(3):
        db.attempt(Rejected(400))

    assert counts(db) == (3, 0)

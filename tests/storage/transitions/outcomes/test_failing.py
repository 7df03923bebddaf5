"""One body that makes its receiver fail: told apart from a receiver that is broken."""

import pytest

from hookbundle.engine.delivery.outcomes import Failed, Outcome
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.scratch import CUT, NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import (
    queued,
)
from hookbundle.tests.storage.transitions.outcomes.failing import (
    OOPS,
    failing,
    numbers,
    sent,
    set_aside,
)


def test_a_head_whose_receiver_takes_the_next_one_is_a_dead_letter(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2", "m3")

    assert sent(db, OK) == 2

    state, totals = db.view().state, db.reads.meta().totals
    assert numbers(db) == ([3], [1])
    assert db.dead_letters()[0].dead_reason == "receiver_fails"
    assert (state.enabled, state.consecutive_errors, state.next_attempt_ms) == (True, 0, 0)
    assert (totals.failed, totals.dead_letters, totals.receiver_fails) == (5, 1, 1)
    assert [sent(db, OK), db.begin()] == [3, Idle()]


def test_it_is_told_with_its_reason_right_after_the_delivery_that_showed_it(
    db: ScratchDatabase,
) -> None:
    set_aside(db, "m1", "m2")

    delivered, dead_letter = db.events("delivery.delivered", "delivery.dead_lettered")
    line = db.reads.activity("acme")[0]
    assert delivered["data"]["delivery"].endswith("2")
    data = dead_letter["data"]
    assert (data["delivery"][-1], data["attempt"], data["status"]) == ("1", 5, 500)
    assert (data["reason"], data["error"]) == ("receiver_fails", "status 500")
    assert (line.outcome, line.delivery) == ("dead_letter", 1)
    assert line.detail == "receiver_fails: status 500, and the receiver took the next one"
    assert [entry.result.outcome for entry in log_of(db.reads, "acme")] == [
        "delivered",
        *["failed"] * 5,
    ]


@pytest.mark.parametrize(
    "answer", [OOPS, NO, Failed("timeout_total: x"), Failed("status 503", 503)]
)
def test_a_receiver_that_takes_neither_is_broken_and_is_asked_once(
    db: ScratchDatabase, answer: Outcome
) -> None:
    failing(db, "m1", "m2")

    assert sent(db, answer) == 2
    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5

    state = db.view().state
    assert (state.enabled, state.consecutive_errors) == (False, 11)
    assert numbers(db) == ([1, 2], [])
    assert len(db.dues(DueKind.MAIL)) == 2  # a warning came before


def test_with_nothing_behind_it_the_head_goes_on_and_the_question_returns(
    db: ScratchDatabase,
) -> None:
    failing(db, "m1")

    assert [sent(db, OOPS), sent(db, OOPS)] == [1, 1]
    db.accept("m2")

    assert sent(db, OK) == 2
    assert numbers(db) == ([], [1])


@pytest.mark.parametrize(
    "other",
    [
        Failed("status 502", 502),
        Failed("status 503", 503),
        Failed("status 504", 504),
        Failed("status 499", 429),
        Failed("timeout_total: no answer"),
        Failed("connect_refused: x"),
        NO,
    ],
)
def test_only_five_in_a_row_raise_the_question(db: ScratchDatabase, other: Outcome) -> None:
    queued(db, "m1", "m2")
    assert [sent(db, each) for each in (OOPS, OOPS, OOPS, OOPS, other)] == [1] * 5

    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5

    assert numbers(db)[1] == []


@pytest.mark.parametrize("status", [500, 501, 505, 522, 599])
def test_any_other_answer_of_the_five_hundreds_raises_it(db: ScratchDatabase, status: int) -> None:
    queued(db, "m1", "m2")
    for _ in range(5):
        sent(db, Failed(f"status {status}", status))

    assert sent(db, OK) == 2


def test_an_attempt_that_a_fault_of_ours_ended_answers_nothing(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2", "m3")

    assert [sent(db, CUT), sent(db, CUT), sent(db, OK)] == [2, 2, 2]

    assert numbers(db) == ([3], [1])


def test_a_crash_between_begin_and_end_leaves_the_question_open(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2")
    db.wait()
    lost = db.begun()
    db.reopen()

    again = db.begun()
    db.finish(again, OK)

    assert (lost.delivery_id, lost.attempt) == (again.delivery_id, again.attempt - 1)
    assert numbers(db) == ([], [1])
    assert_sound(db)


def test_nor_does_one_that_counts_because_too_many_were_ended_so(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2")

    assert [sent(db, CUT) for _ in range(5)] == [2] * 5

    assert db.view().state.consecutive_errors == 5 + 2
    assert sent(db, OK) == 2
    assert [each.number for each in db.dead_letters()] == [1]

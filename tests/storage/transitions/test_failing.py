"""One body that makes its receiver fail: told apart from a receiver that is broken."""

import pytest

from hookbundle.engine.delivery.outcomes import Failed, Outcome
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Begun, Idle
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.tests.storage.deleting import assert_sound, delete_chat
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.scratch import CUT, NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import (
    discard,
    queued,
    retry,
    retry_dead_letters,
)

OOPS = Failed("status 500", 500)
OTHER_URL = "https://elsewhere.example/"


def sent(db: ScratchDatabase, outcome: Outcome) -> int:
    """The number of the delivery that the next attempt was made with."""
    number = db.attempt(outcome).delivery.number
    assert_sound(db)
    return number


def failing(db: ScratchDatabase, *message_ids: str) -> None:
    """The receiver has failed five times over the head of the queue."""
    queued(db, *message_ids)
    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5


def set_aside(db: ScratchDatabase, *message_ids: str) -> None:
    """The head is a dead letter, because the receiver took the next one."""
    failing(db, *message_ids)
    assert sent(db, OK) == 2
    assert [each.number for each in db.dead_letters()] == [1]


def numbers(db: ScratchDatabase) -> tuple[list[int], list[int]]:
    return [each.number for each in db.queued()], [each.number for each in db.dead_letters()]


def moved(db: ScratchDatabase) -> None:
    while not db.do(MoveDeliveries(1, 1, db.now_ms), Moved).finished:
        assert_sound(db)


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

    delivered, parked = db.events("delivery.delivered", "delivery.parked")
    line = db.reads.activity("acme")[0]
    assert delivered["data"]["delivery"].endswith("2")
    data = parked["data"]
    assert (data["delivery"][-1], data["attempt"], data["status"]) == ("1", 5, 500)
    assert (data["reason"], data["error"]) == ("receiver_fails", "status 500")
    assert (line.outcome, line.delivery) == ("parked", 1)
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
    assert len(db.dues(DueKind.MAIL)) == 1


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


def test_enabling_leaves_it_where_it_is_and_returns_the_others(db: ScratchDatabase) -> None:
    set_aside(db, "m1", "m2", "m3", "m4")
    for _ in range(3):
        assert sent(db, NO) == 3
    db.disable()

    switched = db.enable()

    assert (switched.returned, switched.left) == (1, 1)
    assert numbers(db) == ([3, 4], [1])
    assert db.events("webhook.reset")[-1]["data"]["left"] == 1
    assert_sound(db)
    assert [sent(db, OK), sent(db, OK)] == [3, 4]
    moved(db)
    assert numbers(db) == ([], [1])
    assert_sound(db)


def test_enabling_with_nothing_but_such_moves_nothing(db: ScratchDatabase) -> None:
    set_aside(db, "m1", "m2")
    db.disable()

    assert (db.enable().returned, numbers(db)) == (0, ([], [1]))
    assert_sound(db)


@pytest.mark.parametrize("how", ["retry", "retry all", "url"])
def test_a_retry_or_another_url_puts_it_back_in_its_place(db: ScratchDatabase, how: str) -> None:
    set_aside(db, "m1", "m2", "m3")

    if how == "retry":
        retry(db, 1)
    elif how == "url":
        db.change("acme", url=OTHER_URL)
    else:
        assert retry_dead_letters(db).returned == 1

    assert numbers(db) == ([1, 3], [])
    assert_sound(db)
    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5  # it begins anew
    assert sent(db, OK) == 3
    moved(db)
    assert numbers(db) == ([], [1])
    assert_sound(db)


def test_enabling_begins_anew_with_a_head_that_was_compared(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2")
    assert sent(db, OOPS) == 2
    db.disable()
    db.enable()

    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5

    assert sent(db, OK) == 2
    assert numbers(db) == ([], [1])


def test_enabling_while_the_next_one_is_on_its_way_leaves_the_head(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2")
    db.wait()
    begun = db.begun()
    db.disable()
    db.enable()

    db.finish(begun, OK)

    assert (begun.delivery.number, numbers(db)) == (2, ([1], []))
    assert_sound(db)


def test_a_retry_of_all_while_the_next_one_is_on_its_way_does_not_return_the_head(
    db: ScratchDatabase,
) -> None:
    set_aside(db, "m1", "m2", "m3", "m4")
    assert [sent(db, OOPS) for _ in range(5)] == [3] * 5
    db.wait()
    begun = db.begun()
    assert begun.delivery.number == 4
    retry_dead_letters(db)
    assert_sound(db)

    db.finish(begun, OK)

    assert numbers(db) == ([1], [3])
    assert_sound(db)
    moved(db)
    assert numbers(db) == ([1], [3])
    assert_sound(db)


@pytest.mark.parametrize("gone", ["discarded", "deleted", "discarded with all"])
def test_a_head_that_is_gone_when_the_answer_comes_is_no_dead_letter(
    db: ScratchDatabase, gone: str
) -> None:
    failing(db, "m1")
    db.accept("m2", chat="other")
    db.wait()
    begun = db.begun()

    if gone == "discarded":
        discard(db, 1)
    elif gone == "deleted":
        delete_chat(db)
    else:
        db.disable()
        db.enable(discard=True)
    db.finish(begun, OK)

    assert db.events("delivery.parked") == []
    assert_sound(db)


def test_the_next_one_of_a_deleted_chat_is_passed_over(db: ScratchDatabase) -> None:
    failing(db, "m1")
    for number in range(3):
        db.accept(f"d{number}", chat="deleted")
    db.accept("m2", chat="other")
    delete_chat(db, "deleted")

    assert sent(db, OK) == 5
    assert numbers(db) == ([], [1])


def test_the_next_one_keeps_its_place_and_no_count_of_its_own(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2", "m3")
    assert sent(db, OOPS) == 2
    assert sent(db, OK) == 1

    assert [sent(db, OOPS) for _ in range(5)] == [2] * 5
    assert sent(db, OK) == 3
    assert numbers(db) == ([], [2])


def test_what_is_discarded_with_all_takes_such_ones_too(db: ScratchDatabase) -> None:
    set_aside(db, "m1", "m2", "m3")
    db.disable()

    db.enable(discard=True)
    assert_sound(db)
    moved(db)

    assert numbers(db) == ([], [])
    assert_sound(db)


def test_the_answer_may_come_with_the_next_begin(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2", "m3")
    db.wait()
    begun = db.begun()

    following = db.finish(begun, OK, go_on=True)

    assert isinstance(following, Begun)
    assert following.delivery.number == 3
    assert_sound(db)

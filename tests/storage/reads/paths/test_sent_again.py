"""What became of a message whose delivery was sent once more."""

from hookbundle.engine.messages.became import Became
from hookbundle.storage.reads.paths.asking import Moment, Span
from hookbundle.storage.reads.paths.chat_history import ChatHistory
from hookbundle.tests.storage.reads.paths.asked import path, whole
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import dead_letters
from hookbundle.tests.storage.transitions.repeating.again import (
    cancel,
    delivered,
    put_all,
    replay,
    resend,
    step,
)


def became(db: ScratchDatabase, message: str) -> Became:
    found = path(db, message).became
    assert found is not None
    return found


def test_a_failed_resend_is_not_told_as_the_answer_that_delivered_it(db: ScratchDatabase) -> None:
    delivered(db, "m1")
    taken_ms = db.now_ms
    assert (became(db, "m1").code, became(db, "m1").status) == ("delivered", 200)

    resend(db, 1)
    db.attempt(failed("status 503"))
    waits = became(db, "m1")
    for _ in range(3):
        db.wait()
        db.attempt(NO)
    over = became(db, "m1")

    assert (waits.code, over.code) == ("delivered.resending", "delivered.resend_failed")
    assert waits.at_ms == over.at_ms == taken_ms
    assert over.error == NO.error


def test_a_resend_that_succeeds_leaves_a_delivery_like_any_other(db: ScratchDatabase) -> None:
    delivered(db, "m1")
    resend(db, 1)
    db.attempt(failed("status 503"))
    db.wait()
    db.attempt(OK)

    assert (became(db, "m1").code, became(db, "m1").status) == ("delivered", 200)


def test_what_a_cancelled_replay_takes_back_was_rejected_as_often_as_before(
    db: ScratchDatabase,
) -> None:
    dead_letters(db, "a", "b")
    before = became(db, "a").rejections
    replay(db)
    put_all(db)
    db.wait()
    assert (became(db, "a").code, became(db, "a").rejections) == ("queued", 0)

    cancel(db)
    while not step(db).finished:
        pass

    assert before == 3
    assert (became(db, "a").code, became(db, "a").rejections) == ("dead_letter.rejected", before)


def test_a_page_ends_when_what_came_again_names_too_many_bytes(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    names = [f"{number}".rjust(500, "x") for number in range(100)]
    db.accept(*names)
    for _ in range(10):
        db.now_ms += 1_000
        db.accept(*names)
    history = ChatHistory(db.env, bytes_most=120_000)

    page = whole(history.page("acme", "c", Span(), Moment(db.now_ms), 1_000))

    assert len(page.found) == 3
    assert page.position is not None
    assert page.searched_to_ms

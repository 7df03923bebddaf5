import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.storage.tables.outbox import WARNING
from hookbundle.storage.transitions.mails import MailAccepted
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import CUT, HOUR_MS, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import queued


def warned(db: ScratchDatabase) -> list[int]:
    return [fact["data"]["errors"] for fact in db.events("webhook.warned")]


def test_the_owner_is_warned_at_5_8_and_10_of_11_errors(db: ScratchDatabase) -> None:
    queued(db, "m1")
    for _ in range(11):
        db.attempt(failed("timeout: nothing came"))
    assert warned(db) == [5, 8, 10]
    first, *_, last = db.events("webhook.warned")
    assert (first["webhook"], first["data"]["of"], first["data"]["held"]) == ("outbound", 11, 1)
    assert [fact["data"]["mailed"] for fact in (first, last)] == [False, True]
    assert not db.view().state.enabled
    mails = [db.reads.mail(number) for number in (1, 2)]
    assert [mail and mail.kind for mail in mails] == ["warning", "disabled"]
    assert_sound(db)


def test_a_success_begins_anew(db: ScratchDatabase) -> None:
    queued(db, "m1", "m2")
    for _ in range(4):
        db.attempt(failed())
    db.attempt(OK)
    for _ in range(5):
        db.attempt(failed())
    assert warned(db) == [5]


def test_what_does_not_count_warns_of_nothing(db: ScratchDatabase) -> None:
    queued(db, "m1")
    for _ in range(5):
        db.attempt(failed())
    for _ in range(3):
        db.attempt(CUT)
    assert warned(db) == [5]


@pytest.mark.parametrize(
    ("errors_max", "expected"), [(7, [5]), (8, [5, 8]), (4, []), (20, [5, 8, 10])]
)
def test_no_warning_comes_with_the_error_that_disables(
    db: ScratchDatabase, errors_max: int, expected: list[int]
) -> None:
    db.policy = BackoffPolicy(errors_max=errors_max)
    queued(db, "m1")
    while db.view().state.enabled:
        db.attempt(failed())
    assert warned(db) == expected


def test_switched_off_there_is_neither_fact_nor_line_nor_mail(db: ScratchDatabase) -> None:
    queued(db, "m1", warnings=False)
    for _ in range(10):
        db.attempt(failed())
    assert warned(db) == []
    assert db.reads.meta().mails == 0


def test_one_warning_an_hour_and_what_comes_meanwhile_is_gathered(db: ScratchDatabase) -> None:
    queued(db, *(f"m{number}" for number in range(9)))
    for count in range(3):
        for _ in range(10):
            db.attempt(failed())
        mail = db.reads.mail(1 + (count > 0))
        assert mail is not None
        if not count:
            db.done(MailAccepted(mail.number, mail.total, db.now_ms))
            taken_ms = db.now_ms
        else:
            assert (mail.kind, mail.total) == (WARNING, count)
            assert mail.next_ms == max(taken_ms + HOUR_MS, mail.created_ms)
        db.attempt(OK)
        assert_sound(db)


def test_a_disabling_does_not_wait_for_the_hour_of_a_warning(db: ScratchDatabase) -> None:
    db.policy = BackoffPolicy(steps_ms=(1,) * 10)
    queued(db, "m1")
    for _ in range(10):
        db.attempt(failed())
    db.done(MailAccepted(1, 1, db.now_ms))
    db.attempt(failed())
    mail = db.reads.mail(2)
    assert mail is not None
    assert (mail.kind, mail.next_ms) == ("disabled", db.now_ms)

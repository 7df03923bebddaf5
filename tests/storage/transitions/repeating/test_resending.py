"""A delivered delivery sent once more: same id, same bytes, and it stays delivered."""

from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import queued
from hookbundle.tests.storage.transitions.outcomes.failing import OOPS
from hookbundle.tests.storage.transitions.repeating.again import (
    delivered,
    id_of,
    resend,
    resending,
)


def test_a_resend_has_the_same_id_and_the_same_bytes(db: ScratchDatabase) -> None:
    queued(db, "a", "b")
    first = db.attempt(OK)

    resend(db, 1)

    again = db.begun()
    assert (again.delivery_id, again.body) == (first.delivery_id, first.body)
    assert again.attempt == 2


def test_a_resend_goes_after_the_one_being_sent_and_before_everything_younger(
    db: ScratchDatabase,
) -> None:
    delivered(db, "a", "b")
    db.accept("c", "d")
    sending = db.begun()

    resend(db, 2)
    resend(db, 1)

    db.finish(sending, OK)
    assert [ids_in(db.attempt(OK)) for _ in range(3)] == [["a"], ["b"], ["d"]]


def test_a_resent_delivery_stays_delivered_and_is_told(db: ScratchDatabase) -> None:
    delivered(db, "a")
    ended_ms = db.now_ms
    db.now_ms += 5_000

    resend(db, 1)
    assert resending(db) == [1]
    db.attempt(OK)

    head = db.delivery(1)
    assert head is not None
    assert (head.state, head.resending, head.attempts) == ("delivered", False, 2)
    assert head.ended_ms == ended_ms
    assert_sound(db)
    totals = db.reads.meta().totals
    assert (totals.delivered, totals.resent) == (1, 1)
    (asked,) = db.events("delivery.resend_asked")
    assert asked["data"] == {"delivery": id_of(db, 1), "messages": 1, "caller": "ann"}
    (resent,) = db.events("delivery.resent")
    assert resent["data"]["attempt"] == 2
    assert isinstance(db.begin(), Idle)


def test_a_resend_that_waits_already_is_left_as_it_is(db: ScratchDatabase) -> None:
    delivered(db, "a")

    assert resend(db, 1) == resend(db, 1)

    assert len(db.events("delivery.resend_asked")) == 1


def test_three_rejections_end_a_resend_and_it_is_no_dead_letter(db: ScratchDatabase) -> None:
    delivered(db, "a", "b")
    resend(db, 1)
    db.accept("c")

    for _ in range(3):
        assert ids_in(db.attempt(NO)) == ["a"]
        assert_sound(db)

    head = db.delivery(1)
    assert head is not None
    assert (head.state, head.resending) == ("delivered", False)
    assert db.dead_letters() == []
    (ended,) = db.events("delivery.resend_failed")
    assert (ended["data"]["reason"], ended["data"]["attempt"]) == ("rejected", 4)
    assert db.view().state.consecutive_errors == 3
    assert ids_in(db.attempt(OK)) == ["c"]


def test_a_resend_over_which_its_receiver_fails_leaves_the_queue(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)
    db.accept("b")
    assert [db.attempt(OOPS).delivery.number for _ in range(5)] == [1] * 5

    assert db.attempt(OK).delivery.number == 2

    assert_sound(db)
    assert resending(db) == []
    assert db.dead_letters() == []
    (ended,) = db.events("delivery.resend_failed")
    assert (ended["data"]["reason"], ended["data"]["delivery"]) == ("receiver_fails", id_of(db, 1))


def test_failures_of_a_resend_disable_the_webhook_and_it_waits_on(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)

    for _ in range(11):
        db.attempt(failed())

    assert not db.view().state.enabled
    assert resending(db) == [1]
    db.enable()
    assert ids_in(db.attempt(OK)) == ["a"]
    assert resending(db) == []


def test_enabling_counts_the_rejections_of_a_resend_anew(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)
    db.attempt(NO)
    db.attempt(NO)

    db.disable()
    db.enable()
    db.attempt(NO)
    db.attempt(NO)

    assert resending(db) == [1]
    db.attempt(NO)
    assert resending(db) == []


def test_an_attempt_lost_in_a_crash_is_repeated(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)
    lost = db.begun()

    db.reopen()
    again = db.begun()

    assert (again.delivery_id, again.body) == (lost.delivery_id, lost.body)
    assert again.attempt == lost.attempt + 1
    assert [fact["data"]["attempt"] for fact in db.events("delivery.unknown")] == [2]
    db.finish(again, OK)
    assert_sound(db)


def test_a_resend_fills_no_quota(db: ScratchDatabase) -> None:
    db.quota = Quota(messages_max=3, waiting_messages_max=3, waiting_bytes_max=10**6)
    delivered(db, "a", "b", "c")
    for number in (1, 2, 3):
        resend(db, number)
    db.disable()

    accepted = db.accept("d", "e", "f")

    assert accepted.accepted == 3
    assert db.view().state.waiting_bytes > 0

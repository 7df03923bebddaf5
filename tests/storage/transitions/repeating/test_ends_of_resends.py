"""A resend ends: discarded, with its chat, or refused; its delivery stays delivered."""

import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.storage.transitions.repeating.resending import ResendDelivery, Resent
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.storage.deleting import assert_sound, delete_chat, erase
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import dead_letters, discard, retry
from hookbundle.tests.storage.transitions.repeating.again import (
    delivered,
    id_of,
    resend,
    resending,
)


def test_a_resend_is_not_trimmed_while_it_waits(db: ScratchDatabase) -> None:
    delivered(db, "a", *(f"m{number}" for number in range(120)))
    resend(db, 1)
    db.now_ms += 10**9
    trim = TrimHistory(
        workspace_number=1, before_ms=db.now_ms, bytes_max=0, most=500, now_ms=db.now_ms
    )

    assert db.do(trim, Trimmed).finished
    assert db.delivery(2) is None
    db.attempt(OK)

    assert_sound(db)
    (row,) = db.dues(DueKind.TRIM)
    assert row.at_ms == 0 or row.at_ms <= db.now_ms


def test_discarding_a_resend_ends_it_and_its_delivery_stays_delivered(
    db: ScratchDatabase,
) -> None:
    delivered(db, "a")
    resend(db, 1)

    assert discard(db, 1).was == "resending"

    assert_sound(db)
    head = db.delivery(1)
    assert head is not None
    assert (head.state, head.resending) == ("delivered", False)
    assert isinstance(db.begin(), Idle)
    (ended,) = db.events("delivery.resend_ended")
    assert ended["data"]["reason"] == "the customer has left"


def test_a_resend_that_is_being_sent_is_not_discarded(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)
    db.begun()

    with pytest.raises(Conflict) as refusal:
        discard(db, 1)

    assert refusal.value.code == Code.BEING_SENT


def test_a_resend_whose_daemon_died_is_given_up_with_its_attempt(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)
    db.begun()

    discard(db, 1, alive_since_ms=db.now_ms + 1)

    assert_sound(db)
    assert resending(db) == []
    assert isinstance(db.begin(), Idle)


def test_discarding_everything_ends_all_resends_but_the_one_being_sent(
    db: ScratchDatabase,
) -> None:
    delivered(db, "a", "b", "c")
    for number in (1, 2, 3):
        resend(db, number)
    db.accept("d")
    sending = db.begun()

    switched = db.enable(discard=True)

    assert_sound(db)
    assert (switched.discarded_deliveries, switched.discarded_messages) == (1, 1)
    assert db.view().state.resending == 1
    with pytest.raises(Conflict) as refusal:
        resend(db, 2)
    assert refusal.value.code == Code.RESENDS_ENDING
    while not db.do(MoveDeliveries(1, 1, db.now_ms), Moved).finished:
        assert_sound(db)
    assert resending(db) == [1]
    db.finish(sending, OK)
    assert isinstance(db.begin(), Idle)
    assert_sound(db)
    resend(db, 2)
    assert ids_in(db.attempt(OK)) == ["b"]


def test_deleting_the_chat_ends_the_resend(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)

    delete_chat(db)
    assert_sound(db)

    assert isinstance(db.begin(), Idle)
    assert_sound(db)
    assert db.view().state.resending == 0
    assert not [key for key in db.dump() if key.startswith(keyspace.RESENDS)]
    erase(db)


def test_a_retry_of_a_resend_ends_the_wait_after_an_error(db: ScratchDatabase) -> None:
    delivered(db, "a")
    resend(db, 1)
    db.finish(db.begun(), NO)
    assert isinstance(db.begin(), Idle)

    assert retry(db, 1).wake == (1,)

    assert ids_in(db.begun()) == ["a"]


def test_only_what_was_delivered_is_resent(db: ScratchDatabase) -> None:
    dead_letters(db, "a", then=("b", "c"))
    for number in (1, 2):
        with pytest.raises(Conflict) as refusal:
            resend(db, number)
        assert refusal.value.code == Code.NOT_DELIVERED_YET

    discard(db, 2)

    with pytest.raises(Conflict) as refusal:
        resend(db, 2)
    assert refusal.value.code == Code.DISCARDED_NOT_RESENT


def test_what_was_trimmed_is_gone(db: ScratchDatabase) -> None:
    delivered(db, "a", *(f"m{number}" for number in range(120)))
    trimmed = id_of(db, 1)
    db.now_ms += 10**9
    trim = TrimHistory(
        workspace_number=1, before_ms=db.now_ms, bytes_max=0, most=500, now_ms=db.now_ms
    )
    db.do(trim, Trimmed)
    again = ResendDelivery(workspace_id="acme", delivery_id=trimmed, now_ms=db.now_ms, caller="ann")
    with pytest.raises(NotFound) as refusal:
        db.do(again, Resent)

    assert (refusal.value.code, refusal.value.status) == (Code.DELIVERY_TRIMMED, 410)


def test_a_resend_waits_while_the_webhook_is_disabled(db: ScratchDatabase) -> None:
    delivered(db, "a")
    db.disable()

    assert resend(db, 1).wake == ()
    assert isinstance(db.begin(), Idle)
    assert db.enable().wake == (1,)

    assert ids_in(db.begun()) == ["a"]


def test_without_a_url_nothing_is_resent(db: ScratchDatabase) -> None:
    delivered(db, "a")
    db.change("acme", url="")

    with pytest.raises(Conflict) as refusal:
        resend(db, 1)

    assert refusal.value.code == Code.NO_WEBHOOK_URL

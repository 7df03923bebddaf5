"""Deliveries discarded by a person: gone, counted, and told with the reason."""

import pytest

from hookbundle.engine.errors import Conflict
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables.queue import delivery_id
from hookbundle.storage.transitions.deliveries import (
    Discarded,
)
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import dead_letters, discard, queued

# ---- discard


@pytest.mark.parametrize("was", ["queued", "dead_letter"])
def test_a_discarded_delivery_is_gone_and_counted(db: ScratchDatabase, was: str) -> None:
    dead_letters(db, "m1", then=("m2",))
    delivery = (db.dead_letters() if was == "dead_letter" else db.queued())[0]

    outcome = discard(db, delivery.number)

    meta, state = db.reads.meta(), db.view().state
    assert outcome == Discarded("c", 1, "dead_letter" if was == "dead_letter" else "queued")
    assert delivery.number not in [d.number for d in (*db.queued(), *db.dead_letters())]
    assert meta.totals.discarded == 1
    assert (meta.queued, meta.dead_letters) == (state.queued, state.dead_letters)
    assert state.queued + state.dead_letters == 1


def test_a_discard_is_told_with_its_reason_in_the_feed_and_in_the_activity_log(
    db: ScratchDatabase,
) -> None:
    queued(db, "m1")
    (delivery,) = db.queued()

    discard(db, delivery.number)

    (fact,) = db.events("delivery.discarded")
    assert fact["data"] == {
        "delivery": delivery_id(1, delivery.delivery),
        "was": "queued",
        "deliveries": 1,
        "messages": 1,
        "reason": "the customer has left",
        "caller": "ann",
    }
    action = db.reads.activity("acme")[0]
    assert (action.action, action.outcome) == ("discarded", "discarded")
    assert action.detail == "the customer has left, by ann"


def test_the_next_delivery_gets_its_turn_after_a_discard(db: ScratchDatabase) -> None:
    queued(db, "m1", "m2")

    discard(db, db.queued()[0].number)

    assert ids_in(db.begun()) == ["m2"]


def test_a_webhook_without_deliveries_left_waits_for_nothing(db: ScratchDatabase) -> None:
    queued(db, "m1")
    db.attempt(failed())

    discard(db, db.queued()[0].number)

    assert db.dues(DueKind.RETRY) == []
    assert not db.view().state.ready


def test_a_delivery_in_flight_is_not_discarded(db: ScratchDatabase) -> None:
    queued(db, "m1")
    begun = db.begun()

    with pytest.raises(Conflict):
        discard(db, begun.delivery.number)

    db.finish(begun, OK)
    assert db.queued() == []


def test_what_was_in_flight_when_its_daemon_died_can_be_discarded(db: ScratchDatabase) -> None:
    queued(db, "m1", "m2")
    lost = db.begun()
    db.disable()
    db.now_ms += 1

    discard(db, lost.delivery.number, alive_since_ms=db.now_ms)

    db.enable()
    assert ids_in(db.begun()) == ["m2"]

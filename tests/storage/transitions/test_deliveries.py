"""What people do to deliveries: tried again in their old place, and discarded."""

from typing import Any

import pytest

from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables.queue import delivery_id
from hookbundle.storage.transitions.deliveries import (
    Retried,
)
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import (
    dead_letters,
    discard,
    queued,
    retry,
    retry_dead_letters,
    waiting,
)

# ---- retry


def test_a_dead_letter_that_is_retried_goes_before_what_came_after_it(
    db: ScratchDatabase,
) -> None:
    dead_letters(db, "m1", "m2", then=("m3",))
    second = db.dead_letters()[1]

    outcome = retry(db, second.number)

    assert outcome == Retried(1, 1, wake=(1,))
    assert waiting(db) == ["m2", "m3"]
    assert [ids_in(delivery) for delivery in db.dead_letters()] == [["m1"]]
    assert db.begun().delivery.number == second.number


def test_a_dead_letter_that_is_retried_keeps_its_bytes_and_loses_its_rejections(
    db: ScratchDatabase,
) -> None:
    dead_letters(db, "m1")
    before = db.dead_letters()[0]

    retry(db, before.number)

    after = db.queued()[0]
    assert (after.body, after.attempts, after.rejections) == (before.body, 3, 0)


def test_the_counters_follow_a_retry(db: ScratchDatabase) -> None:
    dead_letters(db, "m1", "m2")

    retry(db, db.dead_letters()[0].number)

    state, meta = db.view().state, db.reads.meta()
    assert (state.queued, state.queued_messages, state.dead_letters) == (1, 1, 1)
    assert (meta.queued, meta.dead_letters) == (1, 1)


def test_a_queued_delivery_that_backs_off_is_tried_now(db: ScratchDatabase) -> None:
    queued(db, "m1")
    db.attempt(failed())

    outcome = retry(db, db.queued()[0].number)

    assert outcome.wake
    assert not outcome.returned
    assert db.dues(DueKind.RETRY) == []
    assert db.begun().attempt == 2


def test_a_retry_leaves_the_count_of_errors_as_it_is(db: ScratchDatabase) -> None:
    queued(db, "m1")
    db.attempt(failed())
    db.attempt(failed())

    retry(db, db.queued()[0].number)

    assert db.view().state.consecutive_errors == 2


def test_a_retry_of_a_later_delivery_ends_the_wait_and_lets_nobody_jump_the_queue(
    db: ScratchDatabase,
) -> None:
    queued(db, "m1", "m2")
    db.attempt(failed())

    retry(db, db.queued()[1].number)

    assert ids_in(db.begun()) == ["m1"]


def test_a_retry_of_what_waits_for_nothing_changes_nothing(db: ScratchDatabase) -> None:
    queued(db, "m1")
    db.begun()
    before = db.view().state, db.events("delivery.retried")

    retry(db, db.queued()[0].number)

    assert (db.view().state, db.events("delivery.retried")) == before


@pytest.mark.parametrize("without", [{"enabled": False}, {"url": ""}])
def test_a_queued_delivery_of_a_webhook_that_sends_nothing_is_not_retried(
    db: ScratchDatabase, without: dict[str, Any]
) -> None:
    queued(db, "m1")
    db.change("acme", **without)
    before = db.dump()

    with pytest.raises(Conflict):
        retry(db, db.queued()[0].number)

    assert {k: v for k, v in db.dump().items() if k != keyspace.META} == {
        k: v for k, v in before.items() if k != keyspace.META
    }


def test_a_dead_letter_of_a_disabled_webhook_is_held_in_its_place(db: ScratchDatabase) -> None:
    dead_letters(db, "m1", then=("m2",))
    db.disable()

    outcome = retry(db, db.dead_letters()[0].number)

    assert not outcome.wake
    assert waiting(db) == ["m1", "m2"]


def test_a_retry_is_told_in_the_feed_and_in_the_activity_log(db: ScratchDatabase) -> None:
    dead_letters(db, "m1")
    (delivery,) = db.dead_letters()

    retry(db, delivery.number)

    (fact,) = db.events("delivery.retried")
    assert fact["chat"] == "c"
    assert fact["data"] == {
        "delivery": delivery_id(1, delivery.delivery),
        "was": "dead_letter",
        "messages": 1,
        "caller": "ann",
    }
    action = db.reads.activity("acme")[0]
    assert (action.action, action.chat_id, action.messages) == ("retried", "c", 1)
    assert action.detail == "by ann"


def test_all_dead_letters_are_retried_at_once_and_in_order(db: ScratchDatabase) -> None:
    dead_letters(db, "m1", "m2", "m3", then=("m4",))

    outcome = retry_dead_letters(db)

    assert (outcome.returned, outcome.messages) == (3, 3)
    assert waiting(db) == ["m1", "m2", "m3", "m4"]
    (fact,) = db.events("delivery.retried")
    assert fact["data"] == {"deliveries": 3, "messages": 3, "caller": "ann"}
    assert [a.messages for a in db.reads.activity("acme") if a.action == "retried"] == [3]


def test_without_dead_letters_a_retry_of_all_says_and_leaves_nothing(db: ScratchDatabase) -> None:
    queued(db, "m1")
    before = db.dump()

    outcome = retry_dead_letters(db)

    assert outcome == Retried(0, 0, wake=(1,))
    assert db.dump() == before


def test_what_was_retried_is_a_dead_letter_again_only_after_three_more_rejections(
    db: ScratchDatabase,
) -> None:
    dead_letters(db, "m1")
    retry_dead_letters(db)

    db.attempt(NO)
    db.attempt(NO)

    assert (waiting(db), db.dead_letters()) == (["m1"], [])


@pytest.mark.parametrize("act", [retry, discard])
def test_what_waits_no_longer_is_a_conflict(db: ScratchDatabase, act: Any) -> None:
    queued(db, "m1")
    db.attempt(OK)

    with pytest.raises(Conflict, match=f"'{delivery_id(1, ended(db))}'"):
        act(db, 1)


@pytest.mark.parametrize("act", [retry, discard])
def test_what_never_was_is_named_as_it_would_be(db: ScratchDatabase, act: Any) -> None:
    queued(db, "m1")

    with pytest.raises(NotFound, match=f"'dlv_{db.env.identity.epoch}0000000100000000000f'"):
        act(db, 15)
    with pytest.raises(NotFound, match=f"'dlv_{db.env.identity.epoch}0000000100000000000f'"):
        db.reads.body(1, 15)


def ended(db: ScratchDatabase) -> Delivery:
    delivery = db.delivery(1)
    assert delivery is not None
    return delivery

"""What people do to deliveries: tried again in their old place, and given up."""

from typing import Any

import pytest

from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables.queue import delivery_id
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    Discarded,
    Retried,
    RetryDelivery,
    RetryParked,
)
from hookbundle.tests.storage.scratch import NO, OK, START_MS, House, failed, ids_in


def queued(house: House, *message_ids: str, **settings: Any) -> None:
    """A workspace with a delivery a message."""
    house.workspace(aggregation_ms=0, **settings)
    house.accept(*message_ids)


def parked(house: House, *message_ids: str, then: tuple[str, ...] = ()) -> None:
    """The first ones are rejected until they are parked, `then` the others are queued."""
    queued(house, *message_ids)
    for _ in message_ids:
        for _ in range(3):
            house.attempt(NO)
    house.accept(*then)
    assert len(house.parked()) == len(message_ids)


def retry(house: House, number: int, ws: str = "acme") -> Retried:
    transition = RetryDelivery(workspace_id=ws, number=number, now_ms=house.now_ms, caller="ann")
    return house.do(transition, Retried)


def retry_parked(house: House, *, after: int = 0, most: int = 100) -> Retried:
    transition = RetryParked(
        workspace_id="acme", after=after, most=most, now_ms=house.now_ms, caller="ann"
    )
    return house.do(transition, Retried)


def discard(house: House, number: int, *, alive_since_ms: int = START_MS) -> Discarded:
    transition = DiscardDelivery(
        workspace_id="acme",
        number=number,
        reason="the customer has left",
        alive_since_ms=alive_since_ms,
        now_ms=house.now_ms,
        caller="ann",
    )
    return house.do(transition, Discarded)


def waiting(house: House) -> list[str]:
    return [message_id for delivery in house.pending() for message_id in ids_in(delivery)]


# ---- retry


def test_a_parked_delivery_that_is_retried_goes_before_what_came_after_it(house: House) -> None:
    parked(house, "m1", "m2", then=("m3",))
    second = house.parked()[1]

    outcome = retry(house, second.number)

    assert outcome == Retried(1, 1, 1, second.number, wake=True)
    assert waiting(house) == ["m2", "m3"]
    assert [ids_in(delivery) for delivery in house.parked()] == [["m1"]]
    assert house.begun().delivery.number == second.number


def test_a_parked_delivery_that_is_retried_keeps_its_bytes_and_loses_its_rejections(
    house: House,
) -> None:
    parked(house, "m1")
    before = house.parked()[0]

    retry(house, before.number)

    after = house.pending()[0]
    assert (after.body, after.attempts, after.rejections) == (before.body, 3, 0)


def test_the_counters_follow_a_retry(house: House) -> None:
    parked(house, "m1", "m2")

    retry(house, house.parked()[0].number)

    state, meta = house.view().state, house.reads.meta()
    assert (state.pending, state.pending_messages, state.parked) == (1, 1, 1)
    assert (meta.pending, meta.parked) == (1, 1)


def test_a_pending_delivery_that_backs_off_is_tried_now(house: House) -> None:
    queued(house, "m1")
    house.attempt(failed())

    outcome = retry(house, house.pending()[0].number)

    assert outcome.wake
    assert not outcome.returned
    assert house.dues(DueKind.RETRY) == []
    assert house.begun().attempt == 2


def test_a_retry_leaves_the_count_of_errors_as_it_is(house: House) -> None:
    queued(house, "m1")
    house.attempt(failed())
    house.attempt(failed())

    retry(house, house.pending()[0].number)

    assert house.view().state.consecutive_errors == 2


def test_a_retry_of_a_later_delivery_ends_the_wait_and_lets_nobody_jump_the_queue(
    house: House,
) -> None:
    queued(house, "m1", "m2")
    house.attempt(failed())

    retry(house, house.pending()[1].number)

    assert ids_in(house.begun().delivery) == ["m1"]


def test_a_retry_of_what_waits_for_nothing_changes_nothing(house: House) -> None:
    queued(house, "m1")
    house.begun()
    before = house.view().state, house.told("delivery.retried")

    retry(house, house.pending()[0].number)

    assert (house.view().state, house.told("delivery.retried")) == before


@pytest.mark.parametrize("without", [{"enabled": False}, {"url": ""}])
def test_a_pending_delivery_of_a_webhook_that_sends_nothing_is_not_retried(
    house: House, without: dict[str, Any]
) -> None:
    queued(house, "m1")
    house.change("acme", **without)
    before = house.dump()

    with pytest.raises(Conflict):
        retry(house, house.pending()[0].number)

    assert {k: v for k, v in house.dump().items() if k != keyspace.META} == {
        k: v for k, v in before.items() if k != keyspace.META
    }


def test_a_parked_delivery_of_a_disabled_webhook_is_held_in_its_place(house: House) -> None:
    parked(house, "m1", then=("m2",))
    house.disable()

    outcome = retry(house, house.parked()[0].number)

    assert not outcome.wake
    assert waiting(house) == ["m1", "m2"]


def test_a_retry_is_told_in_the_feed_and_in_the_activity_log(house: House) -> None:
    parked(house, "m1")
    (delivery,) = house.parked()

    retry(house, delivery.number)

    (fact,) = house.told("delivery.retried")
    assert fact["chat"] == "c"
    assert fact["data"] == {
        "delivery": delivery_id(1, delivery),
        "was": "parked",
        "messages": 1,
        "caller": "ann",
    }
    action = house.reads.activity("acme")[0]
    assert (action.action, action.chat_id, action.messages) == ("retried", "c", 1)
    assert action.detail == "by ann"


def test_all_parked_deliveries_are_retried_in_steps_and_in_order(house: House) -> None:
    parked(house, "m1", "m2", "m3", then=("m4",))

    first = retry_parked(house, most=2)
    second = retry_parked(house, after=first.last, most=2)

    assert (first.returned, first.messages, second.returned) == (2, 2, 1)
    assert waiting(house) == ["m1", "m2", "m3", "m4"]
    assert len(house.told("delivery.retried")) == 3
    assert [a.messages for a in house.reads.activity("acme") if a.action == "retried"] == [3]


def test_a_step_does_not_come_back_to_what_was_parked_again_behind_it(house: House) -> None:
    parked(house, "m1", "m2")
    first = retry_parked(house, most=1)
    for _ in range(3):
        house.attempt(NO)

    second = retry_parked(house, after=first.last, most=1)

    assert second.returned == 1
    assert waiting(house) == ["m2"]


def test_what_was_retried_and_parked_again_is_parked_only_after_three_more_rejections(
    house: House,
) -> None:
    parked(house, "m1")
    retry_parked(house)

    house.attempt(NO)
    house.attempt(NO)

    assert (waiting(house), house.parked()) == (["m1"], [])


# ---- discard


@pytest.mark.parametrize("was", ["pending", "parked"])
def test_a_discarded_delivery_is_gone_and_counted(house: House, was: str) -> None:
    parked(house, "m1", then=("m2",))
    delivery = (house.parked() if was == "parked" else house.pending())[0]

    outcome = discard(house, delivery.number)

    meta, state = house.reads.meta(), house.view().state
    assert outcome == Discarded("c", 1, "parked" if was == "parked" else "pending")
    assert delivery.number not in [d.number for d in (*house.pending(), *house.parked())]
    assert meta.totals.discarded == 1
    assert (meta.pending, meta.parked) == (state.pending, state.parked)
    assert state.pending + state.parked == 1


def test_a_discard_is_told_with_its_reason_in_the_feed_and_in_the_activity_log(
    house: House,
) -> None:
    queued(house, "m1")
    (delivery,) = house.pending()

    discard(house, delivery.number)

    (fact,) = house.told("delivery.discarded")
    assert fact["data"] == {
        "delivery": delivery_id(1, delivery),
        "was": "pending",
        "deliveries": 1,
        "messages": 1,
        "reason": "the customer has left",
        "caller": "ann",
    }
    action = house.reads.activity("acme")[0]
    assert (action.action, action.outcome) == ("discarded", "discarded")
    assert action.detail == "the customer has left, by ann"


def test_the_next_delivery_gets_its_turn_after_a_discard(house: House) -> None:
    queued(house, "m1", "m2")

    discard(house, house.pending()[0].number)

    assert ids_in(house.begun().delivery) == ["m2"]


def test_a_webhook_without_deliveries_left_waits_for_nothing(house: House) -> None:
    queued(house, "m1")
    house.attempt(failed())

    discard(house, house.pending()[0].number)

    assert house.dues(DueKind.RETRY) == []
    assert not house.view().state.ready


def test_a_delivery_in_flight_is_not_discarded(house: House) -> None:
    queued(house, "m1")
    begun = house.begun()

    with pytest.raises(Conflict):
        discard(house, begun.delivery.number)

    house.finish(begun, OK)
    assert house.pending() == []


def test_what_was_in_flight_when_its_daemon_died_can_be_discarded(house: House) -> None:
    queued(house, "m1", "m2")
    lost = house.begun()
    house.disable()
    house.now_ms += 1

    discard(house, lost.delivery.number, alive_since_ms=house.now_ms)

    house.enable()
    assert ids_in(house.begun().delivery) == ["m2"]


@pytest.mark.parametrize("act", [retry, discard])
def test_what_is_not_waiting_is_not_found(house: House, act: Any) -> None:
    queued(house, "m1")
    house.attempt(OK)

    with pytest.raises(NotFound):
        act(house, 1)

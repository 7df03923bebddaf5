"""A merge: deliveries of a chat that were never attempted become one, in the place of the oldest.

The order of a queue is that of its numbers, and everything rests on it: marks (moving.py), gates
(repeating/replays.py), cursors, a search by time. So the new delivery gets the number of the oldest
one, at which nothing was ever sent. An id is never given twice: it has a number of its own, a new
one (`Delivery.named`). The oldest, which is history from now on, stands at that new number and
keeps its id. The two have changed places, and `named` says so in both; an id is found by the row
that says where its delivery stands (places.py).

A webhook sends nothing while it is merging. What was merged stays merged, whenever the merge stops.
"""

from typing import NamedTuple

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.engine.messages import joining
from hookbundle.engine.messages.joining import Part
from hookbundle.engine.windows import meter
from hookbundle.storage import facts, webhook_facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import Member
from hookbundle.storage.database.delivery_records import Action, Delivery
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Merging, WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, bodies, contacts, history, moving, queue, readiness
from hookbundle.storage.tables.merging import places

MERGED = DeliveryState.MERGED
JOIN_WEIGHT = 35  # of each delivery, beside its rows


class Found(NamedTuple):
    """A delivery that is to be merged, with its body as it is stored."""

    delivery: Delivery
    body: bytes
    arrivals: bytes
    part: Part


def due_of(webhook: Webhook) -> Due:
    return Due(0, DueKind.MERGE, webhook.number)


def begin(
    unit: Unit, settings: Settings, webhook: Webhook, now_ms: int, caller: str, *, enable: bool
) -> Merging:
    """The webhook sends nothing until all that waits by now was looked at.

    `enable`: it is enabled then. One that is merging already goes on.
    """
    state = unit.state(webhook.number)
    if state.merging is not None:
        state.merging.enable = state.merging.enable or enable
        return state.merging
    before = readiness.status_of(webhook, state)
    state.merging = Merging(
        before=unit.meta.delivery_next, enable=enable, caller=caller, began_ms=now_ms
    )
    states.move(states.WEBHOOK_MOVES, before, readiness.status_of(webhook, state))
    unit.put_due(due_of(webhook))
    readiness.reconcile(unit, webhook, state)
    fact = webhook_facts.WebhookMerging(
        caller=caller, deliveries=state.queued, messages=state.queued_messages
    )
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    return state.merging


def end(unit: Unit, settings: Settings, webhook: Webhook, now_ms: int, *, stopped: bool) -> None:
    """The merge is over. `stopped`: something else was asked of the webhook before its end."""
    state = unit.state(webhook.number)
    done, state.merging = state.merging, None
    assert done is not None
    unit.delete_due(due_of(webhook))
    fact = webhook_facts.WebhookMerged(
        outcome="stopped" if stopped else "done",
        merged=done.merged,
        into=done.made,
        messages=done.messages,
        damaged=done.damaged,
        caller=done.caller,
    )
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    detail = f"{done.merged} deliveries into {done.made}, by {done.caller}"
    if done.damaged:
        detail += f"; {done.damaged} could not be read, and stay as they are"
    action = Action(
        at_ms=now_ms,
        action="merged",
        messages=done.messages,
        outcome="stopped" if stopped else "merged",
        detail=detail,
    )
    activity.add(unit, webhook.number, action)


def stop(unit: Unit, settings: Settings, webhook: Webhook, now_ms: int) -> None:
    """The webhook merges no longer, if it did; what was merged so far stays so."""
    if unit.state(webhook.number).merging is not None:
        end(unit, settings, webhook, now_ms, stopped=True)


def may_be_merged(state: WebhookState, delivery: Delivery) -> bool:
    """Whether nobody but us ever had it: it waits in the queue, and nothing of it was sent."""
    flight = state.flight
    under_way = flight is not None and delivery.number in (flight.delivery, flight.instead_of)
    return (
        delivery.state == DeliveryState.QUEUED
        and not delivery.attempts
        and not delivery.resending
        and not under_way
        and not moving.is_discarded(state, delivery.number)
    )


def bounds_of(webhook: Webhook) -> tuple[int, int]:
    """How many messages a bundle of the webhook may have, and how many bytes those may weigh."""
    most = webhook.messages_max or limits.BUNDLE_MESSAGES_MAX
    size = webhook.bytes_max or limits.BUNDLE_BODY_BYTES_MAX
    return most, size - limits.BODY_FRAME_BYTES_MAX


def join(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    found: list[Found],
    product_name: str,
    now_ms: int,
) -> Delivery:
    """The deliveries, at least two and in their order, are one; it stands where the first stood."""
    unit.weight += JOIN_WEIGHT * len(found)
    joined = joining.join([each.part for each in found], product_name)
    first, newest = found[0].delivery, found[joined.newest].delivery
    opened_ms = min(each.delivery.opened_ms for each in found)
    members = [Member(0, each.message, each.arrived_ms) for each in joined.members]
    arrivals = bodies.packed_arrivals(members, opened_ms)
    made = Delivery(
        number=first.number,
        named=unit.meta.delivery_next,
        epoch=unit.identity.epoch,
        chat_id=first.chat_id,
        messages=len(members),
        sealed_ms=first.sealed_ms,  # numbers rise with it, and by it one is found
        reason="merge",
        bundle=True,
        opened_ms=opened_ms,
        body_bytes=len(joined.body),
        chat_name=newest.chat_name,
        phone=newest.phone,
        extra=newest.extra,
        arrival_bytes=len(arrivals),
    )
    unit.meta.delivery_next += 1
    into = queue.delivery_id(webhook.number, made)
    merged = [queue.delivery_id(webhook.number, each.delivery) for each in found]
    _make_room(unit, webhook, found[0], made.named, into, now_ms)
    state = unit.state(webhook.number)
    for each in found[1:]:
        # The messages count on the days on which they were sealed, in a call less.
        state.meter = meter.counted(state.meter, each.delivery.sealed_ms, messages=0, calls=-1)
        _become_part(unit, webhook, each.delivery, into, now_ms)
    queue.stand(unit, webhook, made, joined.body, arrivals)
    places.keep(unit, webhook.number, made)
    contacts.remember(unit, webhook.workspace, made.chat_id.encode(), made.phone)
    unit.meta.totals.merged += len(found)
    fact = facts.DeliveryMerged(delivery=into, merged=merged, messages=made.messages)
    unit.tell(settings.workspace, fact, now_ms, made.chat_id, webhook.id)
    return made


def _become_part(unit: Unit, webhook: Webhook, delivery: Delivery, into: str, now_ms: int) -> None:
    delivery.merged_into = into
    queue.end(unit, webhook, delivery, MERGED, now_ms)


def _make_room(
    unit: Unit, webhook: Webhook, first: Found, number: int, into: str, now_ms: int
) -> None:
    """The oldest is merged, and stands at another number under the id that it had."""
    old = first.delivery
    states.move(DELIVERY_MOVES, queue.state_of(unit, webhook.number, old), MERGED)
    queue.remove(unit, webhook, old, history.weight(old))
    bodies.delete(unit, webhook.number, old.number, old.body_bytes)
    places.leave(unit, webhook.number, old)
    moved = msgspec.structs.replace(old, number=number, named=old.own_number, merged_into=into)
    bodies.put(unit, webhook.number, number, first.body, first.arrivals)
    chat = moved.chat_id.encode()
    unit.put_flag(keyspace.chat_delivery(webhook.workspace, chat, number, webhook.number))
    places.keep(unit, webhook.number, moved)
    history.end(unit, webhook, moved, MERGED, history.weight(moved), now_ms)

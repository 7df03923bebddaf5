"""Deliveries that were delivered, and are sent once more: resends.

Such a delivery stays delivered, whatever becomes of its resend. While it waits it has a row in a
queue of its own, which is read together with the webhook's, in the order of numbers. It has none in
the index of what has ended, so that it is not trimmed; it is history all the time, and so a resend
fills nobody's quota. When the resend is over the delivery is where it was.

Discarding all that a webhook holds ends all resends at once: the state says so (`Moving.resends`),
the counters are moved, and the rows follow in steps. Until these are done there is no new resend.
"""

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import history, moving
from hookbundle.storage.tables.dead_letters.kinds import Meant
from hookbundle.storage.tables.repeating import replays
from hookbundle.storage.tables.repeating.replays import Became


def is_waiting(state: WebhookState, delivery: Delivery) -> bool:
    """Whether the delivery is to be sent once more, for every caller."""
    if not delivery.resending:
        return False
    marks = state.moving
    return marks is None or not marks.resends or delivery.number == marks.resends_but


def has_failed(state: WebhookState, delivery: Delivery) -> bool:
    """Whether it was delivered, was to be sent once more, and did not arrive again.

    The status and the error of its head are those of that last attempt then; only such a one leaves
    an error. False while it waits. `delivery` as it is seen (tables/moving.py).
    """
    is_delivered = delivery.state == DeliveryState.DELIVERED
    return is_delivered and bool(delivery.last_error) and not is_waiting(state, delivery)


def are_ending(state: WebhookState) -> bool:
    """Whether rows of resends that have ended are still there."""
    return state.moving is not None and state.moving.resends


def first(unit: Unit, webhook: int, state: WebhookState, after: int = 0) -> int | None:
    """The lowest number above `after` of a resend that waits."""
    if state.moving is not None and state.moving.resends:
        excepted = state.moving.resends_but
        return excepted if excepted > after else None
    prefix = keyspace.owned(keyspace.RESENDS, webhook)
    if not after:
        key = unit.first_key(prefix)
    else:
        last = keyspace.owned_numbered(keyspace.RESENDS, webhook, after)
        key = next((key for key, _ in unit.rows(prefix, last)), None)
    return None if key is None else key_fields.number(key)


def begin(unit: Unit, webhook: Webhook, delivery: Delivery, replay: int = 0) -> None:
    """The delivered delivery waits to be sent once more, with nothing held against it.

    `replay`: the number of the replay that wants it. Not while `are_ending`.
    """
    delivery.resending, delivery.replay = True, replay
    delivery.rejections = delivery.server_errors = 0
    delivery.compared = False
    history.hide(unit, webhook, delivery)
    unit.put_flag(row_of(webhook, delivery))
    unit.put(history.key_of(webhook.number, delivery.number), delivery)
    _count(unit, unit.state(webhook.number), delivery, 1)


def keep(unit: Unit, webhook: Webhook, delivery: Delivery, weight_before: int) -> None:
    """The resend has changed, and waits further."""
    unit.put(history.key_of(webhook.number, delivery.number), delivery)
    history.grow(unit, webhook, history.weight(delivery) - weight_before)


def end(
    unit: Unit,
    webhook: Webhook,
    delivery: Delivery,
    became: Became,
    weight_before: int | None = None,
) -> None:
    """The resend is over, and its delivery is history like all others.

    `weight_before`: what it is counted with, if it has changed since.
    """
    take_out(unit, webhook, delivery, became)
    keep(unit, webhook, delivery, weight_before or history.weight(delivery))
    history.show(unit, webhook, delivery)


def take_out(unit: Unit, webhook: Webhook, delivery: Delivery, became: Became) -> None:
    """The resend waits no longer; its delivery's head and index are the caller's."""
    state = unit.state(webhook.number)
    if is_waiting(state, delivery):
        _count(unit, state, delivery, -1)
    unit.delete(row_of(webhook, delivery))
    replays.left(unit, webhook, delivery, became)
    delivery.resending = False


def end_all(unit: Unit, webhook: Webhook) -> tuple[Meant, Delivery | None]:
    """All resends are over for every caller, but the one under way, which is returned.

    Their rows follow in steps. Raises: CorruptRecord, with nothing written.
    """
    state = unit.state(webhook.number)
    kept = moving.in_flight(unit, webhook.number, state)
    if kept is not None and not is_waiting(state, kept):
        kept = None
    meant = Meant(state.resending, state.resending_messages)
    if kept is not None:
        meant = Meant(meant.deliveries - 1, meant.messages - kept.messages)
    if not meant.deliveries:
        return meant, kept
    unit.meta.resending -= meant.deliveries
    state.resending, state.resending_messages = (1, kept.messages) if kept else (0, 0)
    marks = moving.marks_of(unit, webhook, state)
    marks.resends, marks.resends_but = True, kept.number if kept else 0
    return meant, kept


def row_of(webhook: Webhook, delivery: Delivery) -> bytes:
    return keyspace.owned_numbered(keyspace.RESENDS, webhook.number, delivery.number)


def _count(unit: Unit, state: WebhookState, delivery: Delivery, by: int) -> None:
    state.resending += by
    state.resending_messages += by * delivery.messages
    unit.meta.resending += by

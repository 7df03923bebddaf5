"""The queue of a webhook, and its dead letters.

A delivery gets its number when it is sealed and keeps it. Numbers only rise, and LMDB sorts keys,
so reading the queue in the order of its keys is first in, first out; and a dead letter that is
queued again returns to its old position. The rows of both are keys alone: what changes with each
attempt is the delivery's head. Where rows are still being moved, moving.py says what is queued and
what is not. Resends wait in a queue beside this one (repeating/resends.py), in the same order.
"""

import re

from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.engine.windows import meter
from hookbundle.storage import facts
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, contacts, history, moving, readiness
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.repeating import replays, resends

ID = re.compile(r"dlv_([0-9a-f]{10})([0-9a-f]{8})([0-9a-f]{12})")
NO_EPOCH = -1  # of rejections that don't count
QUEUED, DEAD_LETTER = states.QUEUED, states.DEAD_LETTER


def delivery_id(webhook: int, delivery: Delivery) -> str:
    """The delivery's id: unique, and the same for every attempt.

    It contains the epoch of the database that sealed the delivery. A restored backup continues with
    delivery numbers that were already used after the backup was made; its new epoch makes those ids
    different. Deliveries that were in the backup keep their ids, because a receiver may have got
    them already, and recognises a repetition by the id.
    """
    return id_of(delivery.epoch, webhook, delivery.own_number)


def id_of(epoch: str, webhook: int, number: int) -> str:
    """The id of a delivery, which may be gone: then the epoch is the present one."""
    return "dlv_%s%08x%012x" % (epoch, webhook, number)  # noqa: UP031 - at two thirds of the price


def parse_delivery_id(delivery_id: str) -> tuple[str, int, int]:
    """The epoch, the webhook's number and the delivery's. Raises: NotFound if it is malformed."""
    parts = ID.fullmatch(delivery_id)
    if parts is None:
        raise NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
    return parts[1], int(parts[2], 16), int(parts[3], 16)


def enqueue(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    *,
    chat_id: str,
    chat: bytes,
    extra: bytes,
    messages: int,
    body: bytes,
    bundle: bool,
    reason: str,
    opened_ms: int,
    now_ms: int,
    arrivals: bytes = b"",
    part: int = 1,
    permalink: str = "",
) -> bool:
    """The body is the newest delivery of the queue. True if the webhook became ready.

    `chat` is the chat's JSON. The caller then has to wake the webhook's actor after the commit.
    """
    state, number = unit.state(webhook.number), unit.meta.delivery_next
    unit.meta.delivery_next += 1
    contact = contacts.of_chat(chat)
    delivery = Delivery(
        number=number,
        epoch=unit.identity.epoch,
        chat_id=chat_id,
        messages=messages,
        sealed_ms=now_ms,
        reason=reason,
        bundle=bundle,
        opened_ms=opened_ms,
        body_bytes=len(body),
        chat_name=contact.name,
        phone=contact.phone,
        extra=extra,
        arrival_bytes=len(arrivals),
        part=part,
        permalink=permalink,
    )
    stand(unit, webhook, delivery, body, arrivals)
    state.meter = meter.counted(state.meter, now_ms, messages, calls=1)
    contacts.remember(unit, webhook.workspace, chat_id.encode(), contact.phone)
    fact = facts.DeliverySealed(
        delivery=delivery_id(webhook.number, delivery),
        messages=messages,
        reason=reason,
        bundle=bundle,
        held=not state.enabled,
    )
    unit.tell(settings.workspace, fact, now_ms, chat_id, webhook.id)
    return readiness.reconcile(unit, webhook, state)


def stand(unit: Unit, webhook: Webhook, delivery: Delivery, body: bytes, arrivals: bytes) -> None:
    """The delivery, which is new, waits in the queue at its number."""
    state, number = unit.state(webhook.number), delivery.number
    chat = delivery.chat_id.encode()
    bodies.put(unit, webhook.number, number, body, arrivals)
    unit.put(history.key_of(webhook.number, number), delivery)
    unit.put_flag(keyspace.chat_delivery(webhook.workspace, chat, number, webhook.number))
    unit.put_flag(keyspace.owned_numbered(keyspace.QUEUED, webhook.number, number))
    _count(unit, state, delivery, 1)
    unit.meta.totals.sealed += 1
    state.waiting_bytes += history.weight(delivery)


def find(unit: Unit, webhook: int, number: int) -> Delivery | None:
    """The delivery, whatever became of it."""
    return unit.get(history.key_of(webhook, number), Delivery)


def head(unit: Unit, webhook: Webhook, after: int = 0) -> Delivery | None:
    """The delivery to send next, whose chat may be deleted, or None. Raises: CorruptRecord.

    The oldest that is queued or to be resent, unless a replay has not come to it yet. `after`: only
    of those with a higher number.
    """
    state = unit.state(webhook.number)
    if state.moving is None and not after:
        first = unit.first_key(keyspace.owned(keyspace.QUEUED, webhook.number))
        number = None if first is None else key_fields.number(first)
    else:
        queued = moving.numbers(unit.rows, state, webhook.number, keyspace.QUEUED, after)
        number = next(queued, None)
    if state.resending:
        resend = resends.first(unit, webhook.number, state, after)
        number = min((each for each in (number, resend) if each is not None), default=None)
    if number is None or 0 < state.gate <= number:
        return None
    delivery = find(unit, webhook.number, number)
    if delivery is None:
        key = history.key_of(webhook.number, number)
        raise CorruptRecord(f"record {key!r}: it is in the queue, and there is no delivery")
    return delivery


def state_of(unit: Unit, webhook: int, delivery: Delivery) -> DeliveryState:
    """Where a delivery is: one that is queued may be in flight."""
    state = unit.state(webhook)
    found = moving.state_of(state, delivery)
    is_flying = state.flight is not None and state.flight.delivery == delivery.number
    return states.IN_FLIGHT if found == QUEUED and is_flying else found


def is_under_way(state: WebhookState, number: int, alive_since_ms: int) -> bool:
    """Whether an attempt of it is under way that began since then; older ones died unnoticed."""
    flight = state.flight
    return flight is not None and flight.delivery == number and flight.began_ms >= alive_since_ms


def keep(unit: Unit, webhook: Webhook, delivery: Delivery, weight_before: int) -> None:
    """The delivery, which waits, has changed: its head is stored and its bytes are counted."""
    if delivery.resending:
        resends.keep(unit, webhook, delivery, weight_before)
        return
    unit.put(history.key_of(webhook.number, delivery.number), delivery)
    unit.state(webhook.number).waiting_bytes += history.weight(delivery) - weight_before


def remove(
    unit: Unit,
    webhook: Webhook,
    delivery: Delivery,
    weight: int,
    became: replays.Became = "dropped",
) -> None:
    """The delivery waits no longer. `weight`: what it was counted with while it did."""
    state = unit.state(webhook.number)
    _count(unit, state, delivery, -1)
    unit.delete(row_of(webhook, delivery))
    state.waiting_bytes -= weight
    replays.left(unit, webhook, delivery, became)


def end(
    unit: Unit,
    webhook: Webhook,
    delivery: Delivery,
    after: DeliveryState,
    now_ms: int,
    weight_before: int | None = None,
) -> None:
    """The delivery, which waits, was delivered or discarded. It is history from now on.

    `weight_before`: what it is counted with, if it has changed since.
    """
    states.move(DELIVERY_MOVES, state_of(unit, webhook.number, delivery), after)
    weight = history.weight(delivery)
    became: replays.Became = "delivered" if after is states.DELIVERED else "dropped"
    remove(unit, webhook, delivery, weight if weight_before is None else weight_before, became)
    history.end(unit, webhook, delivery, after, weight, now_ms)


def move_to_dead_letters(
    unit: Unit, webhook: Webhook, delivery: Delivery, weight_before: int, reason: str = ""
) -> None:
    """The delivery becomes a dead letter; the next in the queue is now its head.

    `reason`: one of `kinds.REASONS`, empty after rejections.
    """
    states.move(DELIVERY_MOVES, state_of(unit, webhook.number, delivery), DEAD_LETTER)
    replays.left(unit, webhook, delivery, "failed")
    _move(unit, webhook, delivery, DEAD_LETTER, reason)
    keep(unit, webhook, delivery, weight_before)
    unit.meta.totals.dead_letters += 1
    unit.meta.totals.receiver_fails += reason == kinds.FAILS
    unit.meta.totals.not_rendered += reason == kinds.FORMAT


def requeue(unit: Unit, webhook: Webhook, delivery: Delivery, replay: int = 0) -> None:
    """The dead letter is queued again, in its old position, as if it had never been attempted.

    `replay`: the number of the replay that wants it. It may take it back: so the reason stays.
    """
    states.move(DELIVERY_MOVES, state_of(unit, webhook.number, delivery), QUEUED)
    reason, delivery.replay = delivery.dead_reason, replay
    put_back(unit, webhook, delivery, reason if replay else "")


def take_back(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    """What a replay has queued is a dead letter again, as it was one before.

    Its former rejections are known unless it was rejected since. One that could not be rendered,
    and was sent since (as it was sealed, once its webhook had no format), is none of that kind.
    """
    states.move(DELIVERY_MOVES, state_of(unit, webhook.number, delivery), DEAD_LETTER)
    replays.left(unit, webhook, delivery, "dropped")
    if delivery.rejections_epoch == NO_EPOCH:
        delivery.rejections_epoch = unit.state(webhook.number).epoch
    is_sent = delivery.dead_reason == kinds.FORMAT and delivery.attempts
    _move(unit, webhook, delivery, DEAD_LETTER, "" if is_sent else delivery.dead_reason)
    unit.put(history.key_of(webhook.number, delivery.number), delivery)


def put_back(unit: Unit, webhook: Webhook, delivery: Delivery, reason: str = "") -> None:
    """As `requeue`. The dead letter may be queued for every caller already; see moving.py."""
    if delivery.replay:  # it may take it back
        delivery.rejections_epoch = NO_EPOCH
    else:
        delivery.rejections = 0
    delivery.server_errors, delivery.compared = 0, False
    _move(unit, webhook, delivery, QUEUED, reason)
    unit.put(history.key_of(webhook.number, delivery.number), delivery)


def finish_discard(unit: Unit, webhook: Webhook, delivery: Delivery, now_ms: int) -> None:
    """The delivery, which is discarded for every caller already, is history."""
    marks = unit.state(webhook.number).moving
    if marks is not None:
        delivery.discarded_by, delivery.discard_reason = marks.discarded_by, marks.discard_reason
    weight = history.weight(delivery)
    remove(unit, webhook, delivery, weight)
    history.end(unit, webhook, delivery, DeliveryState.DISCARDED, weight, now_ms)


def row_of(webhook: Webhook, delivery: Delivery) -> bytes:
    """The key of the delivery's row, in the queue or among the dead letters."""
    return keyspace.owned_numbered(moving.prefix_of(delivery), webhook.number, delivery.number)


def _move(
    unit: Unit, webhook: Webhook, delivery: Delivery, to: DeliveryState, reason: str = ""
) -> None:
    """The delivery's row is in the queue, or among the dead letters; its head is the caller's."""
    state = unit.state(webhook.number)
    _count(unit, state, delivery, -1)
    unit.delete(row_of(webhook, delivery))
    delivery.state, delivery.dead_reason = to.value, reason
    unit.put_flag(row_of(webhook, delivery))
    _count(unit, state, delivery, 1)


def _count(unit: Unit, state: WebhookState, delivery: Delivery, by: int) -> None:
    """The delivery is counted (1), or no longer (-1), as what it is for every caller."""
    found = moving.state_of(state, delivery)
    if found == QUEUED:
        state.queued += by
        state.queued_messages += by * delivery.messages
        unit.meta.queued += by
    elif found == DEAD_LETTER:
        kinds.count(state, delivery, by)
        unit.meta.dead_letters += by

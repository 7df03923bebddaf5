"""The queue of a webhook, and its dead letters.

A delivery gets its number when it is sealed and keeps it. Numbers only rise, and LMDB sorts keys,
so reading the queue in the order of its keys is first in, first out; and a dead letter that is
queued again returns to its old position. The rows of both are keys alone: what changes with each
attempt is the delivery's head, and its body never does.
"""

import re
from collections.abc import Iterator

from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import Erasure, Webhook
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, contacts, history, readiness

ID = re.compile(r"dlv_([0-9a-f]{10})([0-9a-f]{8})([0-9a-f]{12})")
QUEUED, DEAD_LETTER = DeliveryState.QUEUED, DeliveryState.DEAD_LETTER


def delivery_id(webhook: int, delivery: Delivery) -> str:
    """The delivery's id: unique, and the same for every attempt.

    It contains the epoch of the database that sealed the delivery. A restored backup continues with
    delivery numbers that were already used after the backup was made; its new epoch makes those ids
    different. Deliveries that were in the backup keep their ids, because a receiver may have got
    them already, and recognises a repetition by the id.
    """
    return f"dlv_{delivery.epoch}{webhook:08x}{delivery.number:012x}"


def parse_delivery_id(delivery_id: str) -> tuple[str, int, int]:
    """The epoch, the webhook's number and the delivery's. Raises: NotFound if it is malformed."""
    parts = ID.fullmatch(delivery_id)
    if parts is None:
        raise NotFound(f"there is no delivery {delivery_id!r}")
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
    )
    key = chat_id.encode()
    bodies.put(unit, webhook.number, number, body)
    unit.put(history.key_of(webhook.number, number), delivery)
    unit.put_flag(keyspace.chat_delivery(webhook.workspace, key, number, webhook.number))
    contacts.remember(unit, webhook.workspace, key, contact.phone)
    _add(unit, webhook, delivery)
    unit.meta.totals.sealed += 1
    state.waiting_bytes += history.weight(delivery)
    unit.tell(
        settings.workspace,
        facts.DeliverySealed(
            delivery=delivery_id(webhook.number, delivery),
            messages=messages,
            reason=reason,
            bundle=bundle,
            held=not state.enabled,
        ),
        now_ms,
        chat_id,
    )
    return readiness.reconcile(unit, webhook, state)


def find(unit: Unit, webhook: int, number: int) -> Delivery | None:
    """The delivery, whatever became of it."""
    return unit.get(history.key_of(webhook, number), Delivery)


def head(unit: Unit, webhook: Webhook) -> Delivery | None:
    """The oldest queued delivery that may be sent, or None. Raises: CorruptRecord."""
    first = unit.first_key(keyspace.owned(keyspace.QUEUED, webhook.number))
    if first is None:
        return None
    delivery = find(unit, webhook.number, keyspace.parse_number(first))
    if delivery is not None and not is_erased(unit, webhook, delivery):
        return delivery
    following = all_of(unit, keyspace.QUEUED, webhook.number)
    return next((each for each in following if not is_erased(unit, webhook, each)), None)


def is_erased(unit: Unit, webhook: Webhook, delivery: Delivery) -> bool:
    """Whether the delivery's chat was deleted after it was sealed. It must not be sent then.

    Its record is deleted in a later step; see Erasure.
    """
    # The counter saves a look-up for each delivery: nearly all workspaces have no erasure.
    if not unit.usage(webhook.workspace).erasures:
        return False
    key = keyspace.owned(keyspace.ERASURES, webhook.workspace, delivery.chat_id.encode())
    erasure = unit.get(key, Erasure)
    return erasure is not None and delivery.number < erasure.before


def state_of(unit: Unit, webhook: int, delivery: Delivery) -> DeliveryState:
    """Where a delivery is: one that is stored as queued may be in flight."""
    flight = unit.state(webhook).flight
    if delivery.state == QUEUED and flight is not None and flight.delivery == delivery.number:
        return DeliveryState.IN_FLIGHT
    return DeliveryState(delivery.state)


def keep(unit: Unit, webhook: Webhook, delivery: Delivery, weight_before: int) -> None:
    """The delivery, which waits, has changed: its head is stored and its bytes are counted."""
    unit.put(history.key_of(webhook.number, delivery.number), delivery)
    unit.state(webhook.number).waiting_bytes += history.weight(delivery) - weight_before


def remove(unit: Unit, webhook: Webhook, delivery: Delivery, weight: int) -> None:
    """The delivery waits no longer. `weight`: what it was counted with while it did."""
    if delivery.state == DEAD_LETTER:
        _subtract_dead_letter(unit, webhook, delivery)
    else:
        _subtract(unit, webhook, delivery)
    unit.state(webhook.number).waiting_bytes -= weight


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
    remove(unit, webhook, delivery, weight if weight_before is None else weight_before)
    history.end(unit, webhook, delivery, after, weight, now_ms)


def move_to_dead_letters(
    unit: Unit, webhook: Webhook, delivery: Delivery, weight_before: int
) -> None:
    """The delivery in flight becomes a dead letter; the next in the queue is now its head."""
    states.move(DELIVERY_MOVES, state_of(unit, webhook.number, delivery), DEAD_LETTER)
    _subtract(unit, webhook, delivery)
    delivery.state = DEAD_LETTER.value
    unit.put_flag(keyspace.owned_numbered(keyspace.DEAD_LETTERS, webhook.number, delivery.number))
    keep(unit, webhook, delivery, weight_before)
    state = unit.state(webhook.number)
    state.dead_letters += 1
    state.dead_letter_messages += delivery.messages
    unit.meta.dead_letters += 1
    unit.meta.totals.dead_letters += 1


def requeue(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    """The dead letter is queued again, in its old position, with no rejections counted."""
    states.move(DELIVERY_MOVES, state_of(unit, webhook.number, delivery), QUEUED)
    _subtract_dead_letter(unit, webhook, delivery)
    delivery.rejections = 0
    delivery.state = QUEUED.value
    _add(unit, webhook, delivery)
    unit.put(history.key_of(webhook.number, delivery.number), delivery)


def requeue_all(unit: Unit, webhook: Webhook) -> int:
    """All dead letters are queued again. Returns how many."""
    returned = 0
    for delivery in all_of(unit, keyspace.DEAD_LETTERS, webhook.number):
        if not is_erased(unit, webhook, delivery):
            requeue(unit, webhook, delivery)
            returned += 1
    return returned


def reset_rejections(unit: Unit, webhook: Webhook) -> None:
    """No rejections are counted for any queued delivery."""
    # Only the head of the queue is attempted, so all attempted deliveries come first, and the loop
    # may stop at the first one without an attempt. Those being erased were skipped unattempted.
    for delivery in all_of(unit, keyspace.QUEUED, webhook.number):
        if not delivery.attempts and not is_erased(unit, webhook, delivery):
            return
        if delivery.rejections:
            delivery.rejections = 0
            unit.put(history.key_of(webhook.number, delivery.number), delivery)


def all_of(unit: Unit, prefix: bytes, webhook: int) -> Iterator[Delivery]:
    """Every delivery under QUEUED or DEAD_LETTERS, oldest first. The caller may move each one.

    Raises: CorruptRecord if one has no head.
    """
    owned, after = keyspace.owned(prefix, webhook), b""
    # A new search for each one, because the caller may delete the row under a cursor.
    while row := next(unit.rows(owned, after), None):
        after, _ = row
        delivery = find(unit, webhook, keyspace.parse_number(after))
        if delivery is None:
            raise CorruptRecord(f"record {after!r}: there is no delivery of this number")
        yield delivery


def _add(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    unit.put_flag(keyspace.owned_numbered(keyspace.QUEUED, webhook.number, delivery.number))
    state = unit.state(webhook.number)
    state.queued += 1
    state.queued_messages += delivery.messages
    unit.meta.queued += 1


def _subtract(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    unit.delete(keyspace.owned_numbered(keyspace.QUEUED, webhook.number, delivery.number))
    state = unit.state(webhook.number)
    state.queued -= 1
    state.queued_messages -= delivery.messages
    unit.meta.queued -= 1


def _subtract_dead_letter(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    unit.delete(keyspace.owned_numbered(keyspace.DEAD_LETTERS, webhook.number, delivery.number))
    state = unit.state(webhook.number)
    state.dead_letters -= 1
    state.dead_letter_messages -= delivery.messages
    unit.meta.dead_letters -= 1

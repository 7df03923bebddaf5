"""The queue of a webhook, and its dead letters.

A delivery gets its number when it is sealed and keeps it. Numbers only rise, and LMDB sorts keys,
so reading the queue in the order of its keys is first in, first out; and a dead letter that is
queued again returns to its old position.
"""

import re
from collections.abc import Iterator

from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.engine.errors import NotFound
from hookbundle.storage import facts
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.records import Delivery, Erasure, WebhookState, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness

ID = re.compile(r"dlv_([0-9a-f]{10})([0-9a-f]{8})([0-9a-f]{12})")


def delivery_id(workspace_number: int, delivery: Delivery) -> str:
    """The delivery's id: unique, and the same for every attempt.

    It contains the epoch of the database that sealed the delivery. A restored backup continues with
    delivery numbers that were already used after the backup was made; its new epoch makes those ids
    different. Deliveries that were in the backup keep their ids, because a receiver may have got
    them already, and recognises a repetition by the id.
    """
    return f"dlv_{delivery.epoch}{workspace_number:08x}{delivery.number:012x}"


def parse_delivery_id(delivery_id: str) -> tuple[str, int, int]:
    """The epoch, the workspace's number and the delivery's. Raises: NotFound if it is malformed."""
    parts = ID.fullmatch(delivery_id)
    if parts is None:
        raise NotFound(f"there is no delivery {delivery_id!r}")
    return parts[1], int(parts[2], 16), int(parts[3], 16)


def enqueue(
    unit: Unit,
    workspace: Workspace,
    *,
    chat_id: str,
    messages: int,
    body: bytes,
    bundle: bool,
    reason: str,
    opened_ms: int,
    now_ms: int,
) -> bool:
    """The body is the newest delivery of the queue. True if the webhook became ready.

    The caller then has to wake the webhook's actor after the commit.
    """
    state = unit.state(workspace.number)
    number = unit.meta.delivery_next
    unit.meta.delivery_next += 1
    delivery = Delivery(
        number=number,
        epoch=unit.identity.epoch,
        chat_id=chat_id,
        messages=messages,
        sealed_ms=now_ms,
        reason=reason,
        bundle=bundle,
        body=body,
        opened_ms=opened_ms,
    )
    unit.put(keyspace.owned_numbered(keyspace.QUEUED, workspace.number, number), delivery)
    state.queued += 1
    state.queued_messages += messages
    unit.meta.queued += 1
    unit.meta.totals.sealed += 1
    unit.emit(
        facts.DeliverySealed(
            delivery=delivery_id(workspace.number, delivery),
            messages=messages,
            reason=reason,
            bundle=bundle,
            held=not state.enabled,
        ),
        now_ms,
        workspace.id,
        chat_id,
    )
    return readiness.reconcile(unit, workspace, state)


def head(unit: Unit, workspace_number: int) -> Delivery | None:
    """The oldest queued delivery that may be sent, or None."""
    for key, value in unit.rows(keyspace.owned(keyspace.QUEUED, workspace_number)):
        delivery = codec.unpack(key, value, Delivery)
        if not is_erased(unit, workspace_number, delivery):
            return delivery
    return None


def is_erased(unit: Unit, workspace_number: int, delivery: Delivery) -> bool:
    """Whether the delivery's chat was deleted after it was sealed. It must not be sent then.

    Its record is deleted in a later step; see Erasure.
    """
    # The counter saves a look-up for each delivery: nearly all workspaces have no erasure.
    if not unit.state(workspace_number).erasures:
        return False
    key = keyspace.owned(keyspace.ERASURES, workspace_number, delivery.chat_id.encode())
    erasure = unit.get(key, Erasure)
    return erasure is not None and delivery.number < erasure.before


def state_of(unit: Unit, workspace_number: int, delivery: Delivery) -> DeliveryState:
    """Where a delivery in the queue is: it waits, or its attempt is under way."""
    flight = unit.state(workspace_number).flight
    is_in_flight = flight is not None and flight.delivery == delivery.number
    return DeliveryState.IN_FLIGHT if is_in_flight else DeliveryState.QUEUED


def remove(unit: Unit, workspace_number: int, delivery: Delivery, after: DeliveryState) -> None:
    """The delivery is deleted from the queue, because it moves to the state `after`."""
    states.move(DELIVERY_MOVES, state_of(unit, workspace_number, delivery), after)
    unit.delete(keyspace.owned_numbered(keyspace.QUEUED, workspace_number, delivery.number))
    _subtract(unit, unit.state(workspace_number), delivery.messages)


def move_to_dead_letters(unit: Unit, workspace_number: int, delivery: Delivery) -> None:
    """The delivery in flight becomes a dead letter; the next in the queue is now its head."""
    remove(unit, workspace_number, delivery, DeliveryState.DEAD_LETTER)
    unit.put(
        keyspace.owned_numbered(keyspace.DEAD_LETTERS, workspace_number, delivery.number), delivery
    )
    unit.state(workspace_number).dead_letters += 1
    unit.meta.dead_letters += 1
    unit.meta.totals.dead_letters += 1


def requeue(unit: Unit, workspace_number: int, delivery: Delivery) -> None:
    """The dead letter is queued again, in its old position, with no rejections counted."""
    remove_dead_letter(unit, workspace_number, delivery, DeliveryState.QUEUED)
    delivery.rejections = 0
    unit.put(keyspace.owned_numbered(keyspace.QUEUED, workspace_number, delivery.number), delivery)
    state = unit.state(workspace_number)
    state.queued += 1
    state.queued_messages += delivery.messages
    unit.meta.queued += 1


def requeue_all(unit: Unit, workspace_number: int) -> int:
    """All dead letters are queued again. Returns how many."""
    returned = 0
    for delivery in all_of(unit, keyspace.DEAD_LETTERS, workspace_number):
        if not is_erased(unit, workspace_number, delivery):
            requeue(unit, workspace_number, delivery)
            returned += 1
    return returned


def reset_rejections(unit: Unit, workspace_number: int) -> None:
    """No rejections are counted for any queued delivery."""
    # Only the head of the queue is attempted, so all attempted deliveries come first, and the loop
    # may stop at the first one without an attempt. Those being erased were skipped unattempted.
    for delivery in all_of(unit, keyspace.QUEUED, workspace_number):
        if not delivery.attempts and not is_erased(unit, workspace_number, delivery):
            return
        if delivery.rejections:
            delivery.rejections = 0
            key = keyspace.owned_numbered(keyspace.QUEUED, workspace_number, delivery.number)
            unit.put(key, delivery)


def remove_dead_letter(
    unit: Unit, workspace_number: int, delivery: Delivery, after: DeliveryState
) -> None:
    """The delivery is no longer a dead letter."""
    states.move(DELIVERY_MOVES, DeliveryState.DEAD_LETTER, after)
    unit.delete(keyspace.owned_numbered(keyspace.DEAD_LETTERS, workspace_number, delivery.number))
    unit.state(workspace_number).dead_letters -= 1
    unit.meta.dead_letters -= 1


def all_of(unit: Unit, prefix: bytes, workspace_number: int) -> Iterator[Delivery]:
    """Every delivery under QUEUED or DEAD_LETTERS, oldest first. The caller may delete each one.

    One is read at a time, because all their bodies together may not fit into memory.
    """
    owned, after = keyspace.owned(prefix, workspace_number), b""
    # A new search for each one, because the caller may delete the record under a cursor.
    while row := next(unit.rows(owned, after), None):
        after, value = row
        yield codec.unpack(after, value, Delivery)


def _subtract(unit: Unit, state: WebhookState, messages: int) -> None:
    state.queued -= 1
    state.queued_messages -= messages
    unit.meta.queued -= 1

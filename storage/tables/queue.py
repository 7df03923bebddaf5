"""The queue of a workspace: deliveries put in, taken from the head, parked, put back, dropped.

Numbers of deliveries only rise, and a delivery keeps its number for life; so the order of the keys
is the order of sending, and a parked delivery that returns is back in its old place.
"""

import re
from collections.abc import Iterator

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.records import Delivery, Erasure, WebhookState, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness

ID = re.compile(r"dlv_([0-9a-f]{10})([0-9a-f]{8})([0-9a-f]{12})")


def delivery_id(workspace_number: int, delivery: Delivery) -> str:
    """Unique for all time, and the delivery's for life.

    The epoch in it is that of the database that sealed the delivery. It is new with every restore,
    so what is sealed after one can't get an id of the time that was lost, while what waited in the
    backup keeps the id under which its receiver may know it already.
    """
    return f"dlv_{delivery.epoch}{workspace_number:08x}{delivery.number:012x}"


def parse_delivery_id(delivery_id: str) -> tuple[str, int, int]:
    """The epoch, the workspace's number and the delivery's. Raises: NotFound."""
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
    """True if the webhook became ready: somebody should wake it."""
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
    unit.put(keyspace.owned_numbered(keyspace.PENDING, workspace.number, number), delivery)
    state.pending += 1
    state.pending_messages += messages
    unit.meta.pending += 1
    unit.meta.totals.sealed += 1
    unit.emit(
        "delivery.sealed",
        now_ms,
        workspace.id,
        chat_id,
        delivery=delivery_id(workspace.number, delivery),
        messages=messages,
        reason=reason,
        bundle=bundle,
        held=not state.enabled,
    )
    return readiness.settle(unit, workspace, state)


def head(unit: Unit, workspace_number: int) -> Delivery | None:
    """The oldest pending delivery that may be sent."""
    for key, value in unit.rows(keyspace.owned(keyspace.PENDING, workspace_number)):
        delivery = codec.unpack(key, value, Delivery)
        if not is_erased(unit, workspace_number, delivery):
            return delivery
    return None


def is_erased(unit: Unit, workspace_number: int, delivery: Delivery) -> bool:
    """Whether its chat was deleted after it was sealed, and only its record is still to go."""
    if not unit.state(workspace_number).erasures:
        return False
    key = keyspace.owned(keyspace.ERASURES, workspace_number, delivery.chat_id.encode())
    erasure = unit.get(key, Erasure)
    return erasure is not None and delivery.number < erasure.before


def take(unit: Unit, workspace_number: int, delivery: Delivery) -> None:
    """The delivery is no longer pending."""
    unit.delete(keyspace.owned_numbered(keyspace.PENDING, workspace_number, delivery.number))
    _count_out(unit, unit.state(workspace_number), delivery.messages)


def park(unit: Unit, workspace_number: int, delivery: Delivery) -> None:
    """The delivery is set aside; the next one gets its turn."""
    take(unit, workspace_number, delivery)
    unit.put(keyspace.owned_numbered(keyspace.PARKED, workspace_number, delivery.number), delivery)
    unit.state(workspace_number).parked += 1
    unit.meta.parked += 1
    unit.meta.totals.parked += 1


def unpark(unit: Unit, workspace_number: int, delivery: Delivery) -> None:
    """The parked delivery is pending again, in its old place, its rejections forgotten."""
    drop_parked(unit, workspace_number, delivery)
    delivery.rejections = 0
    unit.put(keyspace.owned_numbered(keyspace.PENDING, workspace_number, delivery.number), delivery)
    state = unit.state(workspace_number)
    state.pending += 1
    state.pending_messages += delivery.messages
    unit.meta.pending += 1


def unpark_all(unit: Unit, workspace_number: int) -> int:
    """How many parked deliveries are pending again."""
    returned = 0
    for delivery in all_of(unit, keyspace.PARKED, workspace_number):
        if not is_erased(unit, workspace_number, delivery):
            unpark(unit, workspace_number, delivery)
            returned += 1
    return returned


def forgive(unit: Unit, workspace_number: int) -> None:
    """No pending delivery has been rejected.

    Only the head is ever attempted, so whatever was attempted stands before all that was not,
    but for those that are erased and were passed over.
    """
    for delivery in all_of(unit, keyspace.PENDING, workspace_number):
        if not delivery.attempts and not is_erased(unit, workspace_number, delivery):
            return
        if delivery.rejections:
            delivery.rejections = 0
            key = keyspace.owned_numbered(keyspace.PENDING, workspace_number, delivery.number)
            unit.put(key, delivery)


def drop_parked(unit: Unit, workspace_number: int, delivery: Delivery) -> None:
    unit.delete(keyspace.owned_numbered(keyspace.PARKED, workspace_number, delivery.number))
    unit.state(workspace_number).parked -= 1
    unit.meta.parked -= 1


def all_of(unit: Unit, prefix: bytes, workspace_number: int) -> Iterator[Delivery]:
    """Every delivery under PENDING or PARKED, oldest first; each may be taken away meanwhile.

    One at a time, for together their bodies may not fit into memory.
    """
    owned, after = keyspace.owned(prefix, workspace_number), b""
    while row := next(unit.rows(owned, after), None):
        after, value = row
        yield codec.unpack(after, value, Delivery)


def _count_out(unit: Unit, state: WebhookState, messages: int) -> None:
    state.pending -= 1
    state.pending_messages -= messages
    unit.meta.pending -= 1

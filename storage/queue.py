"""The queue of a workspace: deliveries put in, taken from the head, parked, put back, dropped.

Numbers of deliveries only rise, and a delivery keeps its number for life; so the order of the keys
is the order of sending, and a parked delivery that returns is back in its old place.
"""

from hookbundle.engine.errors import NotFound
from hookbundle.storage import codec, keyspace, readiness
from hookbundle.storage.records import Delivery, WebhookState, Workspace
from hookbundle.storage.unit import Unit


def delivery_id(epoch: str, workspace_number: int, number: int) -> str:
    """Unique for all time: `epoch` is new with every database and with every restore of one."""
    return f"dlv_{epoch}{workspace_number:08x}{number:012x}"


def parse_delivery_id(epoch: str, delivery_id: str) -> tuple[int, int]:
    """The workspace's number and the delivery's.

    Raises: NotFound if it can't be one of this database's.
    """
    head = f"dlv_{epoch}"
    tail = delivery_id.removeprefix(head)
    if len(delivery_id) != len(head) + 20 or len(tail) != 20:
        raise NotFound(f"there is no delivery {delivery_id!r}")
    try:
        return int(tail[:8], 16), int(tail[8:], 16)
    except ValueError:
        raise NotFound(f"there is no delivery {delivery_id!r}") from None


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
        delivery=delivery_id(unit.identity.epoch, workspace.number, number),
        messages=messages,
        reason=reason,
        bundle=bundle,
        held=not state.enabled,
    )
    return readiness.settle(unit, workspace, state)


def head(unit: Unit, workspace_number: int) -> Delivery | None:
    """The oldest pending delivery."""
    for key, value in unit.rows(keyspace.owned(keyspace.PENDING, workspace_number)):
        return codec.unpack(key, value, Delivery)
    return None


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
    parked = all_of(unit, keyspace.PARKED, workspace_number)
    for delivery in parked:
        unpark(unit, workspace_number, delivery)
    return len(parked)


def drop_parked(unit: Unit, workspace_number: int, delivery: Delivery) -> None:
    unit.delete(keyspace.owned_numbered(keyspace.PARKED, workspace_number, delivery.number))
    unit.state(workspace_number).parked -= 1
    unit.meta.parked -= 1


def all_of(unit: Unit, prefix: bytes, workspace_number: int) -> list[Delivery]:
    """Every delivery under PENDING or PARKED, oldest first."""
    rows = unit.rows(keyspace.owned(prefix, workspace_number))
    return [codec.unpack(key, value, Delivery) for key, value in rows]


def _count_out(unit: Unit, state: WebhookState, messages: int) -> None:
    state.pending -= 1
    state.pending_messages -= messages
    unit.meta.pending -= 1

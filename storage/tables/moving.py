"""Commands for everything that a webhook holds: effective at once, carried out in steps.

A webhook may hold a hundred thousand deliveries. Discarding them, or queuing all dead letters
again, therefore only writes down in the state up to which number they are meant, and moves the
counters. From then on every reader takes them for what they are to become: numbers only rise, so
what a command means is a stretch of the queue that is passed over by one look-up. The rows are
moved in steps, which timed/moving.py makes as long as there is a MOVE row in the due index.

A delivery is discarded rather than queued again if both commands mean it: the later one is the one
for discarding, or it became a dead letter after that and has a higher number.
"""

from collections.abc import Callable, Iterator
from heapq import merge
from typing import NamedTuple

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Moving, Webhook, WebhookState
from hookbundle.storage.database.unit import Unit

QUEUED, DEAD_LETTER = DeliveryState.QUEUED, DeliveryState.DEAD_LETTER
NO_END = 2**63

# `rows` of a unit or of a read transaction: keys and values under a prefix, after a key.
Rows = Callable[[bytes, bytes], Iterator[tuple[bytes, bytes]]]


class Meant(NamedTuple):
    """What a command means: how many deliveries, and their messages."""

    deliveries: int
    messages: int


# ---- what callers see


def is_discarded(state: WebhookState, number: int) -> bool:
    """Whether the delivery, which is still among those that wait, is discarded."""
    moving = state.moving
    return moving is not None and number < moving.discard_before and number != moving.discard_but


def is_returned(state: WebhookState, number: int) -> bool:
    """Whether the delivery, which is still among the dead letters, is queued."""
    moving = state.moving
    return (
        moving is not None
        and moving.return_from <= number < moving.return_before
        and number != moving.return_but
        and not is_discarded(state, number)
    )


_STATES = {state.value: state for state in DeliveryState}  # to call the type costs seven times this


def state_of(state: WebhookState, delivery: Delivery) -> DeliveryState:
    """What the delivery is for every caller, wherever its rows are. In flight is not told apart."""
    stored = _STATES.get(delivery.state) or DeliveryState(delivery.state)
    if state.moving is None or stored not in (QUEUED, DEAD_LETTER):
        return stored
    if is_discarded(state, delivery.number):
        return DeliveryState.DISCARDED
    return QUEUED if is_returned(state, delivery.number) else stored


def rejections_of(state: WebhookState, delivery: Delivery) -> int:
    """How many rejections count. Enabling and another URL begin at 0, for all at once."""
    is_past = delivery.rejections_epoch != state.epoch
    is_back = delivery.state == DEAD_LETTER and is_returned(state, delivery.number)
    return 0 if is_past or is_back else delivery.rejections


def as_seen(state: WebhookState, delivery: Delivery) -> Delivery:
    """The delivery, changed to what it is for every caller."""
    delivery.rejections = rejections_of(state, delivery)
    delivery.state = state_of(state, delivery).value
    return delivery


def numbers(
    rows: Rows, state: WebhookState, webhook: int, prefix: bytes, after: int = 0
) -> Iterator[int]:
    """Numbers above `after` of what is queued, or a dead letter, for every caller, in their order.

    `prefix`: QUEUED or DEAD_LETTERS.
    """
    first = after + 1
    moving = state.moving
    if moving is None:
        yield from between(rows, prefix, webhook, first, NO_END)
        return
    excepted = moving.discard_but
    if first <= excepted < moving.discard_before and _is(rows, state, webhook, prefix, excepted):
        yield excepted
    first = max(first, moving.discard_before)
    if prefix == keyspace.DEAD_LETTERS:
        before = between(rows, prefix, webhook, first, moving.return_from)
        beyond = between(rows, prefix, webhook, max(first, moving.return_before), NO_END)
        excepted = moving.return_but
        if max(first, moving.return_from) <= excepted < moving.return_before:
            beyond = merge(between(rows, prefix, webhook, excepted, excepted + 1), beyond)
        yield from merge(before, beyond)
        return
    found = between(
        rows, keyspace.DEAD_LETTERS, webhook, max(first, moving.return_from), moving.return_before
    )
    returned = (number for number in found if number != moving.return_but)
    yield from merge(between(rows, prefix, webhook, first, NO_END), returned)


# ---- commands


def discard_all(unit: Unit, webhook: Webhook) -> tuple[Meant, Delivery | None]:
    """What waits is discarded, but for the delivery whose attempt is under way, which is returned.

    Raises: CorruptRecord, with nothing written.
    """
    state = unit.state(webhook.number)
    meant = Meant(
        state.queued + state.dead_letters, state.queued_messages + state.dead_letter_messages
    )
    kept = _in_flight(unit, webhook.number, state)
    if kept is not None:
        meant = Meant(meant.deliveries - 1, meant.messages - kept.messages)
    if not meant.deliveries:
        return meant, kept
    unit.meta.queued -= state.queued - (kept is not None)
    unit.meta.dead_letters -= state.dead_letters
    unit.meta.totals.discarded += meant.deliveries
    state.queued, state.queued_messages = (1, kept.messages) if kept else (0, 0)
    state.dead_letters = state.dead_letter_messages = 0
    moving = _moving(unit, webhook, state)
    moving.discard_before = unit.meta.delivery_next
    moving.discard_but = kept.number if kept else 0
    moving.return_from = moving.return_before = moving.return_but = 0  # they are discarded now
    return meant, kept


def return_all(unit: Unit, webhook: Webhook) -> Meant:
    """All dead letters are queued again, each in its old position, with no rejections counted."""
    state = unit.state(webhook.number)
    meant = Meant(state.dead_letters, state.dead_letter_messages)
    if not meant.deliveries:
        return meant
    unit.meta.queued += meant.deliveries
    unit.meta.dead_letters -= meant.deliveries
    state.queued += meant.deliveries
    state.queued_messages += meant.messages
    state.dead_letters = state.dead_letter_messages = 0
    moving = _moving(unit, webhook, state)
    moving.return_from, moving.return_before = 0, unit.meta.delivery_next
    moving.return_but = state.flight.delivery if state.flight else 0
    return meant


def begun(state: WebhookState, number: int) -> None:
    """An attempt of the delivery, the head of the queue, begins.

    All with lower numbers have had their turn. One that becomes a dead letter now stays one.
    """
    moving = state.moving
    if moving is not None and moving.return_from <= number < moving.return_before:
        moving.return_from = number + 1


def finish(unit: Unit, webhook: int, state: WebhookState) -> None:
    """All rows are where they belong."""
    state.moving = None
    unit.delete_due(Due(0, DueKind.MOVE, webhook))


def _moving(unit: Unit, webhook: Webhook, state: WebhookState) -> Moving:
    if state.moving is None:
        state.moving = Moving()
        unit.put_due(Due(0, DueKind.MOVE, webhook.number))
    return state.moving


def _in_flight(unit: Unit, webhook: int, state: WebhookState) -> Delivery | None:
    """The delivery in flight, unless it is no longer among those that wait."""
    if state.flight is None:
        return None
    key = keyspace.owned_numbered(keyspace.DELIVERIES, webhook, state.flight.delivery)
    delivery = unit.get(key, Delivery)
    return delivery if delivery is not None and state_of(state, delivery) is QUEUED else None


def _is(rows: Rows, state: WebhookState, webhook: int, prefix: bytes, number: int) -> bool:
    """Whether this one is queued, or a dead letter, for every caller."""
    is_dead_letter = _has(rows, keyspace.DEAD_LETTERS, webhook, number)
    if is_dead_letter and is_returned(state, number):
        return prefix == keyspace.QUEUED
    if prefix == keyspace.DEAD_LETTERS:
        return is_dead_letter
    return _has(rows, prefix, webhook, number)


def _has(rows: Rows, prefix: bytes, webhook: int, number: int) -> bool:
    return next(between(rows, prefix, webhook, number, number + 1), None) is not None


def between(rows: Rows, prefix: bytes, webhook: int, first: int, end: int) -> Iterator[int]:
    """Numbers of rows under the prefix, from `first` to before `end`."""
    if first >= end:
        return
    after = keyspace.owned_numbered(prefix, webhook, first - 1) if first else b""
    for key, _ in rows(keyspace.owned(prefix, webhook), after):
        number = key_fields.number(key)
        if number >= end:
            return
        yield number

"""Commands for everything that a webhook holds: effective at once, carried out in steps.

A webhook may hold a hundred thousand deliveries. Discarding them, or queuing all dead letters
again, therefore only writes down in the state up to which number they are meant, and moves the
counters. From then on every reader takes them for what they are to become: numbers only rise, so
what a command means is a stretch of the queue that is passed over by one look-up. The rows are
moved in steps, which timed/moving.py makes as long as there is a MOVE row in the due index.

A delivery is discarded rather than queued again if both commands mean it: the later one is the one
for discarding, or it became a dead letter after that and has a higher number.

Each kind of dead letters has rows and a stretch of its own (dead_letters/kinds.py), since a command
may put back one kind and leave another.
"""

from collections.abc import Callable, Iterator
from heapq import merge

from hookbundle.engine.delivery.states import DEAD_LETTER, QUEUED, DeliveryState
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Moving, WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.dead_letters.kinds import Meant, Stretch

NO_END = 2**63

# `rows` of a unit or of a read transaction: keys and values under a prefix, after a key.
Rows = Callable[[bytes, bytes], Iterator[tuple[bytes, bytes]]]


# ---- what callers see


def prefix_of(delivery: Delivery) -> bytes:
    """Where the row of the delivery, which waits, is."""
    if delivery.state == QUEUED:
        return keyspace.QUEUED
    return kinds.kind_of(delivery)


def is_discarded(state: WebhookState, number: int) -> bool:
    """Whether the delivery, which is still among those that wait, is discarded."""
    moving = state.moving
    return moving is not None and number < moving.discard_before and number != moving.discard_but


def is_returned(state: WebhookState, number: int, prefix: bytes) -> bool:
    """Whether the delivery, which is still among the dead letters, is queued."""
    moving = state.moving
    return (
        moving is not None
        and kinds.stretch_of(moving, prefix).has(number)
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
    if stored is DEAD_LETTER and is_returned(state, delivery.number, prefix_of(delivery)):
        return QUEUED
    return stored


def rejections_of(state: WebhookState, delivery: Delivery) -> int:
    """How many rejections count. Enabling and another URL begin at 0, for all at once."""
    is_past = delivery.rejections_epoch != state.epoch
    return 0 if is_past or is_back(state, delivery) else delivery.rejections


def is_back(state: WebhookState, delivery: Delivery) -> bool:
    """Whether it is queued again, and stored as a dead letter still."""
    return delivery.state == DEAD_LETTER and state_of(state, delivery) is QUEUED


def as_seen(state: WebhookState, delivery: Delivery) -> Delivery:
    """The delivery, changed to what it is for every caller."""
    delivery.rejections = rejections_of(state, delivery)
    delivery.state = state_of(state, delivery).value
    if delivery.state != DEAD_LETTER:
        delivery.dead_reason = ""
    return delivery


def numbers(
    rows: Rows, state: WebhookState, webhook: int, prefix: bytes, after: int = 0
) -> Iterator[int]:
    """Numbers above `after` of what is queued, or a dead letter, for every caller, in their order.

    `prefix`: QUEUED or DEAD_LETTERS, for those of all kinds.
    """
    first = after + 1
    moving = state.moving
    if moving is None:
        letters = kinds.ALL if prefix == keyspace.DEAD_LETTERS else (prefix,)
        yield from _all_of([between(rows, each, webhook, first, NO_END) for each in letters])
        return
    excepted = moving.discard_but
    if first <= excepted < moving.discard_before and _is(rows, state, webhook, prefix, excepted):
        yield excepted
    first = max(first, moving.discard_before)
    found = [
        each
        for kind in kinds.ALL
        for each in _of_kind(rows, webhook, kind, kinds.stretch_of(moving, kind), first, prefix)
    ]
    if prefix == keyspace.QUEUED:
        found.append(between(rows, prefix, webhook, first, NO_END))
    yield from _all_of(found)


def _of_kind(
    rows: Rows, webhook: int, kind: bytes, back: Stretch, first: int, prefix: bytes
) -> Iterator[Iterator[int]]:
    """Of the rows of a kind of dead letters those that are queued, or that are dead letters."""
    if prefix == keyspace.QUEUED:
        found = between(rows, kind, webhook, max(first, back.first), back.end)
        yield (number for number in found if number != back.but)
        return
    yield between(rows, kind, webhook, first, back.first)
    if max(first, back.first) <= back.but < back.end:
        yield between(rows, kind, webhook, back.but, back.but + 1)
    yield between(rows, kind, webhook, max(first, back.end), NO_END)


def _all_of(found: list[Iterator[int]]) -> Iterator[int]:
    return found[0] if len(found) == 1 else merge(*found)


# ---- commands


def discard_all(unit: Unit, webhook: Webhook) -> tuple[Meant, Delivery | None]:
    """What waits is discarded, but for the delivery whose attempt is under way, which is returned.

    Raises: CorruptRecord, with nothing written.
    """
    state = unit.state(webhook.number)
    meant = Meant(
        state.queued + state.dead_letters, state.queued_messages + state.dead_letter_messages
    )
    kept = in_flight(unit, webhook.number, state)
    if kept is not None and state_of(state, kept) is not QUEUED:
        kept = None  # it is no longer among those that wait
    if kept is not None:
        meant = Meant(meant.deliveries - 1, meant.messages - kept.messages)
    if not meant.deliveries:
        return meant, kept
    unit.meta.queued -= state.queued - (kept is not None)
    unit.meta.dead_letters -= state.dead_letters
    unit.meta.totals.discarded += meant.deliveries
    state.queued, state.queued_messages = (1, kept.messages) if kept else (0, 0)
    moving = marks_of(unit, webhook, state)
    moving.discard_before = unit.meta.delivery_next
    moving.discard_but = kept.number if kept else 0
    for kind in kinds.ALL:
        kinds.take_all(state, kind)
        kinds.mark(moving, kind, Stretch(0, 0, 0))  # they are discarded now
    return meant, kept


def return_all(unit: Unit, webhook: Webhook, meant: tuple[bytes, ...] = kinds.ALL) -> Meant:
    """All dead letters are queued again, each in its old position, with no rejections counted.

    Of the kinds that are `meant`.
    """
    state = unit.state(webhook.number)
    held = [kinds.held(state, kind) for kind in meant]
    count, messages = sum(each.deliveries for each in held), sum(each.messages for each in held)
    if not count:
        return Meant(0, 0)
    unit.meta.queued += count
    unit.meta.dead_letters -= count
    state.queued += count
    state.queued_messages += messages
    marks, flight = marks_of(unit, webhook, state), state.flight
    for kind in meant:
        kinds.take_all(state, kind)
        but = 0
        if flight is not None:  # what becomes a dead letter with the end of this attempt stays one
            but = flight.instead_of if kind == kinds.FAILING else flight.delivery
        kinds.mark(marks, kind, Stretch(0, unit.meta.delivery_next, but))
    return Meant(count, messages)


def begun(state: WebhookState, number: int) -> None:
    """An attempt of the delivery begins, of the head of the queue or of the next one.

    All with lower numbers have had their turn. One that becomes a dead letter now stays one.
    """
    moving = state.moving
    if moving is None:
        return
    for kind in kinds.ALL:
        back = kinds.stretch_of(moving, kind)
        if back.first <= number < back.end:
            kinds.pass_by(moving, kind, number)


def finish(unit: Unit, webhook: int, state: WebhookState) -> None:
    """All rows are where they belong."""
    state.moving = None
    unit.delete_due(Due(0, DueKind.MOVE, webhook))


def marks_of(unit: Unit, webhook: Webhook, state: WebhookState) -> Moving:
    """The webhook's marks; from now on it has some, and steps that carry them out."""
    if state.moving is None:
        state.moving = Moving()
        unit.put_due(Due(0, DueKind.MOVE, webhook.number))
    return state.moving


def in_flight(unit: Unit, webhook: int, state: WebhookState) -> Delivery | None:
    """The delivery whose attempt is under way, whatever became of it meanwhile."""
    if state.flight is None:
        return None
    key = keyspace.owned_numbered(keyspace.DELIVERIES, webhook, state.flight.delivery)
    return unit.get(key, Delivery)


def _is(rows: Rows, state: WebhookState, webhook: int, prefix: bytes, number: int) -> bool:
    """Whether this one is queued, or a dead letter, for every caller."""
    kind = next((kind for kind in kinds.ALL if _has(rows, kind, webhook, number)), None)
    if kind is not None and is_returned(state, number, kind):
        return prefix == keyspace.QUEUED
    if prefix == keyspace.DEAD_LETTERS:
        return kind is not None
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

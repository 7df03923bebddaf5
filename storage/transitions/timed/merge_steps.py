"""The steps of a merge: each makes some bundles of what waits, and remembers where it is.

It walks the queue as it was when the merge was asked for, from the oldest on. At each delivery that
was never attempted it gathers those of the same chat behind it, up to the limits of a bundle. What
is cut off is met later, in its own place. Nothing moves past a delivery of its chat: one that was
attempted, or can't be read, ends what is gathered. Each bundle is made in one transaction, so a
crash or a command between two steps finds a queue that is in order.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.limits import STEP_WEIGHT
from hookbundle.engine.messages import joining
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import Merging, WebhookState
from hookbundle.storage.database.rows import READ_WEIGHT
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, erasures, moving, readiness
from hookbundle.storage.tables.merging import merges
from hookbundle.storage.tables.merging.merges import Found
from hookbundle.storage.transitions import switching
from hookbundle.storage.transitions.timed.readable import readable

MESSAGES_AT_ONCE = 500  # that a step reads; the bundle that passes it is its last
CHAT_ROWS_MAX = 2_000  # of a chat, among which more of it is looked for


class MergeStep(msgspec.Struct, frozen=True):
    """Goes on with the webhook's merge: looks at up to `most` deliveries of the queue."""

    webhook: int
    most: int
    now_ms: int
    product_name: str


class Merged(msgspec.Struct, frozen=True):
    """`wake`: webhooks that may send again."""

    finished: bool
    wake: tuple[int, ...] = ()


def merge_step(unit: Unit, transition: MergeStep) -> Merged:
    """Raises: NotFound if the webhook is gone."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    state = unit.state(webhook.number)
    merge = state.merging
    if merge is None:
        unit.delete_due(merges.due_of(webhook))
        return Merged(finished=True)
    unit.usage(webhook.workspace)  # now, so that a damaged one ends the step before its first write
    unit.advance_time(transition.now_ms)
    left, messages = transition.most, MESSAGES_AT_ONCE
    heavy = unit.weight + STEP_WEIGHT
    while left > 0 and messages > 0 and unit.weight < heavy:
        number = _next(unit, webhook, state, merge)
        if number is None:
            _finish(unit, settings, webhook, merge, transition.now_ms)
            return Merged(True, (webhook.number,) if state.ready else ())
        merge.place = number + 1
        found = _gathered(unit, webhook, state, merge, number)
        if len(found) > 1:
            merges.join(unit, settings, webhook, found, transition.product_name, transition.now_ms)
            merge.made += 1
            merge.merged += len(found)
            merge.messages += sum(each.delivery.messages for each in found)
        left -= max(len(found), 1)
        messages -= sum(each.delivery.messages for each in found)
    return Merged(finished=False)


def _finish(unit: Unit, settings: Settings, webhook: Webhook, merge: Merging, now_ms: int) -> None:
    state, caller = unit.state(webhook.number), merge.caller
    merges.end(unit, settings, webhook, now_ms, stopped=False)
    if merge.enable and webhook.url:
        switching.start_over(unit, settings, webhook, now_ms, caller)
        if not state.enabled:
            switching.switch_on(unit, settings, webhook, now_ms, caller)
    readiness.reconcile(unit, webhook, state)


def _next(unit: Unit, webhook: Webhook, state: WebhookState, merge: Merging) -> int | None:
    """The number of the next delivery of the queue that is meant."""
    after = merge.place - 1
    numbers = moving.numbers(unit.rows, state, webhook.number, keyspace.QUEUED, after)
    number = next(numbers, None)
    return None if number is None or number >= merge.before else number


def _gathered(
    unit: Unit, webhook: Webhook, state: WebhookState, merge: Merging, number: int
) -> list[Found]:
    """The delivery, and those of its chat behind it that go into one bundle with it."""
    first = _found(unit, webhook, state, merge, number)
    if first is None:
        return []
    most, size = merges.bounds_of(webhook)
    found, count, weight = [first], first.delivery.messages, first.part.weight
    for each in _behind(unit, webhook, first.delivery, merge.before):
        unit.weight += READ_WEIGHT
        delivery = readable(unit, webhook, each)
        if delivery is not None and _is_past(state, delivery):
            continue
        if delivery is None or count + delivery.messages > most:
            break
        more = _found(unit, webhook, state, merge, each, is_new=False)
        if more is None or weight + more.part.weight > size:
            break
        found.append(more)
        count, weight = count + delivery.messages, weight + more.part.weight
    return found


def _behind(unit: Unit, webhook: Webhook, delivery: Delivery, before: int) -> Iterator[int]:
    """Numbers of the chat's deliveries after this one, whatever became of them."""
    chat = delivery.chat_id.encode()
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, webhook.workspace, chat)
    last = keyspace.chat_delivery(webhook.workspace, chat, delivery.number, 2**32 - 1)
    for key, _ in islice(unit.rows(prefix, last), CHAT_ROWS_MAX):
        unit.weight += 1  # those of other webhooks cost their time as well
        number, owner = key_fields.chat_delivery(key)
        if number >= before:
            return
        if owner == webhook.number:
            yield number


def _is_past(state: WebhookState, delivery: Delivery) -> bool:
    """Whether it does not wait in the queue, so that what is behind it may go before it."""
    return moving.state_of(state, delivery) is not DeliveryState.QUEUED and not delivery.resending


def _found(
    unit: Unit,
    webhook: Webhook,
    state: WebhookState,
    merge: Merging,
    number: int,
    *,
    is_new: bool = True,
) -> Found | None:
    """None if it may not be merged. A damaged one is counted where the walk itself meets it."""
    unit.weight += READ_WEIGHT
    delivery = readable(unit, webhook, number)
    if delivery is None:
        merge.damaged += is_new
        return None
    is_erased = erasures.is_erased(unit, webhook, delivery)
    if is_erased or not merges.may_be_merged(state, delivery):
        return None
    try:
        body, kept = bodies.read_all(unit.get_raw, webhook.number, number, delivery.body_bytes)
        part = joining.part_of(body, bodies.arrivals_of(delivery, kept))
    except (CorruptRecord, msgspec.MsgspecError, ValueError):
        merge.damaged += is_new
        return None
    unit.weight += delivery.messages
    return Found(delivery, body, kept, part)

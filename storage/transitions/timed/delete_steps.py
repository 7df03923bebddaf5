"""Erases what a deleted webhook had, delivery by delivery, in steps that leave room for intake.

Its windows go first, with the steps of retiming.py. Every counter stays true at each step, so that
nothing but the time it takes tells a webhook that is being erased from any other.
"""

from itertools import islice

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage import webhook_facts
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import detailed_log, history, moving, queue
from hookbundle.storage.tables.arrivals import rows as arrivals
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.repeating import replays, resends

STEP_BYTES_MAX = 4 * 1024 * 1024
WAITS = (DeliveryState.QUEUED, DeliveryState.DEAD_LETTER)


class DeleteStep(msgspec.Struct, frozen=True):
    """Erases up to `most` deliveries of a deleted webhook."""

    webhook: int
    most: int
    now_ms: int


class WebhookErasing(msgspec.Struct, frozen=True):
    finished: bool


def delete_step(unit: Unit, transition: DeleteStep) -> WebhookErasing:
    """Raises: NotFound if nothing of the webhook is left."""
    settings, webhook = unit.any_webhook_numbered(transition.webhook)
    unit.usage(webhook.workspace)  # now, so that a damaged one ends the step before its first write
    unit.advance_time(transition.now_ms)
    budget = history.Budget(transition.most, STEP_BYTES_MAX)
    _erase_logs(unit, webhook)
    heads = unit.rows(keyspace.owned(keyspace.DELIVERIES, webhook.number))
    for key, value in list(islice(heads, transition.most)):
        size = _erase(unit, webhook, key_fields.number(key), codec.readable(key, value, Delivery))
        budget.spend(size.weight, size.rows, records=1)
        if budget.is_spent():
            return WebhookErasing(finished=False)
    if not _erase_arrivals(unit, webhook, transition.most):
        return WebhookErasing(finished=False)
    _erase_the_rest(unit, settings, webhook, transition.now_ms)
    return WebhookErasing(finished=True)


def _erase(unit: Unit, webhook: Webhook, number: int, delivery: Delivery | None) -> history.Size:
    """The delivery is gone with all of it. Returns what it had."""
    if delivery is None:  # `check` has named it; of its text nothing may stay
        history.delete_unreadable(unit, webhook.number, number)
        for prefix in (*kinds.ALL, keyspace.QUEUED, keyspace.RESENDS):
            unit.delete(keyspace.owned_numbered(prefix, webhook.number, number))
        return history.Size(0, history.ROWS_MAX)
    size = history.size_of(delivery)
    if delivery.state in WAITS:
        if queue.state_of(unit, webhook.number, delivery) is not DeliveryState.DISCARDED:
            unit.meta.totals.discarded += 1  # else it was counted by the command that discarded it
        queue.remove(unit, webhook, delivery, size.weight)
        history.delete(unit, webhook, delivery)
        return size
    if delivery.resending:
        resends.take_out(unit, webhook, delivery, "dropped")
    history.trim(unit, webhook, delivery)
    return size


def _erase_arrivals(unit: Unit, webhook: Webhook, most: int) -> bool:
    """True if none is left."""
    found = list(islice(unit.rows(keyspace.owned(keyspace.ARRIVALS, webhook.number)), most))
    for key, value in found:
        arrivals.delete(unit, webhook.workspace, key, len(value))
    return len(found) < most


def _erase_logs(unit: Unit, webhook: Webhook) -> None:
    """The two logs, which are short, are gone before the deliveries that they show."""
    detailed_log.erase(unit, webhook)
    unit.delete_rows(keyspace.owned(keyspace.ACTIONS, webhook.number), history.ROWS_MAX)


def _erase_the_rest(unit: Unit, settings: Settings, webhook: Webhook, now_ms: int) -> None:
    """No record of the webhook is left. The list of replays is short."""
    number, state = webhook.number, unit.state(webhook.number)
    if state.moving is not None:
        moving.finish(unit, number, state)
    for key, replay in replays.all_of(unit, webhook.workspace):
        if replay is not None and replay.webhook == number:
            unit.delete(key)
    unit.delete_rows(keyspace.owned(keyspace.PLACES, number), history.ROWS_MAX)  # of damaged ones
    unit.delete_due(Due(0, DueKind.DELETE, number))
    unit.forget_webhook(settings, webhook)
    arrivals.schedule_oldest(unit, unit.workspace_numbered(webhook.workspace))
    unit.tell(settings.workspace, webhook_facts.WebhookErased(), now_ms, webhook=webhook.id)

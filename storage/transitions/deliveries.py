"""What people do to a delivery: retry it, or discard it.

A dead letter that is retried is back in its old position in the queue, ahead of everything that
was sealed after it, its rejections forgotten. The wait after an error belongs to the webhook, not
to one delivery; so a retry ends the wait, and the head of the queue goes first. It does not pass
rate and budget of the webhook, and its answer says until when they keep it waiting.
The count of consecutive errors stays: only a success or enabling the webhook sets it to 0.
"""

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage import facts
from hookbundle.storage.database.delivery_records import Action, Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import OUTBOUND, Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.facts import Was
from hookbundle.storage.tables import activity, erasures, moving, queue, readiness
from hookbundle.storage.tables.merging import places
from hookbundle.storage.tables.pacing import pace
from hookbundle.storage.tables.repeating import resends
from hookbundle.storage.transitions.repeating import resending

DISCARDED = DeliveryState.DISCARDED
WAITS: dict[str, Was] = {DeliveryState.QUEUED: "queued", DeliveryState.DEAD_LETTER: "dead_letter"}


class RetryDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """`webhook_id`: the delivery's."""

    workspace_id: str
    webhook_id: str = OUTBOUND
    number: int
    now_ms: int
    caller: str


class RetryDeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """All dead letters of the webhook: effective at once, carried out in steps."""

    workspace_id: str
    webhook_id: str = OUTBOUND
    now_ms: int
    caller: str


class Retried(msgspec.Struct, frozen=True):
    """`returned`: how many dead letters are queued again, of `messages` messages.

    `wake`: webhooks that have something to send. `waits_until_ms`: rate and budget let nothing go
    before; 0: they do.
    """

    returned: int
    messages: int
    wake: tuple[int, ...]
    waits_until_ms: int = 0


class DiscardDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that began before `alive_since_ms` is not under way: its daemon has died.

    `webhook_id`: the delivery's.
    """

    workspace_id: str
    webhook_id: str = OUTBOUND
    number: int
    reason: str
    alive_since_ms: int
    now_ms: int
    caller: str


class Discarded(msgspec.Struct, frozen=True):
    chat_id: str
    messages: int
    was: Was


def retry_delivery(unit: Unit, transition: RetryDelivery) -> Retried:
    """Raises: NotFound; Conflict for one that has ended, or is of a webhook that sends nothing."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.named(transition.webhook_id)
    state = unit.state(webhook.number)
    delivery, was = _find(unit, webhook, transition.number)
    if was != "dead_letter" and not (state.enabled and webhook.url):
        code = Code.WEBHOOK_DISABLED if webhook.url else Code.NO_WEBHOOK_URL
        raise Conflict.of(code, workspace=settings.workspace.id)
    waited = state.next_attempt_ms > transition.now_ms
    state.next_attempt_ms = 0
    if was == "dead_letter":
        queue.requeue(unit, webhook, delivery)
    if waited or was == "dead_letter":
        fact = facts.DeliveryRetried(
            delivery=queue.delivery_id(webhook.number, delivery),
            was=was,
            messages=delivery.messages,
            caller=transition.caller,
        )
        unit.tell(settings.workspace, fact, transition.now_ms, delivery.chat_id, webhook.id)
        detail = f"by {transition.caller}"
        activity.add_of(
            unit,
            webhook.number,
            delivery,
            transition.now_ms,
            action="retried",
            outcome="queued",
            detail=detail,
        )
    waits_until_ms = _judge(unit, settings, webhook, state, transition.now_ms)
    readiness.reconcile(unit, webhook, state)
    returned = int(was == "dead_letter")
    wake = (webhook.number,) if state.ready else ()
    return Retried(returned, delivery.messages, wake, waits_until_ms)


def retry_dead_letters(unit: Unit, transition: RetryDeadLetters) -> Retried:
    """Raises: NotFound."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.named(transition.webhook_id)
    state = unit.state(webhook.number)
    returned = moving.return_all(unit, webhook)
    if returned.deliveries:
        state.next_attempt_ms = 0
        fact = facts.DeliveryRetried(
            deliveries=returned.deliveries, messages=returned.messages, caller=transition.caller
        )
        unit.tell(settings.workspace, fact, transition.now_ms, webhook=webhook.id)
        action = Action(
            at_ms=transition.now_ms,
            action="retried",
            messages=returned.messages,
            outcome="queued",
            detail=f"{returned.deliveries} dead letters, by {transition.caller}",
        )
        activity.add(unit, webhook.number, action)
    waits_until_ms = _judge(unit, settings, webhook, state, transition.now_ms)
    readiness.reconcile(unit, webhook, state)
    wake = (webhook.number,) if state.ready else ()
    return Retried(returned.deliveries, returned.messages, wake, waits_until_ms)


def discard_delivery(unit: Unit, transition: DiscardDelivery) -> Discarded:
    """Raises: NotFound; Conflict if it has ended, or while it is being sent."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.named(transition.webhook_id)
    state = unit.state(webhook.number)
    delivery, was = _find(unit, webhook, transition.number)
    delivery_id = queue.delivery_id(webhook.number, delivery)
    if queue.is_under_way(state, delivery.number, transition.alive_since_ms):
        raise Conflict.of(Code.BEING_SENT, delivery=delivery_id)
    if was == "resending":
        resending.end_resend(
            unit,
            settings,
            webhook,
            delivery,
            reason=transition.reason,
            caller=transition.caller,
            now_ms=transition.now_ms,
        )
        readiness.reconcile(unit, webhook, state)
        return Discarded(delivery.chat_id, delivery.messages, was)
    delivery.discarded_by, delivery.discard_reason = transition.caller, transition.reason
    queue.end(unit, webhook, delivery, DISCARDED, transition.now_ms)
    unit.meta.totals.discarded += 1
    unit.tell(
        settings.workspace,
        facts.DeliveryDiscarded(
            delivery=delivery_id,
            was=was,
            deliveries=1,
            messages=delivery.messages,
            reason=transition.reason,
            caller=transition.caller,
        ),
        transition.now_ms,
        delivery.chat_id,
        webhook.id,
    )
    detail = f"{transition.reason}, by {transition.caller}"
    activity.add_of(
        unit,
        webhook.number,
        delivery,
        transition.now_ms,
        action="discarded",
        outcome="discarded",
        detail=detail,
    )
    readiness.reconcile(unit, webhook, state)
    return Discarded(delivery.chat_id, delivery.messages, was)


def merged_away(webhook: Webhook, delivery: Delivery) -> Conflict:
    """What is said of one whose messages are in another one now."""
    delivery_id = queue.delivery_id(webhook.number, delivery)
    return Conflict.of(Code.WAS_MERGED, delivery=delivery_id, into=delivery.merged_into)


def _judge(
    unit: Unit, settings: Settings, webhook: Webhook, state: WebhookState, now_ms: int
) -> int:
    """Until when rate and budget keep what was retried waiting; 0: they don't."""
    may_send = state.enabled and bool(webhook.url) and readiness.has_work(state)
    if not pace.is_paced(webhook) or state.flight is not None or not may_send:
        return 0
    pace.judge(unit, settings, webhook, state, now_ms)
    return state.paced_ms


def _find(unit: Unit, webhook: Webhook, number: int) -> tuple[Delivery, Was]:
    delivery = places.find(unit, webhook.number, number)
    if delivery is not None and not erasures.is_erased(unit, webhook, delivery):
        state = unit.state(webhook.number)
        if resends.is_waiting(state, delivery):
            return delivery, "resending"
        was = WAITS.get(moving.state_of(state, delivery))
        if was is not None:
            return delivery, was
        if delivery.merged_into:
            raise merged_away(webhook, delivery)
        raise Conflict.of(Code.NOT_WAITING, delivery=queue.delivery_id(webhook.number, delivery))
    epoch = delivery.epoch if delivery else unit.identity.epoch
    raise NotFound.of(Code.NO_DELIVERY, delivery=queue.id_of(epoch, webhook.number, number))

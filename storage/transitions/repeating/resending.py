"""A delivered delivery is sent once more, because a person asks for it: same id, same bytes.

It stays delivered. Its place in the queue is its old one: before everything that was sealed after
it, and after the one that is being sent.
"""

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage import facts
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, erasures, queue, readiness
from hookbundle.storage.tables.merging import places
from hookbundle.storage.tables.repeating import resends


class ResendDelivery(msgspec.Struct, frozen=True, kw_only=True):
    workspace_id: str
    delivery_id: str
    now_ms: int
    caller: str


class Resent(msgspec.Struct, frozen=True):
    """`wake`: webhooks that have something to send."""

    chat_id: str
    messages: int
    wake: tuple[int, ...]


def resend_delivery(unit: Unit, transition: ResendDelivery) -> Resent:
    """One that waits to be resent already is left as it is.

    Raises: NotFound, also for one that was trimmed; Conflict if it was never delivered, if its
    webhook has no URL, or while rows of ended resends are still there.
    """
    settings = unit.workspace(transition.workspace_id)
    webhook, delivery = _find(unit, settings, transition.delivery_id)
    state = unit.state(webhook.number)
    if not webhook.url:
        raise Conflict.of(Code.NO_WEBHOOK_URL, workspace=settings.workspace.id)
    if not resends.is_waiting(state, delivery):
        if resends.are_ending(state):
            raise Conflict.of(Code.RESENDS_ENDING, workspace=settings.workspace.id)
        resends.begin(unit, webhook, delivery)
        fact = facts.DeliveryResendAsked(
            delivery=transition.delivery_id, messages=delivery.messages, caller=transition.caller
        )
        unit.tell(settings.workspace, fact, transition.now_ms, delivery.chat_id, webhook.id)
        detail = f"by {transition.caller}"
        activity.add_of(
            unit,
            webhook.number,
            delivery,
            transition.now_ms,
            action="resend asked for",
            outcome="resending",
            detail=detail,
        )
    readiness.reconcile(unit, webhook, state)
    wake = (webhook.number,) if state.ready else ()
    return Resent(delivery.chat_id, delivery.messages, wake)


def end_resend(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    delivery: Delivery,
    *,
    reason: str,
    caller: str,
    now_ms: int,
) -> None:
    """The resend, which waits, is given up; its delivery stays delivered.

    Not while it is being sent: an attempt of it that is not over was lost with its daemon.
    """
    state = unit.state(webhook.number)
    if state.flight is not None and state.flight.delivery == delivery.number:
        state.flight = None
    resends.end(unit, webhook, delivery, "dropped")
    fact = facts.DeliveryResendEnded(
        delivery=queue.delivery_id(webhook.number, delivery),
        deliveries=1,
        messages=delivery.messages,
        reason=reason,
        caller=caller,
    )
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id, webhook.id)
    detail = f"{reason}, by {caller}"
    activity.add_of(
        unit,
        webhook.number,
        delivery,
        now_ms,
        action="resend given up",
        outcome="delivered",
        detail=detail,
    )


def _find(unit: Unit, settings: Settings, delivery_id: str) -> tuple[Webhook, Delivery]:
    """A delivery that was delivered. Raises: NotFound; Conflict."""
    epoch, owner, number = queue.parse_delivery_id(delivery_id)
    webhook = settings.webhook_or_none(owner)
    if webhook is None or number >= unit.meta.delivery_next:
        raise NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
    delivery = places.find(unit, webhook.number, number)
    if delivery is None or erasures.is_erased(unit, webhook, delivery):
        raise NotFound.of(Code.DELIVERY_TRIMMED, delivery=delivery_id)
    if delivery.epoch != epoch:  # another database gave the same number
        raise NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
    found = queue.state_of(unit, webhook.number, delivery)
    if found is DeliveryState.DISCARDED:
        raise Conflict.of(Code.DISCARDED_NOT_RESENT, delivery=delivery_id)
    if found is DeliveryState.MERGED:
        raise Conflict.of(Code.WAS_MERGED, delivery=delivery_id, into=delivery.merged_into)
    if found is not DeliveryState.DELIVERED:
        raise Conflict.of(Code.NOT_DELIVERED_YET, delivery=delivery_id)
    return webhook, delivery

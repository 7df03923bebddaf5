"""What became of the messages of a delivery, from its head and the state of its webhook."""

from typing import assert_never

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.messages.became import Became, BecameCode
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.tables import queue
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.rendering import skipping
from hookbundle.storage.tables.repeating import resends

BY_ERRORS = "errors"
DEAD = {
    kinds.REJECTED: BecameCode.REJECTED,
    kinds.FAILING: BecameCode.RECEIVER_FAILS,
    kinds.UNRENDERABLE: BecameCode.NOT_RENDERED,
}


def of_delivery(
    webhook: Webhook, state: WebhookState, delivery: Delivery, moment: Moment
) -> Became:
    """`delivery` as it is seen (tables/moving.py)."""
    found = DeliveryState(delivery.state)
    match found:
        case DeliveryState.QUEUED | DeliveryState.IN_FLIGHT:
            return _of_queued(webhook, state, delivery, moment)
        case DeliveryState.DELIVERED:
            return _of_delivered(state, delivery)
        case DeliveryState.DEAD_LETTER:
            return Became(
                code=DEAD[kinds.kind_of(delivery)],
                error=delivery.last_error,
                rejections=delivery.rejections,
                status=delivery.status,
            )
        case DeliveryState.DISCARDED:
            return _of_discarded(state, delivery)
        case DeliveryState.MERGED:
            into = delivery.merged_into
            return Became(code=BecameCode.MERGED, at_ms=delivery.ended_ms, reason=into)
        case _:
            assert_never(found)


def of_overflow(state: WebhookState, became: Became) -> Became:
    """Why the webhook was full, where that can still be seen: it was disabled then, and is."""
    if state.enabled or not 0 < state.disabled_ms <= became.at_ms:
        return became
    by_errors = state.disabled_reason == BY_ERRORS
    code = BecameCode.OVERFLOWED_BY_ERRORS if by_errors else BecameCode.OVERFLOWED_BY_A_PERSON
    return msgspec.structs.replace(became, code=code)


def _of_delivered(state: WebhookState, delivery: Delivery) -> Became:
    """The last answer is that of a resend, if there was one."""
    at_ms = delivery.ended_ms
    if resends.is_waiting(state, delivery):
        return Became(code=BecameCode.RESENDING, at_ms=at_ms)
    if resends.has_failed(state, delivery):
        return Became(code=BecameCode.RESEND_FAILED, at_ms=at_ms, error=delivery.last_error)
    return Became(code=BecameCode.DELIVERED, at_ms=at_ms, status=delivery.status)


def _of_queued(webhook: Webhook, state: WebhookState, delivery: Delivery, moment: Moment) -> Became:
    if queue.is_under_way(state, delivery.number, moment.alive_since_ms):
        began_ms = state.flight.began_ms if state.flight else 0
        return Became(code=BecameCode.SENDING, at_ms=began_ms)
    if not state.enabled:
        by_errors = state.disabled_reason == BY_ERRORS
        return Became(
            code=BecameCode.DISABLED_BY_ERRORS if by_errors else BecameCode.DISABLED_BY_A_PERSON,
            at_ms=state.disabled_ms,
            error=state.last_error,
            errors=state.consecutive_errors,
        )
    if not webhook.url:
        return Became(code=BecameCode.NO_URL)
    if state.paced_ms > max(state.next_attempt_ms, moment.now_ms):
        return Became(code=BecameCode.OVER_BUDGET, next_ms=state.paced_ms)
    if state.rests_until_ms > moment.now_ms:
        return Became(code=BecameCode.RENDERING_RESTS, next_ms=state.rests_until_ms)
    if state.next_attempt_ms > moment.now_ms:
        return Became(
            code=BecameCode.BACKING_OFF,
            next_ms=state.next_attempt_ms,
            error=state.last_error,
            errors=state.consecutive_errors,
        )
    return Became(code=BecameCode.QUEUED, at_ms=delivery.sealed_ms)


def _of_discarded(state: WebhookState, delivery: Delivery) -> Became:
    """One that a command for all has discarded may not have been moved yet."""
    at_ms, by, reason = delivery.ended_ms, delivery.discarded_by, delivery.discard_reason
    if not at_ms and state.moving is not None:
        marks = state.moving
        at_ms, by, reason = marks.discarded_ms, marks.discarded_by, marks.discard_reason
    code = BecameCode.DISCARDED if by else BecameCode.DISCARDED_BY_SOMEBODY
    if (by, reason) == skipping.BY_FORMAT:
        code = BecameCode.NO_RECORD
    return Became(code=code, at_ms=at_ms, by=by, reason=reason)

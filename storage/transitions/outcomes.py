"""What the outcome of an attempt changes: delivery, error count, wait, dead letters, disabling."""

from typing import Any, Literal

import msgspec

from hookbundle.engine.delivery import backoff, states, too_large
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import (
    OWN_FAULTS_MAX,
    Cause,
    Delivered,
    Failed,
    Outcome,
    Rejected,
    Unknown,
    counted,
)
from hookbundle.engine.delivery.states import DELIVERED, DELIVERY_MOVES, QUEUED
from hookbundle.storage import daemon_facts, facts
from hookbundle.storage.database.delivery_records import Action, Attempt, Delivery
from hookbundle.storage.database.records import Flight, WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, detailed_log, failing, history, moving, queue
from hookbundle.storage.tables.repeating import resends
from hookbundle.storage.transitions import switching
from hookbundle.storage.transitions.webhooks import warnings

LOST = f"{Cause.STOPPED}: the daemon stopped before the outcome was known"

Told = Literal["delivered", "failed", "dead_letter", "unknown", "resent", "resend_failed"]
FACTS: dict[Told, type[facts.AttemptEnded]] = {
    "delivered": facts.DeliveryDelivered,
    "failed": facts.DeliveryFailed,
    "resent": facts.DeliveryResent,
}


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that is over. `of_the_past`: it is of an earlier epoch of the webhook."""

    flight: Flight
    outcome: Outcome
    result: Attempt
    now_ms: int
    spread: float
    policy: BackoffPolicy
    of_the_past: bool


def apply(
    unit: Unit, settings: Settings, webhook: Webhook, delivery: Delivery, ended: Ended
) -> None:
    """Applies the outcome to the delivery and, unless it is of an earlier epoch, to the webhook."""
    state, flight = unit.state(webhook.number), ended.flight
    outcome = ended.outcome if ended.of_the_past else counted(ended.outcome, state.own_faults)
    weight_before = history.weight(delivery)
    delivery.attempts = flight.attempt
    delivery.status = ended.result.status
    delivery.last_error = _error_of(outcome, delivery)
    detailed_log.add_attempt(unit, webhook, delivery, flight.attempt, ended.result)
    errors = state.consecutive_errors
    if not ended.of_the_past:
        _count(unit, webhook, outcome, ended, delivery.last_error)
    told: Told
    if isinstance(outcome, Delivered) and delivery.resending:
        told = "resent"
        unit.meta.totals.resent += 1
        resends.end(unit, webhook, delivery, "delivered", weight_before)
    elif isinstance(outcome, Delivered):
        told = "delivered"
        unit.meta.totals.delivered += 1
        queue.end(unit, webhook, delivery, DELIVERED, ended.now_ms, weight_before)
    elif isinstance(outcome, Unknown):
        told = "unknown"
        _keep(unit, webhook, delivery, weight_before)
    else:
        unit.meta.totals.failed += 1
        if not ended.of_the_past:
            _blame(unit, webhook, delivery, outcome, flight)
        is_rejected = moving.rejections_of(state, delivery) >= ended.policy.rejections_max
        if is_rejected and delivery.resending:
            told = "resend_failed"
            unit.meta.totals.resends_failed += 1
            resends.end(unit, webhook, delivery, "failed", weight_before)
        elif is_rejected:
            told = "dead_letter"
            queue.move_to_dead_letters(unit, webhook, delivery, weight_before)
        else:
            told = "failed"
            _keep(unit, webhook, delivery, weight_before)
    _tell(unit, settings, webhook, delivery, told, ended.now_ms)
    # Also one that counts, after too many in a row, says nothing of the receiver.
    if flight.instead_of and not isinstance(ended.outcome, Unknown):
        _answer(unit, settings, webhook, ended, delivered=isinstance(outcome, Delivered))
    if state.consecutive_errors > errors:
        warnings.warn(unit, settings, webhook, ended.policy.errors_max, ended.now_ms)
    if state.enabled and state.consecutive_errors > ended.policy.errors_max:
        switching.switch_off(unit, settings, webhook, "errors", ended.now_ms, "hookbundle")


def record_lost(
    unit: Unit, settings: Settings, webhook: Webhook, flight: Flight, now_ms: int
) -> None:
    """An attempt whose end was never recorded: the daemon died, or its actor did."""
    delivery = queue.find(unit, webhook.number, flight.delivery)
    unit.state(webhook.number).flight = None
    if delivery is None or not is_awaited(unit.state(webhook.number), delivery):
        return  # deleted with its chat, or discarded by a person meanwhile
    weight_before = history.weight(delivery)
    delivery.attempts = flight.attempt
    delivery.last_error = LOST
    delivery.status = 0
    result = Attempt(
        at_ms=flight.began_ms,
        url=flight.url,
        request_headers=(),
        outcome="unknown",
        error=delivery.last_error,
    )
    detailed_log.add_attempt(unit, webhook, delivery, flight.attempt, result)
    queue.keep(unit, webhook, delivery, weight_before)
    fact = facts.DeliveryUnknown(
        delivery=queue.delivery_id(webhook.number, delivery),
        attempt=flight.attempt,
        error=delivery.last_error,
    )
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id, webhook.id)


def is_awaited(state: WebhookState, delivery: Delivery) -> bool:
    """Whether the outcome of an attempt at the delivery is still of interest."""
    return delivery.state == QUEUED or resends.is_waiting(state, delivery)


def _error_of(outcome: Outcome, delivery: Delivery) -> str:
    """What is told of the delivery's last attempt; empty if it was delivered."""
    if isinstance(outcome, Delivered):
        return ""
    if isinstance(outcome, Rejected) and outcome.status == too_large.STATUS:
        return too_large.error(delivery.messages, delivery.body_bytes)
    return outcome.error


def _count(unit: Unit, webhook: Webhook, outcome: Outcome, ended: Ended, error: str) -> None:
    """The webhook's counts, its last error and the time of its next attempt."""
    state, asked_ms = unit.state(webhook.number), None
    was_ours = isinstance(ended.outcome, Unknown)
    state.own_faults = min(state.own_faults + 1, OWN_FAULTS_MAX) if was_ours else 0
    if isinstance(outcome, Delivered):
        state.consecutive_errors = 0
        state.last_error = ""
        return
    state.last_error = error
    if isinstance(outcome, Unknown):
        steps = state.own_faults
    else:
        steps = state.consecutive_errors = state.consecutive_errors + 1
        asked_ms = outcome.retry_after_ms if isinstance(outcome, Failed) else None
    wait_ms = backoff.wait_ms(ended.policy, steps, ended.spread, asked_ms)
    state.next_attempt_ms = ended.now_ms + wait_ms


def _blame(
    unit: Unit, webhook: Webhook, delivery: Delivery, outcome: Rejected | Failed, flight: Flight
) -> None:
    """What the receiver said of this delivery; as the head of the queue, if it was not asked."""
    state = unit.state(webhook.number)
    if isinstance(outcome, Rejected):
        delivery.rejections = moving.rejections_of(state, delivery) + 1
        delivery.rejections_epoch = state.epoch
    if not flight.instead_of:
        failing.count(state, delivery, outcome)


def _answer(
    unit: Unit, settings: Settings, webhook: Webhook, ended: Ended, *, delivered: bool
) -> None:
    """Whether it is the head that makes the receiver fail, in the place of which this one went."""
    if ended.of_the_past:
        return
    head = failing.answered(unit, webhook, ended.flight, delivered=delivered)
    if head is not None:
        told: Told = "resend_failed" if head.state == DELIVERED else "dead_letter"
        _tell(unit, settings, webhook, head, told, ended.now_ms, "receiver_fails")


def _keep(unit: Unit, webhook: Webhook, delivery: Delivery, weight_before: int) -> None:
    """The delivery stays where it is in its queue, to be attempted again."""
    if not delivery.resending:
        before = queue.state_of(unit, webhook.number, delivery)
        states.move(DELIVERY_MOVES, before, QUEUED)
    queue.keep(unit, webhook, delivery, weight_before)


def _tell(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    delivery: Delivery,
    outcome: Told,
    now_ms: int,
    reason: Literal["", "receiver_fails"] = "",
) -> None:
    """`reason`: this is not about the attempt that has ended, but about the head before it."""
    state, status, error = unit.state(webhook.number), delivery.status, delivery.last_error
    of_it: dict[str, Any] = {
        "delivery": queue.delivery_id(webhook.number, delivery),
        "attempt": delivery.attempts,
        "messages": delivery.messages,
        "status": status,
        "error": error,
        "errors": state.consecutive_errors,
        "next_attempt": state.next_attempt_ms,
    }
    fact: daemon_facts.Fact
    match outcome:
        case "unknown":
            fact = facts.DeliveryUnknown(**of_it, own_faults=state.own_faults)
        case "dead_letter":
            fact = facts.DeliveryDeadLettered(**of_it, reason=reason or "rejected")
        case "resend_failed":
            fact = facts.DeliveryResendFailed(**of_it, reason=reason or "rejected")
        case _:
            fact = FACTS[outcome](**of_it)
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id, webhook.id)
    said = error or f"status {status}"
    action = Action(
        at_ms=now_ms,
        action="bundle" if delivery.bundle else "message",
        chat_id=delivery.chat_id,
        messages=delivery.messages,
        outcome=outcome,
        detail=f"{reason}: {said}, and the receiver took the next one" if reason else said,
        logged=0 if reason else state.log_next,  # the attempt is the newest entry
        delivery=delivery.number,
        attempt=delivery.attempts,
    )
    activity.add(unit, webhook.number, action)

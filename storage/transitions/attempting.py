"""Attempts: begun before the first byte leaves, finished with everything their outcome changes.

The attempt's record, the error count, the wait, the dead letter and the disabling with its e-mail
are one transition, so no crash can come between them. An attempt that was begun and never finished
is found at the next begin: its outcome is unknown, it is no error, and the delivery is sent again
with the same id and the same bytes.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from hookbundle.engine.delivery import backoff, states
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome, Rejected, Unknown
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.engine.delivery.urls import shown_url
from hookbundle.engine.errors import Code, Conflict
from hookbundle.storage import facts
from hookbundle.storage.database.delivery_records import Action, Attempt, Delivery
from hookbundle.storage.database.records import Flight, Webhook, WebhookState
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import (
    activity,
    bodies,
    detailed_log,
    erasures,
    history,
    moving,
    queue,
    readiness,
)
from hookbundle.storage.transitions import switching

FACTS: dict[str, type[facts.AttemptEnded] | type[facts.DeliveryUnknown]] = {
    "delivered": facts.DeliveryDelivered,
    "failed": facts.DeliveryFailed,
    "parked": facts.DeliveryParked,
    "unknown": facts.DeliveryUnknown,
}


class BeginAttempt(msgspec.Struct, frozen=True):
    """Asks for the next delivery of the webhook, if one may be sent now."""

    webhook: int
    now_ms: int


class FinishAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of the attempt, and all of it but the body, which is stored already.

    `go_on`: the answer shall be the next delivery.

    `spread` in [-1, 1] is the draw of the jitter: the caller's, as a transition has no randomness.
    """

    webhook: int
    delivery: int
    attempt: int
    outcome: Outcome
    result: Attempt
    now_ms: int
    spread: float
    policy: BackoffPolicy
    go_on: bool


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery to send now. Secrets come newest first.

    `errors`: how many in a row came before it. `is_first`: the webhook was never called before.
    """

    delivery_id: str
    delivery: Delivery
    body: bytes
    attempt: int
    url: str
    success: Literal["200", "2xx"]
    secrets: tuple[str, ...]
    workspace: int
    errors: int
    is_first: bool


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The queue begins with deliveries of deleted chats; some are erased, others may be left."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing may be sent now. The transition that changes this wakes the webhook."""


def begin_attempt(unit: Unit, transition: BeginAttempt) -> Begun | AskAgain | Idle:
    """Raises: NotFound if the webhook is gone."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    state = unit.state(webhook.number)
    if state.flight is not None:
        _record_lost(unit, settings, webhook, state.flight, transition.now_ms)
    return _begin_next(unit, settings, webhook, state, transition.now_ms)


def finish_attempt(unit: Unit, transition: FinishAttempt) -> Begun | AskAgain | Idle:
    """Raises: NotFound if the webhook is gone; Conflict if this attempt is not under way."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    state = unit.state(webhook.number)
    flight = state.flight
    finished = (transition.delivery, transition.attempt)
    if flight is None or (flight.delivery, flight.attempt) != finished:
        raise Conflict.of(Code.ATTEMPT_OVER, delivery=finished[0], attempt=finished[1])
    delivery = queue.find(unit, webhook.number, transition.delivery)
    # Else it was deleted with its chat, or discarded for lost, and nothing of the attempt is kept.
    if delivery is not None and delivery.state == DeliveryState.QUEUED:
        # Enabling and a new URL raise the epoch. An attempt that began before says nothing of the
        # receiver as it is now: it may deliver, but it neither counts nor disables.
        of_the_past = flight.epoch != state.epoch
        _apply(unit, settings, webhook, delivery, transition, of_the_past=of_the_past)
    # Last, because the flight is what makes the delivery one in flight. From here on the same
    # outcome again is a Conflict: two outcomes of one attempt can't both be recorded.
    state.flight = None
    if transition.go_on:
        following = _begin_next(unit, settings, webhook, state, transition.now_ms)
        if not isinstance(following, Idle):
            return following
    readiness.reconcile(unit, webhook, state)
    return Idle()


def _begin_next(
    unit: Unit, settings: Settings, webhook: Webhook, state: WebhookState, now_ms: int
) -> Begun | AskAgain | Idle:
    if not state.enabled or not webhook.url or state.next_attempt_ms > now_ms:
        return Idle()
    delivery = queue.head(unit, webhook)
    if delivery is not None and erasures.is_erased(unit, webhook, delivery):
        erasures.erase_heads(unit, settings, webhook, delivery, now_ms)
        readiness.reconcile(unit, webhook, state)
        return AskAgain()
    if delivery is None:
        return Idle()
    before = queue.state_of(unit, webhook.number, delivery)
    states.move(DELIVERY_MOVES, before, DeliveryState.IN_FLIGHT)
    body = bodies.read(unit.get_raw, webhook.number, delivery.number, delivery.body_bytes)
    if delivery.state == DeliveryState.DEAD_LETTER:  # queued again, and not moved there yet
        queue.put_back(unit, webhook, delivery)
    moving.begun(state, delivery.number)
    state.next_attempt_ms = 0
    attempt = delivery.attempts + 1
    state.flight = Flight(
        delivery=delivery.number,
        attempt=attempt,
        began_ms=now_ms,
        epoch=state.epoch,
        url=shown_url(webhook.url),
    )
    readiness.reconcile(unit, webhook, state)
    delivery_id = queue.delivery_id(webhook.number, delivery)
    fact = facts.DeliveryAttempted(delivery=delivery_id, attempt=attempt)
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id)
    return Begun(
        delivery_id=delivery_id,
        delivery=delivery,
        body=body,
        attempt=attempt,
        url=webhook.url,
        success=webhook.success,
        secrets=tuple(
            secret.value
            for secret in webhook.secrets
            if not secret.expires_ms or secret.expires_ms > now_ms
        ),
        workspace=webhook.workspace,
        errors=state.consecutive_errors,
        is_first=not state.log_next,
    )


def _apply(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    delivery: Delivery,
    transition: FinishAttempt,
    *,
    of_the_past: bool,
) -> None:
    """Applies the outcome to the delivery and, unless it is of an earlier epoch, to the webhook."""
    state, outcome = unit.state(webhook.number), transition.outcome
    now_ms, policy = transition.now_ms, transition.policy
    weight_before = history.weight(delivery)
    delivery.attempts = transition.attempt
    delivery.status = transition.result.status
    detailed_log.add_attempt(unit, webhook, delivery, transition.attempt, transition.result)
    if isinstance(outcome, Delivered):
        delivery.last_error = ""
        queue.end(unit, webhook, delivery, DeliveryState.DELIVERED, now_ms, weight_before)
        unit.meta.totals.delivered += 1
        if not of_the_past:
            state.consecutive_errors = 0
            state.last_error = ""
        _tell(unit, settings, webhook, delivery, transition, "delivered")
        return
    delivery.last_error = outcome.error
    if isinstance(outcome, Unknown):
        _keep(unit, webhook, delivery, weight_before)
        _tell(unit, settings, webhook, delivery, transition, "unknown")
        return
    unit.meta.totals.failed += 1
    if not of_the_past:
        state.consecutive_errors += 1
        state.last_error = outcome.error
        asked_ms = outcome.retry_after_ms if isinstance(outcome, Failed) else None
        state.next_attempt_ms = now_ms + backoff.wait_ms(
            policy, state.consecutive_errors, transition.spread, asked_ms
        )
        if isinstance(outcome, Rejected):
            delivery.rejections = moving.rejections_of(state, delivery) + 1
            delivery.rejections_epoch = state.epoch
    if moving.rejections_of(state, delivery) >= policy.rejections_max:
        queue.move_to_dead_letters(unit, webhook, delivery, weight_before)
        _tell(unit, settings, webhook, delivery, transition, "parked")
    else:
        _keep(unit, webhook, delivery, weight_before)
        _tell(unit, settings, webhook, delivery, transition, "failed")
    if state.enabled and state.consecutive_errors > policy.errors_max:
        switching.switch_off(unit, settings, webhook, "errors", now_ms, "hookbundle")


def _keep(unit: Unit, webhook: Webhook, delivery: Delivery, weight_before: int) -> None:
    """The delivery stays at the head of its queue, to be attempted again."""
    before = queue.state_of(unit, webhook.number, delivery)
    states.move(DELIVERY_MOVES, before, DeliveryState.QUEUED)
    queue.keep(unit, webhook, delivery, weight_before)


def _tell(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    delivery: Delivery,
    transition: FinishAttempt,
    outcome: Literal["delivered", "failed", "parked", "unknown"],
) -> None:
    state, status, error = unit.state(webhook.number), delivery.status, delivery.last_error
    fact = FACTS[outcome](
        delivery=queue.delivery_id(webhook.number, delivery),
        attempt=transition.attempt,
        messages=delivery.messages,
        status=status,
        error=error,
        errors=state.consecutive_errors,
        next_attempt=state.next_attempt_ms,
    )
    unit.tell(settings.workspace, fact, transition.now_ms, delivery.chat_id)
    action = Action(
        at_ms=transition.now_ms,
        action="bundle" if delivery.bundle else "message",
        chat_id=delivery.chat_id,
        messages=delivery.messages,
        outcome=outcome,
        detail=error or f"status {status}",
        logged=state.log_next,  # the attempt is the newest entry
        delivery=delivery.number,
        attempt=transition.attempt,
    )
    activity.add(unit, webhook.number, action)


def _record_lost(
    unit: Unit, settings: Settings, webhook: Webhook, flight: Flight, now_ms: int
) -> None:
    """An attempt whose end was never recorded: the daemon died, or its actor did."""
    delivery = queue.find(unit, webhook.number, flight.delivery)
    unit.state(webhook.number).flight = None
    if delivery is None or delivery.state != DeliveryState.QUEUED:
        return  # deleted with its chat, or discarded by a person meanwhile
    weight_before = history.weight(delivery)
    delivery.attempts = flight.attempt
    delivery.last_error = "the daemon stopped before the outcome was known"
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
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id)

"""Attempts: begun before the first byte leaves, finished with everything their outcome changes.

The attempt's record, the error count, the wait, the dead letter and the disabling with its e-mail
are one transition, so no crash can come between them. An attempt that was begun and never finished
is found at the next begin: its outcome is unknown, it is no error, and the delivery is sent again
with the same id and the same bytes.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.delivery import backoff, states
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome, Rejected, Unknown
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.engine.errors import Conflict
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.records import (
    Action,
    Delivery,
    Exchange,
    Flight,
    WebhookState,
    Workspace,
)
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import detailed_log, queue, readiness
from hookbundle.storage.transitions import switching

FACTS: dict[str, type[facts.AttemptEnded] | type[facts.DeliveryUnknown]] = {
    "delivered": facts.DeliveryDelivered,
    "failed": facts.DeliveryFailed,
    "parked": facts.DeliveryParked,
    "unknown": facts.DeliveryUnknown,
}


class BeginAttempt(msgspec.Struct, frozen=True):
    """Asks for the next delivery of the workspace, if one may be sent now."""

    workspace_number: int
    now_ms: int


class FinishAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of the attempt. `go_on`: the answer shall be the next delivery.

    `spread` in [-1, 1] is the draw of the jitter: the caller's, as a transition has no randomness.
    """

    workspace_number: int
    delivery: int
    attempt: int
    outcome: Outcome
    exchange: Exchange
    now_ms: int
    spread: float
    policy: BackoffPolicy
    go_on: bool


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery to send now. Secrets come newest first."""

    delivery_id: str
    delivery: Delivery
    attempt: int
    url: str
    success: Literal["200", "2xx"]
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing may be sent now. The transition that changes this wakes the webhook."""


def begin_attempt(unit: Unit, transition: BeginAttempt) -> Begun | Idle:
    """Raises: NotFound if the workspace is gone."""
    workspace = unit.workspace_numbered(transition.workspace_number)
    state = unit.state(workspace.number)
    if state.flight is not None:
        _record_lost(unit, workspace, state, state.flight, transition.now_ms)
    return _begin_next(unit, workspace, state, transition.now_ms)


def finish_attempt(unit: Unit, transition: FinishAttempt) -> Begun | Idle:
    """Raises: NotFound if the workspace is gone; Conflict if this attempt is not under way."""
    workspace = unit.workspace_numbered(transition.workspace_number)
    state = unit.state(workspace.number)
    flight = state.flight
    key = keyspace.owned_numbered(keyspace.QUEUED, workspace.number, transition.delivery)
    delivery = unit.get(key, Delivery)
    finished = (transition.delivery, transition.attempt)
    if flight is None or (flight.delivery, flight.attempt) != finished:
        raise Conflict(f"attempt {transition.attempt} of {transition.delivery} is not under way")
    if delivery is not None:  # else it was deleted with its chat, and nothing of it is kept
        # Enabling and a new URL raise the epoch. An attempt that began before says nothing of the
        # receiver as it is now: it may deliver, but it neither counts nor disables.
        of_the_past = flight.epoch != state.epoch
        _apply(unit, workspace, state, delivery, transition, of_the_past=of_the_past)
        detailed_log.add(unit, workspace.number, state, transition.exchange)
    # Last, because the flight is what makes the delivery one in flight. From here on the same
    # outcome again is a Conflict: two outcomes of one attempt can't both be recorded.
    state.flight = None
    readiness.reconcile(unit, workspace, state)
    return _begin_next(unit, workspace, state, transition.now_ms) if transition.go_on else Idle()


def _begin_next(unit: Unit, workspace: Workspace, state: WebhookState, now_ms: int) -> Begun | Idle:
    if not state.enabled or not workspace.url or state.next_attempt_ms > now_ms:
        return Idle()
    delivery = queue.head(unit, workspace.number)
    if delivery is None:
        return Idle()
    states.move(
        DELIVERY_MOVES,
        queue.state_of(unit, workspace.number, delivery),
        DeliveryState.IN_FLIGHT,
    )
    state.next_attempt_ms = 0
    attempt = delivery.attempts + 1
    state.flight = Flight(
        delivery=delivery.number,
        attempt=attempt,
        began_ms=now_ms,
        epoch=state.epoch,
        url=workspace.url,
    )
    readiness.reconcile(unit, workspace, state)
    delivery_id = queue.delivery_id(workspace.number, delivery)
    unit.emit(
        facts.DeliveryAttempted(delivery=delivery_id, attempt=attempt),
        now_ms,
        workspace.id,
        delivery.chat_id,
    )
    return Begun(
        delivery_id=delivery_id,
        delivery=delivery,
        attempt=attempt,
        url=workspace.url,
        success=workspace.success,
        secrets=tuple(
            secret.value
            for secret in workspace.secrets
            if not secret.expires_ms or secret.expires_ms > now_ms
        ),
    )


def _apply(
    unit: Unit,
    workspace: Workspace,
    state: WebhookState,
    delivery: Delivery,
    transition: FinishAttempt,
    *,
    of_the_past: bool,
) -> None:
    """Applies the outcome to the delivery and, unless it is of an earlier epoch, to the webhook."""
    outcome, now_ms, policy = transition.outcome, transition.now_ms, transition.policy
    if isinstance(outcome, Delivered):
        queue.remove(unit, workspace.number, delivery, DeliveryState.DELIVERED)
        unit.meta.totals.delivered += 1
        if not of_the_past:
            state.consecutive_errors = 0
            state.last_error = ""
        _tell(unit, workspace, delivery, transition, "delivered", "")
        return
    delivery.attempts = transition.attempt
    delivery.last_error = outcome.error
    if isinstance(outcome, Unknown):
        _keep(unit, workspace, delivery)
        _tell(unit, workspace, delivery, transition, "unknown", outcome.error)
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
            delivery.rejections += 1
    if delivery.rejections >= policy.rejections_max:
        queue.move_to_dead_letters(unit, workspace.number, delivery)
        _tell(unit, workspace, delivery, transition, "parked", outcome.error)
    else:
        _keep(unit, workspace, delivery)
        _tell(unit, workspace, delivery, transition, "failed", outcome.error)
    if state.enabled and state.consecutive_errors > policy.errors_max:
        switching.switch_off(unit, workspace, state, "errors", now_ms, "hookbundle")


def _keep(unit: Unit, workspace: Workspace, delivery: Delivery) -> None:
    """The delivery stays at the head of its queue, to be attempted again."""
    states.move(
        DELIVERY_MOVES, queue.state_of(unit, workspace.number, delivery), DeliveryState.QUEUED
    )
    key = keyspace.owned_numbered(keyspace.QUEUED, workspace.number, delivery.number)
    unit.put(key, delivery)


def _tell(
    unit: Unit,
    workspace: Workspace,
    delivery: Delivery,
    transition: FinishAttempt,
    outcome: Literal["delivered", "failed", "parked", "unknown"],
    error: str,
) -> None:
    exchange = transition.exchange
    unit.emit(
        FACTS[outcome](
            delivery=exchange.delivery_id,
            attempt=transition.attempt,
            messages=delivery.messages,
            status=exchange.status,
            error=error,
            errors=unit.state(workspace.number).consecutive_errors,
            next_attempt=unit.state(workspace.number).next_attempt_ms,
        ),
        transition.now_ms,
        workspace.id,
        delivery.chat_id,
    )
    action = Action(
        at_ms=transition.now_ms,
        action="bundle" if delivery.bundle else "message",
        chat_id=delivery.chat_id,
        messages=delivery.messages,
        outcome=outcome,
        detail=error or f"status {exchange.status}",
        logged=unit.state(workspace.number).log_next + 1,  # the exchange is added next
    )
    unit.add_action(workspace.number, action, limits.ACTIVITY_ENTRIES)


def _record_lost(
    unit: Unit, workspace: Workspace, state: WebhookState, flight: Flight, now_ms: int
) -> None:
    """An attempt whose end was never recorded: the daemon died, or its actor did."""
    state.flight = None
    key = keyspace.owned_numbered(keyspace.QUEUED, workspace.number, flight.delivery)
    delivery = unit.get(key, Delivery)
    if delivery is None:
        return
    delivery.attempts = flight.attempt
    delivery.last_error = "the daemon stopped before the outcome was known"
    unit.put(key, delivery)
    delivery_id = queue.delivery_id(workspace.number, delivery)
    exchange = Exchange(
        at_ms=flight.began_ms,
        delivery_id=delivery_id,
        attempt=flight.attempt,
        chat_id=delivery.chat_id,
        url=flight.url,
        request_headers=(),
        request_body=delivery.body,
        outcome="unknown",
        error=delivery.last_error,
    )
    detailed_log.add(unit, workspace.number, state, exchange)
    unit.emit(
        facts.DeliveryUnknown(
            delivery=delivery_id, attempt=flight.attempt, error=delivery.last_error
        ),
        now_ms,
        workspace.id,
        delivery.chat_id,
    )

"""Attempts: begun before the first byte leaves, finished with everything their outcome changes.

The attempt's record, the error count, the wait, the parking and the disabling with its e-mail are
one transition, so no crash can come between them. An attempt that was begun and never finished is
found at the next begin: its outcome is unknown, it is no error, and the delivery is sent again
with the same id and the same bytes.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.delivery import backoff
from hookbundle.engine.delivery.attempts import Delivered, Failed, Interrupted, Rejected, Result
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.records import (
    Action,
    Delivery,
    Exchange,
    Flight,
    WebhookState,
    Workspace,
)
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue, readiness
from hookbundle.storage.transitions import switching


class BeginAttempt(msgspec.Struct, frozen=True):
    """Asks for the next delivery of the workspace, if one may be sent now."""

    workspace_number: int
    now_ms: int


class FinishAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the attempt, and, if `go_on`, the wish for the next delivery.

    `spread` in [-1, 1] is the jitter's draw; it is made outside, for transitions know no chance.
    """

    workspace_number: int
    delivery: int
    attempt: int
    result: Result
    exchange: Exchange
    now_ms: int
    spread: float
    policy: BackoffPolicy
    go_on: bool


@dataclass(frozen=True, slots=True)
class EndWaits:
    """Acts on RETRY rows of the due index that are due: their webhooks are ready again."""

    rows: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class WaitsEnded:
    """`wake`: numbers of the workspaces whose webhook became ready."""

    wake: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTest:
    """A test request was made: outside the queue and the counter, but in the logs."""

    workspace_number: int
    exchange: Exchange
    now_ms: int


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
    """Nothing may be sent now; who changes that will wake the webhook."""


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
    key = keyspace.owned_numbered(keyspace.PENDING, workspace.number, transition.delivery)
    delivery = unit.get(key, Delivery)
    finished = (transition.delivery, transition.attempt)
    if flight is None or (flight.delivery, flight.attempt) != finished:
        raise Conflict(f"attempt {transition.attempt} of {transition.delivery} is not under way")
    state.flight = None
    if delivery is not None:  # else it was deleted with its chat, and nothing of it is kept
        state_before = flight.epoch != state.epoch
        _apply(unit, workspace, state, delivery, transition, of_the_past=state_before)
        add_to_log(unit, workspace.number, state, transition.exchange)
    readiness.settle(unit, workspace, state)
    return _begin_next(unit, workspace, state, transition.now_ms) if transition.go_on else Idle()


def end_waits(unit: Unit, transition: EndWaits) -> WaitsEnded:
    wake = []
    for row in transition.rows:
        try:
            workspace = unit.workspace_numbered(row.number)
        except NotFound:
            unit.delete_due(row)
            continue
        state = unit.state(workspace.number)
        if state.retry_ms != row.at_ms:
            unit.delete_due(row)
            continue
        state.next_attempt_ms = 0
        unit.saw(row.at_ms)
        if readiness.settle(unit, workspace, state):
            wake.append(workspace.number)
    return WaitsEnded(tuple(wake))


def record_test(unit: Unit, transition: RecordTest) -> None:
    """Raises: NotFound if the workspace is gone."""
    workspace = unit.workspace_numbered(transition.workspace_number)
    exchange = transition.exchange
    add_to_log(unit, workspace.number, unit.state(workspace.number), exchange)
    detail = exchange.error or f"status {exchange.status}"
    action = Action(
        at_ms=transition.now_ms,
        action="test",
        outcome=exchange.outcome,
        detail=detail,
        logged=unit.state(workspace.number).log_next,
    )
    unit.act(workspace.number, action, limits.ACTIVITY_ENTRIES)
    unit.emit(
        "webhook.tested",
        transition.now_ms,
        workspace.id,
        outcome=exchange.outcome,
        status=exchange.status,
        error=exchange.error,
    )


def add_to_log(unit: Unit, workspace_number: int, state: WebhookState, exchange: Exchange) -> None:
    """The exchange is the newest entry of the detailed log, which keeps a hundred."""
    number = state.log_next
    state.log_next += 1
    unit.put(keyspace.owned_numbered(keyspace.LOG, workspace_number, number), exchange)
    if number >= limits.LOG_ENTRIES:
        oldest = number - limits.LOG_ENTRIES
        unit.delete(keyspace.owned_numbered(keyspace.LOG, workspace_number, oldest))


def _begin_next(unit: Unit, workspace: Workspace, state: WebhookState, now_ms: int) -> Begun | Idle:
    if not state.enabled or not workspace.url or state.next_attempt_ms > now_ms:
        return Idle()
    delivery = queue.head(unit, workspace.number)
    if delivery is None:
        return Idle()
    state.next_attempt_ms = 0
    attempt = delivery.attempts + 1
    state.flight = Flight(
        delivery=delivery.number,
        attempt=attempt,
        began_ms=now_ms,
        epoch=state.epoch,
        url=workspace.url,
    )
    readiness.settle(unit, workspace, state)
    delivery_id = queue.delivery_id(workspace.number, delivery)
    unit.emit(
        "delivery.attempted",
        now_ms,
        workspace.id,
        delivery.chat_id,
        delivery=delivery_id,
        attempt=attempt,
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
    """The result's consequences for the delivery and, unless it is of the past, the webhook."""
    result, now_ms, policy = transition.result, transition.now_ms, transition.policy
    if isinstance(result, Delivered):
        queue.take(unit, workspace.number, delivery)
        unit.meta.totals.delivered += 1
        if not of_the_past:
            state.consecutive_errors = 0
            state.last_error = ""
        _tell(unit, workspace, delivery, transition, "delivered", "")
        return
    delivery.attempts = transition.attempt
    delivery.last_error = result.error
    if isinstance(result, Interrupted):
        _keep(unit, workspace, delivery)
        _tell(unit, workspace, delivery, transition, "unknown", result.error)
        return
    unit.meta.totals.failed += 1
    if not of_the_past:
        state.consecutive_errors += 1
        state.last_error = result.error
        asked_ms = result.retry_after_ms if isinstance(result, Failed) else None
        state.next_attempt_ms = now_ms + backoff.wait_ms(
            policy, state.consecutive_errors, transition.spread, asked_ms
        )
        if isinstance(result, Rejected):
            delivery.rejections += 1
    if delivery.rejections >= policy.rejections_max:
        queue.park(unit, workspace.number, delivery)
        _tell(unit, workspace, delivery, transition, "parked", result.error)
    else:
        _keep(unit, workspace, delivery)
        _tell(unit, workspace, delivery, transition, "failed", result.error)
    if state.enabled and state.consecutive_errors > policy.errors_max:
        switching.switch_off(unit, workspace, state, "errors", now_ms, "hookbundle")


def _keep(unit: Unit, workspace: Workspace, delivery: Delivery) -> None:
    key = keyspace.owned_numbered(keyspace.PENDING, workspace.number, delivery.number)
    unit.put(key, delivery)


def _tell(
    unit: Unit,
    workspace: Workspace,
    delivery: Delivery,
    transition: FinishAttempt,
    outcome: str,
    error: str,
) -> None:
    exchange = transition.exchange
    unit.emit(
        f"delivery.{outcome}",
        transition.now_ms,
        workspace.id,
        delivery.chat_id,
        delivery=exchange.delivery_id,
        attempt=transition.attempt,
        messages=delivery.messages,
        status=exchange.status,
        error=error,
        errors=unit.state(workspace.number).consecutive_errors,
        next_attempt=unit.state(workspace.number).next_attempt_ms,
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
    unit.act(workspace.number, action, limits.ACTIVITY_ENTRIES)


def _record_lost(
    unit: Unit, workspace: Workspace, state: WebhookState, flight: Flight, now_ms: int
) -> None:
    """An attempt whose end was never recorded: the daemon died, or its actor did."""
    state.flight = None
    key = keyspace.owned_numbered(keyspace.PENDING, workspace.number, flight.delivery)
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
    add_to_log(unit, workspace.number, state, exchange)
    unit.emit(
        "delivery.unknown",
        now_ms,
        workspace.id,
        delivery.chat_id,
        delivery=delivery_id,
        attempt=flight.attempt,
        error=delivery.last_error,
    )

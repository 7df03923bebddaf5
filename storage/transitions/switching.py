"""Enables and disables a webhook: by a person, or after too many consecutive errors."""

from dataclasses import dataclass
from typing import Literal

from hookbundle.engine import limits
from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import WEBHOOK_MOVES, DeliveryState, WebhookStatus
from hookbundle.engine.errors import Conflict
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Action, Mail, WebhookState, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue, readiness

DisabledReason = Literal["errors", "manual"]
DISCARDED = DeliveryState.DISCARDED


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableWebhook:
    """Resumes where it stopped; with `discard`, drops what is held first."""

    workspace_id: str
    discard: bool
    now_ms: int
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableWebhook:
    workspace_id: str
    now_ms: int
    caller: str


@dataclass(frozen=True, slots=True)
class Switched:
    """`returned`: dead letters back in the queue. `wake`: the webhook became ready."""

    workspace_number: int
    changed: bool
    wake: bool
    returned: int = 0
    discarded_deliveries: int = 0
    discarded_messages: int = 0


def enable_webhook(unit: Unit, transition: EnableWebhook) -> Switched:
    """Raises: NotFound; Conflict without a URL."""
    workspace = unit.workspace(transition.workspace_id)
    if not workspace.url:
        raise Conflict(f"workspace {workspace.id!r} has no webhook URL; set one first")
    state = unit.state(workspace.number)
    deliveries = messages = 0
    if transition.discard:
        deliveries, messages = discard_held(
            unit, workspace, transition.now_ms, f"enabled with discard by {transition.caller}"
        )
    changed = not state.enabled
    returned = start_over(unit, workspace, state, transition.now_ms, transition.caller)
    if changed:
        switch_on(unit, workspace, state, transition.now_ms, transition.caller)
    wake = readiness.reconcile(unit, workspace, state)
    return Switched(workspace.number, changed, wake, returned, deliveries, messages)


def disable_webhook(unit: Unit, transition: DisableWebhook) -> Switched:
    """Raises: NotFound."""
    workspace = unit.workspace(transition.workspace_id)
    state = unit.state(workspace.number)
    changed = state.enabled
    if changed:
        switch_off(unit, workspace, state, "manual", transition.now_ms, transition.caller)
    return Switched(workspace.number, changed, wake=False)


def start_over(
    unit: Unit, workspace: Workspace, state: WebhookState, now_ms: int, caller: str
) -> int:
    """Resets errors, rejections and waiting; dead letters are queued again. Returns how many.

    The outcome of an attempt still under way belongs to the epoch before, and counts for nothing.
    """
    errors, waited = state.consecutive_errors, state.next_attempt_ms > 0
    state.consecutive_errors = 0
    state.last_error = ""
    state.next_attempt_ms = 0
    state.epoch += 1
    queue.reset_rejections(unit, workspace.number)
    returned = queue.requeue_all(unit, workspace.number)
    if errors or waited or returned:
        unit.emit(
            facts.WebhookReset(caller=caller, errors=errors, returned=returned),
            now_ms,
            workspace.id,
        )
    return returned


def switch_on(
    unit: Unit, workspace: Workspace, state: WebhookState, now_ms: int, caller: str
) -> None:
    before = readiness.status_of(workspace, state)
    state.enabled = True
    states.move(WEBHOOK_MOVES, before, readiness.status_of(workspace, state))
    state.disabled_reason = ""
    state.disabled_ms = 0
    unit.delete(keyspace.owned(keyspace.DISABLED, workspace.number))
    unit.emit(facts.WebhookEnabled(caller=caller), now_ms, workspace.id)
    _act(unit, workspace, Action(at_ms=now_ms, action="enabled", detail=f"by {caller}"))


def switch_off(
    unit: Unit,
    workspace: Workspace,
    state: WebhookState,
    reason: DisabledReason,
    now_ms: int,
    caller: str,
) -> None:
    """The webhook is disabled; if by errors, an e-mail to the owner is in the outbox."""
    states.move(WEBHOOK_MOVES, readiness.status_of(workspace, state), WebhookStatus.DISABLED)
    state.enabled = False
    state.disabled_reason = reason
    state.disabled_ms = now_ms
    unit.put_flag(keyspace.owned(keyspace.DISABLED, workspace.number))
    unit.meta.totals.disabled += 1
    errors = state.consecutive_errors
    unit.emit(
        facts.WebhookDisabled(
            reason=reason,
            caller=caller,
            errors=errors,
            error=state.last_error,
            held=state.queued,
            held_messages=state.queued_messages,
        ),
        now_ms,
        workspace.id,
    )
    detail = f"after {errors} consecutive errors" if reason == "errors" else f"by {caller}"
    _act(unit, workspace, Action(at_ms=now_ms, action="disabled", outcome=reason, detail=detail))
    readiness.reconcile(unit, workspace, state)
    if reason == "errors" and workspace.owner_email:
        _write_mail(unit, workspace, state, now_ms)


def discard_held(unit: Unit, workspace: Workspace, now_ms: int, reason: str) -> tuple[int, int]:
    """Discards queued deliveries and dead letters. Returns how many, and their messages.

    One whose attempt is under way stays: its outcome is still to be recorded.
    """
    state = unit.state(workspace.number)
    flying = state.flight.delivery if state.flight else None
    kept = ""
    deliveries = messages = 0
    for delivery in queue.all_of(unit, keyspace.DEAD_LETTERS, workspace.number):
        queue.remove_dead_letter(unit, workspace.number, delivery, DISCARDED)
        deliveries, messages = deliveries + 1, messages + delivery.messages
    for delivery in queue.all_of(unit, keyspace.QUEUED, workspace.number):
        if delivery.number != flying:
            queue.remove(unit, workspace.number, delivery, DISCARDED)
            deliveries, messages = deliveries + 1, messages + delivery.messages
        else:
            kept = queue.delivery_id(workspace.number, delivery)
    if deliveries:
        unit.meta.totals.discarded += deliveries
        unit.emit(
            facts.DeliveryDiscarded(
                deliveries=deliveries, messages=messages, reason=reason, kept=kept
            ),
            now_ms,
            workspace.id,
        )
        action = Action(
            at_ms=now_ms,
            action="discarded",
            messages=messages,
            outcome="discarded",
            detail=f"{deliveries} deliveries: {reason}",
        )
        _act(unit, workspace, action)
    return deliveries, messages


def _act(unit: Unit, workspace: Workspace, action: Action) -> None:
    unit.add_action(workspace.number, action, limits.ACTIVITY_ENTRIES)


def _write_mail(unit: Unit, workspace: Workspace, state: WebhookState, now_ms: int) -> None:
    number = unit.meta.mail_next
    unit.meta.mail_next += 1
    unit.meta.mails += 1
    mail = Mail(
        number=number,
        workspace=workspace.number,
        to=workspace.owner_email,
        created_ms=now_ms,
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        url=workspace.url,
        last_error=state.last_error,
        held_messages=state.queued_messages + state.buffered_messages,
        held_deliveries=state.queued + state.dead_letters,
        next_ms=now_ms,
    )
    unit.put(keyspace.numbered(keyspace.MAILS, number), mail)
    unit.put_due(Due(now_ms, DueKind.MAIL, number))

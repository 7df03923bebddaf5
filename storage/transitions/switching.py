"""Enables and disables a webhook: by a person, or after too many consecutive errors."""

from typing import Literal

import msgspec

from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import WEBHOOK_MOVES, WebhookStatus
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Changed, Conflict
from hookbundle.engine.preconditions import Precondition
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.settings import OUTBOUND, Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, moving, outbox, queue, readiness
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.merging import merges
from hookbundle.storage.tables.repeating import replays, resends
from hookbundle.storage.tables.routing import fullness
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.webhooks.conditions import check_either
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, begin
from hookbundle.storage.webhook_facts import WebhookDisabled, WebhookEnabled, WebhookReset

DisabledReason = Literal["errors", "manual"]


class EnableWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Resumes where it stopped; with `discard`, drops what is held first.

    Both are effective at once, and carried out in steps; see tables/moving.py. With `merge`, which
    discards nothing, what waits is merged first, and the webhook enabled in the last step.
    `precondition`: on the version of the workspace, or `of_webhook` on the webhook's.
    """

    workspace_id: str
    webhook_id: str = OUTBOUND
    discard: bool
    discard_most: int | None = None  # messages; if there are more, nothing is done
    merge: bool = False
    now_ms: int
    caller: str
    precondition: Precondition | None = None
    of_webhook: bool = False


class DisableWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """`precondition`, `of_webhook`: as for `EnableWebhook`."""

    workspace_id: str
    webhook_id: str = OUTBOUND
    now_ms: int
    caller: str
    precondition: Precondition | None = None
    of_webhook: bool = False


class Switched(msgspec.Struct, frozen=True):
    """`returned`: dead letters back in the queue. `wake`: webhooks that became ready.

    `left`: dead letters that stay, because they make their receiver fail. `merging`: what waits as
    the merge begins, after which it is enabled.
    """

    changed: bool
    wake: tuple[int, ...] = ()
    returned: int = 0
    left: int = 0
    discarded_deliveries: int = 0
    discarded_messages: int = 0
    merging: MergeBegun | None = None


def enable_webhook(unit: Unit, transition: EnableWebhook) -> Switched:
    """Raises: NotFound; Conflict without a URL, or if it can't be merged; Changed if the
    precondition does not hold, or more would be discarded than may be."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.named(transition.webhook_id)
    wanted = transition.precondition
    check_either(wanted, settings.workspace, webhook, of_webhook=transition.of_webhook)
    if not webhook.url:
        raise Conflict.of(Code.NO_WEBHOOK_URL, workspace=settings.workspace.id)
    state = unit.state(webhook.number)
    if transition.merge:
        waiting = begin(unit, settings, webhook, transition.now_ms, transition.caller, enable=True)
        return Switched(not state.enabled, merging=waiting)
    deliveries = messages = 0
    if transition.discard:
        held, most = state.queued_messages + state.dead_letter_messages, transition.discard_most
        if most is not None and held > most:
            raise Changed.of(Code.MORE_TO_DISCARD, count=held, most=most)
        reason = f"enabled with discard by {transition.caller}"
        deliveries, messages = discard_held(unit, settings, webhook, transition.now_ms, reason)
        if state.moving is not None:
            state.moving.discarded_ms = transition.now_ms
            state.moving.discarded_by = transition.caller
            state.moving.discard_reason = "enabled with discard"
    changed = not state.enabled
    if changed:
        merges.stop(unit, settings, webhook, transition.now_ms)
    returned = start_over(unit, settings, webhook, transition.now_ms, transition.caller)
    if changed:
        switch_on(unit, settings, webhook, transition.now_ms, transition.caller)
    wake = (webhook.number,) if readiness.reconcile(unit, webhook, state) else ()
    return Switched(changed, wake, returned, state.fails, deliveries, messages)


def disable_webhook(unit: Unit, transition: DisableWebhook) -> Switched:
    """Raises: NotFound; Changed if the precondition does not hold."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.named(transition.webhook_id)
    wanted = transition.precondition
    check_either(wanted, settings.workspace, webhook, of_webhook=transition.of_webhook)
    changed = unit.state(webhook.number).enabled
    if not changed:  # a merge may be about to enable it
        merges.stop(unit, settings, webhook, transition.now_ms)
    else:
        switch_off(unit, settings, webhook, "manual", transition.now_ms, transition.caller)
    return Switched(changed)


def start_over(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    now_ms: int,
    caller: str,
    *,
    fails_too: bool = False,
) -> int:
    """Resets errors, rejections and waiting; dead letters are queued again. Returns how many.

    Those that make their receiver fail only with `fails_too`: an owner who enables his webhook says
    nothing of them, and they would disable it again. Rejections begin at 0 with the epoch. The
    outcome of an attempt still under way belongs to the epoch before, and counts for nothing.
    """
    state = unit.state(webhook.number)
    errors, waited = state.consecutive_errors, state.next_attempt_ms > 0
    state.consecutive_errors = state.own_faults = 0
    state.last_error = ""
    state.next_attempt_ms = 0
    state.paced_ms = 0  # the next attempt is judged anew; what was used stays used
    state.epoch += 1
    meant = kinds.ALL if fails_too else kinds.BY_ENABLING
    returned = moving.return_all(unit, webhook, meant).deliveries
    if errors or waited or returned:
        fact = WebhookReset(caller=caller, errors=errors, returned=returned, left=state.fails)
        unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    return returned


def switch_on(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    now_ms: int,
    caller: str,
    *,
    only_switched: bool = True,
) -> None:
    """The webhook is enabled, and its workspace is at the next version.

    `only_switched`: no setting was changed with it.
    """
    unit.keep_settings(settings.next_version(webhook, only_switched=only_switched))
    state = unit.state(webhook.number)
    merges.stop(unit, settings, webhook, now_ms)
    before = readiness.status_of(webhook, state)
    state.enabled = True
    states.move(WEBHOOK_MOVES, before, readiness.status_of(webhook, state))
    state.disabled_reason = ""
    state.disabled_ms = 0
    unit.delete(keyspace.owned(keyspace.DISABLED, webhook.number))
    unit.tell(settings.workspace, WebhookEnabled(caller=caller), now_ms, webhook=webhook.id)
    # The bounds of a disabled webhook are gone; those of an enabled one are the same everywhere.
    fullness.end_if_free(unit, settings, webhook, Quota(), now_ms)
    action = Action(at_ms=now_ms, action="enabled", detail=f"by {caller}")
    activity.add(unit, webhook.number, action)


def switch_off(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    reason: DisabledReason,
    now_ms: int,
    caller: str,
    *,
    only_switched: bool = True,
) -> None:
    """The webhook is disabled, and its workspace is at the next version.

    If by errors, an e-mail to the owner is in the outbox. `only_switched`: see `switch_on`.
    """
    unit.keep_settings(settings.next_version(webhook, only_switched=only_switched))
    state = unit.state(webhook.number)
    merges.stop(unit, settings, webhook, now_ms)
    states.move(WEBHOOK_MOVES, readiness.status_of(webhook, state), WebhookStatus.DISABLED)
    state.enabled = False
    state.disabled_reason = reason
    state.disabled_ms = now_ms
    unit.put_flag(keyspace.owned(keyspace.DISABLED, webhook.number))
    unit.meta.totals.disabled += 1
    errors = state.consecutive_errors
    fact = WebhookDisabled(
        reason=reason,
        caller=caller,
        errors=errors,
        error=state.last_error,
        held=state.queued,
        held_messages=state.queued_messages,
    )
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    detail = f"after {errors} consecutive errors" if reason == "errors" else f"by {caller}"
    action = Action(at_ms=now_ms, action="disabled", outcome=reason, detail=detail)
    activity.add(unit, webhook.number, action)
    readiness.reconcile(unit, webhook, state)
    if reason == "errors":
        outbox.add_disabling(unit, settings.workspace, webhook, now_ms)


def discard_held(
    unit: Unit, settings: Settings, webhook: Webhook, now_ms: int, reason: str
) -> tuple[int, int]:
    """Discards queued deliveries and dead letters. Returns how many, and their messages.

    One whose attempt is under way stays: its outcome is still to be recorded. Resends are over,
    and count as none of these; a replay is over too.
    """
    over, sent = resends.end_all(unit, webhook)
    (deliveries, messages), flying = moving.discard_all(unit, webhook)
    if over.deliveries:
        kept = queue.delivery_id(webhook.number, sent) if sent else ""
        ended = facts.DeliveryResendEnded(
            deliveries=over.deliveries, messages=over.messages, reason=reason, kept=kept
        )
        unit.tell(settings.workspace, ended, now_ms, webhook=webhook.id)
        action = Action(
            at_ms=now_ms,
            action="resends given up",
            messages=over.messages,
            outcome="delivered",
            detail=f"{over.deliveries} deliveries: {reason}",
        )
        activity.add(unit, webhook.number, action)
    replay = replays.of_webhook(unit, webhook)
    if replay is not None:
        replays.close(unit, settings, webhook, replay, now_ms, replays.CANCELLED)
    if deliveries:
        kept = queue.delivery_id(webhook.number, flying) if flying else ""
        fact = facts.DeliveryDiscarded(
            deliveries=deliveries, messages=messages, reason=reason, kept=kept
        )
        unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
        action = Action(
            at_ms=now_ms,
            action="discarded",
            messages=messages,
            outcome="discarded",
            detail=f"{deliveries} deliveries: {reason}",
        )
        activity.add(unit, webhook.number, action)
    return deliveries, messages

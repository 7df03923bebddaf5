"""A webhook is made, changed and deleted.

A deleted webhook is gone at once for every caller: it gets no message, nothing of it is sent or
shown, and an attempt under way ends in NotFound. Its windows and deliveries are erased in steps, as
timed/delete_steps.py says. Until then it is among the workspace's `leaving` webhooks.
"""

from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Changed, Conflict, PreconditionRequired
from hookbundle.engine.preconditions import Precondition, check
from hookbundle.storage import webhook_facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Secret, Settings, Webhook, no_webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, readiness
from hookbundle.storage.tables.merging import merges
from hookbundle.storage.tables.repeating import replays
from hookbundle.storage.transitions.webhooks import changing, of_request
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges


class ChangeWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """`new_secret` signs if the webhook has to be made. `must_match`: what is there is changed only
    by a caller who names its version, or `*`: he wants to replace all of it."""

    workspace_id: str
    webhook_id: str
    changes: WebhookChanges
    precondition: Precondition | None
    may_create: bool
    new_secret: str
    now_ms: int
    caller: str
    must_match: bool = False


class WebhookChanged(msgspec.Struct, frozen=True):
    """`secret` is given once, to the one who made the webhook. `version`: the webhook's.

    `wake`: webhooks that became ready. `dropped`: what was not kept of its request, because the URL
    leads elsewhere.
    """

    number: int
    version: int
    created: bool
    secret: str
    wake: tuple[int, ...]
    dropped: tuple[str, ...] = ()


class DeleteWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """`precondition`: only if it holds. `messages_most`: only if no more are dropped with it."""

    workspace_id: str
    webhook_id: str
    precondition: Precondition | None
    now_ms: int
    caller: str
    messages_most: int | None = None


class WebhookDeleted(msgspec.Struct, frozen=True):
    """What is dropped with it: open windows, queued deliveries and dead letters, their messages."""

    windows: int
    deliveries: int
    messages: int


def change_webhook(unit: Unit, transition: ChangeWebhook) -> WebhookChanged:
    """Raises: NotFound if it, or its workspace, is absent and it may not be made; Changed if the
    precondition does not hold; PreconditionRequired if there is none and must be; Conflict if there
    are too many, it would be enabled without a URL, or filters look for too many words;
    InvalidInput if a value of its request is to stay that is not set."""
    settings = unit.workspace(transition.workspace_id)
    workspace_id, webhook_id = settings.workspace.id, transition.webhook_id
    webhook, wanted = settings.find(webhook_id), transition.precondition
    if webhook is None and not transition.may_create:
        raise no_webhook(webhook_id, workspace_id)
    check(wanted, webhook.version if webhook else None, workspace_id, webhook_id)
    names_version = wanted is not None and wanted.if_match is not None
    if webhook is not None and transition.must_match and not names_version:
        raise PreconditionRequired.of(
            Code.WEBHOOK_PRECONDITION, workspace=workspace_id, webhook=webhook_id
        )
    changing.check_words(workspace_id, settings, webhook_id, transition.changes)
    of_request.check(webhook, transition.changes)
    created = webhook is None
    if webhook is None:
        webhook = _made(unit, settings, transition)
    now_ms, caller = transition.now_ms, transition.caller
    changed = changing.change(
        unit, settings, webhook, transition.changes, now_ms, caller, also=created
    )
    if changed.fields or created:
        _tell(unit, changed.number, changed.fields, now_ms, caller, created=created)
    wake = changing.finish(unit, changed, now_ms, caller)
    return WebhookChanged(
        number=webhook.number,
        version=unit.workspace(workspace_id).webhook(webhook.number).version,
        created=created,
        secret=transition.new_secret if created else "",
        wake=wake,
        dropped=changed.dropped,
    )


def delete_webhook(unit: Unit, transition: DeleteWebhook) -> WebhookDeleted:
    """Raises: NotFound; Changed if the precondition does not hold, or more would be dropped than
    may be; Conflict if it is the only one."""
    settings = unit.workspace(transition.workspace_id)
    workspace_id, now_ms = settings.workspace.id, transition.now_ms
    webhook = settings.named(transition.webhook_id)
    check(transition.precondition, webhook.version, workspace_id, webhook.id)
    if len(settings.webhooks) == 1:
        raise Conflict.of(Code.LAST_WEBHOOK, webhook=webhook.id, workspace=workspace_id)
    state = unit.state(webhook.number)
    dropped = WebhookDeleted(
        windows=state.windows,
        deliveries=state.queued + state.dead_letters,
        messages=state.queued_messages + state.dead_letter_messages + state.buffered_messages,
    )
    most = transition.messages_most
    if most is not None and dropped.messages > most:
        raise Changed.of(Code.MORE_TO_DISCARD, count=dropped.messages, most=most)
    replay = replays.of_webhook(unit, webhook)
    if replay is not None:
        replays.close(unit, settings, webhook, replay, now_ms, replays.CANCELLED)
    merges.stop(unit, settings, webhook, now_ms)
    state.enabled = False
    readiness.reconcile(unit, webhook, state)
    unit.delete(keyspace.owned(keyspace.DISABLED, webhook.number))
    # Nothing of it may be read once more: neither where it went, nor how it was signed.
    erased = msgspec.structs.replace(
        webhook, url="", secrets=(), filter=b"", window=b"", request=b"", deleted_ms=now_ms
    )
    after = settings.next_version().with_leaving(erased)
    unit.keep_settings(after)
    # Its windows go first, and when its messages arrived, which each chat knows; then deliveries.
    changing.retime_windows(unit, erased, state)
    fact = webhook_facts.WebhookDeleted(
        caller=transition.caller,
        windows=dropped.windows,
        deliveries=dropped.deliveries,
        messages=dropped.messages,
    )
    unit.tell(after.workspace, fact, now_ms, webhook=webhook.id)
    action = Action(
        at_ms=now_ms,
        action="webhook deleted",
        messages=dropped.messages,
        outcome="discarded" if dropped.messages else "",
        detail=f"{webhook.id}, by {transition.caller}",
    )
    activity.add(unit, after.first.number, action)
    return dropped


def _made(unit: Unit, settings: Settings, transition: ChangeWebhook) -> Webhook:
    """A webhook that is in no settings yet. Raises: Conflict, with nothing written."""
    count = len(settings.webhooks)
    # Those that are being erased have records; so many of them are made nowhere but in a loop.
    if count >= limits.WEBHOOKS_MAX or len(settings.leaving) >= limits.WEBHOOKS_MAX:
        raise Conflict.of(
            Code.TOO_MANY_WEBHOOKS,
            workspace=settings.workspace.id,
            count=len(settings.all),
            most=limits.WEBHOOKS_MAX,
        )
    number, workspace = unit.meta.workspace_next, settings.workspace.number
    unit.meta.workspace_next += 1
    unit.keep_state(number, WebhookState(workspace=workspace))
    return Webhook(
        id=transition.webhook_id,
        number=number,
        workspace=workspace,
        secrets=(Secret(value=transition.new_secret),),
        created_ms=transition.now_ms,
    )


def _tell(
    unit: Unit, number: int, fields: dict[str, Any], now_ms: int, caller: str, *, created: bool
) -> None:
    settings, webhook = unit.webhook_numbered(number)
    shown = changing.told(fields)
    kind = webhook_facts.WebhookCreated if created else webhook_facts.WebhookChanged
    unit.tell(settings.workspace, kind(caller=caller, changes=shown), now_ms, webhook=webhook.id)
    action = Action(
        at_ms=now_ms,
        action="webhook created" if created else "settings changed",
        detail=changing.in_a_line(shown, caller),
    )
    activity.add(unit, number, action)

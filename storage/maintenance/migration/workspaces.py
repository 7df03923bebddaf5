"""A workspace: its settings, its state and counters, and everything that belongs to it."""

import re

from hookbundle.engine import limits
from hookbundle.engine.delivery import former_names
from hookbundle.engine.delivery.urls import shown_url
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Flight, Meta, Usage, WebhookState, WorkspaceName
from hookbundle.storage.database.settings import OUTBOUND, Secret, Webhook, Workspace
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.storage.maintenance.migration.chats import move_chats
from hookbundle.storage.maintenance.migration.deliveries import move_deliveries
from hookbundle.storage.maintenance.migration.feed import Share
from hookbundle.storage.maintenance.migration.log import Log, move_log
from hookbundle.storage.maintenance.migration.moving import Moving
from hookbundle.storage.maintenance.migration.source import Source
from hookbundle.storage.maintenance.migration.target import Target
from hookbundle.storage.tables import requests

OWNER = re.compile(r"owner_email \S*@[^\s,]*")  # in what an action tells of changed settings


def move_workspace(
    source: Source, target: Target, was: old.Workspace, share: Share, meta: Meta, now_ms: int
) -> None:
    """The workspace is in the new database, with all that it has; `meta` counts it.

    `share`: its events in the feed. `now_ms`: for what has lost its own time.
    """
    of = Moving(
        source=source,
        target=target,
        number=was.number,
        state=_state(source, was.number, now_ms),
        usage=Usage(
            events=share.events,
            event_bytes=share.bytes,
            thinned_to=meta.feed_thinned,
            trimmed_ms=now_ms,  # it kept nothing that was delivered
        ),
    )
    _put_settings(target, was)
    move_chats(of)
    _move_erasures(of, was.id, now_ms, meta.delivery_next)
    log = move_log(of)
    move_deliveries(of, log)
    _move_activity(of, log)
    _move_requests(of)
    _put_flags(of, has_url=bool(was.url))
    target.put(keyspace.owned(keyspace.STATES, was.number), of.state)
    target.put(keyspace.owned(keyspace.USAGES, was.number), of.usage)
    meta.windows += of.state.windows
    meta.queued += of.state.queued
    meta.dead_letters += of.state.dead_letters
    meta.history_bytes += of.usage.history_bytes


def _put_settings(target: Target, was: old.Workspace) -> None:
    workspace = Workspace(
        id=was.id,
        number=was.number,
        version=was.version,
        created_ms=was.created_ms,
        name=was.name,
        owner_email=was.owner_email,
    )
    webhook = Webhook(
        id=OUTBOUND,
        number=was.number,
        workspace=was.number,
        url=was.url,
        aggregation_ms=was.aggregation_ms,
        success=was.success,
        secrets=tuple(Secret(secret.value, secret.expires_ms) for secret in was.secrets),
    )
    target.put(keyspace.workspace(was.id), workspace)
    target.put(keyspace.owned(keyspace.NAMES, was.number), WorkspaceName(id=was.id))
    target.put(keyspace.webhook(was.number, was.number), webhook)


def _state(source: Source, number: int, now_ms: int) -> WebhookState:
    """The state without its counters, which are counted anew."""
    source.tick()
    was = source.part(old_keys.owned(old_keys.STATES, number), old.WebhookState)
    if was is None:
        return _lost_state(source, number, now_ms)
    flying, flight = was.flight, None
    if flying is not None:
        flight = Flight(
            delivery=flying.delivery,
            attempt=flying.attempt,
            began_ms=flying.began_ms,
            epoch=flying.epoch,
            url=shown_url(flying.url),
        )
    return WebhookState(
        workspace=number,
        enabled=was.enabled,
        disabled_reason=was.disabled_reason,
        disabled_ms=was.disabled_ms,
        consecutive_errors=was.consecutive_errors,
        last_error=was.last_error,
        next_attempt_ms=was.next_attempt_ms,
        epoch=was.epoch,
        flight=flight,
        retime_after=was.retime_after,  # the key of a chat, and those have not changed
        log_next=was.log_next,
    )


def _lost_state(source: Source, number: int, now_ms: int) -> WebhookState:
    """What other rows say of a state that can't be read: a disabled webhook must not send."""
    state = WebhookState(workspace=number)
    if source.has(old_keys.owned(old_keys.DISABLED, number)):
        state.enabled = False
        state.disabled_reason, state.disabled_ms = "manual", now_ms
    if source.has(old_keys.retime(number)):
        state.retime_after = b""
    return state


def _move_activity(of: Moving, log: Log) -> None:
    """A row for each action, in the words of today. It says its attempt if the log has that."""
    was = of.source.find(old_keys.owned(old_keys.ACTIVITIES, of.number), old.Activity)
    for action in was.actions[-limits.ACTIVITY_ENTRIES :] if was else ():
        delivery, attempt = log.entries.get(action.logged - 1, (0, 0))
        new = Action(
            at_ms=action.at_ms,
            action=action.action,
            chat_id=action.chat_id,
            messages=action.messages,
            outcome=former_names.state_of(action.outcome),
            detail=OWNER.sub("owner_email (set)", action.detail),
            logged=action.logged,
            delivery=delivery,
            attempt=attempt,
        )
        number = of.state.action_next
        of.target.put(keyspace.owned_numbered(keyspace.ACTIONS, of.number, number), new)
        of.state.action_next += 1
        of.state.log_next = max(of.state.log_next, action.logged)


def _move_requests(of: Moving) -> None:
    """Requests with an idempotency key."""
    prefix = old_keys.owned(old_keys.REQUESTS, of.number)
    for key, value in rows.rows(of.source.txn, prefix):
        of.source.tick()
        request = old_keys.parse_subject(key)
        record = of.source.decode(key, value, old.RequestRecord)
        if record is None:
            continue
        of.target.put_raw(key, value)
        of.target.put_flag(keyspace.request_time(of.number, record.at_ms, request))
        forget_ms = record.at_ms + limits.REMEMBERED_MS
        of.target.put_due(Due(forget_ms, DueKind.REQUEST, of.number, request))
        of.usage.answers += 1
        of.usage.answer_bytes += requests.ANSWER_BYTES + len(record.answer)


def _move_erasures(of: Moving, workspace_id: str, now_ms: int, delivery_next: int) -> None:
    """Chats that were deleted and have records left to erase."""
    prefix = old_keys.owned(old_keys.ERASURES, of.number)
    for key, value in rows.rows(of.source.txn, prefix):
        of.source.tick()
        chat = old_keys.parse_subject(key)
        was = of.source.decode(key, value, old.Erasure)
        # Without the record it is not known what was sealed before the deletion. What was deleted
        # must not be sent, so everything of the chat that waits is erased.
        erasure = Erasure(
            workspace_id=workspace_id,
            at_ms=was.at_ms if was else now_ms,
            before=was.before if was else delivery_next,
        )
        of.target.put(keyspace.owned(keyspace.ERASURES, of.number, chat), erasure)
        of.target.put_due(Due(0, DueKind.ERASE, of.number))
        of.usage.erasures += 1


def _put_flags(of: Moving, *, has_url: bool) -> None:
    """The rows that repeat the state agree with it; readiness.py has the rules."""
    state, number = of.state, of.number
    may_send = state.enabled and has_url and state.queued > 0
    state.retry_ms = state.next_attempt_ms if may_send else 0
    state.ready = may_send and not state.retry_ms
    if state.ready:
        of.target.put_flag(keyspace.owned(keyspace.READY, number))
    if state.retry_ms:
        of.target.put_due(Due(state.retry_ms, DueKind.RETRY, number))
    if not state.enabled:
        of.target.put_flag(keyspace.owned(keyspace.DISABLED, number))
    if state.retime_after is not None:
        of.target.put_due(Due(0, DueKind.RETIME, number))

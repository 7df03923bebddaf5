"""Deletes workspaces and chats: at once for every caller, their records in steps.

Deleting a workspace takes away its settings, its name, its state, its tokens and its mails in one
transaction. From then on nobody finds it: nothing is accepted or sent for it, and an attempt under
way ends in NotFound. What is left are records under a number that will never be given again;
they may be many, so an ERASE row of the due index has them erased in steps small enough for intake
to go on between. A workspace has one such row, whatever was deleted of it: the row goes with the
last of that, so a crash only means that the steps, which are in erase_steps.py, go on at the next
start.

A chat's windows and phones are deleted at once, and it knows no message id any more. Its
deliveries, with what the detailed log has of them, the ids in parts of their own, and when messages
arrived are erased in steps: everything from `before` the deletion. Such a delivery is not sent; see
tables/erasures.py. The chat itself may begin anew at any time.

The feed is left as it is until its retention: its facts hold ids, counts, settings and errors, and
no text of any message. Erased bytes stay in free pages of the file until `compact`.
"""

import msgspec

from hookbundle.engine.preconditions import Precondition, check
from hookbundle.storage import facts
from hookbundle.storage.database import feed_rows, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Erasure
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, contacts, outbox, windows
from hookbundle.storage.tables.arrivals import rows as arrivals
from hookbundle.storage.tables.changing import early
from hookbundle.storage.tables.sources import erasing as sources
from hookbundle.storage.transitions import tokens
from hookbundle.storage.transitions.sources import lifetime


class DeleteWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """`precondition`: only if it holds."""

    workspace_id: str
    precondition: Precondition | None
    now_ms: int
    caller: str


class WorkspaceDeleted(msgspec.Struct, frozen=True):
    """What was deleted with it: open windows, queued deliveries, dead letters, unsent messages."""

    windows: int
    deliveries: int
    messages: int


class DeleteChat(msgspec.Struct, frozen=True, kw_only=True):
    workspace_id: str
    chat_id: str
    now_ms: int
    caller: str


class ChatDeleted(msgspec.Struct, frozen=True):
    """`messages` were in its open window; what waits in the queue is counted when it is erased."""

    messages: int


def delete_workspace(unit: Unit, transition: DeleteWorkspace) -> WorkspaceDeleted:
    """Raises: NotFound; Changed if the precondition does not hold."""
    settings = unit.workspace(transition.workspace_id)
    workspace, meta = settings.workspace, unit.meta
    check(transition.precondition, workspace.version, workspace.id)
    states = [unit.state(webhook.number) for webhook in settings.all]
    alive = states[: len(settings.webhooks)]  # of the others it was told when they were deleted
    deleted = WorkspaceDeleted(
        windows=sum(state.windows for state in alive),
        deliveries=sum(state.queued + state.dead_letters for state in alive),
        messages=sum(state.queued_messages + state.buffered_messages for state in alive),
    )
    unit.flush_chats()  # a chat that has a row in the due index has a record, so both are found
    tokens.drop_all(unit, settings, transition.now_ms, transition.caller)
    outbox.drop_all(unit, workspace, transition.now_ms)
    lifetime.drop_all(unit, workspace.number)
    _drop_dues(unit, settings)
    meta.windows -= sum(state.windows for state in states)
    meta.queued -= sum(state.queued for state in states)
    meta.dead_letters -= sum(state.dead_letters for state in states)
    meta.resending -= sum(state.resending for state in states)
    meta.totals.discarded += sum(state.queued + state.dead_letters for state in states)
    meta.history_bytes -= unit.usage(workspace.number).history_bytes
    feed_rows.disown(unit, workspace.number)
    _drop_settings(unit, settings)
    fact = facts.WorkspaceDeleted(
        caller=transition.caller,
        windows=deleted.windows,
        deliveries=deleted.deliveries,
        messages=deleted.messages,
    )
    unit.emit(fact, transition.now_ms, workspace.id)
    erasure = Erasure(
        workspace_id=workspace.id,
        at_ms=transition.now_ms,
        before=meta.delivery_next,
        webhooks=tuple(webhook.number for webhook in settings.all),
    )
    unit.put(keyspace.owned(keyspace.ERASURES, workspace.number), erasure)
    unit.put_due(Due(0, DueKind.ERASE, workspace.number))
    return deleted


def delete_chat(unit: Unit, transition: DeleteChat) -> ChatDeleted:
    """Raises: NotFound if there is no such workspace."""
    settings = unit.workspace(transition.workspace_id)
    number, chat = settings.workspace.number, transition.chat_id.encode()
    record = unit.chat(number, chat)
    before = unit.get(keyspace.owned(keyspace.ERASURES, number, chat), Erasure)
    has_rows = _has_rows(unit, settings, chat)
    early_changes = early.drop_all(unit, number, chat)
    if record is None and before is None and not has_rows and not early_changes:
        # Nothing is left of it, or it never was: nothing is written either. A chat that never was
        # is deleted all the same if a source keeps a request of no known chat: it may be of this.
        return ChatDeleted(0)
    messages = _drop_chat(unit, settings, chat, record) if record else 0
    contacts.forget(unit, number, chat)
    fact = facts.ChatDeleted(caller=transition.caller, messages=messages)
    feed_rows.found_by_chat(unit, number, chat)
    unit.tell(settings.workspace, fact, transition.now_ms, transition.chat_id)
    if before is not None or has_rows:
        _erase_later(unit, settings, chat, record, before, transition.now_ms)
    else:
        unit.tell(settings.workspace, facts.ChatErased(), transition.now_ms, transition.chat_id)
    action = Action(
        at_ms=transition.now_ms,
        action="chat deleted",
        chat_id=transition.chat_id,
        messages=messages,
        detail=f"by {transition.caller}",
    )
    activity.add(unit, settings.first.number, action)
    return ChatDeleted(messages)


def _has_rows(unit: Unit, settings: Settings, chat: bytes) -> bool:
    """Whether the chat has anything that is erased in steps."""
    prefixes = (keyspace.CHAT_DELIVERIES, keyspace.SEEN_PARTS)
    number = settings.workspace.number
    if any(unit.first_key(keyspace.of_chat(each, number, chat)) for each in prefixes):
        return True
    if sources.has_any(unit, number, chat):
        return True
    if not unit.usage(number).arrival_bytes:
        return False
    return next(arrivals.of_chat(unit, settings, chat), None) is not None


def _erase_later(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    record: ChatRecord | None,
    before: Erasure | None,
    now_ms: int,
) -> None:
    """The chain of the workspace erases what the chat has now. `before`: an earlier deletion."""
    number = settings.workspace.number
    if before is None:
        unit.usage(number).erasures += 1
        unit.put_due(Due(0, DueKind.ERASE, number))
    seen_before = before.seen_before if before else 0
    erasure = Erasure(
        workspace_id=settings.workspace.id,
        at_ms=now_ms,
        before=unit.meta.delivery_next,
        seen_before=record.seen_next if record else seen_before,
    )
    unit.put(keyspace.owned(keyspace.ERASURES, number, chat), erasure)


def _drop_dues(unit: Unit, settings: Settings) -> None:
    """Rows of the workspace itself; those of its chats and requests go with their records.

    The row of its chain, if chats of it are being erased, is the one for itself from now on.
    """
    number = settings.workspace.number
    for webhook in settings.all:
        state = unit.state(webhook.number)
        if state.retry_ms:
            unit.delete_due(Due(state.retry_ms, DueKind.RETRY, webhook.number))
        if state.retime_after is not None:
            unit.delete_due(Due(0, DueKind.RETIME, webhook.number))
        if state.moving is not None:
            unit.delete_due(Due(0, DueKind.MOVE, webhook.number))
        if state.replay:
            unit.delete_due(Due(0, DueKind.REPLAY, webhook.number))
        if state.merging is not None:
            unit.delete_due(Due(0, DueKind.MERGE, webhook.number))
        if webhook.deleted_ms:
            unit.delete_due(Due(0, DueKind.DELETE, webhook.number))
    usage = unit.usage(number)
    if usage.trim_ms >= 0:
        unit.delete_due(Due(usage.trim_ms, DueKind.TRIM, number))
    if usage.arrivals_due_ms >= 0:
        unit.delete_due(Due(usage.arrivals_due_ms, DueKind.ARRIVALS, number))


def _drop_settings(unit: Unit, settings: Settings) -> None:
    """From here on nobody finds the workspace."""
    number = settings.workspace.number
    unit.forget_workspace(settings)
    unit.delete(keyspace.workspace(settings.workspace.id))
    unit.delete(keyspace.owned(keyspace.NAMES, number))
    unit.delete(keyspace.owned(keyspace.USAGES, number))
    for webhook in settings.all:
        unit.delete(keyspace.webhook(number, webhook.number))
        for prefix in (keyspace.STATES, keyspace.READY, keyspace.DISABLED):
            unit.delete(keyspace.owned(prefix, webhook.number))


def _drop_chat(unit: Unit, settings: Settings, chat: bytes, record: ChatRecord) -> int:
    """The chat is gone with its windows. Returns how many messages they had."""
    number, messages = settings.workspace.number, 0
    for collecting in record.collecting:
        if collecting.window is not None:
            webhook = settings.any_webhook(collecting.webhook)
            messages += windows.close(unit, webhook, chat, collecting).count
    if record.forget_ms:
        unit.delete_due(Due(record.forget_ms, DueKind.FORGET, number, chat))
    unit.delete_chat(number, chat)
    return messages

"""Deletes workspaces and chats: at once for every caller, their records in steps.

Deleting a workspace takes away its settings, its name, its state, its tokens and its mails in one
transaction. From then on nobody finds it: nothing is accepted or sent for it, and an attempt under
way ends in NotFound. What is left are records under a number that will never be given again;
they may be many, so an ERASE row of the due index has them erased in steps small enough for intake
to go on between. A row goes with the last of what it stands for, so a crash only means that the
steps, which are in erase_steps.py, go on at the next start.

A chat's window and the message ids it has seen are deleted at once. What waits of it in the queue
of its workspace, and what the detailed log has of it, is found in steps as well: everything that
was sealed `before` the deletion. Such a delivery is neither sent nor put back into the queue; see
`queue.is_erased`. The chat itself may begin anew at any time.

The feed is left as it is until its retention: its facts hold ids, counts, settings and errors, and
no text of any message. Erased bytes stay in free pages of the file until `compact`.
"""

from dataclasses import dataclass

from hookbundle.engine import limits
from hookbundle.engine.errors import Changed
from hookbundle.storage import facts
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import (
    Action,
    Erasure,
    Mail,
    Token,
    WebhookState,
    Workspace,
)
from hookbundle.storage.database.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWorkspace:
    """`version`: only if it is still that."""

    workspace_id: str
    version: int | None
    now_ms: int
    caller: str


@dataclass(frozen=True, slots=True)
class WorkspaceDeleted:
    """What was deleted with it: open windows, queued deliveries, dead letters, unsent messages."""

    windows: int
    deliveries: int
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteChat:
    workspace_id: str
    chat_id: str
    now_ms: int
    caller: str


@dataclass(frozen=True, slots=True)
class ChatDeleted:
    """`messages` were in its open window; what waits in the queue is counted when it is erased."""

    messages: int


def delete_workspace(unit: Unit, transition: DeleteWorkspace) -> WorkspaceDeleted:
    """Raises: NotFound; Changed if `version` is another."""
    workspace = unit.workspace(transition.workspace_id)
    if transition.version not in (None, workspace.version):
        raise Changed(
            f"workspace {workspace.id!r} is at version {workspace.version}, not "
            f"{transition.version}; read it again before you delete it"
        )
    state = unit.state(workspace.number)
    deleted = WorkspaceDeleted(
        windows=state.windows,
        deliveries=state.queued + state.dead_letters,
        messages=state.queued_messages + state.buffered_messages,
    )
    unit.flush_chats()  # a chat that has a row in the due index has a record, so both are found
    unit.emit(
        facts.WorkspaceDeleted(
            caller=transition.caller,
            windows=deleted.windows,
            deliveries=deleted.deliveries,
            messages=deleted.messages,
        ),
        transition.now_ms,
        workspace.id,
    )
    _drop_tokens(unit, workspace, transition)
    _drop_mails(unit, workspace, transition.now_ms)
    _drop_dues(unit, workspace.number, state)
    meta = unit.meta
    meta.windows -= state.windows
    meta.queued -= state.queued
    meta.dead_letters -= state.dead_letters
    meta.totals.discarded += deleted.deliveries
    unit.forget_workspace(workspace.number)
    unit.delete(keyspace.workspace(workspace.id))
    for prefix in (keyspace.NAMES, keyspace.STATES, keyspace.READY, keyspace.DISABLED):
        unit.delete(keyspace.owned(prefix, workspace.number))
    erasure = Erasure(workspace_id=workspace.id, at_ms=transition.now_ms, before=meta.delivery_next)
    unit.put(keyspace.owned(keyspace.ERASURES, workspace.number), erasure)
    unit.put_due(Due(0, DueKind.ERASE, workspace.number))
    return deleted


def delete_chat(unit: Unit, transition: DeleteChat) -> ChatDeleted:
    """Raises: NotFound if there is no such workspace."""
    workspace = unit.workspace(transition.workspace_id)
    chat = transition.chat_id.encode()
    state = unit.state(workspace.number)
    record = unit.chat(workspace.number, chat)
    messages = _drop_chat(unit, workspace.number, chat, record) if record else 0
    key = keyspace.owned(keyspace.ERASURES, workspace.number, chat)
    if unit.get(key, Erasure) is None:
        state.erasures += 1
        unit.put_due(Due(0, DueKind.ERASE, workspace.number, chat))
    erasure = Erasure(
        workspace_id=workspace.id, at_ms=transition.now_ms, before=unit.meta.delivery_next
    )
    unit.put(key, erasure)
    unit.emit(
        facts.ChatDeleted(caller=transition.caller, messages=messages),
        transition.now_ms,
        workspace.id,
        transition.chat_id,
    )
    action = Action(
        at_ms=transition.now_ms,
        action="chat deleted",
        chat_id=transition.chat_id,
        messages=messages,
        detail=f"by {transition.caller}",
    )
    unit.add_action(workspace.number, action, limits.ACTIVITY_ENTRIES)
    return ChatDeleted(messages)


def _drop_tokens(unit: Unit, workspace: Workspace, transition: DeleteWorkspace) -> None:
    """The workspace's tokens are gone: a later workspace of its id must not inherit them."""
    found = [(key, codec.unpack(key, value, Token)) for key, value in unit.rows(keyspace.TOKENS)]
    for key, token in found:
        if token.workspace_id == workspace.id:
            unit.delete(key)
            unit.emit(
                facts.TokenRevoked(token=token.id, caller=transition.caller),
                transition.now_ms,
                workspace.id,
            )


def _drop_mails(unit: Unit, workspace: Workspace, now_ms: int) -> None:
    found = [(key, codec.unpack(key, value, Mail)) for key, value in unit.rows(keyspace.MAILS)]
    for key, mail in found:
        if mail.workspace == workspace.number:
            unit.delete(key)
            unit.delete_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
            unit.meta.mails -= 1
            unit.emit(facts.MailDropped(to=mail.to, tries=mail.tries), now_ms, workspace.id)


def _drop_dues(unit: Unit, number: int, state: WebhookState) -> None:
    """Rows of the workspace itself; those of its chats and requests go with their records."""
    if state.retry_ms:
        unit.delete_due(Due(state.retry_ms, DueKind.RETRY, number))
    if state.retime_after is not None:
        unit.delete_due(Due(0, DueKind.RETIME, number))
    chats = [
        keyspace.parse_subject(key)
        for key, _ in unit.rows(keyspace.owned(keyspace.ERASURES, number))
    ]
    for chat in chats:
        unit.delete(keyspace.owned(keyspace.ERASURES, number, chat))
        unit.delete_due(Due(0, DueKind.ERASE, number, chat))


def _drop_chat(unit: Unit, number: int, chat: bytes, record: ChatRecord) -> int:
    """The chat is gone with its window. Returns how many messages the window had."""
    window = record.window
    kind = DueKind.WINDOW if window else DueKind.FORGET
    unit.delete_due(Due(record.wake_ms, kind, number, chat))
    for part in range(record.seen_first, record.seen_next):
        unit.delete(keyspace.part(keyspace.SEEN_PARTS, number, chat, part))
    unit.delete_chat(number, chat)
    if window is None:
        return 0
    for part in range(window.parts):
        unit.delete(keyspace.part(keyspace.PARTS, number, chat, part))
    state = unit.state(number)
    state.windows -= 1
    state.buffered_messages -= window.count
    unit.meta.windows -= 1
    return window.count

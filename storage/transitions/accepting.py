"""Accepts the messages of one chat: recognises repeats, fills the window or the queue."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import QuotaReached
from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Incoming, Skipped
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord, SeenPart, Window
from hookbundle.storage.database.records import Action, WebhookState, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue, windows
from hookbundle.storage.transitions import sealing

DIGEST_BYTES = 8
LOOKED_UP_MAX = 8  # messages for which looking for each costs less than a set of all that is known
SEEN_BYTES_MAX = 64 * DIGEST_BYTES  # kept in the chat's own record; older ones in parts


@dataclass(frozen=True, slots=True)
class Quota:
    """What a disabled workspace may hold."""

    messages_max: int = limits.HELD_MESSAGES_MAX
    held_ms_max: int = limits.HELD_MS_MAX


class AcceptMessages(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of one request and chat. A msgspec Struct: one is made for every request."""

    workspace_number: int
    chat_id: str
    messages: tuple[Incoming, ...]
    skipped: tuple[Skipped, ...]
    now_ms: int
    product_name: str
    quota: Quota


class Accepted(msgspec.Struct, frozen=True):
    """`due_ms`: of the chat's window, 0 without one. `wake`: the webhook became ready."""

    accepted: int
    duplicate: int
    due_ms: int
    wake: bool


def accept_messages(unit: Unit, transition: AcceptMessages) -> Accepted:
    """Raises: NotFound; QuotaReached, and then none of the messages is stored."""
    workspace = unit.workspace_numbered(transition.workspace_number)
    state = unit.state(workspace.number)
    chat = transition.chat_id.encode()
    known = unit.chat(workspace.number, chat)
    record = known or ChatRecord()
    fresh = _fresh(unit, workspace.number, chat, record, transition.messages)
    if fresh:
        _check_quota(workspace, state, len(fresh), transition)
        if known is None:
            unit.keep_chat(workspace.number, chat, record)
        _remember(unit, workspace.number, chat, record, fresh, transition.now_ms)
    wake = False
    for message in fresh:
        if workspace.aggregation_ms:
            wake |= _collect(unit, workspace, chat, record, message, transition)
        else:
            wake |= _send_alone(unit, workspace, chat, record, message, transition)
    if fresh and not record.wake_ms:
        windows.set_window(unit, workspace.number, chat, record, None)
    duplicate = len(transition.messages) - len(fresh)
    window = record.window
    _tell(unit, workspace, transition, fresh, duplicate, window, held=not state.enabled)
    return Accepted(len(fresh), duplicate, window.due_ms if window else 0, wake)


def _fresh(
    unit: Unit,
    workspace_number: int,
    chat: bytes,
    record: ChatRecord,
    messages: tuple[Incoming, ...],
) -> list[Incoming]:
    """The messages whose ids are neither known to the chat nor repeated within the request."""
    known = record.seen
    if record.seen_first < record.seen_next:
        known += b"".join(_seen_before(unit, workspace_number, chat, record))
    if len(messages) == 1:  # the most common case by far, and a set costs more than one look
        return [] if _holds(known, messages[0].digest) else list(messages)
    if len(messages) <= LOOKED_UP_MAX:
        unseen = [message for message in messages if not _holds(known, message.digest)]
    else:
        seen = {known[at : at + DIGEST_BYTES] for at in range(0, len(known), DIGEST_BYTES)}
        unseen = [message for message in messages if message.digest not in seen]
    fresh: dict[bytes, Incoming] = {}
    for message in unseen:
        fresh.setdefault(message.digest, message)
    return list(fresh.values())


def _seen_before(
    unit: Unit, workspace_number: int, chat: bytes, record: ChatRecord
) -> Iterator[bytes]:
    """The digests that no longer fit into the chat's own record, part by part."""
    for number in range(record.seen_first, record.seen_next):
        key = keyspace.part(keyspace.SEEN_PARTS, workspace_number, chat, number)
        part = unit.get(key, SeenPart)
        if part is not None:
            yield part.seen


def _holds(known: bytes, digest: bytes) -> bool:
    """Whether `digest` is among the digests in `known`."""
    at = known.find(digest)
    # `find` looks at bytes, so it may match across the border of two digests; such a match is none.
    while at > 0 and at % DIGEST_BYTES:  # half of one digest and half of the next
        at = known.find(digest, at + 1)
    return at >= 0


def _remember(
    unit: Unit,
    workspace_number: int,
    chat: bytes,
    record: ChatRecord,
    fresh: list[Incoming],
    now_ms: int,
) -> None:
    """The chat knows the messages' ids; ids older than 48 h are dropped, part by part."""
    # The newest ids stand in the chat's own record, which every message reads and writes anyway.
    # When they outgrow it they move to a part of their own, so that the record stays small.
    record.last_ms = max(record.last_ms, now_ms)
    record.seen += b"".join([message.digest for message in fresh])
    if len(record.seen) <= SEEN_BYTES_MAX:
        return
    key = keyspace.part(keyspace.SEEN_PARTS, workspace_number, chat, record.seen_next)
    unit.put(key, SeenPart(last_ms=record.last_ms, seen=record.seen))
    record.seen_next += 1
    record.seen = b""
    while record.seen_first < record.seen_next:
        key = keyspace.part(keyspace.SEEN_PARTS, workspace_number, chat, record.seen_first)
        oldest = unit.get(key, SeenPart)
        if oldest and oldest.last_ms + limits.REMEMBERED_MS > now_ms:
            return
        unit.delete(key)
        record.seen_first += 1


def _check_quota(
    workspace: Workspace, state: WebhookState, count: int, transition: AcceptMessages
) -> None:
    """A webhook that can't send (disabled, or without a URL) holds a bounded number of messages."""
    if state.enabled and workspace.url:
        return
    quota = transition.quota
    what = "is disabled" if workspace.url else "has no webhook URL"
    held = state.queued_messages + state.buffered_messages
    if held + count > quota.messages_max:
        raise QuotaReached(
            f"workspace {workspace.id!r} {what} and holds {held} messages of at most "
            f"{quota.messages_max}; enable its webhook, or discard what is held"
        )
    if not state.enabled and transition.now_ms - state.disabled_ms > quota.held_ms_max:
        raise QuotaReached(
            f"workspace {workspace.id!r} has been disabled for longer than messages are held; "
            "enable its webhook, or discard what is held"
        )


def _collect(
    unit: Unit,
    workspace: Workspace,
    chat: bytes,
    record: ChatRecord,
    message: Incoming,
    transition: AcceptMessages,
) -> bool:
    """The message is in the chat's window. True if sealing on the way made the webhook ready."""
    wake = False
    window, weight = record.window, payload.weight(message.message)
    if window and window.due_ms <= transition.now_ms:
        wake |= _seal(unit, workspace, record, transition, "time")
    elif window and not windows.has_room(window, weight):
        wake |= _seal(unit, workspace, record, transition, "size")
    window = record.window or windows.open_window(
        unit, workspace.number, chat, record, transition.now_ms, workspace.aggregation_ms
    )
    windows.append(unit, workspace.number, chat, window, message, weight)
    if windows.is_full(window):
        wake |= _seal(unit, workspace, record, transition, "size")
    return wake


def _send_alone(
    unit: Unit,
    workspace: Workspace,
    chat: bytes,
    record: ChatRecord,
    message: Incoming,
    transition: AcceptMessages,
) -> bool:
    """The message is a delivery of its own, queued behind what its chat had collected before."""
    wake = record.window is not None and _seal(unit, workspace, record, transition, "settings")
    return wake | queue.enqueue(
        unit,
        workspace,
        chat_id=transition.chat_id,
        messages=1,
        body=payload.single_body(message.account, message.chat, message.message),
        bundle=False,
        reason="single",
        opened_ms=transition.now_ms,
        now_ms=transition.now_ms,
    )


def _seal(
    unit: Unit,
    workspace: Workspace,
    record: ChatRecord,
    transition: AcceptMessages,
    reason: sealing.Reason,
) -> bool:
    return sealing.seal(
        unit,
        workspace,
        transition.chat_id,
        record,
        reason=reason,
        now_ms=transition.now_ms,
        product_name=transition.product_name,
    )


def _tell(
    unit: Unit,
    workspace: Workspace,
    transition: AcceptMessages,
    fresh: list[Incoming],
    duplicate: int,
    window: Window | None,
    *,
    held: bool,
) -> None:
    """Writes the facts, the counters and, for skipped messages, the activity line."""
    totals, now_ms = unit.meta.totals, transition.now_ms
    totals.accepted += len(fresh)
    totals.duplicate += duplicate
    totals.skipped += len(transition.skipped)
    if fresh or duplicate:
        unit.emit(
            facts.MessageAccepted(
                messages=[message.message_id for message in fresh],
                duplicate=duplicate,
                due=window.due_ms if window else 0,
                buffered=window.count if window else 0,
                held=held,
            ),
            now_ms,
            workspace.id,
            transition.chat_id,
        )
    for skipped in transition.skipped:
        unit.emit(
            facts.MessageSkipped(message=skipped.message_id, reason=skipped.reason),
            now_ms,
            workspace.id,
            transition.chat_id,
        )
    if transition.skipped:
        _act_skipped(unit, workspace, transition)


def _act_skipped(unit: Unit, workspace: Workspace, transition: AcceptMessages) -> None:
    """One line for the skips of a chat in a row, so that they don't crowd out the failures."""
    reasons: set[str] = {skipped.reason for skipped in transition.skipped}
    count = len(transition.skipped)
    actions = unit.activity(workspace.number).actions
    if actions and (actions[-1].action, actions[-1].chat_id) == ("skipped", transition.chat_id):
        before = actions.pop()
        count += before.messages
        reasons.update(before.detail.split(", "))
    action = Action(
        at_ms=transition.now_ms,
        action="skipped",
        chat_id=transition.chat_id,
        messages=count,
        outcome="skipped",
        detail=", ".join(sorted(reasons)),
    )
    unit.add_action(workspace.number, action, limits.ACTIVITY_ENTRIES)

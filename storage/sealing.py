"""Windows sealed into deliveries.

A window ends in one of four ways: its time is up (`time`), it has reached the size of a bundle
(`size`), somebody asked (`flush`), or its length was changed (`settings`).
"""

from typing import Literal

import msgspec

from hookbundle.engine.errors import NotFound
from hookbundle.storage import keyspace, queue, windows
from hookbundle.storage.keyspace import Due, DueKind
from hookbundle.storage.records import ChatRecord, Workspace
from hookbundle.storage.unit import Unit

Reason = Literal["time", "size", "flush", "settings"]


class SealWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Seals the chat's window; with `due_ms`, only if that is when it is due.

    A row of the due index that says otherwise than the chat's record is stale, and is deleted.
    """

    workspace_number: int
    chat_id: str
    due_ms: int | None
    reason: Reason
    now_ms: int
    product_name: str


class Sealed(msgspec.Struct, frozen=True):
    """`messages` 0: there was nothing to seal. `wake`: the webhook became ready."""

    messages: int
    wake: bool


def seal_window(unit: Unit, transition: SealWindow) -> Sealed:
    """Raises: NotFound if the workspace is gone, and somebody wanted its window sealed now."""
    chat, due_ms = transition.chat_id.encode(), transition.due_ms
    try:
        workspace = unit.workspace_numbered(transition.workspace_number)
    except NotFound:
        if due_ms is None:
            raise
        unit.delete_due(Due(due_ms, DueKind.WINDOW, transition.workspace_number, chat))
        return Sealed(0, wake=False)
    record = unit.chat(workspace.number, chat)
    if record is None or record.window is None or due_ms not in (None, record.window.due_ms):
        if due_ms is not None:
            unit.delete_due(Due(due_ms, DueKind.WINDOW, workspace.number, chat))
        return Sealed(0, wake=False)
    messages = record.window.count
    wake = seal(
        unit,
        workspace,
        transition.chat_id,
        record,
        reason=transition.reason,
        now_ms=transition.now_ms,
        product_name=transition.product_name,
    )
    return Sealed(messages, wake)


def seal(
    unit: Unit,
    workspace: Workspace,
    chat_id: str,
    record: ChatRecord,
    *,
    reason: Reason,
    now_ms: int,
    product_name: str,
) -> bool:
    """The record's window, which must be there, is a delivery. True if the webhook became ready."""
    window = record.window
    assert window is not None
    chat = chat_id.encode()
    body = windows.body(
        window, windows.members(unit.get_raw, workspace.number, chat, window), product_name
    )
    for number in range(window.parts):
        unit.delete(keyspace.part(keyspace.PARTS, workspace.number, chat, number))
    state = unit.state(workspace.number)
    state.windows -= 1
    state.buffered_messages -= window.count
    unit.meta.windows -= 1
    windows.set_window(unit, workspace.number, chat, record, None)
    return queue.enqueue(
        unit,
        workspace,
        chat_id=chat_id,
        messages=window.count,
        body=body,
        bundle=True,
        reason=reason,
        opened_ms=window.opened_ms,
        now_ms=now_ms,
    )

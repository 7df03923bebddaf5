"""Windows sealed into deliveries.

A window ends in one of four ways: its time is up (`time`), it has reached the size of a bundle
(`size`), somebody asked (`flush`), or its length was changed (`settings`).
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.records import Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue, windows

Reason = Literal["time", "size", "flush", "settings"]


class SealWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Seals the chat's window now, because somebody asked."""

    workspace_number: int
    chat_id: str
    now_ms: int
    product_name: str


@dataclass(frozen=True, slots=True)
class SealDue:
    """Acts on WINDOW rows of the due index that are due: their chats' windows are sealed.

    A row that differs from its chat's record is stale, and is deleted.
    """

    rows: tuple[Due, ...]
    now_ms: int
    product_name: str


class Sealed(msgspec.Struct, frozen=True):
    """`messages` 0: there was nothing to seal. `wake`: the webhook became ready."""

    messages: int
    wake: bool


@dataclass(frozen=True, slots=True)
class DueSealed:
    """`wake`: numbers of the workspaces whose webhook became ready."""

    messages: int
    wake: tuple[int, ...]


def seal_window(unit: Unit, transition: SealWindow) -> Sealed:
    """Raises: NotFound if the workspace is gone."""
    workspace = unit.workspace_numbered(transition.workspace_number)
    record = unit.chat(workspace.number, transition.chat_id.encode())
    if record is None or record.window is None:
        return Sealed(0, wake=False)
    messages = record.window.count
    wake = seal(
        unit,
        workspace,
        transition.chat_id,
        record,
        reason="flush",
        now_ms=transition.now_ms,
        product_name=transition.product_name,
    )
    return Sealed(messages, wake)


def seal_due(unit: Unit, transition: SealDue) -> DueSealed:
    messages, wake = 0, []
    for row in transition.rows:
        try:
            workspace = unit.workspace_numbered(row.number)
        except NotFound:
            unit.delete_due(row)
            continue
        record = unit.chat(row.number, row.subject)
        if record is None or record.window is None or record.window.due_ms != row.at_ms:
            unit.delete_due(row)
            continue
        messages += record.window.count
        if seal(
            unit,
            workspace,
            row.subject.decode(),
            record,
            reason="time",
            now_ms=transition.now_ms,
            product_name=transition.product_name,
        ):
            wake.append(row.number)
    return DueSealed(messages, tuple(wake))


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
    """The record's window, which must exist, becomes a delivery. True: the webhook became ready."""
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

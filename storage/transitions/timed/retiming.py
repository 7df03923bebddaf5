"""Open windows follow a changed aggregation, in steps that leave room for intake."""

from dataclasses import dataclass

from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import WebhookState, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness, windows
from hookbundle.storage.transitions import sealing


@dataclass(frozen=True, slots=True)
class RetimeWindows:
    """Goes on re-timing the windows of a workspace whose aggregation was changed."""

    workspace_number: int
    most: int
    now_ms: int
    product_name: str


@dataclass(frozen=True, slots=True)
class Retimed:
    finished: bool
    wake: bool


def retime_windows(unit: Unit, transition: RetimeWindows) -> Retimed:
    """Raises: NotFound if the workspace is gone."""
    workspace = unit.workspace_numbered(transition.workspace_number)
    state = unit.state(workspace.number)
    if state.retime_after is None:
        return Retimed(finished=True, wake=False)
    unit.flush_chats()
    prefix = keyspace.owned(keyspace.CHATS, workspace.number)
    keys = []
    for key, _ in unit.rows(prefix, state.retime_after):
        keys.append(key)
        if len(keys) == transition.most:
            break
    wake = False
    for key in keys:
        wake |= _retime_chat(unit, workspace, keyspace.parse_subject(key), transition)
    finished = len(keys) < transition.most
    _remember_position(unit, workspace.number, state, None if finished else keys[-1])
    wake |= readiness.reconcile(unit, workspace, state)
    return Retimed(finished, wake)


def _retime_chat(unit: Unit, workspace: Workspace, chat: bytes, transition: RetimeWindows) -> bool:
    record = unit.chat(workspace.number, chat)
    if record is None or record.window is None:
        return False
    # Later than now it was opened by a clock that was wrong; see clock_recovery.py.
    record.window.opened_ms = min(record.window.opened_ms, transition.now_ms)
    due_ms = record.window.opened_ms + workspace.aggregation_ms
    if workspace.aggregation_ms and due_ms > transition.now_ms:
        windows.retime(unit, workspace.number, chat, record, due_ms)
        unit.emit(facts.WindowRetimed(due=due_ms), transition.now_ms, workspace.id, chat.decode())
        return False
    return sealing.seal(
        unit,
        workspace,
        chat.decode(),
        record,
        reason="settings",
        now_ms=transition.now_ms,
        product_name=transition.product_name,
    )


def _remember_position(
    unit: Unit, workspace_number: int, state: WebhookState, position: bytes | None
) -> None:
    state.retime_after = position
    if position is None:
        unit.delete_due(Due(0, DueKind.RETIME, workspace_number))

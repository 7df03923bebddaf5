"""Housekeeping that the clock asks for, each in steps small enough for intake to go on between."""

from dataclasses import dataclass

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Mail, RequestRecord, WebhookState, Workspace
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


@dataclass(frozen=True, slots=True)
class Forget:
    """Acts on FORGET and REQUEST rows of the due index that are due."""

    rows: tuple[Due, ...]
    now_ms: int


@dataclass(frozen=True, slots=True)
class MailAccepted:
    """The SMTP server has taken the mail."""

    number: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class MailFailed:
    """The mail is to be tried again at `next_ms`."""

    number: int
    failure: str
    next_ms: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about the daemon itself: started, stopped, the wall clock was stepped."""

    kind: str
    detail: str
    now_ms: int


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
    _remember_place(unit, workspace.number, state, None if finished else keys[-1])
    wake |= readiness.settle(unit, workspace, state)
    return Retimed(finished, wake)


def forget(unit: Unit, transition: Forget) -> None:
    """Chats silent for long enough, and old idempotency keys, are gone."""
    unit.saw(transition.now_ms)
    for row in transition.rows:
        if row.kind is DueKind.FORGET:
            _forget_chat(unit, row, transition.now_ms)
        else:
            _forget_request(unit, row)


def mail_accepted(unit: Unit, transition: MailAccepted) -> None:
    key = keyspace.numbered(keyspace.MAILS, transition.number)
    mail = unit.get(key, Mail)
    if mail is None:
        return
    unit.delete(key)
    unit.delete_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    unit.meta.mails -= 1
    unit.emit("mail.sent", transition.now_ms, mail.workspace_id, to=mail.to, tries=mail.tries + 1)


def mail_failed(unit: Unit, transition: MailFailed) -> None:
    key = keyspace.numbered(keyspace.MAILS, transition.number)
    mail = unit.get(key, Mail)
    if mail is None:
        return
    unit.delete_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    mail.tries += 1
    mail.next_ms = transition.next_ms
    mail.last_failure = transition.failure
    unit.put(key, mail)
    unit.put_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    unit.emit(
        "mail.failed",
        transition.now_ms,
        mail.workspace_id,
        to=mail.to,
        tries=mail.tries,
        error=mail.last_failure,
        next=mail.next_ms,
    )


def note(unit: Unit, transition: Note) -> None:
    unit.emit(transition.kind, transition.now_ms, detail=transition.detail)


def _retime_chat(unit: Unit, workspace: Workspace, chat: bytes, transition: RetimeWindows) -> bool:
    record = unit.chat(workspace.number, chat)
    if record is None or record.window is None:
        return False
    # Later than now it was opened by a clock that was wrong; see trusting.py.
    record.window.opened_ms = min(record.window.opened_ms, transition.now_ms)
    due_ms = record.window.opened_ms + workspace.aggregation_ms
    if workspace.aggregation_ms and due_ms > transition.now_ms:
        windows.retime(unit, workspace.number, chat, record, due_ms)
        unit.emit("window.retimed", transition.now_ms, workspace.id, chat.decode(), due=due_ms)
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


def _remember_place(
    unit: Unit, workspace_number: int, state: WebhookState, place: bytes | None
) -> None:
    state.retime_after = place
    if place is None:
        unit.delete_due(Due(0, DueKind.RETIME, workspace_number))


def _forget_chat(unit: Unit, row: Due, now_ms: int) -> None:
    record = unit.chat(row.number, row.subject)
    if record is None or record.window or record.wake_ms != row.at_ms:
        unit.delete_due(row)
    elif record.last_ms + limits.REMEMBERED_MS > now_ms:
        windows.set_window(unit, row.number, row.subject, record, None)
    else:
        for number in range(record.seen_first, record.seen_next):
            unit.delete(keyspace.part(keyspace.SEEN_PARTS, row.number, row.subject, number))
        unit.delete_chat(row.number, row.subject)
        unit.delete_due(row)


def _forget_request(unit: Unit, row: Due) -> None:
    key = keyspace.owned(keyspace.REQUESTS, row.number, row.subject)
    record = unit.get(key, RequestRecord)
    if record is not None and record.at_ms + limits.REMEMBERED_MS <= row.at_ms:
        unit.delete(key)
    unit.delete_due(row)

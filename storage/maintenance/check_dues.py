"""The rules for the due index: each row is required by another record.

The rules of those records check the reverse, that the row they require exists.
"""

from collections.abc import Iterator

from hookbundle.engine import limits
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, EarlyChange
from hookbundle.storage.database.delivery_records import Replay
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.records import Usage, WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.maintenance.check_ledger import Ledger, Owner
from hookbundle.storage.tables.changing import early
from hookbundle.storage.tables.postponed import Postponed
from hookbundle.storage.tables.repeating import replays
from hookbundle.storage.tables.requests import RequestRecord

Problems = Iterator[str]


def check_due(ledger: Ledger, key: bytes) -> Problems:
    row = key_fields.due(key)
    if _owner(ledger, row) != "erased" and not _is_required(ledger, row):
        yield "no record requires it"


def check_postponed(ledger: Ledger, key: bytes, postponed: Postponed) -> Problems:
    """What requires the row may be gone: that is found out when it is tried again."""
    row = key_fields.due(key)
    if not row.subject.startswith(keyspace.DUES):
        raise ValueError(f"{row.subject!r} does not begin with the letter of the due index")
    inner = key_fields.due(row.subject)
    if inner.kind is DueKind.POSTPONED:
        yield "is of a row that was postponed itself"
    if inner.number != row.number:
        yield f"is of {row.number}, but its own row of {inner.number}"
    if postponed.tries < 1:
        yield f"says that it was tried {postponed.tries} times"


def _owner(ledger: Ledger, row: Due) -> Owner:
    match row.kind:
        case DueKind.MAIL:
            return "live"
        case (
            DueKind.WINDOW
            | DueKind.RETRY
            | DueKind.RETIME
            | DueKind.MOVE
            | DueKind.REPLAY
            | DueKind.MERGE
            | DueKind.DELETE
        ):
            return ledger.owner_of_webhook(row.number)
        case _:
            return ledger.owner(row.number)


def _is_required(ledger: Ledger, row: Due) -> bool:
    match row.kind:
        case DueKind.WINDOW:
            return _window_requires(ledger, row)
        case DueKind.FORGET:
            chat = ledger.get(keyspace.owned(keyspace.CHATS, row.number, row.subject), ChatRecord)
            is_silent = chat is not None and chat.oldest_opened_ms() is None
            return chat is not None and is_silent and chat.forget_ms == row.at_ms
        case DueKind.RETRY | DueKind.RETIME | DueKind.MOVE | DueKind.MERGE:
            return not row.subject and _state_requires(ledger, row)
        case DueKind.DELETE:
            return not row.at_ms and not row.subject and _deletion_requires(ledger, row)
        case DueKind.REPLAY:
            return not row.at_ms and not row.subject and _replay_requires(ledger, row)
        case DueKind.TRIM:
            usage = ledger.get(keyspace.owned(keyspace.USAGES, row.number), Usage)
            return usage is not None and usage.trim_ms == row.at_ms and not row.subject
        case DueKind.ARRIVALS:
            usage = ledger.get(keyspace.owned(keyspace.USAGES, row.number), Usage)
            is_its_time = usage is not None and usage.arrivals_due_ms == row.at_ms
            return is_its_time and not row.subject
        case DueKind.SOURCE:
            usage = ledger.get(keyspace.owned(keyspace.USAGES, row.number), Usage)
            return usage is not None and usage.sources_due_ms == row.at_ms and not row.subject
        case DueKind.MAIL:
            mail = ledger.get(keyspace.numbered(keyspace.MAILS, row.number), Mail)
            return mail is not None and mail.next_ms == row.at_ms and not row.subject
        case DueKind.REQUEST:
            key = keyspace.owned(keyspace.REQUESTS, row.number, row.subject)
            request = ledger.get(key, RequestRecord)
            return request is not None and request.at_ms + limits.REMEMBERED_MS == row.at_ms
        case DueKind.CHANGE:
            key = early.key_in(row)
            change = ledger.get(key, EarlyChange)
            return change is not None and early.due_of(key, row.number, change) == row
        case DueKind.ERASE:
            erasures = keyspace.owned(keyspace.ERASURES, row.number, row.subject)
            return not row.at_ms and ledger.has_any(erasures)
        case DueKind.POSTPONED:  # has a rule of its own
            return True


def _window_requires(ledger: Ledger, row: Due) -> bool:
    workspace = ledger.workspace_of(row.number)
    if workspace is None:
        return False
    chat = ledger.get(keyspace.owned(keyspace.CHATS, workspace, row.subject), ChatRecord)
    window = chat.window_of(row.number) if chat else None
    return window is not None and window.due_ms == row.at_ms


def _deletion_requires(ledger: Ledger, row: Due) -> bool:
    """While windows are left the webhook is being re-timed, and has no row of this kind."""
    state = ledger.get(keyspace.owned(keyspace.STATES, row.number), WebhookState)
    if state is None or state.retime_after is not None:
        return False
    webhook = ledger.get(keyspace.webhook(state.workspace, row.number), Webhook)
    return webhook is not None and webhook.deleted_ms > 0


def _state_requires(ledger: Ledger, row: Due) -> bool:
    state = ledger.get(keyspace.owned(keyspace.STATES, row.number), WebhookState)
    if state is None:
        return False
    if row.kind is DueKind.RETRY:
        return state.retry_ms == row.at_ms
    if row.kind is DueKind.MERGE:
        return state.merging is not None and not row.at_ms
    required = state.moving if row.kind is DueKind.MOVE else state.retime_after
    return required is not None and not row.at_ms


def _replay_requires(ledger: Ledger, row: Due) -> bool:
    state = ledger.get(keyspace.owned(keyspace.STATES, row.number), WebhookState)
    if state is None or not state.replay:
        return False
    key = replays.key_of(state.workspace, state.replay)
    replay = ledger.get(key, Replay)
    return replay is not None and replays.needs_a_step(replay)

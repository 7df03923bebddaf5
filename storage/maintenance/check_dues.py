"""The rule for the due index: each row is required by another record.

The rules of those records check the reverse, that the row they require exists.
"""

from collections.abc import Iterator

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Mail, RequestRecord, WebhookState
from hookbundle.storage.maintenance.check_ledger import Ledger

Problems = Iterator[str]


def check_due(ledger: Ledger, key: bytes) -> Problems:
    row = keyspace.parse_due(key)
    if row.kind is not DueKind.MAIL and ledger.owner(row.number) == "erased":
        return
    if not _is_required(ledger, row):
        yield "no record requires it"


def _is_required(ledger: Ledger, row: Due) -> bool:
    match row.kind:
        case DueKind.WINDOW | DueKind.FORGET:
            key = keyspace.owned(keyspace.CHATS, row.number, row.subject)
            chat = ledger.get(key, ChatRecord)
            has_window = row.kind is DueKind.WINDOW
            return (
                chat is not None
                and chat.wake_ms == row.at_ms
                and (chat.window is not None) == has_window
            )
        case DueKind.RETRY | DueKind.RETIME:
            state = ledger.get(keyspace.owned(keyspace.STATES, row.number), WebhookState)
            if state is None or row.subject:
                return False
            if row.kind is DueKind.RETRY:
                return state.retry_ms == row.at_ms
            return state.retime_after is not None and not row.at_ms
        case DueKind.MAIL:
            mail = ledger.get(keyspace.numbered(keyspace.MAILS, row.number), Mail)
            return mail is not None and mail.next_ms == row.at_ms and not row.subject
        case DueKind.REQUEST:
            key = keyspace.owned(keyspace.REQUESTS, row.number, row.subject)
            request = ledger.get(key, RequestRecord)
            return request is not None and request.at_ms + limits.REMEMBERED_MS == row.at_ms
        case DueKind.ERASE:
            erasure = keyspace.owned(keyspace.ERASURES, row.number, row.subject)
            return not row.at_ms and ledger.has(erasure)

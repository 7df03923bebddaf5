"""The rules for a chat: its open windows, their parts, and its rows of the due index."""

from collections.abc import Iterator

from hookbundle.engine.messages.message import digest_of
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import (
    Apart,
    ChatRecord,
    Details,
    EarlyChange,
    Member,
    Part,
    Window,
)
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance import check_arrivals, check_seen_ids
from hookbundle.storage.maintenance.check_ledger import Ledger, is_live
from hookbundle.storage.tables.changing import details, early

Problems = Iterator[str]


def check_chat(ledger: Ledger, key: bytes, record: ChatRecord) -> Problems:
    number, chat = key_fields.owner(key), key_fields.subject(key)
    chat.decode()  # raises if a list of chats could not show the id
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    yield from _check_forget(ledger, number, chat, record)
    yield from check_seen_ids.check_seen_of_chat(ledger, number, chat, record)
    webhooks = set()
    for each in record.collecting:
        if each.webhook in webhooks:
            yield f"has two entries for webhook {each.webhook}"
        webhooks.add(each.webhook)
        yield from check_arrivals.check_packed(each.arrivals)
        if each.window is None:
            continue
        if ledger.workspace_of(each.webhook) != number:
            yield f"has a window for webhook {each.webhook}, which is not of this workspace"
            continue
        tally = ledger.of_webhook(each.webhook)
        tally.windows += 1
        tally.buffered_messages += each.window.count
        tally.buffered_bytes += each.window.weight + details.beside(each.window)
        yield from _check_window(ledger, number, chat, each.webhook, each.window)


def check_part(ledger: Ledger, key: bytes, part: Part) -> Problems:
    number, chat, webhook, position = key_fields.part(key)
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    chat_key = keyspace.owned(keyspace.CHATS, number, chat)
    record = ledger.get(chat_key, ChatRecord)
    window = record.window_of(webhook) if record else None
    if window is None or position >= window.parts:
        yield "belongs to no window"


def _check_forget(ledger: Ledger, number: int, chat: bytes, record: ChatRecord) -> Problems:
    forget_ms = record.forget_ms
    if record.oldest_opened_ms() is not None:
        if forget_ms:
            yield f"is to be forgotten at {forget_ms}, though a window of it is open"
    elif not forget_ms or not ledger.has_due(forget_ms, DueKind.FORGET, number, chat):
        yield f"has no row FORGET in the due index at {forget_ms}"


def _check_window(
    ledger: Ledger, number: int, chat: bytes, webhook: int, window: Window
) -> Problems:
    if not ledger.has_due(window.due_ms, DueKind.WINDOW, webhook, chat):
        yield f"has no row WINDOW in the due index at {window.due_ms}"
    members: list[Member] = []
    for position in range(window.parts):
        key = keyspace.part(number, chat, webhook, position)
        part = ledger.get(key, Part)
        if part is None:
            if not ledger.has(key):
                yield f"part {position} of its window is missing"
            return
        members += part.members
    members += window.tail
    if not window.count and not window.first:
        yield "its window is empty, and was not opened by a message that left at once"
    if len(members) != window.count:
        yield f"its window says {window.count} messages, counted {len(members)}"
    in_tail = sum(len(member.message) + details.bytes_of(member.kept) for member in window.tail)
    if in_tail != window.tail_bytes:
        yield f"its window says tail_bytes {window.tail_bytes}, which is wrong"
    yield from _check_details(window, members)
    times = [member.sent_ms for member in members]
    if times and (min(times), max(times)) != (window.first_ms, window.newest_ms):
        yield f"its window says {window.first_ms} to {window.newest_ms}, which is wrong"


def _check_details(window: Window, members: list[Member]) -> Problems:
    """What the bundle has of its newest member, and what members keep beside it."""
    apart = window.apart or Apart()
    beside = sum(details.bytes_of(member.kept) for member in members)
    beside += details.size_of(apart.oldest) if apart.oldest else 0
    if beside != apart.beside:
        yield f"its window says {apart.beside} bytes beside its messages, counted {beside}"
    if not members:
        return
    own = list(details.each(window, members))
    # Of equal times the last one to arrive is the newest.
    at = max(range(len(members)), key=lambda each: (members[each].sent_ms, each))
    has = Details(window.account, window.chat, window.extra)
    if own[at] != has or own[-1] != (apart.last or has):
        yield "its window has the account or the chat of another message than its newest"


def check_early_change(ledger: Ledger, key: bytes, change: EarlyChange) -> Problems:
    number, _, digest = key_fields.of_chat(key)
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    if digest != digest_of(change.message_id):
        yield f"is of another message than {change.message_id!r}"
    row = early.due_of(key, number, change)
    if not ledger.has_due(row.at_ms, row.kind, row.number, row.subject):
        yield f"has no row CHANGE in the due index at {row.at_ms}"


def counted_changes(ledger: Ledger, workspace: int) -> tuple[int, int]:
    """The workspace's early changes and their bytes; they come after the record of its usage."""
    count = size = 0
    for key, _ in rows.rows(ledger.txn, keyspace.owned(keyspace.EARLY_CHANGES, workspace)):
        change = ledger.get(key, EarlyChange)
        if change is not None:  # a damaged one is reported at its own key
            count, size = count + 1, size + early.bytes_of(key, change)
    return count, size

"""The rules for a chat: its window, the window's parts, and the ids it has seen."""

from collections.abc import Iterator

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Part, SeenPart, Window
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance.check_ledger import Ledger
from hookbundle.storage.transitions.accepting import DIGEST_BYTES

Problems = Iterator[str]


def check_chat(ledger: Ledger, key: bytes, record: ChatRecord) -> Problems:
    number, chat = keyspace.parse_owner(key), keyspace.parse_subject(key)
    chat.decode()  # raises if a list of chats could not show the id
    match ledger.owner(number):
        case "unknown":
            yield "belongs to no workspace"
        case "erased":
            return
    kind = DueKind.WINDOW if record.window else DueKind.FORGET
    if not ledger.has_due(record.wake_ms, kind, number, chat):
        yield f"has no row {kind.name} in the due index at {record.wake_ms}"
    if len(record.seen) % DIGEST_BYTES:
        yield f"has {len(record.seen)} bytes of seen ids, should be a multiple of {DIGEST_BYTES}"
    for part in range(record.seen_first, record.seen_next):
        if not ledger.has(keyspace.part(keyspace.SEEN_PARTS, number, chat, part)):
            yield f"part {part} of its seen ids is missing"
    if record.window is not None:
        tally = ledger.tally(number)
        tally.windows += 1
        tally.buffered_messages += record.window.count
        yield from _check_window(ledger, number, chat, record, record.window)


def check_part(ledger: Ledger, key: bytes, part: Part) -> Problems:
    number, chat, position = keyspace.parse_part(key)
    if ledger.owner(number) == "erased":
        return
    record = ledger.get(keyspace.owned(keyspace.CHATS, number, chat), ChatRecord)
    if record is None or record.window is None or position >= record.window.parts:
        yield "belongs to no window"


def check_seen_part(ledger: Ledger, key: bytes, part: SeenPart) -> Problems:
    number, chat, position = keyspace.parse_part(key)
    if ledger.owner(number) == "erased":
        return
    record = ledger.get(keyspace.owned(keyspace.CHATS, number, chat), ChatRecord)
    if record is None or not record.seen_first <= position < record.seen_next:
        yield "belongs to no chat"
    if len(part.seen) % DIGEST_BYTES:
        yield f"has {len(part.seen)} bytes, should be a multiple of {DIGEST_BYTES}"


def _check_window(
    ledger: Ledger, number: int, chat: bytes, record: ChatRecord, window: Window
) -> Problems:
    if window.due_ms != record.wake_ms:
        yield f"its window is due at {window.due_ms}, but its due row is at {record.wake_ms}"
    members = list(window.tail)
    for position in range(window.parts):
        part = ledger.get(keyspace.part(keyspace.PARTS, number, chat, position), Part)
        if part is None:
            yield f"part {position} of its window is missing"
            return
        members += part.members
    if len(members) != window.count:
        yield f"its window says {window.count} messages, counted {len(members)}"
    if sum(len(member.message) for member in window.tail) != window.tail_bytes:
        yield f"its window says tail_bytes {window.tail_bytes}, which is wrong"
    times = [member.sent_ms for member in members]
    if times and (min(times), max(times)) != (window.first_ms, window.newest_ms):
        yield f"its window says {window.first_ms} to {window.newest_ms}, which is wrong"

"""What must be true of a chat: its window, the parts of it, and the ids it knows."""

from collections.abc import Iterator

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import ChatRecord, Part, SeenPart, Window
from hookbundle.storage.maintenance.check_ledger import Ledger
from hookbundle.storage.transitions.accepting import DIGEST_BYTES

Words = Iterator[str]


def check_chat(ledger: Ledger, key: bytes, record: ChatRecord) -> Words:
    number, chat = keyspace.parse_owner(key), keyspace.parse_subject(key)
    chat.decode()  # as whoever lists chats will
    match ledger.owner(number):
        case "unknown":
            yield "belongs to no workspace"
        case "erased":
            return
    kind = DueKind.WINDOW if record.window else DueKind.FORGET
    if not ledger.has_due(record.wake_ms, kind, number, chat):
        yield f"has no row {kind.name} in the due index at {record.wake_ms}"
    if len(record.seen) % DIGEST_BYTES:
        yield f"has {len(record.seen)} bytes of known ids, want a multiple of {DIGEST_BYTES}"
    for part in range(record.seen_first, record.seen_next):
        if not ledger.has(keyspace.part(keyspace.SEEN_PARTS, number, chat, part)):
            yield f"lacks part {part} of its known ids"
    if record.window is not None:
        tally = ledger.tally(number)
        tally.windows += 1
        tally.buffered_messages += record.window.count
        yield from _check_window(ledger, number, chat, record, record.window)


def check_part(ledger: Ledger, key: bytes, part: Part) -> Words:
    number, chat, place = keyspace.parse_part(key)
    if ledger.owner(number) == "erased":
        return
    record = ledger.get(keyspace.owned(keyspace.CHATS, number, chat), ChatRecord)
    if record is None or record.window is None or place >= record.window.parts:
        yield "is of no window"


def check_seen_part(ledger: Ledger, key: bytes, part: SeenPart) -> Words:
    number, chat, place = keyspace.parse_part(key)
    if ledger.owner(number) == "erased":
        return
    record = ledger.get(keyspace.owned(keyspace.CHATS, number, chat), ChatRecord)
    if record is None or not record.seen_first <= place < record.seen_next:
        yield "is of no chat"
    if len(part.seen) % DIGEST_BYTES:
        yield f"has {len(part.seen)} bytes, want a multiple of {DIGEST_BYTES}"


def _check_window(
    ledger: Ledger, number: int, chat: bytes, record: ChatRecord, window: Window
) -> Words:
    if window.due_ms != record.wake_ms:
        yield f"has a window due at {window.due_ms}, but wakes at {record.wake_ms}"
    members = list(window.tail)
    for place in range(window.parts):
        part = ledger.get(keyspace.part(keyspace.PARTS, number, chat, place), Part)
        if part is None:
            yield f"lacks part {place} of its window"
            return
        members += part.members
    if len(members) != window.count:
        yield f"has {len(members)} messages in its window, says {window.count}"
    if sum(len(member.message) for member in window.tail) != window.tail_bytes:
        yield f"says its window's tail has {window.tail_bytes} bytes, it has not"
    times = [member.sent_ms for member in members]
    if times and (min(times), max(times)) != (window.first_ms, window.newest_ms):
        yield f"says its window spans {window.first_ms} to {window.newest_ms}, it does not"

"""The rules for the message ids that a chat has seen: in its record, and in parts and rows."""

from collections.abc import Iterable, Iterator

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, SeenPart
from hookbundle.storage.maintenance.check_ledger import Ledger, is_live
from hookbundle.storage.tables import seen_ids, seen_texts

Problems = Iterator[str]


def check_seen_of_chat(ledger: Ledger, number: int, chat: bytes, record: ChatRecord) -> Problems:
    yield from _check_length(record.seen, record.texts)
    for part in range(record.seen_first, record.seen_next):
        if not ledger.has(keyspace.seen_part(number, chat, part)):
            yield f"part {part} of its seen ids is missing"
            return  # a damaged record may count any number of them


def check_seen_part(ledger: Ledger, key: bytes, part: SeenPart) -> Problems:
    number, chat, tail = key_fields.of_chat(key)
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    ledger.of_workspace(number).seen_bytes += seen_ids.bytes_of(part.seen)
    yield from _check_length(part.seen, part.texts)
    prefix = seen_ids.rows_of(number, chat, part.base)
    for digest in seen_ids.digests_in(part.seen):
        if not ledger.has(prefix + digest):
            yield f"has the id {digest.hex()}, which has no row"
    position = key_fields.part_number(tail)
    erasure = ledger.erasure_of(number, chat)
    if erasure is not None and position < erasure.seen_before:
        return  # the chat was deleted since, and does not know this part any more
    chat_key = keyspace.owned(keyspace.CHATS, number, chat)
    record = ledger.get(chat_key, ChatRecord)
    if record is None:
        if not ledger.has(chat_key):
            yield "belongs to no chat"
    elif not record.seen_first <= position < record.seen_next:
        yield f"is not among the parts {record.seen_first} to {record.seen_next - 1} of its chat"
    elif part.base != record.seen_base:
        yield f"has rows with base {part.base}, its chat looks for those with {record.seen_base}"


def check_seen_id(ledger: Ledger, key: bytes) -> Problems:
    """Rows with the same base are compared with the parts at once, at the first of them.

    A row does not say in which part its id is, and a chat may have a million of them. So how many
    there are is compared, and their sum: digests are random numbers.
    """
    number, chat, tail = key_fields.of_chat(key)
    prefix = key[: -seen_ids.DIGEST_BYTES]
    if ledger.seen_rows == prefix:
        return
    ledger.seen_rows = prefix
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    base = key_fields.part_number(tail[: -seen_ids.DIGEST_BYTES])
    in_parts = _in_parts(ledger, number, chat, base)
    found = _counted(row[len(prefix) :] for row, _ in rows.rows(ledger.txn, prefix))
    if in_parts is not None and found != in_parts:
        yield (
            f"is one of {found[0]} rows with base {base}, which are not those of the {in_parts[0]} "
            "ids in the parts of its chat"
        )


def _in_parts(ledger: Ledger, number: int, chat: bytes, base: int) -> tuple[int, int] | None:
    """The ids in the chat's parts with this base, counted; None if a part is damaged."""
    ids = total = 0
    for key, _ in rows.rows(ledger.txn, keyspace.of_chat(keyspace.SEEN_PARTS, number, chat)):
        part = ledger.get(key, SeenPart)
        if part is None:
            return None  # it is reported at its own key
        if part.base == base:
            count, sum_of_part = _counted(seen_ids.digests_in(part.seen))
            ids, total = ids + count, total + sum_of_part
    return ids, total


def _counted(digests: Iterable[bytes]) -> tuple[int, int]:
    """How many they are, and their sum."""
    count = total = 0
    for digest in digests:
        count, total = count + 1, total + int.from_bytes(digest, "big")
    return count, total


def _check_length(seen: bytes, texts: bytes) -> Problems:
    if len(seen) % seen_ids.DIGEST_BYTES:
        yield (
            f"has {len(seen)} bytes of seen ids, should be a multiple of {seen_ids.DIGEST_BYTES}"
        )
    most = len(seen) // seen_ids.DIGEST_BYTES * seen_texts.TEXT_BYTES
    if len(texts) % seen_texts.TEXT_BYTES or len(texts) > most:
        yield (
            f"has {len(texts)} bytes of the texts of seen ids, should be a multiple of "
            f"{seen_texts.TEXT_BYTES} and at most {most}"
        )

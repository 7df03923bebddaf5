"""What the texts of known messages were, in four bytes each: so a corrected text is noticed.

They stand beside the ids of seen_ids.py, in the chat's record and in its parts. The last of them
belongs to the last id. Ids of a database that knew no texts have none, and never differ.

Only the newest PARTS_LOOKED_AT parts are looked at, so the texts of at least the last 256 messages
of a chat are compared, however many ids it knows.
"""

from collections.abc import Iterator, Sequence

from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord, SeenPart
from hookbundle.storage.database.unit import Unit

DIGEST_BYTES = 8
TEXT_BYTES = 4
NOT_KNOWN = bytes(TEXT_BYTES)
PARTS_LOOKED_AT = 4

Seen = tuple[bytes, bytes]  # ids, and the texts of the last of them


def differing(
    unit: Unit,
    workspace: int,
    chat: bytes,
    record: ChatRecord,
    messages: Sequence[Incoming],
    fresh: Sequence[Incoming],
) -> list[str]:
    """The ids of those messages that are not fresh, and had another text when they were."""
    stored, came = {id(each) for each in fresh}, {each.digest: each.text for each in fresh}
    found, looked_at = list[str](), list[Seen]()
    older = _from_newest(unit, workspace, chat, record)
    for message in messages:
        if id(message) in stored:
            continue
        text = came.get(message.digest)
        if text is None:
            text = _text_among(looked_at, older, message.digest)
        if text != message.text and NOT_KNOWN not in (text, message.text):
            found.append(message.message_id)
    return found


def move(record: ChatRecord, ids: int) -> bytes:
    """The texts of the record's first `ids` ids, taken from it; call it before these are."""
    left = len(record.seen) // DIGEST_BYTES - ids
    cut = max(len(record.texts) - left * TEXT_BYTES, 0)
    moved, record.texts = record.texts[:cut], record.texts[cut:]
    return moved


def _text_among(looked_at: list[Seen], older: Iterator[Seen], digest: bytes) -> bytes:
    for seen, texts in looked_at:
        at = _place_of(seen, digest)
        if at >= 0:
            return _text_at(seen, texts, at)
    for seen, texts in older:
        looked_at.append((seen, texts))
        at = _place_of(seen, digest)
        if at >= 0:
            return _text_at(seen, texts, at)
    return NOT_KNOWN


def _from_newest(unit: Unit, workspace: int, chat: bytes, record: ChatRecord) -> Iterator[Seen]:
    """The ids of the record, then those of the newest parts, each read when it is asked for."""
    yield record.seen, record.texts
    first = max(record.seen_first, record.seen_next - PARTS_LOOKED_AT)
    for number in range(record.seen_next - 1, first - 1, -1):
        part = unit.get(keyspace.seen_part(workspace, chat, number), SeenPart)
        if part is not None:
            yield part.seen, part.texts


def _place_of(seen: bytes, digest: bytes) -> int:
    """Where the digest begins; -1 if it is not there."""
    at = seen.find(digest)
    while at > 0 and at % DIGEST_BYTES:  # across the border of two
        at = seen.find(digest, at + 1)
    return at


def _text_at(seen: bytes, texts: bytes, at: int) -> bytes:
    after = (len(seen) - at) // DIGEST_BYTES  # this one, and those that came after it
    start = len(texts) - after * TEXT_BYTES
    return texts[start : start + TEXT_BYTES] if start >= 0 else NOT_KNOWN

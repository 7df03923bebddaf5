"""Which webhooks have sealed a message: found in the newest deliveries of its chat.

A message is edited within minutes, as a rule, so only the newest are looked through: a search of
all that a chat ever had would cost the others too much. What is in none of these is nowhere.
"""

from collections.abc import Mapping

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, READ_WEIGHT
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, history

DELIVERIES_MAX = 256  # that are looked through for one transition
BYTES_MAX = 512 * 1024  # of their bodies
END = 2**63


def webhooks_with(
    unit: Unit, settings: Settings, chat: bytes, wanted: Mapping[str, set[int]]
) -> dict[str, set[int]]:
    """By the id of each wanted message, which of these webhooks have sealed it."""
    # A body is compact JSON, in whose texts a quote has a backslash before it: so this is no text.
    marks = {each: b'"message_id":' + msgspec.json.encode(each) for each in wanted}
    left = {each: set(numbers) for each, numbers in wanted.items()}
    found: dict[str, set[int]] = {each: set() for each in wanted}
    size = 0
    for looked, key in enumerate(_newest(unit, settings, chat)):
        if not any(left.values()) or looked == DELIVERIES_MAX or size >= BYTES_MAX:
            break
        delivery, webhook = key_fields.chat_delivery(key)
        ids = [each for each, numbers in left.items() if webhook in numbers]
        body = _body(unit, webhook, delivery) if ids else b""
        size += len(body)
        for each in ids:
            if marks[each] in body:
                found[each].add(webhook)
                left[each].discard(webhook)
    unit.weight += size // BYTES_PER_WEIGHT
    return found


def _newest(unit: Unit, settings: Settings, chat: bytes) -> list[bytes]:
    """The keys of the chat's deliveries, newest first, without those that are being erased."""
    number = settings.workspace.number
    before = 0
    if unit.usage(number).erasures:
        erasure = unit.get(keyspace.owned(keyspace.ERASURES, number, chat), Erasure)
        before = erasure.before if erasure else 0
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, number, chat)
    end = keyspace.chat_delivery(number, chat, END, 0)
    found: list[bytes] = []
    for key, _ in unit.rows_before(prefix, end):
        if key_fields.chat_delivery(key)[0] < before or len(found) > DELIVERIES_MAX:
            break
        found.append(key)
    return found


def _body(unit: Unit, webhook: int, delivery: int) -> bytes:
    """Empty if it can't be read: `check` names it."""
    key = history.key_of(webhook, delivery)
    unit.weight += 2 * READ_WEIGHT
    head = codec.readable(key, unit.get_raw(key) or b"", Delivery)
    if head is None:
        return b""
    try:
        return bodies.read(unit.get_raw, webhook, delivery, head.body_bytes)
    except CorruptRecord:
        return b""

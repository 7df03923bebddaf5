"""Which webhooks have sealed a message: found in the newest deliveries of its chat.

A message is edited within minutes, as a rule, so only the newest are looked through: a search of
all that a chat ever had would cost the others too much. What is in none of these is nowhere.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, READ_WEIGHT
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, erasures, history
from hookbundle.storage.tables.changing.opened import MEMBERS_PER_WEIGHT

DELIVERIES_MAX = 256  # that are looked through for one transition
BYTES_MAX = 512 * 1024  # of their bodies
END = 2**63


def webhooks_with(
    unit: Unit, settings: Settings, chat: bytes, wanted: Mapping[str, set[int]]
) -> dict[str, set[int]]:
    """By the id of each wanted message, which of these webhooks have sealed it."""
    left: dict[int, set[str]] = {}  # by webhook
    for each, webhooks in wanted.items():
        for webhook in webhooks:
            left.setdefault(webhook, set()).add(each)
    found: dict[str, set[int]] = {each: set() for each in wanted}
    size = members = 0
    for delivery, webhook in islice(_newest(unit, settings, chat), DELIVERIES_MAX):
        if not any(left.values()) or size >= BYTES_MAX:
            break
        if not left.get(webhook):
            continue
        body = _body(unit, webhook, delivery)
        messages = bodies.messages_in(body)
        size += len(body)
        members += len(messages)
        sealed = left[webhook].intersection([message.message_id for message in messages])
        left[webhook] -= sealed
        for each in sealed:
            found[each].add(webhook)
    unit.weight += size // BYTES_PER_WEIGHT + members // MEMBERS_PER_WEIGHT
    return found


def _newest(unit: Unit, settings: Settings, chat: bytes) -> Iterator[tuple[int, int]]:
    """The chat's deliveries, newest first, without those that are being erased: the number of each
    and its webhook's."""
    number = settings.workspace.number
    erasure = erasures.of_chat(unit, number, chat)
    before = erasure.before if erasure else 0
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, number, chat)
    end = keyspace.chat_delivery(number, chat, END, 0)
    for key, _ in unit.rows_before(prefix, end):
        delivery, webhook = key_fields.chat_delivery(key)
        if delivery < before:
            return
        yield delivery, webhook


def _body(unit: Unit, webhook: int, delivery: int) -> bytes:
    """Empty if it can't be read: `check` names it."""
    key = history.key_of(webhook, delivery)
    unit.weight += 2 * READ_WEIGHT
    head = unit.readable(key, Delivery)
    if head is None:
        return b""
    try:
        return bodies.read(unit.get_raw, webhook, delivery, head.body_bytes)
    except CorruptRecord:
        return b""

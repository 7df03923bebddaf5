"""Erases what was deleted, record by record, in steps that leave room for intake.

A step looks at a bounded number of records and bytes. What it erases is gone, so the next step
begins at what is left. Of a chat, the index of its deliveries says which they are; no other
record of its workspace is looked at, but for the hundred entries of a detailed log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.storage import facts
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, SeenPart
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Erasure, RequestRecord, Webhook
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.facts import Was
from hookbundle.storage.tables import contacts, detailed_log, history, queue, readiness, seen_ids

R = TypeVar("R", bound=msgspec.Struct)

STEP_BYTES_MAX = 4 * 1024 * 1024  # read in one step; the record that passes it is the last one
PARTS_AT_ONCE = 8  # of seen ids, each with 64 rows
WAITED: dict[str, Was] = {DeliveryState.QUEUED: "pending", DeliveryState.DEAD_LETTER: "parked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseStep:
    """Erases up to `most` records, or deliveries of a chat."""

    row: Due
    most: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Erased:
    finished: bool


def erase_step(unit: Unit, transition: EraseStep) -> Erased:
    """A row without an erasure is stale, and is deleted."""
    row = transition.row
    erasure = unit.get(keyspace.owned(keyspace.ERASURES, row.number, row.subject), Erasure)
    if erasure is None:
        unit.delete_due(row)
        return Erased(finished=True)
    if row.subject:
        return _erase_of_chat(unit, erasure, transition)
    return _erase_of_workspace(unit, erasure, transition)


def _erase_of_workspace(unit: Unit, erasure: Erasure, transition: EraseStep) -> Erased:
    unit.flush_chats()
    number, left = transition.row.number, transition.most
    of_it = [keyspace.owned(prefix, number) for prefix in keyspace.OF_A_WORKSPACE]
    for webhook in erasure.webhooks:
        of_it += [keyspace.owned(prefix, webhook) for prefix in keyspace.OF_A_WEBHOOK]
    for owned in of_it:
        if owned[:1] in (keyspace.CHATS, keyspace.REQUESTS):
            left -= _erase_with_dues(unit, owned, left)
        else:
            left -= unit.delete_rows(owned, left)
        if left <= 0:
            return Erased(finished=False)
    _finish(unit, transition.row)
    unit.emit(facts.WorkspaceErased(), transition.now_ms, erasure.workspace_id)
    return Erased(finished=True)


def _erase_with_dues(unit: Unit, owned: bytes, most: int) -> int:
    """How many records were erased, each with its due rows; `most` if more may be left."""
    found = list(_some(unit, owned, most))
    size = sum(len(value) for _, value in found)
    for key, value in found:
        number, subject = keyspace.parse_owner(key), keyspace.parse_subject(key)
        unit.delete(key)
        if key.startswith(keyspace.CHATS):
            chat = codec.readable(key, value, ChatRecord)
            for row in _dues_of(number, subject, chat) if chat else ():
                unit.delete_due(row)
        else:
            request = codec.readable(key, value, RequestRecord)
            if request is not None:
                forget_ms = request.at_ms + limits.REMEMBERED_MS
                unit.delete_due(Due(forget_ms, DueKind.REQUEST, number, subject))
    return most if size >= STEP_BYTES_MAX else len(found)


def _dues_of(number: int, chat: bytes, record: ChatRecord) -> Iterator[Due]:
    """The chat's rows of the due index."""
    if record.forget_ms:
        yield Due(record.forget_ms, DueKind.FORGET, number, chat)
    for each in record.collecting:
        if each.window is not None:
            yield Due(each.window.due_ms, DueKind.WINDOW, each.webhook, chat)


def _erase_of_chat(unit: Unit, erasure: Erasure, transition: EraseStep) -> Erased:
    row = transition.row
    settings = unit.workspace_numbered(row.number)
    is_finished = _erase_deliveries(unit, settings, erasure, transition)
    is_finished &= _erase_seen_ids(unit, erasure, row)
    for webhook in settings.webhooks:
        readiness.reconcile(unit, webhook, unit.state(webhook.number))
    if not is_finished:
        return Erased(finished=False)
    _keep_new_phones(unit, row)
    unit.usage(row.number).erasures -= 1
    _finish(unit, row)
    fact = facts.ChatErased()
    unit.tell(settings.workspace, fact, transition.now_ms, row.subject.decode())
    return Erased(finished=True)


def _erase_deliveries(
    unit: Unit, settings: Settings, erasure: Erasure, transition: EraseStep
) -> bool:
    """True if none is left that was sealed before the deletion."""
    row, size = transition.row, 0
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, row.number, row.subject)
    found: dict[int, list[int]] = {}
    is_finished = True
    for count, (key, _) in enumerate(unit.rows(prefix)):
        number, webhook_number = keyspace.parse_chat_delivery(key)
        if number >= erasure.before:
            break
        if count == transition.most:
            is_finished = False
            break
        found.setdefault(webhook_number, []).append(number)
    for webhook_number, numbers in found.items():
        webhook = settings.webhook(webhook_number)
        erased = set()
        for number in numbers:
            if size >= STEP_BYTES_MAX:
                is_finished = False
                break
            size += _erase_delivery(unit, settings, webhook, number, transition)
            erased.add(number)
        for key, entry in detailed_log.entries(unit, webhook_number).items():
            if entry.delivery in erased:
                unit.delete(key)
    return is_finished


def _erase_delivery(
    unit: Unit, settings: Settings, webhook: Webhook, number: int, transition: EraseStep
) -> int:
    """The delivery is gone, and everything of it. Returns its bytes."""
    key, chat_id = history.key_of(webhook.number, number), transition.row.subject.decode()
    value = unit.get_raw(key)
    delivery = codec.readable(key, value, Delivery) if value is not None else None
    if delivery is None:
        chat = transition.row.subject
        unit.delete(keyspace.chat_delivery(webhook.workspace, chat, number, webhook.number))
        history.delete_unreadable(unit, webhook.number, number)
        return 0
    was = WAITED.get(delivery.state)
    if was is None:
        return history.trim(unit, webhook, delivery)
    before = queue.state_of(unit, webhook.number, delivery)
    states.move(DELIVERY_MOVES, before, DeliveryState.DISCARDED)
    size = history.weight(delivery)
    queue.remove(unit, webhook, delivery, size)
    history.delete(unit, webhook, delivery)
    unit.meta.totals.discarded += 1
    fact = facts.DeliveryDiscarded(
        delivery=queue.delivery_id(webhook.number, delivery),
        was=was,
        deliveries=1,
        messages=delivery.messages,
        reason="chat deleted",
    )
    unit.tell(settings.workspace, fact, transition.now_ms, chat_id)
    return size


def _keep_new_phones(unit: Unit, row: Due) -> None:
    """The chat is found by the phones it has had since its deletion, and by none from before."""
    contacts.forget(unit, row.number, row.subject)
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, row.number, row.subject)
    for key, _ in list(unit.rows(prefix)):
        number, webhook = keyspace.parse_chat_delivery(key)
        value = unit.get_raw(history.key_of(webhook, number))
        found = codec.readable(history.key_of(webhook, number), value, Delivery) if value else None
        if found is not None:
            contacts.remember(unit, row.number, row.subject, found.phone)


def _erase_seen_ids(unit: Unit, erasure: Erasure, row: Due) -> bool:
    """True if no part is left that the chat had before its deletion."""
    prefix = keyspace.of_chat(keyspace.SEEN_PARTS, row.number, row.subject)
    found: list[tuple[int, SeenPart | None]] = []
    for key, value in unit.rows(prefix):
        number = keyspace.parse_part_number(key[len(prefix) :])
        if number >= erasure.seen_before:
            break
        if len(found) == PARTS_AT_ONCE:
            break
        found.append((number, codec.readable(key, value, SeenPart)))
    for number, part in found:
        seen_ids.drop_part(unit, row.number, row.subject, number, part)
    return len(found) < PARTS_AT_ONCE


def _some(unit: Unit, prefix: bytes, most: int) -> Iterator[tuple[bytes, bytes]]:
    """Up to `most` rows, and up to the one with which they pass STEP_BYTES_MAX bytes."""
    size = count = 0
    for key, value in unit.rows(prefix):
        if count == most:
            return
        yield key, value
        count, size = count + 1, size + len(value)
        if size >= STEP_BYTES_MAX:
            return


def _finish(unit: Unit, row: Due) -> None:
    unit.delete(keyspace.owned(keyspace.ERASURES, row.number, row.subject))
    unit.delete_due(row)

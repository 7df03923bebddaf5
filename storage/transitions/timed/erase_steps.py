"""Erases what was deleted, record by record, in steps that leave room for intake.

A workspace has one chain of steps, whatever was deleted of it. A step looks at a bounded number of
records, rows and bytes. What it erases is gone, so the next step begins at what is left. Of a chat,
the index of its deliveries says which they are; no other record of its workspace is looked at, but
for the hundred entries of a detailed log. A step goes on with the next chat if there is room.
"""

from collections.abc import Iterator

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage import facts
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, EarlyChange, Erasure, SeenPart
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, READ_WEIGHT
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.sources import keys as source_keys
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import erasures, readiness, seen_ids
from hookbundle.storage.tables.arrivals import rows as arrivals
from hookbundle.storage.tables.changing import early
from hookbundle.storage.tables.history import Budget
from hookbundle.storage.tables.requests import RequestRecord
from hookbundle.storage.tables.sources import erasing as sources

OF_A_WORKSPACE = (*keyspace.OF_A_WORKSPACE, *source_keys.OF_A_WORKSPACE)
STEP_BYTES_MAX = 4 * 1024 * 1024  # read in one step; the record that passes it is the last one
ROWS_OF_A_CHAT = 4  # its erasure, the counter, the fact; beside what it had
ROWS_OF_A_PART = 65  # of seen ids
LOOKS_FOR_ARRIVALS = 4  # of a webhook: a look at each of the last days


class EraseStep(msgspec.Struct, frozen=True, kw_only=True):
    """Erases up to `most` records of the row's workspace, or deliveries of its deleted chats."""

    row: Due
    most: int
    now_ms: int


class Erased(msgspec.Struct, frozen=True):
    finished: bool


def erase_step(unit: Unit, transition: EraseStep) -> Erased:
    """A row without an erasure is stale, and is deleted. Raises: CorruptRecord."""
    number = transition.row.number
    erasure = unit.get(keyspace.owned(keyspace.ERASURES, number), Erasure)
    if erasure is not None:
        return _erase_of_workspace(unit, erasure, transition)
    if next(_deleted_chats(unit, number), None) is None:
        unit.delete_due(transition.row)
        return Erased(finished=True)
    return _erase_of_chats(unit, unit.workspace_numbered(number), transition)


def _erase_of_workspace(unit: Unit, erasure: Erasure, transition: EraseStep) -> Erased:
    unit.flush_chats()
    number, left = transition.row.number, transition.most
    of_it = [keyspace.owned(prefix, number) for prefix in OF_A_WORKSPACE]
    for webhook in erasure.webhooks:
        of_it += [keyspace.owned(prefix, webhook) for prefix in keyspace.OF_A_WEBHOOK]
    for owned in of_it:
        if owned[:1] in (keyspace.CHATS, keyspace.REQUESTS, keyspace.EARLY_CHANGES):
            left -= _erase_with_dues(unit, owned, left)
        else:
            left -= unit.delete_rows(owned, left)
        if left <= 0:
            return Erased(finished=False)
    for key, _ in list(_some(_deleted_chats(unit, number), left)):
        unit.delete(key)
        left -= 1
    if left <= 0:
        return Erased(finished=False)
    unit.delete(keyspace.owned(keyspace.ERASURES, number))
    unit.delete_due(transition.row)
    unit.emit(facts.WorkspaceErased(), transition.now_ms, erasure.workspace_id)
    return Erased(finished=True)


def _erase_with_dues(unit: Unit, owned: bytes, most: int) -> int:
    """How many records were erased, each with its due rows; `most` if more may be left."""
    found = list(_some(unit.rows(owned), most))
    size = sum(len(value) for _, value in found)
    unit.weight += READ_WEIGHT * len(found) + size // BYTES_PER_WEIGHT
    for key, value in found:
        number, subject = key_fields.owner(key), key_fields.subject(key)
        unit.delete(key)
        if key.startswith(keyspace.CHATS):
            chat = codec.readable(key, value, ChatRecord)
            for row in _dues_of(number, subject, chat) if chat else ():
                unit.delete_due(row)
        elif key.startswith(keyspace.EARLY_CHANGES):
            change = codec.readable(key, value, EarlyChange)
            if change is not None:
                unit.delete_due(early.due_of(key, number, change))
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


def _erase_of_chats(unit: Unit, settings: Settings, transition: EraseStep) -> Erased:
    """Of one chat after the other, as long as the step has room."""
    budget = Budget(transition.most, STEP_BYTES_MAX)
    number, now_ms = settings.workspace.number, transition.now_ms
    erased: dict[int, set[int]] = {webhook.number: set() for webhook in settings.all}
    unreadable, is_finished, done = False, False, False
    after = b""
    while not budget.is_spent():
        row = next(_deleted_chats(unit, number, after), None)
        if row is None:
            is_finished = True
            break
        after, value = row
        erasure = codec.readable(after, value, Erasure)
        if erasure is None:  # it must not keep the other chats
            unreadable = True
            continue
        chat = key_fields.subject(after)
        _erase_deliveries(unit, settings, chat, erasure, budget, erased, now_ms)
        _erase_seen_ids(unit, number, chat, erasure, budget)
        looks = sources.erase(unit, number, chat, erasure, budget)
        if not _erase_arrivals(unit, settings, chat, erasure, budget):
            break
        done = True
        unit.delete(after)
        unit.usage(number).erasures -= 1
        unit.tell(settings.workspace, facts.ChatErased(), now_ms, chat.decode())
        budget.spend(0, ROWS_OF_A_CHAT + looks)
    for webhook in settings.all:
        erasures.forget_entries(unit, webhook.number, erased[webhook.number])
        readiness.reconcile(unit, webhook, unit.state(webhook.number))
    # The last chat may have taken the last of the budget: a row must not stay for nothing.
    is_finished = is_finished or next(_deleted_chats(unit, number), None) is None
    if not is_finished or (unreadable and done):
        return Erased(finished=False)
    if unreadable:  # alone is left, and nothing was written
        raise CorruptRecord(f"an erasure of workspace {settings.workspace.id!r} is damaged")
    unit.delete_due(transition.row)
    return Erased(finished=True)


def _erase_deliveries(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    erasure: Erasure,
    budget: Budget,
    erased: dict[int, set[int]],
    now_ms: int,
) -> None:
    """None is left that was sealed before the deletion, unless the budget is spent."""
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, settings.workspace.number, chat)
    while not budget.is_spent():
        key = unit.first_key(prefix)
        if key is None:
            return
        number, webhook_number = key_fields.chat_delivery(key)
        if number >= erasure.before:
            return
        webhook = settings.any_or_none(webhook_number)
        if webhook is None:  # left by a damaged delivery of a webhook that is erased
            unit.delete(key)
            budget.spend(0, 1, records=1)
            continue
        size = erasures.erase(unit, settings, webhook, chat, number, now_ms)
        erased[webhook_number].add(number)
        budget.spend(size.weight, size.rows, records=1)


def _erase_seen_ids(
    unit: Unit, workspace: int, chat: bytes, erasure: Erasure, budget: Budget
) -> None:
    """No part is left that the chat had before its deletion, unless the budget is spent."""
    prefix = keyspace.of_chat(keyspace.SEEN_PARTS, workspace, chat)
    while not budget.is_spent():
        key, value = next(unit.rows(prefix), (prefix, b""))
        number = key_fields.part_number(key[len(prefix) :])
        if key == prefix or number >= erasure.seen_before:
            return
        part = codec.readable(key, value, SeenPart)
        seen_ids.drop_part(unit, workspace, chat, number, part)
        budget.spend(len(value), ROWS_OF_A_PART)


def _erase_arrivals(
    unit: Unit, settings: Settings, chat: bytes, erasure: Erasure, budget: Budget
) -> bool:
    """Whether none is left that was noted before the deletion. Not if the budget is spent before.

    The looks are paid for at the end: a step that may do little has to come to an end as well.
    """
    if budget.is_spent():
        return False
    if not unit.usage(settings.workspace.number).arrival_bytes:
        return True
    for key, size in arrivals.of_chat(unit, settings, chat, erasure.at_ms):
        if budget.is_spent():
            return False
        arrivals.delete(unit, settings.workspace.number, key, size)
        budget.spend(size, 1)
    budget.spend(0, LOOKS_FOR_ARRIVALS * len(settings.all))
    return True


def _deleted_chats(unit: Unit, workspace: int, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """The erasures of the workspace's chats, without its own."""
    own = keyspace.owned(keyspace.ERASURES, workspace)
    return unit.rows(own, after or own)


def _some(found: Iterator[tuple[bytes, bytes]], most: int) -> Iterator[tuple[bytes, bytes]]:
    """Up to `most` rows, and up to the one with which they pass STEP_BYTES_MAX bytes."""
    size = 0
    for count, (key, value) in enumerate(found):
        if count == most:
            return
        yield key, value
        size += len(value)
        if size >= STEP_BYTES_MAX:
            return

"""Erases what was deleted, record by record, in steps that leave room for intake.

A step looks at a bounded number of records and bytes. Those of a workspace simply vanish, so every
step begins at what is left. In a chat's workspace most records are of others and stay, so a step
begins where the last one ended; after a crash the first one begins anew, which does no harm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage import facts
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Delivery, Erasure, Exchange, RequestRecord
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue, readiness

DISCARDED = DeliveryState.DISCARDED
R = TypeVar("R", bound=msgspec.Struct)

STEP_BYTES_MAX = 4 * 1024 * 1024  # read in one step; the record that passes it is the last one
OF_A_CHAT = (keyspace.QUEUED, keyspace.DEAD_LETTERS, keyspace.LOG)  # in the order of the steps


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseStep:
    """Examines up to `most` records. `before` and `after` come from the result of the last step."""

    row: Due
    most: int
    now_ms: int
    before: int = 0
    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Erased:
    finished: bool
    before: int = 0
    after: bytes = b""


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
    for prefix in keyspace.OF_A_WORKSPACE:
        owned = keyspace.owned(prefix, number)
        if prefix in (keyspace.CHATS, keyspace.REQUESTS):
            left -= _erase_with_dues(unit, owned, left)
        else:
            left -= unit.delete_rows(owned, left)
        if not left:
            return Erased(finished=False)
    _finish(unit, transition.row)
    unit.emit(facts.WorkspaceErased(), transition.now_ms, erasure.workspace_id)
    return Erased(finished=True)


def _erase_with_dues(unit: Unit, owned: bytes, most: int) -> int:
    """How many records were erased, each with its due row; `most` if more may be left."""
    found = list(_some(unit, owned, b"", most))
    size = sum(len(value) for _, value in found)
    for key, value in found:
        number, subject = keyspace.parse_owner(key), keyspace.parse_subject(key)
        unit.delete(key)
        if key.startswith(keyspace.CHATS):
            chat = _readable(key, value, ChatRecord)
            if chat is not None:
                kind = DueKind.WINDOW if chat.window else DueKind.FORGET
                unit.delete_due(Due(chat.wake_ms, kind, number, subject))
        else:
            request = _readable(key, value, RequestRecord)
            if request is not None:
                forget_ms = request.at_ms + limits.REMEMBERED_MS
                unit.delete_due(Due(forget_ms, DueKind.REQUEST, number, subject))
    return most if size >= STEP_BYTES_MAX else len(found)


def _erase_of_chat(unit: Unit, erasure: Erasure, transition: EraseStep) -> Erased:
    row, left, size = transition.row, transition.most, 0
    workspace = unit.workspace_numbered(row.number)
    # Deleted once more meanwhile: what is erased reaches further, also where we have been.
    after = transition.after if transition.before == erasure.before else b""
    started = after[:1] or OF_A_CHAT[0]
    for prefix in OF_A_CHAT[OF_A_CHAT.index(started) :]:
        owned = keyspace.owned(prefix, row.number)
        start = after if after[:1] == prefix else b""
        for key, value in list(_some(unit, owned, start, left, STEP_BYTES_MAX - size)):
            after, left, size = key, left - 1, size + len(value)
            _erase_if_of_chat(unit, erasure, transition, key, value)
        finished = left > 0 and size < STEP_BYTES_MAX
        if not finished:
            break
    state = unit.state(row.number)
    readiness.reconcile(unit, workspace, state)
    if not finished:
        return Erased(finished=False, before=erasure.before, after=after)
    state.erasures -= 1
    _finish(unit, row)
    unit.emit(facts.ChatErased(), transition.now_ms, erasure.workspace_id, row.subject.decode())
    return Erased(finished=True)


def _erase_if_of_chat(
    unit: Unit, erasure: Erasure, transition: EraseStep, key: bytes, value: bytes
) -> None:
    row = transition.row
    chat_id = row.subject.decode()
    if key.startswith(keyspace.LOG):
        exchange = _readable(key, value, Exchange)
        if exchange and exchange.chat_id == chat_id and _is_before(unit, erasure, exchange):
            unit.delete(key)
        return
    delivery = _readable(key, value, Delivery)
    if delivery and delivery.chat_id == chat_id and delivery.number < erasure.before:
        is_dead_letter = key.startswith(keyspace.DEAD_LETTERS)
        if is_dead_letter:
            queue.remove_dead_letter(unit, row.number, delivery, DISCARDED)
        else:
            queue.remove(unit, row.number, delivery, DISCARDED)
        unit.meta.totals.discarded += 1
        unit.emit(
            facts.DeliveryDiscarded(
                delivery=queue.delivery_id(row.number, delivery),
                was="parked" if is_dead_letter else "pending",
                deliveries=1,
                messages=delivery.messages,
                reason="chat deleted",
            ),
            transition.now_ms,
            erasure.workspace_id,
            chat_id,
        )


def _is_before(unit: Unit, erasure: Erasure, exchange: Exchange) -> bool:
    """Whether the delivery was sealed before the chat was deleted."""
    epoch, _, number = queue.parse_delivery_id(exchange.delivery_id)
    return epoch != unit.identity.epoch or number < erasure.before


def _some(
    unit: Unit, prefix: bytes, after: bytes, most: int, size_max: int = STEP_BYTES_MAX
) -> Iterator[tuple[bytes, bytes]]:
    """Up to `most` rows, and up to the one with which they pass `size_max` bytes."""
    size = count = 0
    for key, value in unit.rows(prefix, after):
        if count == most:
            return
        yield key, value
        count, size = count + 1, size + len(value)
        if size >= size_max:
            return


def _readable(key: bytes, value: bytes, kind: type[R]) -> R | None:
    """The record; None if it is damaged, which must not keep the others from being erased."""
    try:
        return codec.unpack(key, value, kind)
    except CorruptRecord:
        return None


def _finish(unit: Unit, row: Due) -> None:
    unit.delete(keyspace.owned(keyspace.ERASURES, row.number, row.subject))
    unit.delete_due(row)

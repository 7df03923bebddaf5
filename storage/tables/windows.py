"""A chat's window: opening, filling, re-timing and reading it. sealing.py ends it.

A chat has exactly one row in the due index: WINDOW while a window is open, FORGET otherwise. The
Timer reads the index, so the row is the window's only timer, and a restart has none to restore.
"""

from collections.abc import Callable

from hookbundle.engine import limits
from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Member, Part, Window
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.unit import Unit

TAIL_BYTES_MAX = 1_200  # LMDB puts a record of more than about 2,000 bytes on pages of its own


def open_window(
    unit: Unit, workspace_number: int, chat: bytes, record: ChatRecord, now_ms: int, length_ms: int
) -> Window:
    """The chat has a new, empty window, which is due `length_ms` from now."""
    window = Window(opened_ms=now_ms, due_ms=now_ms + length_ms)
    set_window(unit, workspace_number, chat, record, window)
    unit.state(workspace_number).windows += 1
    unit.meta.windows += 1
    return window


def append(
    unit: Unit, workspace_number: int, chat: bytes, window: Window, message: Incoming, weight: int
) -> None:
    """The message is in the window. `weight`: its bytes in a bundle."""
    # Messages may arrive out of order. A bundle has one account and one chat, those of its latest
    # message by timestamp, and the link of its earliest.
    if message.sent_ms >= window.newest_ms:
        window.newest_ms = message.sent_ms
        window.account, window.chat = message.account, message.chat
    if window.count == 0 or message.sent_ms < window.first_ms:
        window.first_ms, window.permalink = message.sent_ms, message.permalink
    window.count += 1
    window.weight += weight
    window.is_new_chat = window.is_new_chat or message.is_new_chat
    window.tail.append(Member(sent_ms=message.sent_ms, message=message.message))
    window.tail_bytes += len(message.message)
    unit.state(workspace_number).buffered_messages += 1
    if window.tail_bytes > TAIL_BYTES_MAX:
        key = keyspace.part(keyspace.PARTS, workspace_number, chat, window.parts)
        unit.put(key, Part(members=window.tail))
        window.parts += 1
        window.tail, window.tail_bytes = [], 0


def is_full(window: Window) -> bool:
    return window.count >= limits.BUNDLE_MESSAGES_MAX


def has_room(window: Window, weight: int) -> bool:
    """Whether the bundle's body stays within its limit if a message of this weight is added."""
    free = limits.BUNDLE_BODY_BYTES_MAX - limits.BODY_FRAME_BYTES_MAX - window.weight
    return weight <= free


def set_window(
    unit: Unit, workspace_number: int, chat: bytes, record: ChatRecord, window: Window | None
) -> None:
    """The chat has this window, or none, and the row in the due index that belongs to it.

    Without a window the row says when the chat's message ids may be forgotten.
    """
    if record.wake_ms:
        kind = DueKind.WINDOW if record.window else DueKind.FORGET
        unit.delete_due(Due(record.wake_ms, kind, workspace_number, chat))
    record.window = window
    record.wake_ms = window.due_ms if window else record.last_ms + limits.REMEMBERED_MS
    kind = DueKind.WINDOW if window else DueKind.FORGET
    unit.put_due(Due(record.wake_ms, kind, workspace_number, chat))


def retime(unit: Unit, workspace_number: int, chat: bytes, record: ChatRecord, due_ms: int) -> None:
    """The chat's open window is due at `due_ms`."""
    window = record.window
    assert window is not None
    unit.delete_due(Due(record.wake_ms, DueKind.WINDOW, workspace_number, chat))
    window.due_ms = record.wake_ms = due_ms
    unit.put_due(Due(due_ms, DueKind.WINDOW, workspace_number, chat))


def members(
    get: Callable[[bytes], bytes | None], workspace_number: int, chat: bytes, window: Window
) -> list[Member]:
    """The window's messages in the order of the bundle: by timestamp, then by arrival.

    `get` reads a raw record by its key.

    Raises: CorruptRecord.
    """
    found: list[Member] = []
    for number in range(window.parts):
        key = keyspace.part(keyspace.PARTS, workspace_number, chat, number)
        found += codec.unpack(key, get(key) or b"", Part).members
    # `sorted` is stable: messages with equal timestamps stay in the order of their arrival.
    return sorted([*found, *window.tail], key=lambda member: member.sent_ms)


def body(window: Window, found: list[Member], product_name: str) -> bytes:
    """The body of the bundle that the messages `found` make."""
    return payload.bundle_body(
        account=window.account,
        chat=window.chat,
        is_new_chat=window.is_new_chat,
        messages=[member.message for member in found],
        permalink=window.permalink,
        product_name=product_name,
    )

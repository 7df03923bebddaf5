"""A chat's windows: opening, filling, re-timing and reading them. sealing.py ends one.

An open window has a WINDOW row in the due index; a chat without an open window has a FORGET row.
The Timer reads the index, so the row is the window's only timer, and a restart has none to restore.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import (
    ChatRecord,
    Collecting,
    Member,
    Part,
    Window,
)
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, ROW_WEIGHT
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.changing import details

SEAL_WEIGHT = 40  # of what sealing a window does beside its messages and rows
TAIL_BYTES_MAX = 1_200  # LMDB puts a record of more than about 2,000 bytes on pages of its own


class OfWebhook(msgspec.Struct, frozen=True, gc=False):
    """An open window, and the id of its webhook."""

    webhook: str
    window: Window


def first_to_end(record: ChatRecord, settings: Settings) -> OfWebhook | None:
    """Of the chat's open windows the one that is due first; not of a webhook that is no more."""
    found = None
    for each in record.collecting:
        if each.window is None or (found is not None and found.window.due_ms <= each.window.due_ms):
            continue
        webhook = settings.webhook_or_none(each.webhook)
        if webhook is not None:
            found = OfWebhook(webhook.id, each.window)
    return found


def collecting_of(record: ChatRecord, webhook: int, settings: Settings) -> Collecting:
    """What the chat has for the webhook, made if there was nothing.

    With a new one goes what it has of webhooks that are no more: so it does not grow by them. An
    open window stays; it is erased in steps.
    """
    for each in record.collecting:
        if each.webhook == webhook:
            return each
    record.collecting = [
        each
        for each in record.collecting
        if each.window is not None or settings.webhook_or_none(each.webhook) is not None
    ]
    made = Collecting(webhook=webhook)
    record.collecting.append(made)
    return made


def open_window(
    unit: Unit,
    webhook: Webhook,
    state: WebhookState,
    chat: bytes,
    record: ChatRecord,
    collecting: Collecting,
    now_ms: int,
    due_ms: int,
) -> Window:
    """The chat has a new, empty window for the webhook, which ends at `due_ms`."""
    window = Window(opened_ms=now_ms, due_ms=due_ms)
    if record.forget_ms:
        unit.delete_due(Due(record.forget_ms, DueKind.FORGET, webhook.workspace, chat))
        record.forget_ms = 0
    collecting.window = window
    unit.put_due(Due(window.due_ms, DueKind.WINDOW, webhook.number, chat))
    state.windows += 1
    unit.meta.windows += 1
    return window


def close(unit: Unit, webhook: Webhook, chat: bytes, collecting: Collecting) -> Window:
    """The chat's open window of the webhook is gone, with its parts. Returns what it was.

    Its messages are the caller's, who has read them.
    """
    window = collecting.window
    assert window is not None
    for number in range(window.parts):
        unit.delete(keyspace.part(webhook.workspace, chat, webhook.number, number))
    unit.delete_due(Due(window.due_ms, DueKind.WINDOW, webhook.number, chat))
    collecting.window = None
    state = unit.state(webhook.number)
    state.windows -= 1
    state.buffered_messages -= window.count
    state.buffered_bytes -= window.weight + details.beside(window)
    unit.meta.windows -= 1
    return window


def drop(
    unit: Unit, webhook: Webhook, chat: bytes, record: ChatRecord, collecting: Collecting
) -> None:
    """Nothing is left in the chat's record of a webhook that was deleted."""
    if collecting.window is not None:
        close(unit, webhook, chat, collecting)
    record.collecting.remove(collecting)
    if not record.is_collecting() and not record.forget_ms:
        forget_later(unit, webhook.workspace, chat, record)


def forget_later(
    unit: Unit, workspace: int, chat: bytes, record: ChatRecord, at_ms: int | None = None
) -> None:
    """The due index says when the chat, of which no window is open, may be forgotten.

    Without `at_ms` 48 h after its last message.
    """
    at_ms = record.last_ms + limits.REMEMBERED_MS if at_ms is None else at_ms
    if record.forget_ms:
        unit.delete_due(Due(record.forget_ms, DueKind.FORGET, workspace, chat))
    record.forget_ms = at_ms
    unit.put_due(Due(at_ms, DueKind.FORGET, workspace, chat))


def append(
    unit: Unit,
    webhook: Webhook,
    state: WebhookState,
    chat: bytes,
    window: Window,
    message: Incoming,
    weight: int,
    now_ms: int,
) -> None:
    """The message is in the window. `weight`: its bytes in a bundle."""
    kept = None
    if (
        window.apart is not None
        or message.permalink
        or message.edited_ms
        or (
            window.count
            and (
                message.chat != window.chat
                or message.account != window.account
                or message.extra != window.extra
            )
        )
    ):  # else, as nearly always, the message has nothing to keep
        before = details.beside(window)
        kept = details.keep(window, message)
        state.buffered_bytes += details.beside(window) - before
        window.tail_bytes += details.bytes_of(kept)
    # Messages may arrive out of order. A bundle has one account and one chat, those of its latest
    # message by timestamp, and the link of its earliest.
    if message.sent_ms >= window.newest_ms:
        window.newest_ms = message.sent_ms
        window.account, window.chat, window.extra = message.account, message.chat, message.extra
    if window.count == 0 or message.sent_ms < window.first_ms:
        window.first_ms, window.permalink = message.sent_ms, message.permalink
    window.count += 1
    window.weight += weight
    window.is_new_chat = window.is_new_chat or message.is_new_chat
    window.tail.append(Member(message.sent_ms, message.message, now_ms, kept))
    window.tail_bytes += len(message.message)
    state.buffered_messages += 1
    state.buffered_bytes += weight
    if window.tail_bytes > TAIL_BYTES_MAX:
        key = keyspace.part(webhook.workspace, chat, webhook.number, window.parts)
        unit.put(key, Part(members=window.tail))
        window.parts += 1
        window.tail, window.tail_bytes = [], 0


def fits(webhook: Webhook, window: Window, more: int, product_name: str) -> bool:
    """Whether the bundle stays within the webhook's limit if a member is so many bytes heavier."""
    if more <= 0:
        return True
    if not webhook.bytes_max:
        free = limits.BUNDLE_BODY_BYTES_MAX - limits.BODY_FRAME_BYTES_MAX - window.weight
        return more <= free
    frame = payload.frame_weight(window.account, window.chat, window.permalink, product_name)
    return frame + window.weight + more <= webhook.bytes_max


def has_room(
    webhook: Webhook, window: Window, message: Incoming, weight: int, product_name: str
) -> bool:
    """Whether the bundle stays within the webhook's limits if a message of this weight is added.

    A window that was filled with higher limits than those of now has no room.
    """
    if webhook.messages_max and is_full(webhook, window):
        return False
    if not webhook.bytes_max:
        free = limits.BUNDLE_BODY_BYTES_MAX - limits.BODY_FRAME_BYTES_MAX - window.weight
        return weight <= free
    # The frame is as it would be with the message: see `append`.
    newest = message if message.sent_ms >= window.newest_ms else window
    first = message if message.sent_ms < window.first_ms else window
    frame = payload.frame_weight(newest.account, newest.chat, first.permalink, product_name)
    return frame + window.weight + weight <= webhook.bytes_max


def is_full(webhook: Webhook, window: Window) -> bool:
    """Whether the bundle has as many messages as the webhook's limits allow."""
    return window.count >= (webhook.messages_max or limits.BUNDLE_MESSAGES_MAX)


def why_over(webhook: Webhook, window: Window) -> Literal["size", "time"]:
    """Why a window ends whose time is up: a full one may have been left to the timer."""
    return "size" if is_full(webhook, window) else "time"


def count_part(webhook: Webhook, collecting: Collecting, window: Window, *, is_cut: bool) -> int:
    """Which part of a window the bundle is that seals this one; 1 if it is all of it.

    `is_cut`: it is sealed for size, and what comes until its end goes on with it.
    """
    before = collecting.cut if window.opened_ms < collecting.cut_until_ms else 0
    if is_cut:
        # One that was full, and left to the timer, is due at once.
        ends_ms = max(window.due_ms, window.opened_ms + webhook.aggregation_ms)
        collecting.cut, collecting.cut_until_ms = before + 1, ends_ms
    elif collecting.cut:
        collecting.cut = collecting.cut_until_ms = 0
    return before + 1


def weight_of(window: Window) -> int:
    """About what sealing the window weighs: what is read, what is deleted, what is written."""
    return (
        SEAL_WEIGHT + window.count + ROW_WEIGHT * window.parts + window.weight // BYTES_PER_WEIGHT
    )


def retime(unit: Unit, webhook: Webhook, chat: bytes, window: Window, due_ms: int) -> None:
    """The chat's open window is due at `due_ms`."""
    unit.delete_due(Due(window.due_ms, DueKind.WINDOW, webhook.number, chat))
    window.due_ms = due_ms
    unit.put_due(Due(due_ms, DueKind.WINDOW, webhook.number, chat))


def members(
    get: Callable[[bytes], bytes | None], webhook: Webhook, chat: bytes, window: Window
) -> list[Member]:
    """The window's messages in the order of the bundle: by timestamp, then by arrival.

    `get` reads a raw record by its key.

    Raises: CorruptRecord.
    """
    found: list[Member] = []
    for number in range(window.parts):
        key = keyspace.part(webhook.workspace, chat, webhook.number, number)
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

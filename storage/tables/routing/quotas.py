"""How much of what waits a webhook may hold: past that it is full, and gets no message.

Of n webhooks each may hold an n-th of what a workspace may; those that are being erased don't
count. One that is made takes of the others' shares: who holds more by then is full until it has
sent or discarded enough.
"""

from dataclasses import dataclass

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import QuotaReached
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook

FREE_AGAIN = 10  # it is full until so large a part of its share, one tenth, is free


@dataclass(frozen=True, slots=True)
class Quota:
    """What a disabled webhook may hold; `waiting_...`: what any workspace may have that waits.

    A webhook that is enabled may send nothing for hours, and what waits is never trimmed. Without
    a bound one workspace would fill the disk, and intake would be closed to all.
    """

    messages_max: int = limits.HELD_MESSAGES_MAX
    held_ms_max: int = limits.HELD_MS_MAX
    waiting_messages_max: int = limits.WAITING_MESSAGES_MAX
    waiting_bytes_max: int = limits.WAITING_BYTES_MAX
    waiting_chats_max: int = limits.WAITING_CHATS_MAX


def refusal(
    settings: Settings,
    webhook: Webhook,
    state: WebhookState,
    count: int,
    quota: Quota,
    now_ms: int,
    chat: ChatRecord,
) -> QuotaReached | None:
    """Why the webhook can't get so many messages of the chat; None if it can.

    What waits is bounded; more so if the webhook can't send (disabled, or without a URL).
    """
    share = len(settings.webhooks)
    waiting = state.queued_messages + state.dead_letter_messages + state.buffered_messages
    size = state.waiting_bytes + state.buffered_bytes
    most, most_bytes = quota.waiting_messages_max // share, quota.waiting_bytes_max // share
    if waiting + count > most or size >= most_bytes:
        return _reached(
            Code.WAITING_FULL,
            settings,
            webhook,
            count=waiting,
            bytes=size,
            most=most,
            bytes_max=most_bytes,
        )
    most = quota.waiting_chats_max // share
    if state.windows >= most and webhook.collects and chat.window_of(webhook.number) is None:
        return _reached(Code.CHATS_FULL, settings, webhook, count=state.windows, most=most)
    if state.enabled and webhook.url:
        return None
    held = state.queued_messages + state.buffered_messages
    if held + count > quota.messages_max:
        return _reached(Code.HELD_FULL, settings, webhook, count=held, most=quota.messages_max)
    if not state.enabled and now_ms - state.disabled_ms > quota.held_ms_max:
        return _reached(Code.HELD_TOO_LONG, settings, webhook)
    return None


def _reached(code: Code, settings: Settings, webhook: Webhook, **gaps: int) -> QuotaReached:
    return QuotaReached.of(code, webhook=webhook.id, workspace=settings.workspace.id, **gaps)


def is_free_again(
    settings: Settings, webhook: Webhook, state: WebhookState, quota: Quota, now_ms: int
) -> bool:
    """Whether a tenth of what the webhook may hold is free.

    Before, one that sends and gets as much as it sends would be full and not full in turns.
    """
    share, rest = len(settings.webhooks), FREE_AGAIN - 1
    if state.enabled and webhook.url:
        held, held_most = 0, 0
    else:
        held, held_most = state.queued_messages + state.buffered_messages, quota.messages_max
        if not state.enabled and now_ms - state.disabled_ms > quota.held_ms_max:
            return False
    pairs = (
        (waiting_messages(state), quota.waiting_messages_max // share),
        (waiting_bytes(state), quota.waiting_bytes_max // share),
        (state.windows, quota.waiting_chats_max // share),
        (held, held_most),
    )
    return all(has * FREE_AGAIN <= most * rest for has, most in pairs)


def takes_text(settings: Settings, state: WebhookState, more: int, quota: Quota) -> bool:
    """Whether a message that waits may get a text so many bytes longer: past its share of bytes
    a webhook gets no longer one, as it gets no message."""
    return more <= 0 or waiting_bytes(state) < quota.waiting_bytes_max // len(settings.webhooks)


def waiting_messages(state: WebhookState) -> int:
    """In open windows, in the queue and in dead letters."""
    return state.queued_messages + state.dead_letter_messages + state.buffered_messages


def waiting_bytes(state: WebhookState) -> int:
    return state.waiting_bytes + state.buffered_bytes

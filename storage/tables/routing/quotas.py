"""How much of what waits a webhook may hold: past that it is full, and gets no message."""

from dataclasses import dataclass

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import QuotaReached
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook


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


def refusal(
    settings: Settings,
    webhook: Webhook,
    state: WebhookState,
    count: int,
    quota: Quota,
    now_ms: int,
) -> QuotaReached | None:
    """Why the webhook can't get so many messages; None if it can.

    What waits is bounded; more so if the webhook can't send (disabled, or without a URL).
    """
    workspace_id = settings.workspace.id
    waiting = state.queued_messages + state.dead_letter_messages + state.buffered_messages
    size = state.waiting_bytes + state.buffered_bytes
    if waiting + count > quota.waiting_messages_max or size >= quota.waiting_bytes_max:
        return QuotaReached.of(
            Code.WAITING_FULL,
            workspace=workspace_id,
            count=waiting,
            bytes=size,
            most=quota.waiting_messages_max,
            bytes_max=quota.waiting_bytes_max,
        )
    if state.enabled and webhook.url:
        return None
    held = state.queued_messages + state.buffered_messages
    if held + count > quota.messages_max:
        return QuotaReached.of(
            Code.HELD_FULL, workspace=workspace_id, count=held, most=quota.messages_max
        )
    if not state.enabled and now_ms - state.disabled_ms > quota.held_ms_max:
        return QuotaReached.of(Code.HELD_TOO_LONG, workspace=workspace_id)
    return None

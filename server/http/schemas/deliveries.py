"""Deliveries, as the API shows them."""

from typing import Literal

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.server.http.schemas.attempts import AttemptOut, attempt_out
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.facts import Was
from hookbundle.storage.reads.delivery_view import DeliveryView
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.repeating import resends
from hookbundle.storage.transitions.deliveries import Retried

DeadReason = Literal["rejected", "receiver_fails", "format"]
REASONS: dict[str, DeadReason] = {kinds.FAILS: "receiver_fails", kinds.FORMAT: "format"}
State = Literal["queued", "sending", "delivered", "dead_letter", "discarded", "merged"]


class DeliveryOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A delivery, whatever became of it. `reason`: why its window was sealed.

    `state`: one that is queued and whose attempt is under way is `sending`. `resending`: it was
    delivered, and waits to be sent once more, or is just being sent; its state stays `delivered`.
    `resend_failed`: it was sent once more, and did not arrive again; `http_status` and `last_error`
    are those of the last attempt, so of the resend, and what delivered it stands in its `history`.
    `http_status`: of the last answer, null if none came. `next_attempt_at` is the webhook's; the
    oldest queued one goes first. `dead_letter_reason`: `rejected`, or `receiver_fails` if its
    receiver failed over it five times and took the next one; enabling alone leaves such a one where
    it is; or `format` if no body could be made of it, so nothing was sent. `merged_into`: the id of
    the delivery that has its messages now. `sequence` rises within the webhook, with gaps.
    `discarded_by`, `discard_reason`: left out where nobody discarded it alone; `hookbundle` with
    `no_record` is its format, which skips chats without a record of the receiver's. Where
    one is asked for: `previous_id`, of the delivery of its chat and webhook before it, left out if
    none is kept; `body`, the text as it is sent, which is the seed's as long as none of the
    webhook's format was made; and `history`, its attempts, the oldest first; of more than a hundred
    only the newest are kept.
    """

    id: str
    workspace: str
    webhook: str
    chat_id: str
    chat_name: str | None
    phone: str | None
    state: State
    resending: bool
    resend_failed: bool
    kind: Literal["bundle", "message"]
    messages: int
    reason: str
    opened_at: str | None
    sealed_at: str
    delivered_at: str | None
    discarded_at: str | None
    merged_at: str | None
    merged_into: str | None
    attempts: int
    rejections: int
    http_status: int | None
    last_error: str | None
    dead_letter_reason: DeadReason | None
    next_attempt_at: str | None
    sequence: int
    discarded_by: str | None = None
    discard_reason: str | None = None
    previous_id: str | None = None
    body: str | None = None
    history: list[AttemptOut] | None = None


class DeliveriesOut(msgspec.Struct, frozen=True):
    """A page, which may be short; `cursor` is null after the last one.

    `searched_to`: the page is short because enough was looked at for one; it has all that was found
    back to that time, and the cursor goes on from there.
    """

    deliveries: list[DeliveryOut]
    cursor: str | None
    searched_to: str | None


class RetriedOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`returned`: how many dead letters are queued again.

    `waits_until`: only if the webhook's rate or budget lets nothing go before, not even a retry.
    """

    returned: int
    messages: int
    waits_until: str | None = None


def retried_out(retried: Retried) -> RetriedOut:
    return RetriedOut(retried.returned, retried.messages, iso_or_none(retried.waits_until_ms))


class DiscardedOut(msgspec.Struct, frozen=True):
    id: str
    chat_id: str
    messages: int
    was: Was


def delivery_out(view: DeliveryView, alive_since_ms: int, *, in_full: bool = False) -> DeliveryOut:
    delivery, state = view.delivery, view.seen_as(alive_since_ms)
    resending = resends.is_waiting(view.webhook, delivery)
    waits = resending or state in (DeliveryState.QUEUED, DeliveryState.IN_FLIGHT)
    ended = {state: iso_or_none(delivery.ended_ms)}
    return DeliveryOut(
        id=view.id,
        workspace=view.workspace_id,
        webhook=view.webhook_id,
        chat_id=delivery.chat_id,
        chat_name=delivery.chat_name or None,
        phone=delivery.phone or None,
        state=state.value,
        resending=resending,
        resend_failed=resends.has_failed(view.webhook, delivery),
        kind="bundle" if delivery.bundle else "message",
        messages=delivery.messages,
        reason=delivery.reason,
        opened_at=iso_or_none(delivery.opened_ms),
        sealed_at=iso(delivery.sealed_ms),
        delivered_at=ended.get(DeliveryState.DELIVERED),
        discarded_at=ended.get(DeliveryState.DISCARDED),
        merged_at=ended.get(DeliveryState.MERGED),
        merged_into=delivery.merged_into or None,
        attempts=delivery.attempts,
        rejections=delivery.rejections,
        http_status=delivery.status or None,
        last_error=delivery.last_error or None,
        dead_letter_reason=_reason(view),
        next_attempt_at=iso_or_none(view.webhook.retry_ms) if waits else None,
        sequence=delivery.number,
        discarded_by=delivery.discarded_by or None,
        discard_reason=delivery.discard_reason or None,
        previous_id=view.previous_id or None,
        body=view.body.decode() if in_full else None,
        history=list(map(attempt_out, view.attempts)) if in_full else None,
    )


def _reason(view: DeliveryView) -> DeadReason | None:
    return REASONS.get(view.delivery.dead_reason, "rejected") if view.dead_letter else None

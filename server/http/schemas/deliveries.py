"""Deliveries that wait, as the API shows them."""

from typing import Literal

import msgspec

from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.facts import Was
from hookbundle.storage.reads.listing import Waiting
from hookbundle.storage.transitions.deliveries import in_flight


class DeliveryOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`body` is the text as it is sent, where asked for; `reason` is why the window was sealed.

    `next_attempt_at` is the webhook's; of its deliveries the oldest queued one goes first.
    `dead_letter_reason`: `rejected`, or `receiver_fails` if its receiver failed over it five times
    and took the next one; enabling alone leaves such a one where it is.
    """

    id: str
    workspace: str
    chat_id: str
    state: Literal["queued", "sending", "dead_letter"]
    kind: Literal["bundle", "message"]
    messages: int
    reason: str
    opened_at: str
    sealed_at: str
    attempts: int
    rejections: int
    last_error: str | None
    dead_letter_reason: Literal["rejected", "receiver_fails"] | None
    next_attempt_at: str | None
    body: str | None = None


class DeliveriesOut(msgspec.Struct, frozen=True):
    """A page, which may be short; `cursor` is null after the last one."""

    deliveries: list[DeliveryOut]
    cursor: str | None


class RetriedOut(msgspec.Struct, frozen=True):
    """`returned`: how many dead letters are queued again."""

    returned: int
    messages: int


class DiscardedOut(msgspec.Struct, frozen=True):
    id: str
    chat_id: str
    messages: int
    was: Was


def delivery_out(waiting: Waiting, alive_since_ms: int, *, with_body: bool = False) -> DeliveryOut:
    delivery = waiting.delivery
    return DeliveryOut(
        id=waiting.id,
        workspace=waiting.workspace_id,
        chat_id=delivery.chat_id,
        state=_state(waiting, alive_since_ms),
        kind="bundle" if delivery.bundle else "message",
        messages=delivery.messages,
        reason=delivery.reason,
        opened_at=iso(delivery.opened_ms),
        sealed_at=iso(delivery.sealed_ms),
        attempts=delivery.attempts,
        rejections=delivery.rejections,
        last_error=delivery.last_error or None,
        dead_letter_reason=_reason(waiting),
        next_attempt_at=None if waiting.dead_letter else iso_or_none(waiting.webhook.retry_ms),
        body=waiting.body.decode() if with_body else None,
    )


def _state(waiting: Waiting, alive_since_ms: int) -> Literal["queued", "sending", "dead_letter"]:
    if in_flight(waiting.webhook, waiting.delivery.number, alive_since_ms):
        return "sending"
    return "dead_letter" if waiting.dead_letter else "queued"


def _reason(waiting: Waiting) -> Literal["rejected", "receiver_fails"] | None:
    if not waiting.dead_letter:
        return None
    return "receiver_fails" if waiting.delivery.dead_reason else "rejected"

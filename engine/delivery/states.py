"""The states of a delivery and of a webhook, and the moves between them.

Pure tables: `storage/` asks here before it moves a record, so no state can be reached by a move
that ARCHITECTURE.md does not draw. A delivery is stored with these values.
"""

from enum import StrEnum
from typing import TypeVar


class DeliveryState(StrEnum):
    """Where a delivery is."""

    QUEUED = "queued"  # it waits in its webhook's queue
    IN_FLIGHT = "sending"  # an attempt has begun and its outcome is not recorded yet
    DELIVERED = "delivered"  # the receiver took it
    DEAD_LETTER = "dead_letter"  # rejected, or its receiver fails over it: it waits for a person
    MERGED = "merged"  # it was never sent, and its messages are in another one now
    DISCARDED = "discarded"  # a person, or the deletion of its chat, gave it up


# To read one off its type costs many times what a name costs, and these are read for each attempt.
QUEUED, IN_FLIGHT = DeliveryState.QUEUED, DeliveryState.IN_FLIGHT
DELIVERED, DEAD_LETTER = DeliveryState.DELIVERED, DeliveryState.DEAD_LETTER


class WebhookStatus(StrEnum):
    """Whether a webhook sends."""

    UNCONFIGURED = "unconfigured"  # it has no URL; messages are collected and held
    ENABLED = "enabled"  # it sends what is queued
    MERGING = "merging"  # what waits is being merged, and nothing is sent until that is over
    BACKING_OFF = "backing_off"  # it waits for the next attempt after an error
    OVER_BUDGET = "over_budget"  # it waits for its rate, or for the next day's budget
    DISABLED = "disabled"  # a person or too many errors switched it off; messages are held


class ForbiddenMoveError(AssertionError):
    """A move that is in no table: a bug of the caller, never of its input."""


DELIVERY_MOVES: frozenset[tuple[DeliveryState, DeliveryState]] = frozenset(
    {
        (DeliveryState.QUEUED, DeliveryState.IN_FLIGHT),
        (DeliveryState.IN_FLIGHT, DeliveryState.DELIVERED),
        (DeliveryState.IN_FLIGHT, DeliveryState.QUEUED),  # an error, or an unknown outcome
        (DeliveryState.IN_FLIGHT, DeliveryState.DEAD_LETTER),
        (DeliveryState.IN_FLIGHT, DeliveryState.DISCARDED),  # its chat was deleted meanwhile
        (DeliveryState.DEAD_LETTER, DeliveryState.QUEUED),
        (DeliveryState.DEAD_LETTER, DeliveryState.DISCARDED),
        (DeliveryState.QUEUED, DeliveryState.DISCARDED),
        (DeliveryState.QUEUED, DeliveryState.MERGED),
        (DeliveryState.QUEUED, DeliveryState.DEAD_LETTER),  # its receiver takes the next one
    }
)

WEBHOOK_MOVES: frozenset[tuple[WebhookStatus, WebhookStatus]] = frozenset(
    {
        (WebhookStatus.UNCONFIGURED, WebhookStatus.ENABLED),
        (WebhookStatus.UNCONFIGURED, WebhookStatus.DISABLED),
        (WebhookStatus.ENABLED, WebhookStatus.UNCONFIGURED),  # its URL was taken away
        (WebhookStatus.ENABLED, WebhookStatus.BACKING_OFF),
        (WebhookStatus.ENABLED, WebhookStatus.DISABLED),
        (WebhookStatus.BACKING_OFF, WebhookStatus.ENABLED),
        (WebhookStatus.BACKING_OFF, WebhookStatus.UNCONFIGURED),
        (WebhookStatus.BACKING_OFF, WebhookStatus.DISABLED),
        (WebhookStatus.BACKING_OFF, WebhookStatus.OVER_BUDGET),
        (WebhookStatus.ENABLED, WebhookStatus.OVER_BUDGET),
        (WebhookStatus.OVER_BUDGET, WebhookStatus.ENABLED),
        (WebhookStatus.OVER_BUDGET, WebhookStatus.BACKING_OFF),  # rate or budget were changed
        (WebhookStatus.OVER_BUDGET, WebhookStatus.UNCONFIGURED),
        (WebhookStatus.OVER_BUDGET, WebhookStatus.DISABLED),
        (WebhookStatus.DISABLED, WebhookStatus.ENABLED),
        (WebhookStatus.DISABLED, WebhookStatus.UNCONFIGURED),  # enabled, and it has no URL
        (WebhookStatus.ENABLED, WebhookStatus.MERGING),
        (WebhookStatus.BACKING_OFF, WebhookStatus.MERGING),
        (WebhookStatus.DISABLED, WebhookStatus.MERGING),
        (WebhookStatus.OVER_BUDGET, WebhookStatus.MERGING),
        (WebhookStatus.MERGING, WebhookStatus.ENABLED),
        (WebhookStatus.MERGING, WebhookStatus.OVER_BUDGET),
        (WebhookStatus.MERGING, WebhookStatus.BACKING_OFF),
        (WebhookStatus.MERGING, WebhookStatus.DISABLED),
        (WebhookStatus.MERGING, WebhookStatus.UNCONFIGURED),  # its URL was taken away
    }
)

S = TypeVar("S", DeliveryState, WebhookStatus)


def move(moves: frozenset[tuple[S, S]], before: S, after: S) -> S:
    """The state after the move. Raises: ForbiddenMoveError for one that is not in the table."""
    if (before, after) not in moves:
        raise ForbiddenMoveError(f"{before.name} never becomes {after.name}")
    return after


def webhook_status(
    *, enabled: bool, has_url: bool, next_attempt_ms: int, paced_ms: int, merging: bool = False
) -> WebhookStatus:
    """What a webhook's record says. A disabled one is disabled whatever else is true of it.

    Unless it is `merging`: it may be enabled when that is over. Of two waits the longer one is
    shown; 0 is none.
    """
    if merging:
        return WebhookStatus.MERGING
    if not enabled:
        return WebhookStatus.DISABLED
    if not has_url:
        return WebhookStatus.UNCONFIGURED
    if paced_ms > next_attempt_ms:
        return WebhookStatus.OVER_BUDGET
    return WebhookStatus.BACKING_OFF if next_attempt_ms else WebhookStatus.ENABLED

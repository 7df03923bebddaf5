"""Deliveries that wait, with their bodies, and the ids in a body."""

from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.transitions.attempting import Begun


@dataclass(frozen=True)
class Held:
    """A delivery that waits, with its body."""

    delivery: Delivery
    body: bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.delivery, name)


def ids_in(held: Held | Begun) -> list[str]:
    """The ids of the messages in a delivery's body, in order."""
    return ids_of(held.body)


def ids_of(body: bytes) -> list[str]:
    """The ids of the messages in a body, in order."""
    decoded = msgspec.json.decode(body)
    return [message["message_id"] for message in decoded.get("messages", [decoded.get("message")])]


def counts_as(state: WebhookState, head: Delivery) -> str:
    """What commands for all deliveries have made of it, whether it was moved already or not."""
    marks = state.moving
    if marks and head.number < marks.discard_before and head.number != marks.discard_but:
        return "discarded"
    if not marks or head.state != "dead_letter":
        return head.state
    first, end, but = marks.return_from, marks.return_before, marks.return_but
    if head.dead_reason:
        first, end, but = marks.fails_from, marks.fails_before, marks.fails_but
    return "queued" if first <= head.number < end and head.number != but else head.state

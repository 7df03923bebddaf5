"""What is looked for: every filter of a search, and whether a delivery passes it.

The filter of a replay, which is stored with it, is tables/repeating/matching.py.
"""

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database.delivery_records import Delivery

ALL_STATES = frozenset(DeliveryState)
WAITING = frozenset({DeliveryState.QUEUED, DeliveryState.IN_FLIGHT, DeliveryState.DEAD_LETTER})
TIME_MAX = 2**62


class Statuses(msgspec.Struct, frozen=True):
    """Statuses of the last answer, from `least` to `most`; 0: it was called and did not answer."""

    least: int
    most: int

    def take(self, status: int) -> bool:
        return self.least <= status <= self.most

    def have(self, delivery: Delivery) -> bool:
        return delivery.attempts > 0 and self.take(delivery.status)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery is wanted if it passes every filter that is given.

    `webhooks`: their ids; none: all. `phones`: the same number as digits, in every form that it may
    have been sent in; None: any. `name`: a part of the chat's latest name, in casefold. `since_ms`,
    `until_ms`: when it was sealed, the second one not included. `message`: an id in its body.
    `resending`: beside those in one of the states also those that are to be sent once more.
    """

    webhooks: tuple[str, ...] = ()
    states: frozenset[DeliveryState] = ALL_STATES
    chat: str | None = None
    phones: tuple[bytes, ...] | None = None
    name: str = ""
    statuses: Statuses | None = None
    since_ms: int = 0
    until_ms: int = TIME_MAX
    message: str = ""
    resending: bool = False

    def takes(self, delivery: Delivery, state: DeliveryState, *, resends: bool = False) -> bool:
        """Whether what the delivery's own record says is wanted.

        `state`, and `resends`, whether it is to be sent once more: as it is seen.
        """
        return (
            (state in self.states or (resends and self.resending))
            and (self.chat is None or delivery.chat_id == self.chat)
            and self.since_ms <= delivery.placed_ms < self.until_ms
            and (self.statuses is None or self.statuses.have(delivery))
        )

    @property
    def only_waiting(self) -> bool:
        """Whether nothing is wanted that has ended."""
        return self.states <= WAITING

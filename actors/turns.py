"""The transitions that wait for the Store, in the order in which they are committed.

There are three lanes: what callers ask for, what is sent, what is due. Each has the same part of
the Store's time while all have work; in each lane each owner has the same part of the lane's. So a
flood of intake delays no delivery, and one workspace's flood delays no other workspace. What one
owner submits in one lane stays in its order.

A group is a transaction. It ends before the transition that would make it too heavy, so that others
wait for some 25 ms at most until they are in the next.
"""

from collections.abc import Callable
from typing import NamedTuple

from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.fair_order import FairOrder
from hookbundle.engine.limits import GROUP_WEIGHT
from hookbundle.storage.transitions.costs import COSTS, Lane, Owner
from hookbundle.storage.transitions.table import Result, Transition

SLICE_WEIGHT = 2_500  # of one owner before the next one's turn: a request of a hundred chats

Then = Callable[[Result | HookbundleError], None]


class Work(NamedTuple):
    transition: Transition
    then: Then


class _Lane:
    """`served`: the weight that was taken from it, counted from where the lanes stood when it last
    began to have work."""

    __slots__ = ("order", "served")

    def __init__(self) -> None:
        self.order: FairOrder[Owner, Work] = FairOrder(SLICE_WEIGHT)
        self.served = 0


class Turns:
    """Belongs to one thread; its length may be read from any."""

    def __init__(self) -> None:
        self._lanes = [_Lane() for _ in Lane]
        self._busy: list[_Lane] = []
        self._last = self._lanes[0]
        self._stand = 0  # what the lane that was taken from last had been served before
        self._weight = 0  # of the transition taken last, as it was estimated
        self._left: int | None = None  # of the group's weight; None before its first transition
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, work: Work) -> None:
        transition = work.transition
        cost = COSTS[type(transition)]
        lane = self._lanes[cost.lane]
        if not lane.order:
            lane.served = max(lane.served, self._stand)
            self._busy.append(lane)
        lane.order.add(cost.owner(transition), cost.weight(transition), work)
        self._count += 1

    def begin_group(self) -> None:
        """What is taken from now on is a new group."""
        self._left = None

    def take(self) -> Work | None:
        """The next transition. None if nothing waits, or the group has no room for it.

        A group has room for its first one, however heavy.
        """
        busy = self._busy
        if not busy:
            return None
        lane = busy[0] if len(busy) == 1 else min(busy, key=_served)
        taken = lane.order.take(self._left)
        if taken is None:
            return None
        weight, work = taken
        if not lane.order:
            busy.remove(lane)
        self._count -= 1
        self._left = (GROUP_WEIGHT if self._left is None else self._left) - weight
        self._last, self._stand, self._weight = lane, lane.served, weight
        lane.served += weight
        return work

    def spent(self, weight: int) -> None:
        """What the transition taken last has turned out to weigh, if it is more than was thought.

        Its owner pays nothing more for it, but its lane does, and the group ends sooner.
        """
        more = weight - self._weight
        if more > 0 and self._left is not None:
            self._left -= more
            self._last.served += more


def _served(lane: _Lane) -> int:
    return lane.served

"""The transitions that wait for the Store, in the order in which they are committed.

There are three lanes: what callers ask for, what is sent, what is due. Each has the same part of
the Store's time while all have work; in each lane each owner has the same part of the lane's. So a
flood of intake delays no delivery, and one workspace's flood delays no other workspace. What one
owner submits in one lane stays in its order.

A group is a transaction. It ends before the transition that would make it too heavy, so that others
wait for some 25 ms at most until they are in the next. One with work of several owners ends half
way, if whose turn it is has had more than a slice of it: the others wait for their answers, and a
webhook can send its next delivery when the outcome of the last one is stored.

While all that waits is light enough to be in one group whatever its order, nobody needs a turn: it
stands in a line, in the order in which it came. What makes the line too long puts all of it into
the lanes.
"""

from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.fairness.fair_order import FairOrder
from hookbundle.engine.limits import GROUP_WEIGHT
from hookbundle.storage.transitions.costs import COSTS, Cost, Lane, Owner
from hookbundle.storage.transitions.table import Result, Transition

SLICE_WEIGHT = 2_500  # of one owner before the next one's turn: a request of a hundred chats
SHARED_WEIGHT = GROUP_WEIGHT // 2  # of a group, for owners that have had a slice of it
ENOUGH_ROOM = GROUP_WEIGHT - SHARED_WEIGHT
LINE_WEIGHT = GROUP_WEIGHT // 2  # of a group, without turns; the rest is for what comes meanwhile

NO_COUNTS: Mapping[Owner, int] = {}
Then = Callable[[Result | HookbundleError], None]


class Work(msgspec.Struct, frozen=True):
    """A msgspec Struct because it is made often."""

    transition: Transition
    then: Then


class _Lane:
    """`served`: the weight that was taken from it, counted from where the lanes stood when it last
    began to have work."""

    __slots__ = ("order", "served")

    def __init__(self) -> None:
        self.order: FairOrder[Owner, tuple[Owner, Work]] = FairOrder(SLICE_WEIGHT)
        self.served = 0


class Turns:
    """Belongs to one thread; its length may be read from any.

    `owners`: the workspaces of webhooks that have numbers of their own, as far as they are known.
    `webhooks`: how many those have that have several.
    """

    def __init__(
        self, owners: Mapping[Owner, int], webhooks: Mapping[Owner, int] = NO_COUNTS
    ) -> None:
        self._owners = owners
        self._webhooks = webhooks
        self._lanes = [_Lane() for _ in Lane]
        self._busy: list[_Lane] = []
        self._line: deque[tuple[Lane, int, Work]] = deque()
        self._line_weight = 0  # of all that stood in the line in this group
        self._last = self._lanes[0]
        self._stand = 0  # what the lane that was taken from last had been served before
        self._weight = 0  # of the transition taken last, as it was estimated
        self._taken: Transition | None = None
        self._had: dict[Owner, int] = {}  # of the group, by owner; without what stood in the line
        self._left: int | None = None  # of the group's weight; None before its first transition
        self._count = 0  # of what is in the lanes

    def __len__(self) -> int:
        return self._count + len(self._line)

    def add(self, work: Work) -> None:
        cost = COSTS[type(work.transition)]
        weight = cost.weight(work.transition)
        if cost.times and self._webhooks:
            weight *= self._webhooks.get(cost.owner(work.transition), 1)
        line_weight = self._line_weight + weight
        if not self._busy and line_weight <= LINE_WEIGHT:
            self._line.append((cost.lane, weight, work))
            self._line_weight = line_weight
            return
        self._leave_line()
        self._add_to_lane(cost, weight, work)

    def begin_group(self) -> None:
        """What is taken from now on is a new group."""
        self._left = None
        self._line_weight = 0
        self._had.clear()
        if self._line:
            self._leave_line()

    def take(self) -> Work | None:
        """The next transition. None if nothing waits, or the group has no room for it.

        A group has room for its first one, however heavy.
        """
        line = self._line
        if line:
            number, weight, work = line[0]
            left = GROUP_WEIGHT if self._left is None else self._left
            if weight > left:  # those before it have turned out to be heavy
                return None
            line.popleft()
            lane = self._lanes[number]
            self._stand = max(lane.served, self._stand)
            lane.served = self._stand + weight
            self._left, self._last, self._weight = left - weight, lane, weight
            self._taken = work.transition
            return work
        busy = self._busy
        if not busy:
            return None
        lane = busy[0] if len(busy) == 1 else min(busy, key=_served)
        room, had = self._left, self._had
        if room is not None and len(had) > 1:
            next_weight, (next_owner, _) = lane.order.first()
            if room - next_weight < ENOUGH_ROOM and had.get(next_owner, 0) > SLICE_WEIGHT:
                return None
        taken = lane.order.take(room)
        if taken is None:
            return None
        weight, (owner, work) = taken
        had[owner] = had.get(owner, 0) + weight
        if not lane.order.heap:
            busy.remove(lane)
        self._count -= 1
        self._left = (GROUP_WEIGHT if room is None else room) - weight
        self._last, self._stand, self._weight = lane, lane.served, weight
        lane.served += weight
        self._taken = work.transition
        return work

    def spent(self, weight: int) -> None:
        """What the transition taken last has turned out to weigh, if it is more than was thought.

        Its lane pays for it, its owner with what he brings next, and the group ends sooner.
        """
        more = weight - self._weight
        if more > 0 and self._left is not None and self._taken is not None:
            self._left -= more
            self._last.served += more
            owner = COSTS[type(self._taken)].owner(self._taken)
            owner = self._owners.get(owner, owner)
            self._last.order.charge(owner, more)
            self._had[owner] = self._had.get(owner, 0) + more

    def _leave_line(self) -> None:
        while self._line:
            _, weight, work = self._line.popleft()
            self._add_to_lane(COSTS[type(work.transition)], weight, work)

    def _add_to_lane(self, cost: Cost, weight: int, work: Work) -> None:
        lane = self._lanes[cost.lane]
        if not lane.order.heap:
            lane.served = max(lane.served, self._stand)
            self._busy.append(lane)
        owner = cost.owner(work.transition)
        owner = self._owners.get(owner, owner)
        lane.order.add(owner, weight, (owner, work))
        self._count += 1


def _served(lane: _Lane) -> int:
    return lane.served

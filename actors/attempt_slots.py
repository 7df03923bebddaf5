"""The slots for attempts: how many may run at once, and who gets the next one.

A receiver that hangs holds its slot for the whole time limit. So that such receivers can't hold
all slots, however many they are, a webhook waits in one of three lanes:

    TROUBLED   its last attempt was an error, or it held slots for long lately
    NEW        it has never been called
    PROVEN     all others

TROUBLED ones hold half of the slots at most, TROUBLED and NEW ones together three quarters. A
webhook is slow whatever it answers: of each attempt the time beyond `SLOW_S` is added up, and is
forgotten a hundred times more slowly than it passed. So neither a late 200 nor a time-out now and
then pays.

An attempt that has run for `give_way_s` *gives way*, which ends it, if somebody waits who has a
better claim to its slot. The next attempt of the same webhook does not: a receiver that needs long
gets its time, at every second attempt if not at every one.

This is memory, not a promise: after a start a webhook is judged by its error count in the database.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

SLOW_S = 3.0
SLOW_SUM_S = 1.0  # from here on a webhook is TROUBLED
SLOW_SUM_S_MAX = 60.0
FORGOTTEN_PER_S = 0.01
LOOK_AGAIN_S = 0.25


class Lane(Enum):
    PROVEN = "proven"
    NEW = "new"
    TROUBLED = "troubled"


# Whose attempts give way to one who waits in the lane. Of TROUBLED ones only those that timed out
# last: else they would only end each other.
GIVING_WAY_TO = {
    Lane.PROVEN: frozenset(Lane),
    Lane.NEW: frozenset({Lane.NEW, Lane.TROUBLED}),
    Lane.TROUBLED: frozenset({Lane.TROUBLED}),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows of a webhook. `is_new`: it has never been called."""

    errors: int
    is_new: bool


@dataclass(slots=True, eq=False)
class Slot:
    """Held by one webhook. `limit` is of the attempt under way; `gave_way`: it was ended early."""

    webhook: int
    lane: Lane
    began_s: float = 0.0
    limit: asyncio.Timeout | None = None
    gave_way: bool = False


@dataclass(slots=True)
class LaneCount:
    """A lane as a limit is shown. `refused_all`: how often one had to wait for a slot."""

    name: str
    used: int = 0
    refused_owner: int = 0
    refused_all: int = 0


@dataclass(slots=True)
class _Past:
    """Of a webhook that was slow. `sum_s` as it was at `at_s`."""

    sum_s: float
    at_s: float
    timed_out: bool
    gave_way: bool

    def sum_at(self, now_s: float) -> float:
        return self.sum_s - (now_s - self.at_s) * FORGOTTEN_PER_S


@dataclass(slots=True, eq=False)
class _Waiting:
    slot: Slot
    granted: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class AttemptSlots:
    """Belongs to one loop. `standing` is asked only when slots are scarce."""

    def __init__(
        self,
        total: int,
        give_way_s: float,
        standing: Callable[[int], Standing],
        now_s: Callable[[], float],
    ) -> None:
        self.give_way_s = give_way_s
        self.counts = {lane: LaneCount(f"attempts_{lane.value}") for lane in Lane}
        self._total = total
        self._troubled_max = max(1, total // 2)
        self._unproven_max = max(1, total * 3 // 4)
        self._standing = standing
        self._now_s = now_s
        self._lines: dict[Lane, deque[_Waiting]] = {lane: deque() for lane in Lane}
        self.begun = 0
        self._turns = deque(Lane)
        self._attempts: dict[Slot, None] = {}  # under way, the oldest first
        self._past: dict[int, _Past] = {}
        self._past_max = 1_000
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def used(self) -> int:
        return sum(count.used for count in self.counts.values())

    def waiting(self, lane: Lane) -> int:
        return len(self._lines[lane])

    def busy(self) -> set[int]:
        """The webhooks that have an attempt under way, or wait for a slot. Looks at all of them."""
        waiting = {each.slot.webhook for line in self._lines.values() for each in line}
        return waiting | {slot.webhook for slot in self._attempts}

    def has_room(self, lane: Lane) -> bool:
        """Whether one more attempt of the lane may begin."""
        used = self.used
        if used >= self._total:
            return False
        if lane is Lane.PROVEN:
            return True
        unproven = used - self.counts[Lane.PROVEN].used
        if unproven >= self._unproven_max:
            return False
        return lane is Lane.NEW or self.counts[Lane.TROUBLED].used < self._troubled_max

    async def take(self, webhook: int) -> Slot:
        """A slot for the webhook, which waits in its lane until there is one."""
        # Then no lane is full, and the database need not be asked: `begin` will hear it anyway.
        # Until then the slot is counted where it takes most from others.
        if self.used < self._troubled_max:
            slot = Slot(webhook, Lane.TROUBLED)
            self.counts[Lane.TROUBLED].used += 1
            return slot
        slot = Slot(webhook, self._lane(webhook, self._standing(webhook)))
        waiting = _Waiting(slot)
        self._lines[slot.lane].append(waiting)
        self._serve()
        if waiting.granted.done():
            return slot
        self.counts[slot.lane].refused_all += 1
        try:
            await waiting.granted
        except asyncio.CancelledError:
            if not waiting.granted.cancelled():
                self.give_back(slot)
            elif waiting in self._lines[slot.lane]:  # else it was passed over
                self._lines[slot.lane].remove(waiting)
            raise
        return slot

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def give_back(self, slot: Slot) -> None:
        self._attempts.pop(slot, None)
        self.counts[slot.lane].used -= 1
        self._serve()

    def begin(self, slot: Slot, standing: Standing) -> None:
        """An attempt begins, and the slot is counted in the lane that its webhook is in now."""
        self.begun += 1
        lane = self._lane(slot.webhook, standing)
        slot.began_s, slot.gave_way = self._now_s(), False
        self._attempts[slot] = None
        if lane is not slot.lane:
            self.counts[slot.lane].used -= 1
            self.counts[lane].used += 1
            slot.lane = lane
            self._serve()

    def end(self, slot: Slot, *, timed_out: bool, stood_still_s: float = 0.0) -> bool:
        """The attempt is over. True if it gave way, and this says nothing about its receiver.

        `stood_still_s`: how much of its time this machine stood still, which makes nobody slow.

        One that timed out at the full limit, and gives way the next time, has failed twice.
        """
        slot.limit = None
        self._attempts.pop(slot, None)
        now_s = self._now_s()
        slow_s = now_s - slot.began_s - SLOW_S - stood_still_s
        past = self._past.get(slot.webhook)
        if past is None and slow_s <= 0 and not timed_out:
            return False
        timed_out_before = past is not None and past.timed_out
        gave_way = slot.gave_way and timed_out  # else its answer came first
        sum_s = (max(past.sum_at(now_s), 0.0) if past else 0.0) + max(slow_s, 0.0)
        if timed_out or sum_s > 0:
            self._remember(
                slot.webhook, _Past(min(sum_s, SLOW_SUM_S_MAX), now_s, timed_out, gave_way)
            )
        else:
            del self._past[slot.webhook]
        return gave_way and not timed_out_before

    def _lane(self, webhook: int, standing: Standing) -> Lane:
        past = self._past.get(webhook)
        is_slow = past is not None and past.sum_at(self._now_s()) >= SLOW_SUM_S
        if standing.errors or is_slow or (past is not None and past.timed_out):
            return Lane.TROUBLED
        return Lane.NEW if standing.is_new else Lane.PROVEN

    def _remember(self, webhook: int, past: _Past) -> None:
        self._past[webhook] = past
        if len(self._past) > self._past_max:
            now_s = past.at_s
            self._past = {w: p for w, p in self._past.items() if p.sum_at(now_s) > 0}
            self._past_max = max(1_000, 2 * len(self._past))

    # ---- who is next

    def _serve(self) -> None:
        """Free slots go to those who wait, lane by lane in turn."""
        turns = self._turns
        passed = 0
        while passed < len(turns):
            lane = turns[0]
            turns.rotate(-1)
            if self._lines[lane] and self.has_room(lane):
                waiting = self._lines[lane].popleft()
                if not waiting.granted.done():
                    self.counts[lane].used += 1
                    waiting.granted.set_result(None)
                passed = 0
            else:
                passed += 1
        if self._alarm is None and any(self._lines.values()):
            self._look_again(0.0)

    def _look_again(self, least_s: float) -> None:
        """When the oldest attempt has run long, but not before `least_s`."""
        oldest = next(iter(self._attempts), None)
        began_s = self._now_s() if oldest is None else oldest.began_s
        in_s = max(began_s + self.give_way_s - self._now_s(), least_s)
        self._alarm = asyncio.get_running_loop().call_later(in_s, self._make_way)

    def _make_way(self) -> None:
        """Of the attempts that have run long, as many end as somebody waits for."""
        self._alarm = None
        wanted = {lane: len(line) for lane, line in self._lines.items() if line}
        ending = sum(slot.gave_way for slot in self._attempts)
        latest_s = self._now_s() - self.give_way_s
        for slot in self._attempts:
            if not wanted or slot.began_s > latest_s:
                break
            lane = next((lane for lane in wanted if self._gives_way(slot, lane)), None)
            if lane is None:
                continue
            if ending:
                ending -= 1  # its slot is on its way to one of those who wait
            else:
                assert slot.limit is not None
                slot.gave_way = True
                slot.limit.reschedule(asyncio.get_running_loop().time())
            wanted[lane] -= 1
            if not wanted[lane]:
                del wanted[lane]
        if any(self._lines.values()):
            self._look_again(LOOK_AGAIN_S)

    def _gives_way(self, slot: Slot, lane: Lane) -> bool:
        if slot.limit is None or slot.gave_way or slot.lane not in GIVING_WAY_TO[lane]:
            return False
        past = self._past.get(slot.webhook)
        if past is not None and past.gave_way:
            return False
        return lane is not Lane.TROUBLED or (past is not None and past.timed_out)

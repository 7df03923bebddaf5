"""The slots for attempts: how many may run at once, and who gets the next one.

A receiver that hangs holds its slot for the whole time limit. So that such receivers can't hold
all slots, however many they are, a webhook waits in one of four lanes:

    TROUBLED   its last attempt was an error, or it held slots for very long lately
    NEW        it has never been called
    LONG       it held slots for long lately
    PROVEN     all others

Each lane, together with those above it, holds its part of the slots at most (`PARTS`). See
slot_lanes.py for what is long.

An attempt that has run for `give_way_s` *gives way*, which ends it, if somebody waits who has a
better claim to its slot. The next attempt of the same webhook does not: a receiver that needs long
gets its time, at every second attempt if not at every one.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hookbundle.actors.outbound.deadlines import Deadline
from hookbundle.actors.slot_lanes import PARTS, Lane, Pasts, Standing

LOOK_AGAIN_S = 0.25


# Whose attempts give way to one who waits in the lane. Of TROUBLED ones only those that timed out
# last: else they would only end each other.
GIVING_WAY_TO = {
    Lane.PROVEN: frozenset(Lane),
    Lane.LONG: frozenset(Lane),
    Lane.NEW: frozenset({Lane.NEW, Lane.TROUBLED}),
    Lane.TROUBLED: frozenset({Lane.TROUBLED}),
}


@dataclass(slots=True, eq=False)
class Slot:
    """Held by one webhook. `limit` is of the attempt under way; `gave_way`: it was ended early."""

    webhook: int
    lane: Lane
    began_s: float = 0.0
    limit: Deadline | None = None
    gave_way: bool = False


@dataclass(slots=True)
class LaneCount:
    """A lane as a limit is shown. `refused_all`: how often one had to wait for a slot."""

    name: str
    used: int = 0
    refused_owner: int = 0
    refused_all: int = 0


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
        self._parts = [
            (lane, self.counts[lane], max(1, int(total * part))) for lane, part in PARTS.items()
        ]
        self._always = self._parts[0][2]  # while fewer are used, there is room for all
        self._standing = standing
        self._now_s = now_s
        self._lines: dict[Lane, deque[_Waiting]] = {lane: deque() for lane in Lane}
        self.begun = 0
        self._turns = deque(Lane)
        self._attempts: dict[Slot, None] = {}  # under way, the oldest first
        self._pasts = Pasts(now_s)
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def are_all_used(self) -> bool:
        return not self.has_room(Lane.PROVEN)

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
        used, concerns = 0, False
        for each, count, most in self._parts:
            used += count.used
            concerns = concerns or each is lane
            if concerns and used >= most:
                return False
        return True

    async def take(self, webhook: int) -> Slot:
        """A slot for the webhook, which waits in its lane until there is one."""
        # Then no lane is full, and the database need not be asked: `begin` will hear it anyway.
        # Until then the slot is counted where it takes most from others.
        if self.used < self._always:
            slot = Slot(webhook, Lane.TROUBLED)
            self.counts[Lane.TROUBLED].used += 1
            return slot
        slot = Slot(webhook, self._pasts.lane(webhook, self._standing(webhook)))
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
        lane = self._pasts.lane(slot.webhook, standing)
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
        took_s = self._now_s() - slot.began_s - stood_still_s
        past = self._pasts.of(slot.webhook)
        gave_way = slot.gave_way and timed_out  # else its answer came first
        self._pasts.add(slot.webhook, took_s, timed_out=timed_out, gave_way=gave_way)
        return gave_way and not (past is not None and past.timed_out)

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
                slot.limit.expire()
            wanted[lane] -= 1
            if not wanted[lane]:
                del wanted[lane]
        if any(self._lines.values()):
            self._look_again(LOOK_AGAIN_S)

    def _gives_way(self, slot: Slot, lane: Lane) -> bool:
        if slot.limit is None or slot.gave_way or slot.lane not in GIVING_WAY_TO[lane]:
            return False
        past = self._pasts.of(slot.webhook)
        if past is not None and past.gave_way:
            return False
        return lane is not Lane.TROUBLED or (past is not None and past.timed_out)

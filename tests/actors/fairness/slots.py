"""Slots for attempts under a movable clock, without any request."""

import asyncio
from dataclasses import dataclass, field

from hookbundle.actors.attempt_slots import AttemptSlots, Slot
from hookbundle.actors.outbound.deadlines import Deadlines
from hookbundle.actors.slot_lanes import Lane, Standing

GIVE_WAY_S = 5.0
LIMIT_S = 15.0
PROVEN = Standing(errors=0, is_new=False)
NEW = Standing(errors=0, is_new=True)
FAILING = Standing(errors=1, is_new=False)


@dataclass(slots=True)
class Scene:
    """Slots under a movable clock. `known`: what the database says of a webhook, else PROVEN."""

    total: int
    now_s: float = 1_000.0
    known: dict[int, Standing] = field(default_factory=dict)
    slots: AttemptSlots = field(init=False)

    def __post_init__(self) -> None:
        self.slots = AttemptSlots(
            self.total, GIVE_WAY_S, lambda n: self.known.get(n, PROVEN), lambda: self.now_s
        )

    def ask(self, webhook: int, standing: Standing = PROVEN) -> "asyncio.Task[Slot]":
        self.known[webhook] = standing

        async def begun() -> Slot:
            slot = await self.slots.take(webhook)
            self.slots.begin(slot, standing)
            slot.limit = Deadlines(LIMIT_S).begin()
            slot.limit.__enter__()
            return slot

        return asyncio.ensure_future(begun())

    async def asked(self, webhooks: range, standing: Standing) -> "list[asyncio.Task[Slot]]":
        tasks = [self.ask(webhook, standing) for webhook in webhooks]
        await settled()
        return tasks

    async def run(
        self, webhook: int, took_s: float, *, timed_out: bool = False, standing: Standing = PROVEN
    ) -> bool:
        """One attempt from begin to end, while slots are free. True if it is not to count."""
        slot = await self.ask(webhook, standing)
        self.now_s += took_s
        uncounted = self.slots.end(slot, timed_out=timed_out)
        self.slots.give_back(slot)
        return uncounted

    def finish(self, slot: Slot, *, timed_out: bool) -> bool:
        uncounted = self.slots.end(slot, timed_out=timed_out)
        self.slots.give_back(slot)
        return uncounted

    def lane_of(self, webhook: int) -> Lane:
        return self.slots._pasts.lane(webhook, self.known.get(webhook, PROVEN))

    def look(self) -> None:
        self.slots._make_way()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def running(tasks: "list[asyncio.Task[Slot]]") -> list[Slot]:
    return [task.result() for task in tasks if task.done()]

"""The actor of one webhook: sends its deliveries one at a time, in order.

It handles `Wake`, which says that there may be something to send. It asks the Store for the next
delivery, sends it, and submits the outcome to the Store, which answers with the next delivery. The
queue, the error count and the time of the next attempt are in the database; the actor's memory
holds only the attempt under way. So a `Wake` too many finds nothing to do, and the timer's sweep
makes up for one that was lost. Where the Store asks for a body of the webhook's format, it has it
rendered, and submits it; see attempts/rendering.py.

An attempt *begins* on disk before its first byte leaves, and *finishes* on disk before the next
one begins. If the outcome can't be stored (the disk is full), the actor waits and stores it again;
it does not send again.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from hookbundle.actors.attempt_slots import AttemptSlots, Slot
from hookbundle.actors.attempts.rendering import NoRoomError, Rendering
from hookbundle.actors.attempts.sending import (
    Sending,
    attempt_of,
    send,
    sending_of,
    without_secrets,
)
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.slot_lanes import Standing
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import (
    Cause,
    Delivered,
    ErrorClass,
    Failed,
    HttpResult,
    NoResponse,
    Outcome,
    Unknown,
    counted,
    judged,
    outcome_name,
    reason_of,
    was_late,
    was_reached,
)
from hookbundle.engine.delivery.routes import Routes
from hookbundle.engine.delivery.targets import target_of
from hookbundle.engine.errors import Conflict, NotFound, StoreFull
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.transitions.attempting import (
    BeginAttempt,
    Begun,
    FinishAttempt,
    Idle,
    Render,
    Step,
)
from hookbundle.storage.transitions.rendering.storing import Made, StoreBody

STORE_AGAIN_S = 1.0
STOOD_STILL_S = 1.0  # during an attempt; then its time limits say nothing of the receiver
GAVE_WAY_AFTER_A_TIME_OUT = (
    f"{ErrorClass.TIMEOUT_TOTAL}: no whole answer again, after a time-out; the time was short, "
    "because others waited"
)
GAVE_WAY = f"{Cause.GAVE_WAY}: ended before its time limit, because others waited for this machine"
NOBODY_REACHED = "there is no route to anybody from this machine"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wake:
    """There may be something to send."""


@dataclass(frozen=True, slots=True)
class SlotReleased:
    """The attempt is recorded, and the queue may go on, but another webhook has the slot first."""


@dataclass(slots=True)
class Traffic:
    """Shared by a partition's webhooks: the slots for attempts, and whether new ones may begin.

    `policy` changes when the daemon reads its configuration again. `on_attempt` is called after
    every attempt with the outcome's name, the reason, and the duration in milliseconds. `routes`
    and `stood_still_s`, for how long this machine's loop did so far, say whose fault an error is.
    `abandoned`: the shutdown deadline has passed and the connections are being closed. The end of
    an attempt then says nothing about the receiver, and is not recorded. `first`: what is added to
    a webhook's number where partitions share the slots.
    """

    slots: AttemptSlots
    policy: BackoffPolicy
    on_attempt: Callable[[str, str, int], None]
    rendering: Rendering
    stood_still_s: Callable[[], float] = lambda: 0.0
    routes: Routes = field(default_factory=Routes)
    open: bool = True
    abandoned: bool = False
    in_flight: int = 0
    first: int = 0


def attempt_slots(
    standing: Callable[[int], Standing], total: int, total_timeout_ms: int
) -> AttemptSlots:
    """The slots for all webhooks. Belongs to the running loop."""
    now_s = asyncio.get_running_loop().time
    return AttemptSlots(total, give_way_s(total_timeout_ms), standing, now_s)


def give_way_s(total_timeout_ms: int) -> float:
    """How long an attempt runs before it may have to give way to others."""
    return total_timeout_ms / 1_000 / 3


class WebhookActor(LoopActor):
    def __init__(
        self,
        webhook: int,
        store: StoreQueue,
        client: GuardedClient,
        clock: Clock,
        rng: random.Random,
        traffic: Traffic,
    ) -> None:
        super().__init__()
        self._webhook = webhook
        self._store = store
        self._client = client
        self._clock = clock
        self._rng = rng
        self._traffic = traffic

    async def on_receive(self, message: Wake) -> None:
        """Sends until nothing may be sent now, and releases its slot while others wait for one."""
        step: Idle | SlotReleased | Render = SlotReleased()
        while not isinstance(step, Idle) and self._traffic.open:
            if isinstance(step, Render):
                step = await self._render(step)
            else:
                step = await self._send_some(lambda: BeginAttempt(self._webhook, self._now_ms()))

    async def _render(self, render: Render) -> Idle | SlotReleased | Render:
        """Holds no slot: the body is rendered, and sent as soon as there is one."""
        job = render.job

        async def store(made: Made) -> Idle | SlotReleased | Render:
            return await self._send_some(
                lambda: StoreBody(
                    webhook=self._webhook,
                    delivery=render.delivery,
                    format=job.format,
                    options=job.options,
                    made=made,
                    now_ms=self._now_ms(),
                )
            )

        try:
            return await self._traffic.rendering.of(render, store) or Idle()
        except NoRoomError:
            return SlotReleased()

    async def _send_some(
        self, first: Callable[[], BeginAttempt | StoreBody]
    ) -> Idle | SlotReleased | Render:
        """Waits for a slot, and sends until the queue is idle, another webhook needs the slot, or a
        body has to be rendered."""
        traffic = self._traffic
        slot = await traffic.slots.take(traffic.first + self._webhook)
        try:
            if not traffic.open:  # the daemon may have begun to stop while this waited
                return Idle()
            step: Step | SlotReleased = await self._store.do(first(), Step)
            while not isinstance(step, Idle | SlotReleased | Render):
                if isinstance(step, Begun):
                    step = await self._attempt(step, slot)
                else:
                    begin = BeginAttempt(self._webhook, self._now_ms())
                    step = await self._store.do(begin, Step)
            return step
        except (Conflict, NotFound) as exc:
            log.info("delivery given up", webhook=self._webhook, reason=str(exc))
        except StoreFull as exc:
            log.error("no attempt begun", webhook=self._webhook, error=str(exc))
        finally:
            traffic.slots.give_back(slot)
        return Idle()

    def _now_ms(self) -> int:
        return self._clock.now_ms()

    async def _attempt(self, begun: Begun, slot: Slot) -> Step | SlotReleased:
        """The attempt is over and recorded; returns the next one, if it began in the same commit.

        Raises: HookbundleError if the Store refuses the outcome.
        """
        # Going on begins the next attempt in the commit that records this one: one fsync for each
        # delivery instead of two. When no slot is left, other webhooks may be waiting for one,
        # so this one asks for nothing more and queues up behind them: else a long queue would hold
        # its slot for as long as it lasts. This is decided before the request, so a webhook that
        # begins to wait during it waits for one more attempt at most.
        slots = self._traffic.slots
        slots.begin(slot, Standing(begun.errors, begun.is_first))
        go_on = self._traffic.open and slots.has_room(slot.lane)
        sending = sending_of(
            url=begun.url,
            body=begun.body,
            request=begun.request,
            delivery_id=begun.delivery_id,
            secrets=begun.secrets,
            owner=self._traffic.first + begun.workspace,
            webhook=self._traffic.first + self._webhook,
            at_ms=self._clock.now_ms(),
            wall_ms=self._clock.wall_ms(),
        )
        self._traffic.in_flight += 1
        timed_out = gave_way = False
        still_before_s, still_s = self._traffic.stood_still_s(), 0.0
        try:
            result = await send(self._client, sending, slot, once=not begun.may_repeat)
            timed_out = was_late(result, begun.success)
        finally:
            self._traffic.in_flight -= 1
            still_s = self._traffic.stood_still_s() - still_before_s
            timed_out = timed_out and still_s < STOOD_STILL_S
            gave_way = slots.end(slot, timed_out=timed_out, stood_still_s=still_s)
        if self._traffic.abandoned:
            return Idle()
        outcome = self._judged(begun, sending, result, still_s)
        if gave_way:
            outcome = Unknown(GAVE_WAY)
        elif slot.gave_way and timed_out:
            outcome = Failed(GAVE_WAY_AFTER_A_TIME_OUT)
        # What the transition will make of it, which gets the outcome as it was.
        shown = counted(outcome, begun.own_faults)
        self._traffic.on_attempt(outcome_name(shown), reason_of(result, shown), result.duration_ms)
        finish = FinishAttempt(
            webhook=self._webhook,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            outcome=outcome,
            result=attempt_of(self._client, sending, result, shown),
            now_ms=self._clock.now_ms(),
            # Drawn by the kernel, so only where there is something to wait for.
            spread=0.0 if isinstance(outcome, Delivered) else self._rng.uniform(-1, 1),
            policy=self._traffic.policy,
            go_on=go_on and self._traffic.open,
            requests=result.requests,
        )
        following = await self._finish(begun, finish)
        return following if go_on else SlotReleased()

    def _judged(
        self, begun: Begun, sending: Sending, result: HttpResult, still_s: float
    ) -> Outcome:
        """Whose fault it is that the attempt failed, if it did."""
        routes, now_ms = self._traffic.routes, self._clock.now_ms()
        if was_reached(result):
            routes.reached(now_ms)
        elif _has_no_route(result) and routes.is_ours(target_of(begun.url).host, now_ms):
            return Unknown(f"{ErrorClass.NO_ROUTE}: {NOBODY_REACHED}")
        return judged(
            result,
            begun.success,
            self._clock.wall_ms() // 1_000,
            stood_still=still_s >= STOOD_STILL_S,
            hidden=partial(without_secrets, sending, result),
        )

    async def _finish(self, begun: Begun, finish: FinishAttempt) -> Step:
        """The outcome is stored, however long the disk is full. Raises: HookbundleError."""
        while True:
            try:
                return await self._store.do(finish, Step)
            except StoreFull as exc:
                log.error("outcome not stored yet", delivery=begun.delivery_id, error=str(exc))
                await asyncio.sleep(STORE_AGAIN_S)


def _has_no_route(result: HttpResult) -> bool:
    return isinstance(result, NoResponse) and result.error is ErrorClass.NO_ROUTE

"""The actor of one webhook: sends its deliveries one at a time, in order.

It handles `Wake`, which says that there may be something to send. It asks the Store for the next
delivery, sends it, and submits the outcome to the Store, which answers with the next delivery. The
queue, the error count and the time of the next attempt are in the database; the actor's memory
holds only the attempt under way. So a `Wake` too many finds nothing to do, and the timer's sweep
makes up for one that was lost.

An attempt *begins* on disk before its first byte leaves, and *finishes* on disk before the next
one begins. If the outcome can't be stored (the disk is full), the actor waits and stores it again;
it does not send again.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from hookbundle.actors.attempt_slots import AttemptSlots, Slot
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.slot_lanes import Standing
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import (
    TIME_LIMITS,
    Cause,
    Delivered,
    ErrorClass,
    Failed,
    HttpResult,
    NoResponse,
    Outcome,
    Response,
    Unknown,
    counted,
    judged,
    outcome_name,
    reason_of,
    was_reached,
)
from hookbundle.engine.delivery.routes import Routes
from hookbundle.engine.delivery.targets import sent_url, target_of
from hookbundle.engine.delivery.urls import (
    hidden,
    hidden_in_bytes,
    secrets_of,
    shown_url,
)
from hookbundle.engine.errors import Conflict, NotFound, StoreFull
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.attempting import (
    AskAgain,
    BeginAttempt,
    Begun,
    FinishAttempt,
    Idle,
)

STORE_AGAIN_S = 1.0
STOOD_STILL_S = 1.0  # during an attempt; then its time limits say nothing of the receiver
NOBODY = Standing(errors=0, is_new=True)
GAVE_WAY_AFTER_A_TIME_OUT = (
    f"{ErrorClass.TIMEOUT_TOTAL}: no answer again, after a time-out; the time was short, because "
    "others waited"
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
    """Shared by all webhooks: the concurrency slots for attempts, and whether new ones may begin.

    `policy` changes when the daemon reads its configuration again. `on_attempt` is called after
    every attempt with the outcome's name, the reason, and the duration in milliseconds. `routes`
    and `stood_still_s`, for how long this machine's loop did so far, say whose fault an error is.
    `abandoned`: the shutdown deadline has passed and the connections are being closed. The end of
    an attempt then says nothing about the receiver, and is not recorded.
    """

    slots: AttemptSlots
    policy: BackoffPolicy
    on_attempt: Callable[[str, str, int], None]
    stood_still_s: Callable[[], float] = lambda: 0.0
    routes: Routes = field(default_factory=Routes)
    open: bool = True
    abandoned: bool = False
    in_flight: int = 0


def attempt_slots(reads: Reads, total: int, total_timeout_ms: int) -> AttemptSlots:
    """The slots for all webhooks. Belongs to the running loop."""

    def standing(webhook: int) -> Standing:
        state = reads.state(webhook)
        return Standing(state.consecutive_errors, not state.log_next) if state else NOBODY

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
        traffic = self._traffic
        step: Idle | SlotReleased = SlotReleased()
        while isinstance(step, SlotReleased) and traffic.open:
            slot = await traffic.slots.take(self._webhook)
            try:
                if not traffic.open:  # the daemon may have begun to stop while this waited
                    return
                step = await self._send_some(slot)
            finally:
                traffic.slots.give_back(slot)

    async def _send_some(self, slot: Slot) -> Idle | SlotReleased:
        """Holds a slot: sends until the queue is idle or another webhook needs the slot."""
        try:
            step: Begun | AskAgain | Idle | SlotReleased = AskAgain()
            while not isinstance(step, Idle | SlotReleased):
                if isinstance(step, Begun):
                    step = await self._attempt(step, slot)
                else:
                    begin = BeginAttempt(self._webhook, self._clock.now_ms())
                    step = await self._store.do(begin, Begun | AskAgain | Idle)
            return step
        except (Conflict, NotFound) as exc:
            log.info("delivery given up", webhook=self._webhook, reason=str(exc))
        except StoreFull as exc:
            log.error("no attempt begun", webhook=self._webhook, error=str(exc))
        return Idle()

    async def _attempt(self, begun: Begun, slot: Slot) -> Begun | AskAgain | Idle | SlotReleased:
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
        at_ms = self._clock.now_ms()
        headers = signing.sign(
            begun.delivery_id, self._clock.wall_ms() // 1_000, begun.body, begun.secrets
        )
        self._traffic.in_flight += 1
        timed_out = gave_way = False
        still_before_s, still_s = self._traffic.stood_still_s(), 0.0
        try:
            result = await self._client.post(
                begun.url,
                begun.body,
                headers,
                begun.workspace,
                slot,
                once=not begun.may_repeat,
            )
            timed_out = isinstance(result, NoResponse) and result.error in TIME_LIMITS
        finally:
            self._traffic.in_flight -= 1
            still_s = self._traffic.stood_still_s() - still_before_s
            timed_out = timed_out and still_s < STOOD_STILL_S
            gave_way = slots.end(slot, timed_out=timed_out, stood_still_s=still_s)
        if self._traffic.abandoned:
            return Idle()
        outcome = self._judged(begun, result, still_s)
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
            result=attempt_of(
                result,
                shown,
                at_ms=at_ms,
                url=begun.url,
                headers={**self._client.headers, **headers},
            ),
            now_ms=self._clock.now_ms(),
            spread=self._rng.uniform(-1, 1),
            policy=self._traffic.policy,
            go_on=go_on and self._traffic.open,
            requests=result.requests,
        )
        following = await self._finish(begun, finish)
        return following if go_on else SlotReleased()

    def _judged(self, begun: Begun, result: HttpResult, still_s: float) -> Outcome:
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
            hidden=lambda text: hidden(text, secrets_of(begun.url)),
        )

    async def _finish(self, begun: Begun, finish: FinishAttempt) -> Begun | AskAgain | Idle:
        """The outcome is stored, however long the disk is full. Raises: HookbundleError."""
        while True:
            try:
                return await self._store.do(finish, Begun | AskAgain | Idle)
            except StoreFull as exc:
                log.error("outcome not stored yet", delivery=begun.delivery_id, error=str(exc))
                await asyncio.sleep(STORE_AGAIN_S)


def attempt_of(
    result: HttpResult, outcome: Outcome, *, at_ms: int, url: str, headers: dict[str, str]
) -> Attempt:
    """The request without its body, and its response, for the detailed log and the history.

    Without what the URL's query says, also where the receiver repeats it.
    """
    response = _shown(result, url) if isinstance(result, Response) else None
    return Attempt(
        at_ms=at_ms,
        url=shown_url(sent_url(url)),
        request_headers=tuple(headers.items()),
        outcome=outcome_name(outcome),
        status=response.status if response else 0,
        response_headers=response.headers if response else (),
        response_body=response.body if response else b"",
        truncated=response.truncated if response else False,
        error="" if isinstance(outcome, Delivered) else outcome.error,
        duration_ms=result.duration_ms,
    )


def _has_no_route(result: HttpResult) -> bool:
    return isinstance(result, NoResponse) and result.error is ErrorClass.NO_ROUTE


def _shown(response: Response, url: str) -> Response:
    secrets = secrets_of(url)
    if not secrets:
        return response
    return msgspec.structs.replace(
        response,
        headers=tuple((name, hidden(value, secrets)) for name, value in response.headers),
        body=hidden_in_bytes(response.body, secrets),
    )

"""A workspace's webhook: one delivery at a time, in order, until the queue is empty.

It is told `Wake` when there may be something to send, asks the Store for the next delivery, sends
it, and has the Store record the outcome, which answers with the next one. The queue, the error
count and the time of the next attempt are in the database; what the actor keeps is nothing but
the attempt under way. So a `Wake` too many finds nothing to do, and one too few is made up for by
the sweep.

An attempt is *begun* on disk before its first byte leaves, and *finished* on disk before the next
one begins. If the outcome can't be stored (the disk is full), the actor waits and stores it again;
it does not send again.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.store_queue import StoreDoor
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import attempts, signing
from hookbundle.engine.delivery.attempts import Delivered, Failed, Interrupted, Rejected, Result
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import ErrorClass, Outcome, Reply
from hookbundle.engine.errors import Conflict, NotFound, StoreFull
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.database.records import Exchange
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt, Idle

STORE_AGAIN_S = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wake:
    """There may be something to send."""


@dataclass(slots=True)
class Traffic:
    """What all webhooks share: the places for attempts, and whether new ones may begin.

    `policy` changes when the daemon's configuration is read again. `on_attempt` hears of every
    attempt: what it came to, why, and how many milliseconds it took.
    `abandoned`: the daemon waits no longer; how an attempt ends now is its own doing, not the
    receiver's, and is not recorded.
    """

    places: asyncio.Semaphore
    policy: BackoffPolicy
    on_attempt: Callable[[str, str, int], None]
    open: bool = True
    abandoned: bool = False
    in_flight: int = 0


class WebhookActor(LoopActor):
    def __init__(
        self,
        workspace_number: int,
        store: StoreDoor,
        client: GuardedClient,
        clock: Clock,
        chance: random.Random,
        traffic: Traffic,
    ) -> None:
        super().__init__()
        self._workspace_number = workspace_number
        self._store = store
        self._client = client
        self._clock = clock
        self._chance = chance
        self._traffic = traffic

    async def on_receive(self, message: Wake) -> None:
        """Sends until nothing may be sent now, giving up its place while others wait for one."""
        traffic = self._traffic
        more = True
        while more and traffic.open:
            async with traffic.places:
                if not traffic.open:
                    return
                more = await self._send_some()

    async def _send_some(self) -> bool:
        """True if there may be more to send."""
        try:
            begin = BeginAttempt(self._workspace_number, self._clock.now_ms())
            following: Begun | Idle = await self._store.do(begin, Begun | Idle)
            while isinstance(following, Begun):
                go_on = self._traffic.open and not self._traffic.places.locked()
                result, following = await self._attempt(following, go_on=go_on)
                if isinstance(result, Interrupted):
                    return False  # our own machine is in trouble; the sweep will try again
                if not go_on:
                    return True
        except (Conflict, NotFound) as exc:
            log.info("delivery given up", workspace=self._workspace_number, reason=str(exc))
        except StoreFull as exc:
            log.error("no attempt begun", workspace=self._workspace_number, error=str(exc))
        return False

    async def _attempt(self, begun: Begun, *, go_on: bool) -> tuple[Result, Begun | Idle]:
        """What the attempt, now over and recorded, came to, and what the Store says comes next."""
        at_ms = self._clock.now_ms()
        headers = signing.sign(
            begun.delivery_id, self._clock.wall_ms() // 1_000, begun.delivery.body, begun.secrets
        )
        self._traffic.in_flight += 1
        try:
            outcome = await self._client.post(begun.url, begun.delivery.body, headers)
        finally:
            self._traffic.in_flight -= 1
        if self._traffic.abandoned:
            return Interrupted("the daemon is stopping"), Idle()
        result = judged(outcome, begun.success, self._clock.wall_ms() // 1_000)
        self._traffic.on_attempt(outcome_name(result), reason_of(outcome), outcome.duration_ms)
        finish = FinishAttempt(
            workspace_number=self._workspace_number,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            result=result,
            exchange=exchange_of(
                outcome,
                result,
                at_ms=at_ms,
                delivery_id=begun.delivery_id,
                attempt=begun.attempt,
                chat_id=begun.delivery.chat_id,
                url=begun.url,
                headers={**self._client.headers, **headers},
                body=begun.delivery.body,
            ),
            now_ms=self._clock.now_ms(),
            spread=self._chance.uniform(-1, 1),
            policy=self._traffic.policy,
            go_on=go_on and self._traffic.open and not isinstance(result, Interrupted),
        )
        return result, await self._finish(begun, finish)

    async def _finish(self, begun: Begun, finish: FinishAttempt) -> Begun | Idle:
        """The outcome is stored, however long the disk is full. Raises: HookbundleError."""
        while True:
            try:
                return await self._store.do(finish, Begun | Idle)
            except StoreFull as exc:
                log.error("outcome not stored yet", delivery=begun.delivery_id, error=str(exc))
                await asyncio.sleep(STORE_AGAIN_S)


def judged(outcome: Outcome, success: attempts.SuccessRule, now_s: int) -> Result:
    """What an answer, or the lack of one, means for the delivery."""
    if isinstance(outcome, Reply):
        return attempts.judge(outcome.status, outcome.header("retry-after"), success, now_s)
    if outcome.error is ErrorClass.LOCAL:
        return Interrupted(outcome.detail)
    return Failed(f"{outcome.error}: {outcome.detail}")


def reason_of(outcome: Outcome) -> str:
    """The class of the answer (`2xx`), or of what there was in its place (`timeout_total`)."""
    return f"{outcome.status // 100}xx" if isinstance(outcome, Reply) else str(outcome.error)


def exchange_of(
    outcome: Outcome,
    result: Result,
    *,
    at_ms: int,
    delivery_id: str,
    attempt: int,
    chat_id: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
) -> Exchange:
    """The request and its response, for the detailed log."""
    reply = outcome if isinstance(outcome, Reply) else None
    return Exchange(
        at_ms=at_ms,
        delivery_id=delivery_id,
        attempt=attempt,
        chat_id=chat_id,
        url=url,
        request_headers=tuple(headers.items()),
        request_body=body,
        outcome=outcome_name(result),
        status=reply.status if reply else 0,
        response_headers=reply.headers if reply else (),
        response_body=reply.body if reply else b"",
        truncated=reply.truncated if reply else False,
        error="" if isinstance(result, Delivered) else result.error,
        duration_ms=outcome.duration_ms,
    )


def outcome_name(result: Result) -> str:
    match result:
        case Delivered():
            return "delivered"
        case Rejected():
            return "rejected"
        case Failed():
            return "failed"
        case Interrupted():
            return "unknown"

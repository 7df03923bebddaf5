"""The timer: polls the head of the due index, and has what is due acted on.

The index in the database is the timer; this actor only reads it. It acts in bounded steps, so that
a hundred thousand windows that fall due together leave room for intake.

The actor *claims* each row it acts on: it notes the row's key, and skips the row in later polls.
Without that, the next poll would find the row again while its transition still waits in the Store's
queue, and submit it twice. The claim ends when the transition is done, which deletes the row, or
after `CLAIM_MS`. It must expire, because some rows are handed to an actor that may fail (MAIL), and
some transitions fail (a full disk); such a row is still in the index and is tried again. Acting on
a row twice is harmless: each transition checks what is still to be done. So claims live in memory.

    WINDOW            seals the window, together with all others that are due
    RETRY             the webhook may attempt its next delivery
    FORGET, REQUEST   drops message ids and idempotency keys that have been kept as long as promised
    RETIME            moves windows after a change of the aggregation time, step by step
    ERASE             erases records of a deleted workspace or chat, step by step
    MAIL              wakes the mail's actor

Setting the machine's wall clock moves no timer; `ClockWatch` records the step in the feed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import structlog

from hookbundle.actors.clock_watch import ClockWatch, HeldClock
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.errors import HookbundleError, NotFound
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.storage.transitions.timed.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded

POLL_S_MIN, POLL_S_MAX = 0.01, 0.1
# A new message waits behind the windows that were submitted to the Store before it, so this
# bounds how long the API takes to answer while many windows are due.
ROWS_AT_ONCE = 512
CLAIMED_MAX = 2 * ROWS_AT_ONCE
SWEPT_AT_ONCE = 1_000
CLAIM_MS = 30_000
SWEEP_MS = 30_000
RETIME_AT_ONCE = 500
ERASE_AT_ONCE = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Poll:
    """Read the index now."""


@dataclass(frozen=True, slots=True)
class Done:
    """The transition for the rows is committed; it deleted them."""

    rows: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """The product's name, which each bundle holds, has changed."""

    product_name: str


Inbox = Poll | Done | Rename


@dataclass(slots=True)
class TimerState:
    """`claimed`: for each claimed row, by its key, the time (in ms) at which its claim expires.

    `more`: the last poll found as many rows as it may act on, so there may be others.
    `swept_ms`, `swept_to`: when the sweep last ran, and the workspace it goes on from (0: start).
    `late_ms`: how long the earliest row of the index has been due.
    """

    claimed: dict[bytes, int] = field(default_factory=dict)
    more: bool = False
    held: bool = False
    swept_ms: int = -SWEEP_MS
    swept_to: int = 0
    late_ms: int = 0
    product_name: str = ""
    alarm: asyncio.TimerHandle | None = None


@dataclass(frozen=True, slots=True)
class Wakes:
    """What the timer calls: wakes a webhook or a mail; after each poll; when the timer ends."""

    webhook: Callable[[int], None]
    mail: Callable[[int], None]
    idle: Callable[[], None]
    failed: Callable[[BaseException], None]


class TimerActor(LoopActor):
    def __init__(
        self,
        reads: Reads,
        store: StoreQueue,
        clock: HeldClock,
        wakes: Wakes,
        product_name: str,
        state: TimerState,
    ) -> None:
        super().__init__()
        self._reads = reads
        self._store = store
        self._clock = clock
        self._wakes = wakes
        self._clock_watch = ClockWatch(store, clock)
        self._state = state
        state.product_name = product_name

    def on_start(self) -> None:
        self.actor_ref.tell(Poll())

    def on_receive(self, message: Inbox) -> None:
        match message:
            case Poll():
                self._poll()
            case Done():
                self._release(message)
            case Rename():
                self._state.product_name = message.product_name
            case _:
                assert_never(message)

    def on_failure(self, *failure: Any) -> None:
        """Without its timer the daemon would run but do nothing."""
        self._wakes.failed(failure[1])

    def on_stop(self) -> None:
        """The daemon stops with its timer, as when a BaseException in one actor stops them all."""
        if self._state.alarm is not None:
            self._state.alarm.cancel()
        self._wakes.failed(RuntimeError("the timer was stopped"))

    def _poll(self) -> None:
        """Acts on what is due, and sets the alarm for the next poll."""
        state, now_ms = self._state, self._clock.now_ms()
        state.held = self._clock_watch.check(now_ms)
        if not state.held:
            self._act_on_due(now_ms)
            if state.more:  # a second step, so that the Store need not wait for it after the first
                self._act_on_due(now_ms)
        self._sweep()
        self._store.check_disk_again()
        self._wakes.idle()
        self._set_alarm()

    def _release(self, message: Done) -> None:
        state = self._state
        for row in message.rows:
            state.claimed.pop(keyspace.due(row), None)
        if state.more and len(state.claimed) <= CLAIMED_MAX // 2:  # no need to wait for the alarm
            self._poll()

    def _act_on_due(self, now_ms: int) -> None:
        state = self._state
        if len(state.claimed) >= CLAIMED_MAX:
            self._drop_expired_claims(now_ms)
            return
        rows = self._reads.due(now_ms, ROWS_AT_ONCE, but=state.claimed)
        state.more = len(rows) == ROWS_AT_ONCE
        if not state.more:
            self._drop_expired_claims(now_ms)
        by_kind: dict[DueKind, list[Due]] = {}
        for row in rows:
            state.claimed[keyspace.due(row)] = now_ms + CLAIM_MS
            by_kind.setdefault(row.kind, []).append(row)
        windows = tuple(by_kind.pop(DueKind.WINDOW, []))
        if windows:
            self._submit(SealDue(windows, now_ms, self._state.product_name), windows)
        for row in by_kind.pop(DueKind.MAIL, []):
            self._wakes.mail(row.number)
        for row in by_kind.pop(DueKind.RETIME, []):
            self._retime(row)
        for row in by_kind.pop(DueKind.ERASE, []):
            self._erase(row, Erased(finished=False))
        retries = tuple(by_kind.pop(DueKind.RETRY, []))
        if retries:
            self._submit(EndWaits(retries), retries)
        forgets = tuple(row for rows in by_kind.values() for row in rows)
        if forgets:
            self._submit(Forget(forgets, now_ms), forgets)

    def _retime(self, row: Due) -> None:
        now_ms, product_name = self._clock.now_ms(), self._state.product_name
        step = RetimeWindows(row.number, RETIME_AT_ONCE, now_ms, product_name)
        self._submit(step, (row,))

    def _erase(self, row: Due, last: Erased) -> None:
        step = EraseStep(
            row=row,
            most=ERASE_AT_ONCE,
            now_ms=self._clock.now_ms(),
            before=last.before,
            after=last.after,
        )
        self._submit(step, (row,))

    def _submit(self, transition: Transition, rows: tuple[Due, ...]) -> None:
        def then(result: Result | HookbundleError) -> None:
            if isinstance(result, HookbundleError) and not isinstance(result, NotFound):
                if isinstance(transition, SealDue | EndWaits | Forget) and len(rows) > 1:
                    self._halve(transition, rows)
                    return
                # The claims stay, so that the rows are tried again after CLAIM_MS, not at once.
                log.error(
                    "timer transition failed",
                    transition=type(transition).__name__,
                    error=str(result),
                )
                return
            if isinstance(result, DueSealed | WaitsEnded):
                for number in result.wake:
                    self._wakes.webhook(number)
            if isinstance(result, Retimed) and result.wake:
                self._wakes.webhook(rows[0].number)
            if isinstance(result, Retimed) and not result.finished:
                self._retime(rows[0])
                return
            if isinstance(result, Erased) and not result.finished:
                self._erase(rows[0], result)
                return
            if self.actor_ref.is_alive():
                self.actor_ref.tell(Done(rows))

        self._store.submit(transition, then)

    def _halve(self, transition: SealDue | EndWaits | Forget, rows: tuple[Due, ...]) -> None:
        """One of the rows fails the transition; halving finds it, and the others are acted on."""
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            self._submit(replace(transition, rows=half), half)

    def _drop_expired_claims(self, now_ms: int) -> None:
        claimed = self._state.claimed
        for row in [row for row, until_ms in claimed.items() if until_ms <= now_ms]:
            del claimed[row]

    def _sweep(self) -> None:
        """Wakes the webhooks that have something to send, in case a `Wake` was lost."""
        state = self._state
        if not state.swept_to and self._clock.elapsed_ms() - state.swept_ms < SWEEP_MS:
            return
        numbers = self._reads.ready(state.swept_to, SWEPT_AT_ONCE)
        for number in numbers:
            self._wakes.webhook(number)
        state.swept_to = numbers[-1] if len(numbers) == SWEPT_AT_ONCE else 0
        state.swept_ms = self._clock.elapsed_ms()

    def _set_alarm(self) -> None:
        if self._state.alarm is not None:
            self._state.alarm.cancel()
        state, now_ms = self._state, self._clock.now_ms()
        # The earliest row may be a claimed one that is still in the Store's queue. It counts as
        # late, but an alarm for it would only poll at the shortest interval and find nothing.
        first_ms = self._reads.next_due_ms()
        state.late_ms = max(now_ms - first_ms, 0) if first_ms else 0
        next_ms = self._reads.next_due_ms(but=state.claimed) if state.claimed else first_ms
        wait_s = POLL_S_MAX
        if next_ms is not None and not state.held and not state.more:
            wait_s = min(max((next_ms - now_ms) / 1_000, POLL_S_MIN), POLL_S_MAX)
        loop = asyncio.get_running_loop()
        self._state.alarm = loop.call_later(wait_s, self._poll_later)

    def _poll_later(self) -> None:
        if self.actor_ref.is_alive():
            self.actor_ref.tell(Poll())

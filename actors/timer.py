"""The clock of the house: it looks at the head of the due index and tells who is meant.

The index in the database is the timer, this actor only its reader. It acts on what is due in
bounded steps, so that a hundred thousand windows that fell due together leave room for intake. A
row it has told of is left alone for a while; whoever acts on it deletes it in the same transaction,
and if nobody does, it is told again.

    WINDOW            the window is sealed, with all others that are due
    RETRY             the webhook may attempt its next delivery
    FORGET, REQUEST   message ids and idempotency keys older than the promise are dropped
    RETIME            windows follow a changed aggregation, step by step
    ERASE             records of a deleted workspace or chat are erased, step by step
    MAIL              the mailer tries

The engine's time and the wall clock part company when somebody sets the latter; that moves
nothing, and is reported.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog

from hookbundle.actors.store_queue import StoreDoor
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, NotFound
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.attempting import EndWaits, WaitsEnded
from hookbundle.storage.transitions.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.housekeeping import Forget, Note, Retimed, RetimeWindows
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.table import Outcome, Transition

LOOK_S_MIN, LOOK_S_MAX = 0.01, 0.1
# A message that comes in waits for the seals that were handed to the Store before it.
ROWS_AT_ONCE = 512
TOLD_MAX = 2 * ROWS_AT_ONCE
SWEPT_AT_ONCE = 1_000
TELL_AGAIN_MS = 30_000
SWEEP_MS = 30_000
STEP_MS = 1_000  # of the wall clock, that is worth a report
RETIME_AT_ONCE = 500
ERASE_AT_ONCE = 500

log = structlog.get_logger(__name__)


class HeldClock(Clock, Protocol):
    """A clock that may hold the timers after a start with the wall clock behind."""

    def catch_up(self) -> bool: ...

    def drift_ms(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Look:
    """Look at the index now."""


@dataclass(frozen=True, slots=True)
class Over:
    """What the rows asked for is done, and the rows went with it."""

    rows: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """The product has another name from now on."""

    product_name: str


Inbox = Look | Over | Rename


@dataclass(slots=True)
class TimerState:
    """`told` says of a row, by its key, when to tell of it again if it is still there.

    `more`: the last look found as many rows as it acts on at once; there may be others.
    `late_ms`: how long the earliest row of all has been due.
    """

    told: dict[bytes, int] = field(default_factory=dict)
    more: bool = False
    held: bool = False
    drift_ms: int = 0
    swept_ms: int = -SWEEP_MS
    swept_to: int = 0
    late_ms: int = 0


@dataclass(frozen=True, slots=True)
class Wakes:
    """Whom the timer tells."""

    webhook: Callable[[int], None]
    mail: Callable[[int], None]
    idle: Callable[[], None]
    failed: Callable[[BaseException], None]


class TimerActor(LoopActor):
    def __init__(
        self,
        reads: Reads,
        store: StoreDoor,
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
        self._product_name = product_name
        self._state = state
        self._alarm: asyncio.TimerHandle | None = None

    def on_start(self) -> None:
        self.actor_ref.tell(Look())

    def on_receive(self, message: Inbox) -> None:
        match message:
            case Look():
                self._look()
            case Over():
                self._over(message)
            case Rename():
                self._product_name = message.product_name

    def on_failure(self, *failure: Any) -> None:
        """Without its clock the daemon would be alive but idle."""
        self._wakes.failed(failure[1])

    def on_stop(self) -> None:
        """Whoever stops the clock stops the house: that some actor's error stops all, for one."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._wakes.failed(RuntimeError("the timer was stopped"))

    def _look(self) -> None:
        """Acts on what is due and sets the alarm for the next look."""
        state, now_ms = self._state, self._clock.now_ms()
        self._watch_wall_clock(now_ms)
        if not state.held:
            self._act_on_due(now_ms)
            if state.more:  # one step more, for the Store to have at hand when it is done with this
                self._act_on_due(now_ms)
        self._sweep()
        self._store.look_again()
        self._wakes.idle()
        self._set_alarm()

    def _over(self, message: Over) -> None:
        state = self._state
        for row in message.rows:
            state.told.pop(keyspace.due(row), None)
        if state.more and len(state.told) <= TOLD_MAX // 2:  # room: don't wait for the alarm
            self._look()

    def _act_on_due(self, now_ms: int) -> None:
        state = self._state
        if len(state.told) >= TOLD_MAX:
            self._forget_told(now_ms)
            return
        rows = self._reads.due(now_ms, ROWS_AT_ONCE, but=state.told)
        state.more = len(rows) == ROWS_AT_ONCE
        if not state.more:
            self._forget_told(now_ms)
        by_kind: dict[DueKind, list[Due]] = {}
        for row in rows:
            state.told[keyspace.due(row)] = now_ms + TELL_AGAIN_MS
            by_kind.setdefault(row.kind, []).append(row)
        windows = tuple(by_kind.pop(DueKind.WINDOW, []))
        if windows:
            self._submit(SealDue(windows, now_ms, self._product_name), windows)
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
        step = RetimeWindows(row.number, RETIME_AT_ONCE, self._clock.now_ms(), self._product_name)
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
        def then(outcome: Outcome | HookbundleError) -> None:
            if isinstance(outcome, HookbundleError) and not isinstance(outcome, NotFound):
                if isinstance(transition, SealDue | EndWaits | Forget) and len(rows) > 1:
                    self._halve(transition, rows)
                    return
                log.error("chore failed", chore=type(transition).__name__, error=str(outcome))
                return
            if isinstance(outcome, DueSealed | WaitsEnded):
                for number in outcome.wake:
                    self._wakes.webhook(number)
            if isinstance(outcome, Retimed) and outcome.wake:
                self._wakes.webhook(rows[0].number)
            if isinstance(outcome, Retimed) and not outcome.finished:
                self._retime(rows[0])
                return
            if isinstance(outcome, Erased) and not outcome.finished:
                self._erase(rows[0], outcome)
                return
            if self.actor_ref.is_alive():
                self.actor_ref.tell(Over(rows))

        self._store.submit(transition, then)

    def _halve(self, transition: SealDue | EndWaits | Forget, rows: tuple[Due, ...]) -> None:
        """One of the rows can't be acted on; what the others ask for need not wait for it."""
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            self._submit(replace(transition, rows=half), half)

    def _forget_told(self, now_ms: int) -> None:
        told = self._state.told
        for row in [row for row, again_ms in told.items() if again_ms <= now_ms]:
            del told[row]

    def _sweep(self) -> None:
        """Wakes webhooks that have something to send, whoever forgot to."""
        state = self._state
        if not state.swept_to and self._clock.elapsed_ms() - state.swept_ms < SWEEP_MS:
            return
        numbers = self._reads.ready(state.swept_to, SWEPT_AT_ONCE)
        for number in numbers:
            self._wakes.webhook(number)
        state.swept_to = numbers[-1] if len(numbers) == SWEPT_AT_ONCE else 0
        state.swept_ms = self._clock.elapsed_ms()

    def _watch_wall_clock(self, now_ms: int) -> None:
        state = self._state
        held = not self._clock.catch_up()
        if held != state.held:
            state.held = held
            self._note("clock.held" if held else "clock.released", now_ms, 0)
        drift_ms = self._clock.drift_ms()
        if not held and abs(drift_ms - state.drift_ms) >= STEP_MS:
            self._note("clock.stepped", now_ms, drift_ms - state.drift_ms)
            state.drift_ms = drift_ms

    def _note(self, kind: str, now_ms: int, step_ms: int) -> None:
        log.warning(kind, step_ms=step_ms)
        self._store.submit(Note(kind, f"{step_ms} ms", now_ms), lambda _: None)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        state, now_ms = self._state, self._clock.now_ms()
        first_ms = self._reads.next_due_ms()
        state.late_ms = max(now_ms - first_ms, 0) if first_ms else 0
        next_ms = self._reads.next_due_ms(but=state.told) if state.told else first_ms
        wait_s = LOOK_S_MAX
        if next_ms is not None and not state.held and not state.more:
            wait_s = min(max((next_ms - now_ms) / 1_000, LOOK_S_MIN), LOOK_S_MAX)
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(wait_s, self._tell_self_to_look)

    def _tell_self_to_look(self) -> None:
        if self.actor_ref.is_alive():
            self.actor_ref.tell(Look())

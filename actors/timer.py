"""The timer: polls the heads of the due index, and has what is due acted on.

The index in the database is the timer; this actor only reads it. It acts in bounded steps, so that
a hundred thousand windows that fall due together leave room for intake. due_rows.py says which rows
it may take, due_work.py what is done with them:

    WINDOW            seals the window, together with others that are due
    RETRY             the webhook may attempt its next delivery
    FORGET, REQUEST   drops message ids and idempotency keys that have been kept as long as promised
    RETIME            moves windows after a change of the aggregation time, step by step
    MOVE              moves deliveries that were discarded or queued again, step by step
    REPLAY            queues what a replay means, or takes it back, step by step
    MERGE             merges the waiting deliveries of each chat, step by step
    ERASE             erases what was deleted of a workspace, step by step
    DELETE            erases what a deleted webhook had, step by step
    TRIM              trims history of a workspace that is too old or too large, step by step
    ARRIVALS          trims when messages arrived, if that is too old or too much, step by step
    MAIL              wakes the mail's actor
    POSTPONED         tries again what failed, each row for itself, under its own kind

A transition that fails is halved until the row that fails it is alone. That row is postponed: it is
tried again after a second, then after two, at last every ten minutes. So no row comes first for
ever, also after a restart. If the disk is full, no row is at fault, and all are found again soon.

Setting the machine's wall clock moves no timer; `ClockWatch` records the step in the feed.
`HistoryWatch` trims history before the disk is full.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, assert_never

from hookbundle.actors.clock_watch import ClockWatch, HeldClock
from hookbundle.actors.due_rows import Claims, DueRows, no_claims
from hookbundle.actors.due_work import Acted, Closed, DueWork, Failures
from hookbundle.actors.history_watch import HistoryTotal, HistoryWatch
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.reads.lookup import Reads

POLL_S_MIN, POLL_S_MAX = 0.01, 0.1
SWEPT_AT_ONCE = 1_000
SWEEP_MS = 30_000


@dataclass(frozen=True, slots=True)
class TimerConfig:
    """`product_name`: the product's name, which each bundle holds. The rest: see HistoryWatch."""

    product_name: str
    history_total: HistoryTotal = HistoryTotal()
    floor_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """Read the index now."""


@dataclass(frozen=True, slots=True)
class Reconfigure:
    """The configuration was reloaded."""

    config: TimerConfig


Inbox = Poll | Acted | Closed | Reconfigure


@dataclass(slots=True)
class TimerState:
    """`claims`, `failures`: see due_rows.py and due_work.py.

    `swept_ms`, `swept_to`: when the sweep last ran, and the webhook it goes on from (0: start).
    `late_ms`: for how long the earliest row has been due that the timer could act on.
    `acted`: how many tasks were done, or put off because they failed. `polls`: how often it looked.
    """

    claims: dict[DueKind, Claims] = field(default_factory=no_claims)
    failures: Failures = field(default_factory=Failures)
    held: bool = False
    swept_ms: int = -SWEEP_MS
    swept_to: int = 0
    late_ms: int = 0
    acted: int = 0
    polls: int = 0
    alarm: asyncio.TimerHandle | None = None

    @property
    def claimed(self) -> dict[DueKind, dict[bytes, int]]:
        """The claimed rows of each kind that has some."""
        return {kind: each.until_ms for kind, each in self.claims.items() if each.until_ms}


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
        env: Environment,
        store: StoreQueue,
        clock: HeldClock,
        wakes: Wakes,
        config: TimerConfig,
        state: TimerState,
    ) -> None:
        super().__init__()
        self._reads = Reads(env)
        self._store = store
        self._clock = clock
        self._wakes = wakes
        self._state = state
        self._clock_watch = ClockWatch(store, clock)
        self._history_watch = HistoryWatch(
            env, store, clock, config.history_total, config.floor_bytes
        )
        self._rows = DueRows(
            DueReads(env, store.owners.keys), state.claims, lambda: store.retention.history_ms
        )
        self._work = DueWork(
            self._rows,
            store,
            clock,
            config.product_name,
            state.failures,
            wakes.webhook,
            wakes.mail,
            self._tell_itself,
        )

    def on_start(self) -> None:
        self.actor_ref.tell(Poll())

    def on_receive(self, message: Inbox) -> None:
        match message:
            case Poll():
                self._poll()
            case Acted():
                self._state.acted += not isinstance(message.result, HookbundleError)
                self._look_at(self._work.acted(message))
            case Closed():
                self._state.acted += message.error is None
                self._look_at(self._work.closed(message))
            case Reconfigure():
                self._work.product_name = message.config.product_name
                self._history_watch.total = message.config.history_total
            case _:
                assert_never(message)

    def on_failure(self, *failure: Any) -> None:
        """Without its timer the daemon would run but do nothing."""
        self._history_watch.stop()
        self._wakes.failed(failure[1])

    def on_stop(self) -> None:
        """The daemon stops with its timer, as when a BaseException in one actor stops them all."""
        self._history_watch.stop()
        if self._state.alarm is not None:
            self._state.alarm.cancel()
        self._wakes.failed(RuntimeError("the timer was stopped"))

    def _poll(self) -> None:
        """Acts on what is due, and sets the alarm for the next poll."""
        state, now_ms = self._state, self._clock.now_ms()
        state.polls += 1
        state.held = self._clock_watch.check(now_ms)
        if not self._rows.is_quiet(now_ms):
            self._rows.drop_expired(now_ms)
            kinds = self._rows.kinds_due(now_ms)
            self._look_at(kinds)
            # A second step, so that the Store need not wait for it after the first.
            self._look_at([kind for kind in kinds if state.claims[kind].more])
            self._work.report(now_ms)
            self._rows.look_ahead(now_ms)
        self._sweep()
        self._history_watch.check()
        self._store.check_disk_again()
        self._wakes.idle()
        self._set_alarm()

    def _look_at(self, kinds: Iterable[DueKind]) -> None:
        """What is due of these kinds, and not claimed, is acted on, within their budgets."""
        if self._state.held:
            return
        for kind in kinds:
            self._work.begin(kind, self._rows.take(kind, self._clock.now_ms()))

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
        state, now_ms = self._state, self._clock.now_ms()
        if state.alarm is not None:
            state.alarm.cancel()
        state.late_ms = self._rows.late_ms
        wait_s, next_ms = POLL_S_MAX, self._rows.next_ms
        if next_ms is not None and not state.held:
            wait_s = min(max((next_ms - now_ms) / 1_000, POLL_S_MIN), POLL_S_MAX)
        loop = asyncio.get_running_loop()
        state.alarm = loop.call_later(wait_s, self._poll_later)

    def _poll_later(self) -> None:
        self._tell_itself(Poll())

    def _tell_itself(self, message: Inbox) -> None:
        if self.actor_ref.is_alive():
            self.actor_ref.tell(message)

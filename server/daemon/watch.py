"""Looks every second at what could move, and says what the status of the daemon is.

It only reads: counters of the Store, the timer and the attempts, and the heads of the due index.
None of those whom it watches has a part in it, so a Store that hangs or a timer that is gone can't
keep it from saying so. It runs on the event loop: a loop that is blocked answers nothing at all.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from hookbundle.actors.slot_lanes import Lane as SlotLane
from hookbundle.actors.timer import SWEEP_MS
from hookbundle.actors.webhook import Traffic
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.conditions import (
    STANDSTILL_MS,
    Condition,
    Oldest,
    ProgressWatch,
    Reason,
    condition,
)
from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.server.daemon.partition import Partition
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.dues import DueReads

EVERY_S = 1.0
RECENT_MS = 200
READY_LOOKED_AT = 64
TIMED = (
    DueKind.WINDOW,
    DueKind.RETRY,
    DueKind.FORGET,
    DueKind.REQUEST,
    DueKind.CHANGE,
    DueKind.RETIME,
    DueKind.MOVE,
    DueKind.ERASE,
    DueKind.DELETE,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """`conditions`: those that hold now; what makes the daemon not ready comes first.

    `mails_unsent`: e-mails that wait because no SMTP server is set.
    """

    conditions: tuple[Condition, ...] = ()
    oldest: Oldest | None = None
    mails_unsent: int = 0
    log_lost: int = 0

    @property
    def is_ready(self) -> bool:
        return not any(each.stops for each in self.conditions)


@dataclass(slots=True)
class StatusWatch:
    """`is_started`: False while the daemon starts or stops. `log_lost`: lines of the log lost.
    `names`: what it is the status of, in lines of the log; nothing of a daemon alone."""

    partition: Partition
    traffic: Traffic
    clock: SystemClock
    is_started: Callable[[], bool]
    sends_mail: Callable[[], bool]
    log_lost: Callable[[], int]
    names: Mapping[str, int] = field(default_factory=dict)
    _store: ProgressWatch = field(default_factory=ProgressWatch)
    _timed: ProgressWatch = field(default_factory=ProgressWatch)
    # An attempt of which nobody knows the outcome is made again by the timer's sweep.
    _attempts: ProgressWatch = field(
        default_factory=lambda: ProgressWatch(SWEEP_MS + STANDSTILL_MS)
    )
    _ready_since: dict[int, int] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _last: tuple[int, tuple[Condition, ...], DaemonStatus] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._go_on(), name="status of the daemon")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def recent(self) -> DaemonStatus:
        """As `look`, but of at most `RECENT_MS` ago: any caller may ask, and a look reads a lot."""
        elapsed_ms, stopping = self.clock.elapsed_ms(), tuple(self._stopping())
        last = self._last
        if last is None or elapsed_ms - last[0] >= RECENT_MS or last[1] != stopping:
            last = self._last = elapsed_ms, stopping, self.look()
        return last[2]

    def look(self) -> DaemonStatus:
        """The status now. Raises: StorageError if the database can't be read."""
        elapsed_ms, lost = self.clock.elapsed_ms(), self.log_lost()
        found = list(self._stopping())
        work = [
            self._of_store(elapsed_ms),
            self._of_attempts(elapsed_ms),
            self._of_timed(elapsed_ms),
        ]
        still = [each for each in work if each.progress.stands_still(each.stood_ms)]
        if still and all(each.reason is Reason.INTAKE_CLOSED for each in found):
            worst = max(still, key=lambda each: each.stood_ms)
            seconds = worst.stood_ms // 1_000
            found.append(condition(Reason.STANDSTILL, kind=worst.oldest.kind, seconds=seconds))
        found += self._beside()
        if lost:
            found.append(condition(Reason.LOG_LOST, count=lost))
        oldest = max((each.oldest for each in work), key=lambda each: each.age_ms)
        mails = self.partition.reads.meta().mails
        return DaemonStatus(
            conditions=tuple(found),
            oldest=oldest if oldest.age_ms > 0 else None,
            mails_unsent=0 if self.sends_mail() else mails,
            log_lost=lost,
        )

    # ---- what could move

    def _of_store(self, elapsed_ms: int) -> "_Work":
        """What waits in the Store's queue, or is in a commit under way."""
        queue = self.partition.store_queue
        waits = queue.state.is_busy or queue.waiting > 0
        stood_ms = self._store.look(elapsed_ms, waits=waits, done=queue.state.commits)
        return _Work(self._store, stood_ms, Oldest("transition", stood_ms))

    def _of_timed(self, elapsed_ms: int) -> "_Work":
        """What is due. While the clock is held nothing of it can move.

        While the disk has no room it may not move either, but the timer goes on looking at it.
        """
        partition, now_ms = self.partition, self.clock.now_ms()
        can_move, timer = not self.clock.held, partition.timer_state
        done = timer.acted if partition.store_queue.state.intake_open else timer.polls
        heads = DueReads(partition.env).heads(TIMED) if can_move else {}
        due = {kind: at_ms for kind, at_ms in heads.items() if at_ms < now_ms}
        stood_ms = self._timed.look(elapsed_ms, waits=bool(due), done=done)
        # A chain of steps is due from its first one on, and has no time of its own.
        ages = [
            Oldest(kind.name.lower(), now_ms - at_ms if at_ms else stood_ms)
            for kind, at_ms in due.items()
        ]
        if can_move and self.sends_mail():
            (at_ms,) = DueReads(partition.env).heads((DueKind.MAIL,)).values() or (now_ms,)
            ages.append(Oldest("mail", now_ms - at_ms))
        oldest = max(ages, key=lambda each: each.age_ms, default=Oldest("window", 0))
        return _Work(self._timed, stood_ms, oldest)

    def _of_attempts(self, elapsed_ms: int) -> "_Work":
        """Webhooks that have something to send, and neither an attempt nor a line to wait in."""
        partition, slots = self.partition, self.traffic.slots
        actors = partition.virtual_actors.webhooks
        ready = partition.reads.ready(0, READY_LOOKED_AT) if self._may_begin() else []
        moving: set[int] = set()
        if ready:
            moving = {each - self.traffic.first for each in slots.busy()}
            moving |= {each.key for each in actors.quarantined()}
        idle = [each for each in ready if each not in moving]
        since = {each: self._ready_since.get(each, elapsed_ms) for each in idle}
        self._ready_since = since
        stood_ms = self._attempts.look(elapsed_ms, waits=bool(idle), done=slots.begun)
        age_ms = elapsed_ms - min(since.values(), default=elapsed_ms)
        return _Work(self._attempts, stood_ms, Oldest("attempt", age_ms))

    def _may_begin(self) -> bool:
        return self.traffic.open and self.partition.store_queue.state.intake_open

    # ---- what keeps it from moving, and what else has to be known

    def _stopping(self) -> Iterator[Condition]:
        state = self.partition.store_queue.state
        if not self.is_started():
            yield condition(Reason.NOT_STARTED)
        if state.failed or self.partition.store_queue.has_stopped:
            yield condition(Reason.STORE_FAILED)
        if self.clock.held:
            yield condition(Reason.CLOCK_HELD)
        if not state.intake_open:
            yield condition(Reason.INTAKE_CLOSED)

    def _beside(self) -> Iterator[Condition]:
        partition, slots = self.partition, self.traffic.slots
        if DueReads(partition.env).heads((DueKind.POSTPONED,)):
            yield condition(Reason.RECORDS_DAMAGED)
        if quarantined := len(partition.virtual_actors.quarantined()):
            yield condition(Reason.QUARANTINE, count=quarantined)
        if waiting := sum(slots.waiting(lane) for lane in SlotLane):
            if slots.are_all_used:
                sound = slots.counts[SlotLane.PROVEN].used
                yield condition(Reason.ALL_SLOTS_USED, count=waiting, sound=sound)
            else:
                yield condition(Reason.SLOTS_TAKEN, count=waiting)
        if not self.sends_mail():
            yield condition(Reason.SMTP_NOT_SET)

    async def _go_on(self) -> None:
        """Looks often enough that no standstill is missed between two questions."""
        was_ready = True
        while True:
            try:
                status = self.look()
                if self.is_started() and status.is_ready != was_ready:
                    was_ready = status.is_ready
                    reasons = [each.reason.value for each in status.conditions if each.stops]
                    said = "ready again" if was_ready else "not ready"
                    log.warning(said, reasons=reasons, **self.names)
            except HookbundleError as exc:
                log.error("not looked at", error=in_words(exc))
            await asyncio.sleep(EVERY_S)


@dataclass(frozen=True, slots=True)
class _Work:
    """A sort of work: how long none of it was done, and the oldest of it."""

    progress: ProgressWatch
    stood_ms: int
    oldest: Oldest

"""What the timer does with rows that are due, and with the results.

A *task* is a transition's worth of rows, all of one kind. Its result comes back to the timer as
`Acted`. A chain of steps is the same task again and again, until a step says that it is finished.
Of most kinds there are as many chains as there are workspaces with one: they take turns.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from typing import assert_never

import structlog

from hookbundle.actors.due_rows import IN_TURNS, DueRows
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import (
    HookbundleError,
    NotFound,
    Overloaded,
    StoreFull,
    Unusable,
    in_words,
)
from hookbundle.storage.database import key_fields
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.transitions.changing.dropping import DropChanges
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.storage.transitions.timed.arrival_steps import ArrivalsTrimmed, TrimArrivals
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, WebhookErasing
from hookbundle.storage.transitions.timed.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.timed.source_steps import SourcesStepped, SourceStep
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded

# A transition's worth: a group of the Store has room for several, of whatever kind.
ROWS_AT_ONCE = 128
FEW_ROWS = 16
RETIME_AT_ONCE = 200
ERASE_AT_ONCE = 200
MOVE_AT_ONCE = 200
REPLAY_AT_ONCE = 200
MERGE_AT_ONCE = 200
TRIM_AT_ONCE = 200
ARRIVALS_AT_ONCE = 1_000
SOURCES_AT_ONCE = 200
POSTPONE_AT_ONCE = 512
NO_ROOM_MS = 1_000

CLEARED = Trimmed | ArrivalsTrimmed | SourcesStepped
STEPS = Retimed | Erased | WebhookErasing | Moved | Replayed | Merged | CLEARED

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """`rows` are of one kind. `claimed`: these, or the POSTPONED row that the one comes from."""

    rows: tuple[Due, ...]
    claimed: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Acted:
    """The task's transition, begun at `at_ms`, is committed or has failed."""

    task: Task
    at_ms: int
    result: Result | HookbundleError


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of the rows is in the index, unless there is an error."""

    rows: tuple[Due, ...]
    error: HookbundleError | None


@dataclass(slots=True)
class Failures:
    """Since the last report. `alone`: rows that are to be postponed; `error`: the last one.

    `no_room`: how many rows wait for room on the disk. `again`: how many POSTPONED rows were tried.
    """

    alone: list[Due] = field(default_factory=list)
    no_room: int = 0
    again: int = 0
    error: str = ""


class DueWork:
    """`tell` gets the messages for the timer. `product_name` may be changed at any time."""

    def __init__(
        self,
        rows: DueRows,
        store: StoreQueue,
        clock: Clock,
        product_name: str,
        failures: Failures,
        wake: Callable[[int], None],
        mail: Callable[[int], None],
        tell: Callable[[Acted | Closed], None],
    ) -> None:
        self.product_name = product_name
        self._rows = rows
        self._store = store
        self._clock = clock
        self._failures = failures
        self._wake = wake
        self._mail = mail
        self._tell = tell

    def begin(self, kind: DueKind, rows: tuple[Due, ...]) -> None:
        """The rows, which are of this kind and claimed, are acted on."""
        match kind:
            case DueKind.WINDOW | DueKind.RETRY | DueKind.FORGET | DueKind.REQUEST | DueKind.CHANGE:
                for some in tasks_of(rows):
                    self._submit(Task(some, some))
            case (
                DueKind.RETIME
                | DueKind.ERASE
                | DueKind.DELETE
                | DueKind.MOVE
                | DueKind.REPLAY
                | DueKind.MERGE
                | DueKind.TRIM
                | DueKind.ARRIVALS
                | DueKind.SOURCE
            ):
                for row in rows:
                    self._submit(Task((row,), (row,)))
            case DueKind.POSTPONED:
                self._failures.again += len(rows)
                for row in rows:
                    self._submit(Task((key_fields.due(row.subject),), (row,)))
            case DueKind.MAIL:
                for row in rows:
                    self._mail(row.number)
            case _:
                assert_never(kind)

    def acted(self, message: Acted) -> Set[DueKind]:
        """Goes on after a transition. Returns the kinds to look at without waiting."""
        task, result = message.task, message.result
        if isinstance(result, NotFound) and len(task.rows) == 1:  # of something that was deleted
            self._close(Settle(task.claimed, message.at_ms), task.claimed)
        elif isinstance(result, HookbundleError):
            self._failed(task, result)
        elif isinstance(result, STEPS) and not result.finished:
            self._wake_all(result)
            if task.rows[0].kind in IN_TURNS and task.claimed == task.rows:
                return self._rows.release(task.claimed)  # others that wait have their step first
            self._submit(task)
        else:
            self._wake_all(result)
            if task.claimed == task.rows:
                is_cut = isinstance(result, DueSealed) and not result.finished
                return self._rows.release(task.claimed, more=is_cut)
            self._close(Settle(task.claimed, message.at_ms), task.claimed)
        return frozenset()

    def closed(self, message: Closed) -> Set[DueKind]:
        """As `acted`."""
        if message.error is None:
            return self._rows.release(message.rows)
        self._wait_for_room(message.rows, message.error)
        return frozenset()

    def report(self, now_ms: int) -> None:
        """Rows that fail alone are postponed, and what failed since the last report is logged."""
        failures = self._failures
        rows = tuple(failures.alone[:POSTPONE_AT_ONCE])
        if rows:
            del failures.alone[: len(rows)]
            self._close(Postpone(rows, now_ms), rows)
        if rows or failures.no_room or failures.again:
            log.error(
                "due rows failed",
                postponed=dict(Counter(row.kind.name.lower() for row in rows)),
                tried_again=failures.again,
                without_room=failures.no_room,
                error=failures.error,
            )
            failures.no_room, failures.again, failures.error = 0, 0, ""

    def _submit(self, task: Task) -> None:
        now_ms = self._clock.now_ms()

        def then(result: Result | HookbundleError) -> None:
            self._tell(Acted(task, now_ms, result))

        self._store.submit(self._transition(task.rows, now_ms), then)

    def _close(self, transition: Postpone | Settle, rows: tuple[Due, ...]) -> None:
        def then(result: Result | HookbundleError) -> None:
            self._tell(Closed(rows, result if isinstance(result, HookbundleError) else None))

        self._store.submit(transition, then)

    def _transition(self, rows: tuple[Due, ...], now_ms: int) -> Transition:
        row, retention = rows[0], self._store.retention
        match row.kind:
            case DueKind.WINDOW:
                return SealDue(rows, now_ms, self.product_name)
            case DueKind.RETRY:
                return EndWaits(rows, now_ms)
            case DueKind.FORGET | DueKind.REQUEST:
                return Forget(rows, now_ms)
            case DueKind.CHANGE:
                return DropChanges(rows, now_ms)
            case DueKind.RETIME:
                return RetimeWindows(row.number, RETIME_AT_ONCE, now_ms, self.product_name)
            case DueKind.MOVE:
                return MoveDeliveries(row.number, MOVE_AT_ONCE, now_ms)
            case DueKind.REPLAY:
                return ReplayStep(row.number, REPLAY_AT_ONCE, now_ms)
            case DueKind.MERGE:
                return MergeStep(row.number, MERGE_AT_ONCE, now_ms, self.product_name)
            case DueKind.DELETE:
                return DeleteStep(row.number, ERASE_AT_ONCE, now_ms)
            case DueKind.ERASE:
                return EraseStep(row=row, most=ERASE_AT_ONCE, now_ms=now_ms)
            case DueKind.TRIM:
                return TrimHistory(
                    workspace_number=row.number,
                    before_ms=now_ms - retention.history_ms,
                    bytes_max=retention.history_bytes,
                    most=TRIM_AT_ONCE,
                    now_ms=now_ms,
                )
            case DueKind.ARRIVALS:
                return TrimArrivals(
                    workspace_number=row.number, most=ARRIVALS_AT_ONCE, now_ms=now_ms
                )
            case DueKind.SOURCE:
                return SourceStep(workspace_number=row.number, most=SOURCES_AT_ONCE, now_ms=now_ms)
            case DueKind.MAIL | DueKind.POSTPONED:
                raise AssertionError(f"no transition acts on {row}")
            case _:
                assert_never(row.kind)

    def _wake_all(self, result: Result) -> None:
        if isinstance(result, DueSealed | WaitsEnded | Retimed | Replayed | Merged):
            for webhook in result.wake:
                self._wake(webhook)

    def _failed(self, task: Task, error: HookbundleError) -> None:
        """One of the rows fails the transition; halving finds it, and the others are acted on."""
        if isinstance(error, StoreFull | Overloaded | Unusable) or self._store.has_stopped:
            self._wait_for_room(task.claimed, error)
        elif len(task.rows) == 1:
            self._failures.alone += task.claimed
            self._failures.error = in_words(error)
        else:
            middle = len(task.rows) // 2
            for half in (task.rows[:middle], task.rows[middle:]):
                self._submit(Task(half, half))

    def _wait_for_room(self, rows: tuple[Due, ...], error: HookbundleError) -> None:
        """The rows are found again soon."""
        self._failures.no_room += len(rows)
        self._failures.error = in_words(error)
        self._rows.release_at(rows, self._clock.now_ms() + NO_ROOM_MS)


def tasks_of(rows: tuple[Due, ...]) -> Iterator[tuple[Due, ...]]:
    """The rows of a kind in tasks of a bounded size.

    A webhook, or workspace, with more than a few of them has tasks of its own: so the others' need
    not wait for them. Whose they are is looked up when they wait for the Store.
    """
    owners: dict[int, list[Due]] = {}
    for row in rows:
        owners.setdefault(row.number, []).append(row)
    few = [row for own in owners.values() if len(own) <= FEW_ROWS for row in own]
    many = [own for own in owners.values() if len(own) > FEW_ROWS]
    for own in (few, *many):
        for first in range(0, len(own), ROWS_AT_ONCE):
            yield tuple(own[first : first + ROWS_AT_ONCE])

"""The Store: the only writer of the database, and the only actor with a thread of its own.

The transitions in the `StoreQueue` go into one LMDB transaction, one fdatasync, and one call back
to the loop (group commit), as many as the weight of a group allows. The result of a transition is
passed on only after it is on disk.

A refusal (a `HookbundleError` that a transition raises before its first write) is the result of
that transition alone. Any other error fails the group: it is rolled back and halved until the
transition that fails is alone, so that a broken record or a bug fails no other transition, and
costs the others two or three times their group. disk_room.py closes intake when the disk is full; a
full map is no full disk: it grows, and the group is applied again.

In a cluster a group is agreed on before it is committed (`agree`, in the open transaction). If it
can't be, because another node owns the partition by now, the group is rolled back, and the Store's
work is over: whatever waits or comes is answered `NotOwner`, and nothing is written any more.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, assert_never

import pykka
import structlog

from hookbundle.actors.disk_room import DiskRoom
from hookbundle.actors.results import without_commit
from hookbundle.actors.results.passing_on import Done, PassingOn
from hookbundle.actors.store_queue import CheckDisk, Commit, StoreQueue
from hookbundle.actors.turns import Work
from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import (
    CommitFailed,
    Fenced,
    HookbundleError,
    MapFull,
    StorageError,
    StoreFull,
    Unusable,
    in_words,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keeping.kept import Kept
from hookbundle.storage.database.replication.agreement import ALONE, Agree, Agreement
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.notes import Confirm
from hookbundle.storage.transitions.table import Result
from hookbundle.storage.transitions.unfinished import Unfinished

LOG_AGAIN_MS = 60_000
WEIGHT_UNSURE = 50  # what is written by a transition that is as light as it was thought

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """`reserve_bytes`: size of the reserve file. Intake closes below `floor_bytes` of room.

    `waiting_max`: places in the queue for what callers ask for. `retention` can be changed while
    the Store runs; see `StoreQueue`.
    """

    retention: Retention = Retention()
    reserve_bytes: int = 16 * 1024 * 1024
    floor_bytes: int = 64 * 1024 * 1024
    waiting_max: int = 20_000


class Store(pykka.ThreadingActor):
    """Applies the queued transitions, group by group."""

    def __init__(
        self,
        env: Environment,
        store_queue: StoreQueue,
        config: StoreConfig,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        on_commit: Callable[[int], None],
        on_fatal: Callable[[Exception], None],
        agree: Agree | None = None,
    ) -> None:
        """`on_fatal` hears, on the loop, why nothing more is committed: Unusable, or Fenced."""
        super().__init__()
        self._env = env
        self._queue = store_queue
        self._clock = clock
        self._loop = loop
        self._on_commit = on_commit
        self._on_fatal = on_fatal
        self._agree = agree
        self._is_fenced = False
        self._state = store_queue.state
        self._room = DiskRoom(
            env,
            store_queue,
            clock,
            floor_bytes=config.floor_bytes,
            reserve_bytes=config.reserve_bytes,
        )
        self._passing_on = PassingOn(loop)
        self._logged_ms: dict[tuple[str, type[Exception]], int] = {}
        store_queue.retention = config.retention

    def on_receive(self, message: Commit | CheckDisk) -> None:
        try:
            match message:
                case Commit():
                    self._serve_all()
                case CheckDisk():
                    self._room.check()
                case _:
                    assert_never(message)
        except Exception:
            raise
        except BaseException as exc:
            # Pykka would stop all actors without calling `on_failure`, and the daemon would idle.
            raise Unusable(f"the store was ended by {type(exc).__name__}") from exc

    def on_failure(self, *failure: Any) -> None:
        self._loop.call_soon_threadsafe(self._on_fatal, failure[1])

    def _serve_all(self) -> None:
        self._queue.called = False
        left = self._queue.waiting  # later submitters see `called` is False and send another Commit
        while left > 0 or self._queue.unfinished:
            left -= self._serve()

    def _serve(self) -> int:
        """The next group is committed and answered. Returns how many transitions it had."""
        self._room.check()
        group: list[Work] = []
        works = self._queue.group(limits.TRANSITIONS_PER_COMMIT_MAX, group)
        self._state.is_busy = True
        first = next(works)  # now, so that there is somebody to answer if nothing can be read
        try:
            results = self._results(group, chain((first,), works))
        except Unusable as exc:
            self._state.failed = str(exc)
            self._state.is_busy = False
            self._answer(group, [exc] * len(group))
            self._loop.call_soon_threadsafe(self._on_fatal, exc)
            return len(group)
        self._env.grow_if_needed()
        self._answer(group, results)
        self._state.is_busy = False
        return len(group)

    def _results(
        self, group: list[Work], works: Iterable[Work] | None = None, *, is_last: bool = False
    ) -> list[Result | HookbundleError]:
        """The result of each transition; those that are no errors are on disk.

        `works`: fills the group while it is applied. `is_last`: a commit failed just before.
        Raises: Unusable.
        """
        if self._is_fenced:
            return [without_commit.not_owner() for _ in group]
        if len(group) == 1 and self._is_refused(group[0]) and not self._queue.waiting:
            return [without_commit.full()]
        try:
            return self._commit(group, group if works is None else works)
        except Unusable:
            raise
        except Fenced as exc:
            self._state.rolled_back += 1
            self._end_ownership(exc)
            return [without_commit.not_owner() for _ in group]
        except CommitFailed as exc:
            # Nobody's transition is at fault, so nothing is halved; one failure may have passed.
            self._state.rolled_back += 1
            if is_last:
                raise Unusable(f"the store can't commit: {in_words(exc)}") from exc
            log.error("commit failed, once more", error=in_words(exc))
            return self._results(group, is_last=True)
        except MapFull as exc:
            self._state.rolled_back += 1
            if self._env.grow():
                return self._results(group)
            self._log_failure(group[0], exc)
            return [exc] * len(group)
        except StoreFull as exc:
            self._state.rolled_back += 1
            more_room = self._room.commit_failed(exc)
            if len(group) == 1 and not _grows(group[0]) and not more_room:
                return [exc]
            return self._halved(group)
        except Exception as exc:  # noqa: BLE001 - it is logged, and is the transition's result
            self._state.rolled_back += 1
            if len(group) == 1:
                self._log_failure(group[0], exc)
                return [without_commit.failed(exc)]
            return self._halved(group)

    def _halved(self, group: list[Work]) -> list[Result | HookbundleError]:
        """Raises: Unusable."""
        if len(group) == 1:
            return [without_commit.full()] if self._is_refused(group[0]) else self._results(group)
        middle = len(group) // 2
        return self._results(group[:middle]) + self._results(group[middle:])

    def _commit(self, group: list[Work], works: Iterable[Work]) -> list[Result | HookbundleError]:
        """`works` is the group, or fills it. Raises: any error of a transition but a refusal."""
        began_ms = self._clock.elapsed_ms()
        state = self._state
        results: list[Result | HookbundleError] = []
        # Nothing is kept if the transaction fails: the records may hold uncommitted changes.
        kept, state.kept = state.kept, Kept()
        agreement = Agreement(self._agree, self._fall_behind) if self._agree else ALONE
        with agreement, self._queue.tokens, self._env.write() as txn:
            retention = self._queue.retention
            unit = Unit(
                txn,
                self._env.identity,
                kept,
                retention=retention,
                owners=self._queue.owners,
                heads=self._queue.heads,
                tokens=self._queue.tokens,
                collected=agreement.rows,
            )
            weight, spent, unfinished = 0, self._queue.spent, self._queue.unfinished
            for work in works:
                try:
                    if unfinished and (waits := self._queue.waits(work)):
                        results.append(waits)
                    elif not state.intake_open and table.grows(unit, work.transition):
                        results.append(without_commit.full())
                    else:
                        results.append(table.apply(unit, work.transition))
                except StorageError:
                    raise
                except HookbundleError as refusal:
                    results.append(refusal)
                before, weight = weight, unit.weight
                if weight - before > WEIGHT_UNSURE:
                    spent(weight - before)
                if isinstance(results[-1], Unfinished):
                    self._queue.begin(work)
            unit.flush()
            feed_next = unit.meta.feed_next
            if self._agree is not None:
                confirms = any(isinstance(work.transition, Confirm) for work in group)
                agreement.reach(txn, always=confirms)
        self._env.identity = unit.identity
        state.kept = kept if kept.fits() else state.kept
        took_ms = self._clock.elapsed_ms() - began_ms
        state.commits += 1
        state.transitions += len(group)
        state.commit_ms += took_ms
        state.commit_ms_max = max(state.commit_ms_max, took_ms)
        state.feed_next = feed_next
        self._queue.observe(took_ms, len(group))
        return results

    def _fall_behind(self, error: StorageError) -> None:
        """The log has the group, so its results are true; the copy gets it from there, later."""
        log.error("the copy is behind its log", error=in_words(error))
        self._end_ownership(Fenced(f"the copy is behind its log: {in_words(error)}"))

    def _end_ownership(self, why: Fenced) -> None:
        self._is_fenced = True
        self._state.failed = str(why)
        self._loop.call_soon_threadsafe(self._on_fatal, why)

    def _is_refused(self, work: Work) -> bool:
        """While the disk is full, what grows by its nature is; see `table.grows` for the rest."""
        return not self._state.intake_open and _grows(work)

    def _answer(self, group: list[Work], results: Sequence[Result | HookbundleError]) -> None:
        done = Done(self._state.feed_next)
        for work, result in self._queue.answered(group, results):
            done.add(work, result)
        self._loop.call_soon_threadsafe(self._tell_all, done)

    def _tell_all(self, done: Done) -> None:
        """On the loop."""
        self._passing_on.add(done)
        self._on_commit(done.feed_next)

    def _log_failure(self, work: Work, exc: Exception) -> None:
        """The first of its sort in a minute: one damaged record may fail a thousand transitions."""
        sort, now_ms = (_name(work), type(exc)), self._clock.elapsed_ms()
        if now_ms - self._logged_ms.get(sort, -LOG_AGAIN_MS) >= LOG_AGAIN_MS:
            self._logged_ms[sort] = now_ms
            self._queue.failed(exc)
            log.error("transition failed", transition=sort[0], exc_info=exc)


def _grows(work: Work) -> bool:
    return isinstance(work.transition, table.GROWING)


def _name(work: Work) -> str:
    return type(work.transition).__name__

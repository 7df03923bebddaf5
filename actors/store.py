"""The Store: the only writer of the database, and the only actor with a thread of its own.

All transitions in the `StoreQueue` go into one LMDB transaction, one fdatasync, and one call back
to the loop (group commit). The result of a transition is passed on only after it is on disk.

A refusal (a `HookbundleError` that a transition raises before its first write) is the result of
that transition alone. Any other error fails the group: it is rolled back, and its transitions are
applied again one by one, so that a broken record or a bug fails no other transition. disk_room.py
closes intake when the disk is full.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, assert_never

import pykka
import structlog

from hookbundle.actors.disk_room import DiskRoom
from hookbundle.actors.store_queue import CheckDisk, Commit, StoreQueue, Then, Work
from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import (
    HookbundleError,
    StorageError,
    StoreFull,
    Unusable,
    in_words,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.table import Result

WORKSPACES_REMEMBERED_MAX = 10_000
LOG_AGAIN_MS = 60_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """`reserve_bytes`: size of the reserve file. Intake closes below `floor_bytes` of room.

    `retention` can be changed while the Store runs; see `StoreQueue`.
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
    ) -> None:
        super().__init__()
        self._env = env
        self._queue = store_queue
        self._clock = clock
        self._loop = loop
        self._on_commit = on_commit
        self._on_fatal = on_fatal
        self._state = store_queue.state
        self._room = DiskRoom(
            env,
            store_queue,
            clock,
            floor_bytes=config.floor_bytes,
            reserve_bytes=config.reserve_bytes,
        )
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
        waiting = self._queue.waiting
        left = len(waiting)  # later submitters see `called` is False and send another Commit
        while left:
            count = min(left, limits.TRANSITIONS_PER_COMMIT_MAX)
            self._serve([waiting.popleft() for _ in range(count)])
            left -= count

    def _serve(self, group: list[Work]) -> None:
        self._room.check()
        try:
            results = self._results(group)
        except Unusable as exc:
            self._state.failed = str(exc)
            self._answer(group, [exc] * len(group))
            self._loop.call_soon_threadsafe(self._on_fatal, exc)
            return
        self._env.grow_if_needed()
        self._answer(group, results)

    def _results(self, group: list[Work]) -> list[Result | HookbundleError]:
        """The result of each transition; those that are no errors are on disk.

        Raises: Unusable.
        """
        try:
            return self._commit(group)
        except Unusable:
            raise
        except StoreFull as exc:
            self._state.rolled_back += 1
            more_room = self._room.commit_failed(exc)
            if len(group) == 1 and not _grows(group[0]) and not more_room:
                return [exc]
            return [self._alone(work) for work in group]
        except Exception as exc:  # noqa: BLE001 - it is logged, and is the transition's result
            self._state.rolled_back += 1
            if len(group) == 1:
                self._log_failure(group[0], exc)
                return [_as_hookbundle_error(exc)]
            return [self._alone(work) for work in group]

    def _alone(self, work: Work) -> Result | HookbundleError:
        return self._results([work])[0]

    def _commit(self, group: list[Work]) -> list[Result | HookbundleError]:
        began_ms = self._clock.elapsed_ms()
        state = self._state
        if not state.intake_open and len(group) == 1 and _grows(group[0]):
            return [_full()]
        results: list[Result | HookbundleError] = []
        # The cache stays empty if the transaction fails: its records may hold uncommitted changes.
        workspaces, state.workspaces = state.workspaces, {}
        with self._env.write() as txn:
            retention = self._queue.retention
            unit = Unit(txn, self._env.identity, workspaces, retention=retention)
            for work in group:
                try:
                    if not state.intake_open and table.grows(unit, work.transition):
                        results.append(_full())
                        continue
                    results.append(table.apply(unit, work.transition))
                except StorageError:
                    raise
                except HookbundleError as refusal:
                    results.append(refusal)
            unit.flush()
            feed_next = unit.meta.feed_next
        if len(workspaces) <= WORKSPACES_REMEMBERED_MAX:
            state.workspaces = workspaces
        took_ms = self._clock.elapsed_ms() - began_ms
        state.commits += 1
        state.transitions += len(group)
        state.commit_ms += took_ms
        state.commit_ms_max = max(state.commit_ms_max, took_ms)
        state.feed_next = feed_next
        self._queue.observe(took_ms, len(group))
        return results

    def _answer(self, group: Iterable[Work], results: Iterable[Result | HookbundleError]) -> None:
        answers = [(work.then, result) for work, result in zip(group, results, strict=True)]
        self._loop.call_soon_threadsafe(self._tell_all, answers, self._state.feed_next)

    def _tell_all(
        self, answers: list[tuple[Then, Result | HookbundleError]], feed_next: int
    ) -> None:
        """On the loop: each submitter gets the result of its transition."""
        for then, result in answers:
            try:
                then(result)
            except Exception as exc:
                log.error("a result could not be passed on", exc_info=exc)
        self._on_commit(feed_next)

    def _log_failure(self, work: Work, exc: Exception) -> None:
        """The first of its sort in a minute: one damaged record may fail a thousand transitions."""
        sort, now_ms = (_name(work), type(exc)), self._clock.elapsed_ms()
        if now_ms - self._logged_ms.get(sort, -LOG_AGAIN_MS) >= LOG_AGAIN_MS:
            self._logged_ms[sort] = now_ms
            log.error("transition failed", transition=sort[0], exc_info=exc)


def _full() -> StoreFull:
    return StoreFull("the disk is nearly full: intake is closed until there is room")


def _grows(work: Work) -> bool:
    return isinstance(work.transition, table.GROWING)


def _name(work: Work) -> str:
    return type(work.transition).__name__


def _as_hookbundle_error(exc: Exception) -> HookbundleError:
    if isinstance(exc, HookbundleError):
        return exc
    wrapped = StorageError(f"the transition failed: {in_words(exc)}")
    wrapped.__cause__ = exc
    return wrapped

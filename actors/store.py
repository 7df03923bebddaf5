"""The Store: the only writer of the database, and the only actor with a thread of its own.

All transitions in the `StoreQueue` go into one LMDB transaction, one fdatasync, and one call back
to the loop (group commit). The result of a transition is passed on only after it is on disk.

A refusal (a `HookbundleError` that a transition raises before its first write) is the result of
that transition alone. Any other error fails the group: it is rolled back, and its transitions are
applied again one by one, so that a broken record or a bug fails no other transition. When the disk
is full, the Store deletes a file kept in reserve and closes intake, so that messages that were
already accepted can still be delivered and their outcomes recorded.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, assert_never

import pykka
import structlog

from hookbundle.actors.store_queue import DISK_CHECK_MS, CheckDisk, Commit, StoreQueue, Then, Work
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
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.table import Result

WORKSPACES_REMEMBERED_MAX = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """`reserve_bytes`: size of the reserve file. Intake closes below `floor_bytes` of free disk."""

    feed_keep_events: int = 1_000_000
    feed_keep_ms: int = 7 * 86_400_000
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
        self._config = config
        self._clock = clock
        self._loop = loop
        self._on_commit = on_commit
        self._on_fatal = on_fatal
        self._state = store_queue.state
        self._reserve = env.path / "reserve"

    def on_receive(self, message: Commit | CheckDisk) -> None:
        try:
            match message:
                case Commit():
                    self._serve_all()
                case CheckDisk():
                    self._check_disk()
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
        self._check_disk()
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
            more_room = self._close_intake(exc)
            if len(group) == 1 and not _is_intake(group[0]) and not more_room:
                return [exc]
            return [self._alone(work) for work in group]
        except Exception as exc:
            self._state.rolled_back += 1
            if len(group) == 1:
                log.error("transition failed", transition=_name(group[0]), exc_info=exc)
                return [_as_hookbundle_error(exc)]
            return [self._alone(work) for work in group]

    def _alone(self, work: Work) -> Result | HookbundleError:
        return self._results([work])[0]

    def _commit(self, group: list[Work]) -> list[Result | HookbundleError]:
        began_ms = self._clock.elapsed_ms()
        state = self._state
        if not state.intake_open and len(group) == 1 and _is_intake(group[0]):
            return [_full()]
        results: list[Result | HookbundleError] = []
        # The cache stays empty if the transaction fails: its records may hold uncommitted changes.
        workspaces, state.workspaces = state.workspaces, {}
        with self._env.write() as txn:
            unit = Unit(txn, self._env.identity, workspaces)
            for work in group:
                if not state.intake_open and _is_intake(work):
                    results.append(_full())
                    continue
                try:
                    results.append(table.apply(unit, work.transition))
                except StorageError:
                    raise
                except HookbundleError as refusal:
                    results.append(refusal)
            unit.flush(self._config.feed_keep_events, self._config.feed_keep_ms)
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

    def _check_disk(self) -> None:
        """At most once a second: opens or closes intake by free space, and refills the reserve."""
        now_ms = self._clock.elapsed_ms()
        if now_ms - self._state.disk_checked_ms < DISK_CHECK_MS:
            return
        self._state.disk_checked_ms = now_ms
        free = self._env.usage().free_bytes
        wanted = self._config.floor_bytes
        if not self._reserve.exists():
            wanted += self._config.reserve_bytes
        if free < wanted:
            if self._state.intake_open:
                self._state.intake_open = False
                log.error("intake closed: the disk is nearly full", free_bytes=free)
            return
        self._fill_reserve()
        if not self._state.intake_open:
            self._state.intake_open = True
            log.warning("intake open again", free_bytes=free)

    def _fill_reserve(self) -> None:
        if self._reserve.exists() or not self._config.reserve_bytes:
            return
        try:
            fd = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(fd, 0, self._config.reserve_bytes)
            finally:
                os.close(fd)
        except OSError as exc:
            log.warning("no room for the reserve", error=str(exc))
            self._reserve.unlink(missing_ok=True)

    def _close_intake(self, cause: StoreFull) -> bool:
        """True if the reserve file was deleted, so that there is more room now."""
        if self._state.intake_open:
            log.error("intake closed", error=str(cause))
        self._state.intake_open = False
        self._state.disk_checked_ms = self._clock.elapsed_ms()
        had_reserve = self._reserve.exists()
        self._reserve.unlink(missing_ok=True)
        return had_reserve


def _full() -> StoreFull:
    return StoreFull("the disk is nearly full: intake is closed until there is room")


def _is_intake(work: Work) -> bool:
    return isinstance(work.transition, table.INTAKE)


def _name(work: Work) -> str:
    return type(work.transition).__name__


def _as_hookbundle_error(exc: Exception) -> HookbundleError:
    if isinstance(exc, HookbundleError):
        return exc
    wrapped = StorageError(f"the transition failed: {in_words(exc)}")
    wrapped.__cause__ = exc
    return wrapped

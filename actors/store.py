"""The Store: the only writer of the database, and the only actor with a thread of its own.

All transitions that wait at the `StoreDoor` when the Store looks go into one LMDB transaction, one
fdatasync, and one call back to the loop (group commit). What a transition comes to is told only
after it is on disk.

A refusal (an error of the house, raised by a transition before it wrote anything) is the answer
to that transition alone. Any other error ends the group: it is rolled back, and its transitions
are applied again one by one, so that a broken record or a bug costs nobody else anything. When the
disk is full, a file kept in reserve is given up and intake is closed, so that what was already
accepted can still be delivered and its outcome recorded.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pykka
import structlog

from hookbundle.actors.store_queue import LOOK_AT_DISK_MS, Commit, Look, StoreDoor, Then, Work
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
from hookbundle.storage.database.records import Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.table import Outcome

WORKSPACES_REMEMBERED_MAX = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """`reserve_bytes` are kept in a file to be given up; intake stops below `floor_bytes` free."""

    feed_keep_events: int = 1_000_000
    feed_keep_ms: int = 7 * 86_400_000
    reserve_bytes: int = 16 * 1024 * 1024
    floor_bytes: int = 64 * 1024 * 1024
    waiting_max: int = 20_000


class Store(pykka.ThreadingActor):
    """Applies what waits at the door, group by group."""

    def __init__(
        self,
        env: Environment,
        door: StoreDoor,
        config: StoreConfig,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        on_commit: Callable[[int], None],
        on_fatal: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._env = env
        self._door = door
        self._config = config
        self._clock = clock
        self._loop = loop
        self._on_commit = on_commit
        self._on_fatal = on_fatal
        self._state = door.state
        self._reserve = env.path / "reserve"
        self._workspaces: dict[int, Workspace] = {}

    def on_receive(self, message: Commit | Look) -> None:
        try:
            match message:
                case Commit():
                    self._serve_all()
                case Look():
                    self._look_at_disk()
        except Exception:
            raise
        except BaseException as exc:
            # Pykka would stop all actors without a word, and the daemon would stand there idle.
            raise Unusable(f"the store was ended by {type(exc).__name__}") from exc

    def on_failure(self, *failure: Any) -> None:
        self._loop.call_soon_threadsafe(self._on_fatal, failure[1])

    def _serve_all(self) -> None:
        self._door.called = False
        waiting = self._door.waiting
        left = len(waiting)  # whoever comes later calls again
        while left:
            count = min(left, limits.TRANSITIONS_PER_COMMIT_MAX)
            self._serve([waiting.popleft() for _ in range(count)])
            left -= count

    def _serve(self, group: list[Work]) -> None:
        self._look_at_disk()
        try:
            outcomes = self._outcomes(group)
        except Unusable as exc:
            self._state.failed = str(exc)
            self._answer(group, [exc] * len(group))
            self._loop.call_soon_threadsafe(self._on_fatal, exc)
            return
        self._env.grow_if_needed()
        self._answer(group, outcomes)

    def _outcomes(self, group: list[Work]) -> list[Outcome | HookbundleError]:
        """What each transition came to; what is no error is on disk.

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
                return [_as_ours(exc)]
            return [self._alone(work) for work in group]

    def _alone(self, work: Work) -> Outcome | HookbundleError:
        return self._outcomes([work])[0]

    def _commit(self, group: list[Work]) -> list[Outcome | HookbundleError]:
        began_ms = self._clock.elapsed_ms()
        state = self._state
        if not state.intake_open and len(group) == 1 and _is_intake(group[0]):
            return [_full()]
        outcomes: list[Outcome | HookbundleError] = []
        workspaces, self._workspaces = self._workspaces, {}  # which stays so if the unit fails
        with self._env.write() as txn:
            unit = Unit(txn, self._env.identity, workspaces)
            for work in group:
                if not state.intake_open and _is_intake(work):
                    outcomes.append(_full())
                    continue
                try:
                    outcomes.append(table.apply(unit, work.transition))
                except StorageError:
                    raise
                except HookbundleError as refusal:
                    outcomes.append(refusal)
            unit.flush(self._config.feed_keep_events, self._config.feed_keep_ms)
            feed_next = unit.meta.feed_next
        if len(workspaces) <= WORKSPACES_REMEMBERED_MAX:
            self._workspaces = workspaces
        took_ms = self._clock.elapsed_ms() - began_ms
        state.commits += 1
        state.transitions += len(group)
        state.commit_ms += took_ms
        state.commit_ms_max = max(state.commit_ms_max, took_ms)
        state.feed_next = feed_next
        self._door.observe(took_ms, len(group))
        return outcomes

    def _answer(self, group: Iterable[Work], outcomes: Iterable[Outcome | HookbundleError]) -> None:
        answers = [(work.then, outcome) for work, outcome in zip(group, outcomes, strict=True)]
        self._loop.call_soon_threadsafe(self._tell_all, answers, self._state.feed_next)

    def _tell_all(
        self, answers: list[tuple[Then, Outcome | HookbundleError]], feed_next: int
    ) -> None:
        """On the loop: everybody learns what became of their transition."""
        for then, outcome in answers:
            try:
                then(outcome)
            except Exception as exc:
                log.error("an answer could not be given", exc_info=exc)
        self._on_commit(feed_next)

    # ---- room on the disk

    def _look_at_disk(self) -> None:
        """Once a second: intake is open if there is room, and then the reserve is there again."""
        now_ms = self._clock.elapsed_ms()
        if now_ms - self._state.looked_at_ms < LOOK_AT_DISK_MS:
            return
        self._state.looked_at_ms = now_ms
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
        """True if there was a reserve to be given up, so that there is more room now."""
        if self._state.intake_open:
            log.error("intake closed", error=str(cause))
        self._state.intake_open = False
        self._state.looked_at_ms = self._clock.elapsed_ms()
        had_reserve = self._reserve.exists()
        self._reserve.unlink(missing_ok=True)
        return had_reserve


def _full() -> StoreFull:
    return StoreFull("the disk is nearly full: intake is closed until there is room")


def _is_intake(work: Work) -> bool:
    return isinstance(work.transition, table.INTAKE)


def _name(work: Work) -> str:
    return type(work.transition).__name__


def _as_ours(exc: Exception) -> HookbundleError:
    if isinstance(exc, HookbundleError):
        return exc
    ours = StorageError(f"the transition failed: {in_words(exc)}")
    ours.__cause__ = exc
    return ours

"""The Store's queue, to which transitions are submitted, and the counts of the Store's work.

The Store takes all transitions that are queued when it begins a commit. No delay is needed to
form a group: while one group is written to disk, the next one queues up.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, NamedTuple, TypeVar

import pykka

from hookbundle.engine.errors import HookbundleError, Overloaded, StorageError
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.table import Result, Transition

T = TypeVar("T", bound=Result)

Then = Callable[[Result | HookbundleError], None]

DISK_CHECK_MS = 1_000


@dataclass(slots=True)
class StoreState:
    """The Store's state. Only the Store writes it; the status and the metrics read the counts.

    Counts are since start. `workspaces` is the Store's cache of settings, by workspace number.
    """

    commits: int = 0
    transitions: int = 0
    commit_ms: int = 0
    commit_ms_max: int = 0
    rolled_back: int = 0
    feed_next: int = 0
    intake_open: bool = True
    disk_checked_ms: int = -DISK_CHECK_MS
    failed: str = ""
    workspaces: dict[int, Settings] = field(default_factory=dict)


class Work(NamedTuple):
    transition: Transition
    then: Then


@dataclass(frozen=True, slots=True)
class Commit:
    """There is work in the queue."""


@dataclass(frozen=True, slots=True)
class CheckDisk:
    """Intake is closed: check whether the disk has room again, even if the queue is empty."""


class StoreQueue:
    """Takes transitions for the Store. Call it on the loop's thread only."""

    def __init__(self, waiting_max: int) -> None:
        self.waiting: deque[Work] = deque()
        self.called = False
        self.state = StoreState()
        self.observe: Callable[[int, int], None] = lambda took_ms, transitions: None
        """Called after every commit, in the Store's thread."""
        self.retention = Retention()
        """Of the next commit; the Store sets it when it starts, a reload changes it."""
        self.history_gives = True
        """False while the disk is nearly full and no history can be trimmed; see HistoryWatch."""
        self._waiting_max = waiting_max
        self._ref: pykka.ActorRef[Any] | None = None

    def attach(self, ref: "pykka.ActorRef[Any]") -> None:
        self._ref = ref

    @property
    def has_stopped(self) -> bool:
        """True once nothing can be submitted any more."""
        return self._ref is None or not self._ref.is_alive()

    def submit(self, transition: Transition, then: Then) -> None:
        """The transition is queued; `then` gets its result, or the error, on the loop after commit.

        Raises: Overloaded for intake when too much is queued (outcomes of attempts are always
        taken); StorageError if the Store has stopped.
        """
        if len(self.waiting) > self._waiting_max and isinstance(transition, table.INTAKE):
            raise Overloaded("the store can't keep up; send more slowly")
        if self.has_stopped:
            raise StorageError("the store has stopped")
        self.waiting.append(Work(transition, then))
        if not self.called:
            self.called = True
            # Not `tell` at once: the callbacks that are ready now may submit more for the same
            # commit, and two running threads would compete for the interpreter lock. This delays
            # nothing else, because `call_soon` runs in the loop's next pass.
            asyncio.get_running_loop().call_soon(self._call)

    def check_disk_again(self) -> None:
        """A closed intake opens as soon as there is room, even if nothing is submitted.

        A client that checks `/readyz` before it sends would otherwise never send again.
        """
        if not self.state.intake_open and self._ref is not None and not self.has_stopped:
            self._ref.tell(CheckDisk())

    def _call(self) -> None:
        assert self._ref is not None
        try:
            self._ref.tell(Commit())
        except pykka.ActorDeadError:
            while self.waiting:
                self.waiting.popleft().then(StorageError("the store has stopped"))

    async def do(self, transition: Transition, kind: type[T] | UnionType) -> T:
        """The transition's result, once it is on disk.

        Raises: HookbundleError as the transition says; StorageError if it could not be stored.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def resolve(result: Result | HookbundleError) -> None:
            if future.done():
                return
            if isinstance(result, HookbundleError):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.submit(transition, resolve)
        result = await future
        assert isinstance(result, kind)
        return result

    async def done(self, transition: Transition) -> None:
        """As `do`, for a transition without a result."""
        await self.do(transition, type(None))

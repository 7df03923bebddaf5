"""The way to the Store: where transitions are handed in, and what is known of its work.

Everybody hands transitions to the `StoreDoor`; the Store takes all that wait there when it looks.
Nothing lingers: while one group is written to disk, the next one gathers by itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Any, NamedTuple, TypeVar

import pykka

from hookbundle.engine.errors import HookbundleError, Overloaded, StorageError
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.table import Outcome, Transition

T = TypeVar("T", bound=Outcome)

Then = Callable[[Outcome | HookbundleError], None]

LOOK_AT_DISK_MS = 1_000


@dataclass(slots=True)
class StoreState:
    """Counted since start. The Store writes it; whoever shows how things stand reads it."""

    commits: int = 0
    transitions: int = 0
    commit_ms: int = 0
    commit_ms_max: int = 0
    rolled_back: int = 0
    feed_next: int = 0
    intake_open: bool = True
    looked_at_ms: int = -LOOK_AT_DISK_MS
    failed: str = ""


class Work(NamedTuple):
    transition: Transition
    then: Then


@dataclass(frozen=True, slots=True)
class Commit:
    """There is work at the door."""


@dataclass(frozen=True, slots=True)
class Look:
    """Intake is closed: look whether there is room again, work or no work."""


class StoreDoor:
    """Where transitions are handed in. Belongs to the loop's thread."""

    def __init__(self, waiting_max: int) -> None:
        self.waiting: deque[Work] = deque()
        self.called = False
        self.state = StoreState()
        self.observe: Callable[[int, int], None] = lambda took_ms, transitions: None
        """Hears of every commit, in the Store's thread."""
        self._waiting_max = waiting_max
        self._ref: pykka.ActorRef[Any] | None = None

    def attach(self, ref: "pykka.ActorRef[Any]") -> None:
        self._ref = ref

    def submit(self, transition: Transition, then: Then) -> None:
        """`then` gets the outcome, or the error, on the loop, after the commit.

        Raises: Overloaded for intake when too much is waiting; outcomes are always taken.
        """
        if len(self.waiting) > self._waiting_max and isinstance(transition, table.INTAKE):
            raise Overloaded("the store can't keep up; send more slowly")
        if self._ref is None or not self._ref.is_alive():
            raise StorageError("the store has stopped")
        self.waiting.append(Work(transition, then))
        if not self.called:
            self.called = True
            # Not at once: the loop may have more at hand, and the two threads would only be in
            # each other's way. This is no lingering; the loop does nothing else in between.
            asyncio.get_running_loop().call_soon(self._call)

    def look_again(self) -> None:
        """A closed intake opens as soon as there is room, also while nobody has work.

        Whoever asks `/readyz` before sending would otherwise never send again.
        """
        if not self.state.intake_open and self._ref is not None and self._ref.is_alive():
            self._ref.tell(Look())

    def _call(self) -> None:
        assert self._ref is not None
        try:
            self._ref.tell(Commit())
        except pykka.ActorDeadError:
            while self.waiting:
                self.waiting.popleft().then(StorageError("the store has stopped"))

    async def do(self, transition: Transition, kind: type[T] | UnionType) -> T:
        """The transition's outcome, once it is on disk.

        Raises: HookbundleError as the transition says; StorageError if it could not be stored.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome | HookbundleError) -> None:
            if future.done():
                return
            if isinstance(outcome, HookbundleError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.submit(transition, settle)
        outcome = await future
        assert isinstance(outcome, kind)
        return outcome

    async def done(self, transition: Transition) -> None:
        """As `do`, for a transition whose outcome says nothing."""
        await self.do(transition, type(None))

"""The Store's queue, to which transitions are submitted, and the counts of the Store's work.

No delay is needed to form a group: while one group is written to disk, the next one queues up. The
queue is fair: a group takes what waits in turns (actors/turns.py), not in the order in which it
came, so that nobody waits behind all that another has brought.

What callers ask for takes *places*, of which a workspace has a share: a transition takes one, and a
request with messages one for each transition and for each 4 KiB, at most `REQUEST_PLACES_MAX`; it
submits no more than that at once. What the daemon submits by itself takes none. It is bounded
elsewhere: attempts by their slots, the timer's rows by its budgets, mails by the outbox.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeVar

import pykka

from hookbundle.actors.turns import Then, Turns, Work
from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import HookbundleError, StorageError
from hookbundle.engine.fairness.behind import Behind
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.fairness.webhook_owners import WebhookOwners
from hookbundle.storage.database.chat_records import Heads
from hookbundle.storage.database.keeping.kept import Kept
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.settings import TokenChanges
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.changing.changing import ChangeMessages
from hookbundle.storage.transitions.costs import COSTS, Owner
from hookbundle.storage.transitions.notes import Confirm
from hookbundle.storage.transitions.sealing import SealWindow
from hookbundle.storage.transitions.table import OF_CHAT, Result, Transition
from hookbundle.storage.transitions.unfinished import Unfinished

T = TypeVar("T", bound=Result)
Chat = tuple[int, str]  # a workspace's number, and an id

PLACE_BYTES = 4_096
REQUEST_PLACES_MAX = 1_024
DISK_CHECK_MS = 1_000


@dataclass(slots=True)
class StoreState:
    """The Store's state. Only the Store writes it; the status and the metrics read the counts.

    Counts are since start. `is_busy`: a group is being committed. `kept`: what the Store has
    decoded, and nobody else may touch.
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
    is_busy: bool = False
    kept: Kept = field(default_factory=Kept)


@dataclass(frozen=True, slots=True)
class Commit:
    """There is work in the queue."""


@dataclass(frozen=True, slots=True)
class CheckDisk:
    """Intake is closed: check whether the disk has room again, even if the queue is empty."""


class StoreQueue:
    """Takes transitions for the Store, on the loop's thread; the Store takes them from it, on its.

    `places`: see above; on the loop's thread only. `heads`: those of chats; their actors hold them,
    the Store looks inside. `tokens`: what the Store says of their changes. `observe` is called
    after every commit, in the Store's thread, with its milliseconds and its transitions.
    `failed` hears, there too, why a transition could not be done, once a minute for each sort.
    """

    def __init__(self, waiting_max: int) -> None:
        self.places: FairLimit[Owner] = FairLimit("store_places", Term.CHANGES, waiting_max)
        self.called = False
        self.state = StoreState()
        self.observe: Callable[[int, int], None] = lambda took_ms, transitions: None
        self.failed: Callable[[Exception], None] = lambda error: None
        self.retention = Retention()
        """Of the next commit; the Store sets it when it starts, a reload changes it."""
        self.agrees = False
        """Whether this is a node of a cluster, whose groups are agreed on with others."""
        self.history_gives = True
        """False while the disk is nearly full and no history can be trimmed; see HistoryWatch."""
        # A deque's own operations are safe between threads; the turns are the Store's alone.
        self._submitted: deque[Work] = deque()
        self.owners = WebhookOwners()
        self.heads = Heads()
        self.tokens = TokenChanges()
        self._turns = Turns(self.owners.numbers, self.owners.webhooks)
        self._behind: Behind[Chat, Work] = Behind(self._turns.add)
        self.unfinished = self._behind.keys
        """Chats of which a transition is not finished. The Store's alone."""
        self._ref: pykka.ActorRef[Any] | None = None

    def attach(self, ref: "pykka.ActorRef[Any]") -> None:
        self._ref = ref

    @property
    def has_stopped(self) -> bool:
        """True once nothing can be submitted any more."""
        return self._ref is None or not self._ref.is_alive()

    @property
    def waiting(self) -> int:
        """The transitions that wait for a commit."""
        return len(self._submitted) + len(self._turns)

    def group(self, most: int, taken: list[Work]) -> Iterator[Work]:
        """Up to `most` transitions, in turns, as long as the group's weight allows one more.

        Each is in `taken` before it is yielded. In the Store's thread. `spent` has to be called
        after each that may be heavier than it was thought.
        """
        turns, submitted = self._turns, self._submitted
        turns.begin_group()
        for _ in range(most):
            while submitted:
                turns.add(submitted.popleft())
            work = turns.take()
            if work is None:
                return
            taken.append(work)
            yield work

    def spent(self, weight: int) -> None:
        """What the transition that `group` yielded last has turned out to weigh."""
        self._turns.spent(weight)

    def begin(self, work: Work) -> None:
        """The transition is not finished: its chat's others have to wait."""
        if isinstance(work.transition, OF_CHAT):
            self.unfinished.add(_chat_of(work.transition))

    def waits(self, work: Work) -> Unfinished | None:
        """All of it is left, if a transition of its chat before it is not finished."""
        transition = work.transition
        if not isinstance(transition, OF_CHAT):
            return None
        waits = self._behind.must_wait(_chat_of(transition), work)
        return Unfinished(transition) if waits else None

    def answered(
        self, group: Sequence[Work], results: Sequence[Result | HookbundleError]
    ) -> list[tuple[Work, Result | HookbundleError]]:
        """What is to be told of a group that was committed; what is left of it has turns again."""
        done: list[tuple[Work, Result | HookbundleError]]
        done = list(zip(group, results, strict=True))
        if not self.unfinished:
            return done
        answered: list[tuple[Work, Result | HookbundleError]] = []
        for work, result in done:
            rest = None
            if isinstance(result, Unfinished):
                rest = Work(result.rest, work.then)
            else:
                answered.append((work, result))
            if isinstance(work.transition, OF_CHAT):
                self._behind.took_turn(_chat_of(work.transition), work, rest)
        return answered

    def submit(self, transition: Transition, then: Then) -> None:
        """The transition is queued; `then` gets its result, or the error, on the loop after commit.

        Raises: TooManyRequests or Overloaded for what a caller asks for, if there is no place for
        it (an outcome of an attempt is always taken); StorageError if the Store has stopped.
        """
        if self.has_stopped:
            raise StorageError.of(Code.STORE_STOPPED)
        cost = COSTS[type(transition)]
        if cost.asked:
            then = self._in_a_place(cost.owner(transition), then)
        self._submitted.append(Work(transition, then))
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

    def _in_a_place(self, owner: Owner, then: Then) -> Then:
        """The owner has a place until `then` is called. Raises: as `FairLimit.take`."""
        self.places.take(owner)

        def give_back(result: Result | HookbundleError) -> None:
            self.places.give_back(owner)
            then(result)

        return give_back

    def _call(self) -> None:
        assert self._ref is not None
        try:
            self._ref.tell(Commit())
        except pykka.ActorDeadError:
            while self.waiting:
                for work in self.group(self.waiting, []):
                    work.then(StorageError.of(Code.STORE_STOPPED))
            for work in self._behind.leave():
                work.then(StorageError.of(Code.STORE_STOPPED))

    def asked(self, transition: Transition) -> asyncio.Future[Any]:
        """Has the transition's result, or its error, once that is on disk. Raises: as `submit`."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def resolve(result: Result | HookbundleError) -> None:
            if future.done():
                return
            if isinstance(result, HookbundleError):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.submit(transition, resolve)
        return future

    async def do(self, transition: Transition, kind: type[T] | UnionType) -> T:
        """The transition's result, once it is on disk.

        Raises: HookbundleError as the transition says; StorageError if it could not be stored.
        """
        result = await self.asked(transition)
        assert isinstance(result, kind)
        return result

    async def done(self, transition: Transition) -> None:
        """As `do`, for a transition without a result."""
        await self.do(transition, type(None))

    async def confirmed(self) -> None:
        """What is done next is this process's to do: of a cluster, the others agree that it is.

        Raises: StorageError if it is not, or is no more.
        """
        if self.agrees:
            await self.done(Confirm())


def _chat_of(transition: AcceptMessages | ChangeMessages | SealWindow) -> Chat:
    return (transition.workspace_number, transition.chat_id)

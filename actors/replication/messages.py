"""What a partition's role is told, and what the node around it does for it."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hookbundle.engine.errors import CorruptRecord, Fenced, HookbundleError, Unusable
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import CopyAt
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.maintenance.replication.copies import Rewritten

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The node is to hold a copy (`holds`), or to own the partition (`owns`).

    `lives`: the live nodes, this one among them, and the life of each. `assigned`: the nodes that
    are to hold copies. `copies`: what the live nodes say of theirs; None while that is not known:
    then no copy is given up, and generations of the past are kept for their time. `judges`: this
    node has listened long enough to know that a life which is not among them is over. `schema`:
    which the cluster writes. `furthest`: how far any node was ever heard to have come: a log that
    ends before that has lost entries.
    """

    holds: bool
    owns: bool
    lives: Mapping[str, str]
    judges: bool = True
    assigned: tuple[str, ...] = ()
    copies: Mapping[str, CopyAt] | None = None
    schema: int = 0
    furthest: CopyAt | None = None


@dataclass(frozen=True, slots=True)
class ReadOn:
    """Something may have come into the log; who follows it reads. The hint may be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yield:
    """The partition is given away, if it is owned."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipEnded:
    """The Store can commit no more. `env`: of the copy that it wrote, if there were several.

    After anything else than `Fenced` nobody knows what the copy is worth.
    """

    why: Fenced | Unusable
    env: Environment


@dataclass(frozen=True, slots=True)
class Renew:
    """The log is to go on in a new generation, in which nothing is that was deleted before. The
    owner alone does it; whether it is done is seen by the generation, and by `MaintenanceState`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteCopy:
    """The copy is written anew, without what was deleted. An owner gives the partition away before.

    `then` is told what was done, or why not: Conflict if the node has no complete copy, or if one
    erases something still.
    """

    then: Callable[[Rewritten | HookbundleError], None]


@dataclass(frozen=True, slots=True)
class Recovered:
    """The log begins anew with what the copy had: `records`, in the generation."""

    generation: Generation
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """The log begins anew with this node's copy, whatever the log has; nobody else is asked.

    `above`: generations that were heard of; the new one is above all of them. `then` is told what
    was done, or why not: Conflict if the node has no whole copy, or another node has claimed the
    partition meanwhile; Unusable if the log servers do not say what they have. The copy is kept
    until the new log stands.
    """

    above: tuple[Generation, ...]
    then: Callable[[Recovered | HookbundleError], None]


@dataclass(frozen=True, slots=True)
class CloseCopy:
    """The node ends: the copy is on disk, and can be opened again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDamaged:
    """The partition can't do some of its work, because of a record of its copy. `env`: as above."""

    why: CorruptRecord
    env: Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeAnew:
    """A copy that is followed is dropped, and joins anew from the log. `then` is told whether."""

    why: str
    then: Callable[[bool], None]


Inbox = (
    Look
    | ReadOn
    | Yield
    | OwnershipEnded
    | Renew
    | RewriteCopy
    | Recover
    | CloseCopy
    | RecordDamaged
    | MakeAnew
)


class Host(Protocol):
    """The node around the partition."""

    def open_copy(self) -> Environment | None:
        """The copy, opened, whatever its schema; None if there is none. Raises: StorageError."""

    def new_copy(self) -> NewCopy:
        """To be filled; it takes the place of what was there when it is whole.

        Raises: StorageError."""

    def distrust_copy(self) -> None:
        """The copy, which is not open, is not to be gone on with. Raises: StorageError."""

    def left_over(self) -> bool:
        """Whether there is a copy, be it one that is not to be gone on with."""

    def drop_copy(self) -> None:
        """The copy, which is not open, is deleted. Raises: StorageError."""

    def go_on(self) -> None:
        """Asked now and then by work that may take minutes. Raises: Overloaded if it is to end."""

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs work on the copy in the thread that follows, which the node's copies share."""

    async def in_turn(self, work: Callable[[], T]) -> T:
        """Runs work on a copy that is not followed yet, and may take seconds: beside the thread
        that follows, and for few copies of the node at a time."""

    async def own(self, env: Environment, agree: Agree) -> None:
        """The partition works on the copy. Its Store ends with `OwnershipEnded` when it can't."""

    def confirm(self) -> None:
        """The partition's Store will commit a `Confirm`, if it can; nobody waits for it."""

    def raise_schema(self, schema: int) -> None:
        """The partition's Store will commit a `RaiseSchema`, if it can; nobody waits for it."""

    async def disown(self, *, finish: bool) -> None:
        """Nothing works on the copy any more. `finish`: attempts under way are waited for."""

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Work of the loop is done; for the Store's thread, which waits."""

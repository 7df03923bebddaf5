"""A common limit of which nobody can take all: shares without a number for each owner.

An owner may hold as much as is then still free. So one greedy owner gets half, two get a third
each, n get 1/(n+1) each, and as much again stays free for the next one. The rule is that of
Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", IEEE/ACM
Transactions on Networking 6 (1998).
"""

from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import Overloaded, TooManyRequests

Owner = TypeVar("Owner", bound=Hashable)


class Limit(Protocol):
    """What an operator is shown of a limit."""

    @property
    def name(self) -> str: ...
    @property
    def used(self) -> int: ...
    @property
    def refused_owner(self) -> int: ...
    @property
    def refused_all(self) -> int: ...


class FairLimit(Generic[Owner]):
    """`what` is shared, as an error says it. Belongs to one thread.

    An owner is a workspace, or another caller. `used`: what all hold together.
    `refused_owner`, `refused_all`: how often one was refused for its own share, and how often
    because nothing was left.
    """

    def __init__(self, name: str, what: Term, total: int) -> None:
        self.name = name
        self.total = total
        self.used = 0
        self.refused_owner = 0
        self.refused_all = 0
        self._what = what
        self._held: dict[Owner, int] = {}

    def held(self, owner: Owner) -> int:
        return self._held.get(owner, 0)

    def take(self, owner: Owner, amount: int = 1) -> None:
        """The owner holds so much more, until it gives it back.

        Raises: TooManyRequests if the owner's share is used up; Overloaded if nothing is left.
        """
        if self.has_taken(owner, amount):
            return
        if self.used + amount > self.total:
            self.refused_all += 1
            raise Overloaded.of(Code.ALL_USED, what=self._what)
        self.refused_owner += 1
        raise TooManyRequests.of(Code.SHARE_USED, what=self._what)

    def has_taken(self, owner: Owner, amount: int = 1) -> bool:
        """As `take`, but False where it refuses, which is not counted: who asks has another way."""
        held, free = self._held.get(owner, 0), self.total - self.used - amount
        if free < 0 or (held and held + amount > free):
            return False
        self._held[owner] = held + amount
        self.used += amount
        return True

    def give_back(self, owner: Owner, amount: int = 1) -> None:
        left = self._held.get(owner, 0) - amount
        assert left >= 0 < amount, "more is given back than was taken"
        if left:
            self._held[owner] = left
        else:
            del self._held[owner]
        self.used -= amount

    def holding(self, owner: Owner, amount: int = 1) -> "Holding[Owner]":
        """A block for as long as which it is taken. It raises as `take`."""
        return Holding(self, owner, amount)


class Holding(Generic[Owner]):
    """Not a generator's block, which costs five times as much: each request has one."""

    __slots__ = ("_amount", "_limit", "_owner")

    def __init__(self, limit: FairLimit[Owner], owner: Owner, amount: int) -> None:
        self._limit, self._owner, self._amount = limit, owner, amount

    def __enter__(self) -> None:
        self._limit.take(self._owner, self._amount)

    def __exit__(self, *_: object) -> None:
        self._limit.give_back(self._owner, self._amount)

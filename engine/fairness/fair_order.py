"""An order of work in which each owner has the same part of the time, whatever the others bring.

Each piece of work gets, when it comes, the time at which it would be finished if all owners were
served at once, each at the same speed, and the piece with the earliest such time is next. So one
owner's pieces stay in the order in which they came; a light piece of a quiet owner goes before the
heavy ones of a busy owner, and none waits for ever. The rule is that of Golestani, "A self-clocked
fair queueing scheme for broadband applications", IEEE INFOCOM 1994: time is counted in the weight
that was served, and stands at the piece that was taken last.

Times within one *slice* count as the same, and then the piece that came first is next. Without
that, sixteen requests of which each has a hundred pieces would all be finished at the end, and
nobody would prepare the next one meanwhile.
"""

from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

Owner = TypeVar("Owner", bound=Hashable)
T = TypeVar("T")

OWNERS_REMEMBERED_MAX = 10_000


class FairOrder(Generic[Owner, T]):
    """Belongs to one thread. A weight is what the piece takes, in any unit, and is not negative."""

    def __init__(self, slice_weight: int = 1) -> None:
        # Of each piece its slice, its number, its time, its weight, and itself. Others only ask
        # whether there are any; `len` would cost them a call for each piece.
        self.heap: list[tuple[int, int, int, int, T]] = []
        self._slice = slice_weight
        self._ends: dict[Owner, int] = {}  # of each owner's last piece
        self._now = 0
        self._added = 0
        self._forget_at = OWNERS_REMEMBERED_MAX

    def __len__(self) -> int:
        return len(self.heap)

    def add(self, owner: Owner, weight: int, piece: T) -> None:
        ends = self._ends
        if len(ends) > self._forget_at:
            ends = self._forget()
        begin, now = ends.get(owner, 0), self._now
        end = ends[owner] = (begin if begin > now else now) + weight
        self._added += 1
        heappush(self.heap, (end // self._slice, self._added, end, weight, piece))

    def charge(self, owner: Owner, weight: int) -> None:
        """What the owner brings from now on is finished later by this weight."""
        begin, now = self._ends.get(owner, 0), self._now
        self._ends[owner] = (begin if begin > now else now) + weight

    def first(self) -> tuple[int, T]:
        """The next piece, which there must be, with its weight before it."""
        _, _, _, weight, piece = self.heap[0]
        return weight, piece

    def take(self, most: int | None = None) -> tuple[int, T] | None:
        """The next piece, which there must be, with its weight before it; it is here no longer.

        None if it weighs more than `most`; then it stays the next one.
        """
        heap = self.heap
        _, _, end, weight, piece = heap[0]
        if most is not None and weight > most:
            return None
        if end > self._now:  # within a slice, times are in no order
            self._now = end
        heappop(heap)
        if not heap:
            self._ends.clear()  # an owner that has nothing here has no claim, and no debt
        return weight, piece

    def _forget(self) -> dict[Owner, int]:
        """Owners of which nothing waits are forgotten. Returns the others."""
        self._ends = {owner: end for owner, end in self._ends.items() if end > self._now}
        self._forget_at = max(OWNERS_REMEMBERED_MAX, 2 * len(self._ends))
        return self._ends

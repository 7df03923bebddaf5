"""Lines that say the same again and again, folded into one: three times 500, 14:01 to 14:06.

Only neighbours are folded, so the order stays, and what came between two attempts is seen.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fold(Generic[T]):
    """At least one line, in the order in which they stand on the page."""

    lines: tuple[T, ...]

    @property
    def first(self) -> T:
        return self.lines[0]

    @property
    def last(self) -> T:
        return self.lines[-1]

    @property
    def count(self) -> int:
        return len(self.lines)


def folded(lines: Iterable[T], same: Callable[[T], Hashable]) -> list[Fold[T]]:
    """Neighbours of which `same` says the same are one; those of which it says None never are."""
    found: list[Fold[T]] = []
    for key, group in groupby(lines, same):
        if key is None:
            found += [Fold((line,)) for line in group]
        else:
            found.append(Fold(tuple(group)))
    return found

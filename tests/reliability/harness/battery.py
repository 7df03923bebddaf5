"""The size of a run of the reliability tests, its first seed, and the faults that it must meet.

`make test` runs the short form; `make battery` sets BATTERY=full. BATTERY_SEED=7 runs other cases:
a failure prints its seed, and the seed repeats the failure.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

FULL = os.environ.get("BATTERY") == "full"
SEED = int(os.environ.get("BATTERY_SEED", "1"))


def size(short: T, full: T) -> T:
    """The first value in the short form of the tests, the second in the full form."""
    return full if FULL else short


def part(members: Sequence[T], of: int, turn: int = 0) -> Sequence[T]:
    """In the short form every `of`-th, from one that turn and seed decide; in the full form all.

    For cases that are many of one kind. Where two lists are crossed, the turn is the number in the
    other one: each member of either is still met, by a part of the other.
    """
    return members if FULL else members[(SEED + turn) % of :: of]


class Planned:
    """The faults that a run plans to meet.

    A run in which one of them did not happen proves nothing about it, and fails.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.seen: Counter[str] = Counter({fault: 0 for fault in faults})

    def saw(self, fault: str) -> None:
        assert fault in self.seen, f"{fault!r} was never planned"
        self.seen[fault] += 1

    def check(self) -> None:
        """Raises: AssertionError, naming the planned faults that did not happen."""
        never = [fault for fault, count in self.seen.items() if not count]
        assert not never, f"planned faults that never happened: {never}"

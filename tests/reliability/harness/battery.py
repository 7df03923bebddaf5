"""How large a run of the battery is, which seed it starts from, and which faults it must have seen.

`make test` runs the short form; `make battery` sets BATTERY=full. BATTERY_SEED=7 runs others of the
same kind: a failure names its seed, and the seed makes the failure again.
"""

import os
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

FULL = os.environ.get("BATTERY") == "full"
SEED = int(os.environ.get("BATTERY_SEED", "1"))


def size(short: T, full: T) -> T:
    """What the short form does in seconds, the full form does at length."""
    return full if FULL else short


class Planned:
    """The faults that a run plans. A run in which one of them never came about shows nothing."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.seen: Counter[str] = Counter({fault: 0 for fault in faults})

    def saw(self, fault: str) -> None:
        assert fault in self.seen, f"{fault!r} was never planned"
        self.seen[fault] += 1

    def check(self) -> None:
        """Raises: AssertionError, naming the faults that never came about."""
        never = [fault for fault, count in self.seen.items() if not count]
        assert not never, f"this run proves nothing, for these never came about: {never}"

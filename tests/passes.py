"""How much of something is done between two passes of the event loop."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Passes:
    """`most`: the most that was counted in one pass; `total`: in all of them."""

    total: int = 0
    most: int = 0
    present: int = 0

    def count(self, amount: int = 1) -> None:
        self.total += amount
        self.present += amount
        self.most = max(self.most, self.present)


@contextmanager
def passes(found: Passes | None = None) -> Iterator[Passes]:
    """Counts for as long as the block runs; the loop makes pass after pass meanwhile."""
    found = found or Passes()
    loop = asyncio.get_running_loop()
    handle: asyncio.Handle

    def next_pass() -> None:
        nonlocal handle
        found.present = 0
        handle = loop.call_soon(next_pass)

    next_pass()
    try:
        yield found
    finally:
        handle.cancel()

"""What takes long on the event loop goes in slices, and leaves others at least as much time.

A slice is a few milliseconds of work without an `await`. There is one at a time, of all owners,
and after it none for as long as it took: so however many long requests are under way, the loop has
half of its time for the rest, and nothing waits for more than a slice. Those that wait for a slice
get theirs in the order in which they came. An owner has one piece of work in that line at a time,
and its others wait behind it: so each owner has the same share, however much it asks for.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CHATS_AT_ONCE = 64
"""How many chats are told of their messages in one slice: a millisecond or two."""


@dataclass(slots=True)
class _Line:
    """`count`: pieces of work of the owner, the present one and those that wait for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    count: int = 0


class LoopShare:
    """Belongs to one loop. An owner is a caller, or a workspace by its number."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._lines: dict[Hashable, _Line] = {}

    @asynccontextmanager
    async def one_of(self, owner: Hashable) -> AsyncIterator[None]:
        """The block runs when no other of the owner does. It may `await`, and takes slices."""
        line = self._lines.setdefault(owner, _Line())
        line.count += 1
        try:
            async with line.lock:
                yield
        finally:
            line.count -= 1
            if not line.count:
                del self._lines[owner]

    @asynccontextmanager
    async def slice(self) -> AsyncIterator[None]:
        """The block, which must not `await`, is the only slice between two passes of the loop."""
        await self._turn.acquire()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            yield
        finally:
            loop.call_later(loop.time() - began_s, self._turn.release)

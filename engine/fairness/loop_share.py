"""What takes long on the event loop goes in slices, and leaves others at least as much time.

A slice is a few milliseconds of work without an `await`. There is one at a time, of all owners,
and after it none for as long as it took: so however many long requests are under way, the loop has
half of its time for the rest, and nothing waits for more than a slice. Those that wait for a slice
get theirs in the order in which they came. An owner has one piece of work in that line at a time,
and its others wait behind it: so each owner has the same share, however much it asks for.

What is received costs time as well, in many small pieces: who sends much has to keep a pace.

What takes long in a thread of its own rests as well: threads share one interpreter, and while one
of them computes, the loop and the Store stand still.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import sleep, thread_time
from typing import TypeVar

R = TypeVar("R")

PIECE_S = 0.001  # of work that calls for a rest now and then
READ_AT_ONCE_BYTES = 64 * 1024  # of a body; a larger one is read in a thread: LoopShare.large
REST_S_MIN = 0.0002  # long enough for another thread to get the interpreter's lock

RESTS_KEPT = 1_000  # owners; those that need not rest any more are forgotten

CHATS_AT_ONCE = 128
"""How many chats are told of their messages in one slice: two milliseconds or three. What is told
in one slice is committed together."""


@dataclass(slots=True)
class _Line:
    """`count`: pieces of work of the owner, the present one and those that wait for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    count: int = 0


class Pace:
    """Belongs to one loop. How fast what owners send may come, each on all connections together.

    Nobody waits for the first `ahead_bytes` of what comes faster.
    """

    def __init__(self, bytes_a_second: int, ahead_bytes: int = 0) -> None:
        self._bytes_a_second = bytes_a_second
        self._ahead_s = ahead_bytes / bytes_a_second
        self._rests_until_s: dict[Hashable, float] = {}

    def rest_s(self, owner: Hashable, size: int) -> float:
        """So many bytes have come from the owner; how long to wait before more is received."""
        now_s = asyncio.get_running_loop().time()
        rests = self._rests_until_s
        if len(rests) >= RESTS_KEPT:
            rests = {each: until_s for each, until_s in rests.items() if until_s > now_s}
            self._rests_until_s = rests
        until_s = rests[owner] = max(rests.get(owner, now_s), now_s) + size / self._bytes_a_second
        return max(0.0, until_s - now_s - self._ahead_s)


class LoopShare:
    """Belongs to one loop. An owner is a caller, or a workspace by its number."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._large = asyncio.Lock()
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
    async def large(self, owner: Hashable) -> AsyncIterator[None]:
        """The block, which reads something large in a thread, is the only one of all owners, and
        runs when no other of the owner does: two at once would only take turns."""
        async with self.one_of(owner), self._large:
            yield

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

    async def in_thread(self, owner: Hashable, work: Callable[[], R]) -> R:
        """What the work returns. It runs in a thread, when no other of the owner does.

        The owner's next one begins when others have had as much time as it has taken. Raises: as
        `work`.
        """
        async with self.one_of(owner):
            found, took_s = await asyncio.to_thread(_timed, work)
            await asyncio.sleep(took_s)
            return found


def _timed(work: Callable[[], R]) -> tuple[R, float]:
    """What the work returns, and the seconds of the processor that its thread has taken for it."""
    began_s = thread_time()
    found = work()
    return found, thread_time() - began_s


class Rests:
    """Called between small pieces of work in a thread, it rests as `with_rests` does, after each
    PIECE_S of them."""

    def __init__(self) -> None:
        self._began_s = thread_time()

    def __call__(self) -> None:
        took_s = thread_time() - self._began_s
        if took_s >= PIECE_S:
            sleep(took_s)
            self._began_s = thread_time()


def with_rests(work: Generator[None, None, R]) -> R:
    """What the work returns. After each piece, up to a `yield`, its thread rests as long as that
    has taken of the processor, not of the clock: it owes nothing for the time of others."""
    while True:
        began_s = thread_time()
        try:
            next(work)
        except StopIteration as done:
            found: R = done.value
            return found
        sleep(max(thread_time() - began_s, REST_S_MIN))

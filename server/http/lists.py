"""Lists for the API and the console: a page of one is read in slices, one page at a time per owner.

A page of a thousand entries, or one for which two thousand records are looked at to find few, is
some forty milliseconds of work, and a client may ask for it without end. See LoopShare. Each slice
is a read transaction of its own: what changes meanwhile is seen by those after it. What is
read as a whole, or in a thread, ends with the caller that it is for; then nothing is done with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.fairness.loop_share import LoopShare
from hookbundle.server.http.large_answers import owner_of
from hookbundle.storage.reads.listing import Page
from hookbundle.storage.reads.lookup import PAGE_BYTES

ROWS_MOST = 2_000  # looked at for one page

T = TypeVar("T")
U = TypeVar("U")
LOOP_SHARE = web.AppKey("loop_share", LoopShare)


@dataclass(frozen=True, slots=True)
class Lists:
    """`waiting`: pages that are being read, or wait for another one of their owner."""

    share: LoopShare
    waiting: FairLimit[str]

    async def page(
        self,
        request: web.Request,
        read: Callable[[int, bytes], Page[T]],
        shown: Callable[[T], U],
        limit: int,
        position: bytes,
    ) -> Page[U]:
        """Up to `limit` entries from the position on, as they are shown.

        `read(limit, position)` reads a slice. Raises: TooManyRequests; Overloaded; as `read`.
        """
        owner = owner_of(request)
        found: list[U] = []
        seen = size = reached_ms = 0
        with self.waiting.holding(owner):
            async with self.share.one_of(owner):
                while True:
                    async with self.share.slice():
                        page = read(limit - len(found), position)
                        found += map(shown, page.found)
                    seen, size = seen + page.seen, size + page.size
                    reached_ms = page.reached_ms or reached_ms
                    is_full = len(found) >= limit or seen >= ROWS_MOST or size >= PAGE_BYTES
                    if page.position is None or is_full:
                        return Page(found, page.position, seen, size, reached_ms)
                    position = page.position

    async def in_thread(self, request: web.Request, read: Callable[[], T]) -> T:
        """What was read in a thread, because it may be megabytes; one read at a time per owner.

        Raises: TooManyRequests; Overloaded; ConnectionError if the caller has left; as `read`.
        """
        owner = owner_of(request)
        with self.waiting.holding(owner):
            return await self.share.in_thread(owner, lambda: _read_for(request, read))

    async def whole(self, request: web.Request, read_on: Callable[[], bool]) -> None:
        """`read_on` was called, each time in a slice, until it said that there is no more.

        Raises: TooManyRequests; Overloaded; ConnectionError if the caller has left; as `read_on`.
        """
        owner = owner_of(request)
        with self.waiting.holding(owner):
            async with self.share.one_of(owner):
                more = True
                while more:
                    async with self.share.slice():
                        _still_there(request)
                        more = read_on()
        _still_there(request)

    async def rendered(
        self, request: web.Request, render: Callable[[], web.Response]
    ) -> web.Response:
        """A page of the console that shows a list; it is rendered in a slice of its owner's."""
        owner = owner_of(request)
        with self.waiting.holding(owner):
            async with self.share.one_of(owner), self.share.slice():
                return render()


def _read_for(request: web.Request, read: Callable[[], T]) -> T:
    _still_there(request)
    return read()


def _still_there(request: web.Request) -> None:
    """Raises: ConnectionError if the caller has left."""
    if request.transport is None:
        raise ConnectionResetError("the caller has left")


LISTS = web.AppKey("lists", Lists)

"""Look-ups of host names for webhook requests: remembered, shared, and bounded for each workspace.

Nothing waits here. A look-up that may not start is refused at once. So the time for a connection
is never spent in somebody's queue. If the daemon has all it can have under way, the attempt says
nothing about its receiver; if the workspace has its share, it is the workspace's own error.

A look-up belongs to nobody who waits for it: it goes on when they give up, holds its share until it
has really ended, and its answer helps the next one. Only addresses are remembered, never that there
are none.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp.abc import AbstractResolver, ResolveResult

from hookbundle.actors.outbound.connector import PROGRESS
from hookbundle.actors.outbound.errors import LookUpError, LookUpTimeoutError
from hookbundle.engine.delivery.outcomes import ErrorClass
from hookbundle.engine.errors import Overloaded, TooManyRequests
from hookbundle.engine.fairness.fair_limit import FairLimit

REMEMBERED_S = 10.0
REMEMBERED_MAX = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    """Addresses, which take turns at being the first."""

    found: deque[ResolveResult]
    until_s: float


class LookUps(AbstractResolver):
    """`limit` is of look-ups under way; its owners are the numbers of workspaces.

    `within_s`: how long somebody waits for one.
    """

    def __init__(
        self,
        resolver: AbstractResolver,
        limit: FairLimit[int],
        within_s: Callable[[], float],
        now_s: Callable[[], float],
    ) -> None:
        self._within_s = within_s
        self._resolver = resolver
        self._limit = limit
        self._now_s = now_s
        self._known: dict[str, _Known] = {}
        self._under_way: dict[str, asyncio.Task[list[ResolveResult] | OSError]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: LookUpError, or another OSError of the resolver."""
        known = self._known.get(host)
        if known is None or known.until_s <= self._now_s():
            found = await self._look_up(host)
        else:
            known.found.rotate(-1)
            found = list(known.found)
        return [{**one, "port": port} for one in found]

    async def close(self) -> None:
        """Look-ups under way have ended."""
        left = list(self._under_way.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._resolver.close()

    async def _look_up(self, host: str) -> list[ResolveResult]:
        """Each caller has all the time there is, also if the look-up began before."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._within_s()
        while True:
            task = self._under_way.get(host)
            is_new = task is None
            if task is None:
                task = self._begin(host)
            done, _ = await asyncio.wait({task}, timeout=until_s - loop.time())
            if not done:
                raise LookUpTimeoutError
            if task.cancelled():
                raise LookUpError(ErrorClass.LOCAL, "the daemon is stopping")
            found = task.result()
            if isinstance(found, LookUpTimeoutError) and not is_new:
                continue  # its time was up, but not ours
            if isinstance(found, OSError):
                raise found
            return found

    def _begin(self, host: str) -> "asyncio.Task[list[ResolveResult] | OSError]":
        """Raises: LookUpError if there may be no more look-ups now."""
        owner = PROGRESS.get().owner
        try:
            self._limit.take(owner)
        except TooManyRequests as exc:  # names of its own that hang: its error, like any of DNS
            detail = "this workspace has too many look-ups of host names under way"
            raise LookUpError(ErrorClass.DNS, detail) from exc
        except Overloaded as exc:
            detail = "this machine has too many look-ups of host names under way"
            raise LookUpError(ErrorClass.LOOK_UPS_FULL, detail) from exc
        task = self._under_way[host] = asyncio.create_task(self._run(host))

        def ended(_: object) -> None:
            self._limit.give_back(owner)
            del self._under_way[host]

        task.add_done_callback(ended)
        return task

    async def _run(self, host: str) -> list[ResolveResult] | OSError:
        """An error is returned, because there may be nobody left to hear of it."""
        try:
            found = await self._resolver.resolve(host)
        except OSError as exc:
            return exc
        if found:
            self._remember(host, found)
            return found
        return LookUpError(ErrorClass.DNS, "the host name has no address")

    def _remember(self, host: str, found: list[ResolveResult]) -> None:
        self._known.pop(host, None)
        while len(self._known) >= REMEMBERED_MAX:
            del self._known[next(iter(self._known))]  # the oldest
        self._known[host] = _Known(deque(found), self._now_s() + REMEMBERED_S)

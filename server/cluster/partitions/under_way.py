"""Changes of a partition that are under way, and callers who wait for what becomes of them.

A caller waits no longer than the log may take: then it is told that nobody knows. The change goes
on all the same. A partition is given away when its changes have been made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple, TypeVar

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded

T = TypeVar("T")

STALLED_S = 5.0  # for which a group waits for the log; then callers are told
LOOK_S = 0.5


class Waiting(NamedTuple):
    """A caller, since when. `tell`, perhaps several times: nobody knows what becomes of it."""

    tell: Callable[[], None]
    since_s: float


class UnderWay:
    """Belongs to one loop. `stalled_s`: for how long a group has waited for the log.

    All callers share one look at the time: an alarm for each would cost as much as the rest.
    """

    def __init__(self, stalled_s: Callable[[], float]) -> None:
        self._stalled_s = stalled_s
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[asyncio.Future[Any], Waiting] = {}
        self._has_ended = False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether a change that begins now will be decided soon, as far as is known."""
        return not self._has_ended and self._stalled_s() <= STALLED_S

    def begin(self, made: "asyncio.Future[Any]", tell: Callable[[], None]) -> None:
        """`made` is done when the change was made. `tell`: see `Waiting`."""
        self._waiting[made] = Waiting(tell, self._loop.time())
        made.add_done_callback(self._made)
        if self._alarm is None:
            self._look_later()

    async def answer(self, work: Awaitable[T]) -> T:
        """What the change answers.

        Raises: as the change; Overloaded if the log does not decide it, or if the partition was
        lost over it; it may still be stored.
        """
        if not self.is_open:
            if isinstance(work, Coroutine):
                work.close()
            raise Overloaded.of(Code.LOG_WAITS)
        task, told = asyncio.ensure_future(work), self._loop.create_future()
        tell = partial(_tell, told)
        self.begin(task, tell)
        task.add_done_callback(tell)
        await told
        if task.done():
            return task.result()
        task.add_done_callback(_forgotten)
        raise Overloaded.of(Code.LOG_WAITS)

    async def all_made(self) -> None:
        """No change is under way."""
        while self._waiting:
            await asyncio.wait(list(self._waiting))

    def end(self) -> None:
        """Nobody will answer any more."""
        self._has_ended = True
        for waiting in list(self._waiting.values()):
            waiting.tell()

    def _made(self, made: "asyncio.Future[Any]") -> None:
        del self._waiting[made]

    def _look(self) -> None:
        self._alarm = None
        if self._has_ended or not self._waiting:
            return
        if self._stalled_s() > STALLED_S:
            until_s = self._loop.time() - STALLED_S
            for waiting in list(self._waiting.values()):
                if waiting.since_s <= until_s:
                    waiting.tell()
        self._look_later()

    def _look_later(self) -> None:
        self._alarm = self._loop.call_later(min(LOOK_S, STALLED_S), self._look)


def _tell(told: "asyncio.Future[None]", *_: object) -> None:
    if not told.done():
        told.set_result(None)


def _forgotten(task: "asyncio.Future[Any]") -> None:
    """Its caller was told that nobody knows what becomes of it."""
    if not task.cancelled():
        task.exception()

"""Changes of a partition that are under way, and callers who wait for what becomes of them.

A caller waits no longer than the log may take: then it is told that nobody knows. The change goes
on all the same. A partition is given away when its changes have been made.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded

T = TypeVar("T")

STALLED_S = 5.0  # for which a group waits for the log; then callers are told
LOOK_S = 0.5


class Waiting(NamedTuple):
    """A caller. `done`: its change was made, or will be waited for no more."""

    done: "asyncio.Future[None]"
    since_s: float


class UnderWay:
    """Belongs to one loop. `stalled_s`: for how long a group has waited for the log.

    All callers share one look at the time: an alarm for each would cost as much as the rest.
    """

    def __init__(self, stalled_s: Callable[[], float]) -> None:
        self._stalled_s = stalled_s
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[asyncio.Task[Any], Waiting] = {}
        self._has_ended = False
        self._alarm: asyncio.TimerHandle | None = None

    async def answer(self, work: Coroutine[Any, Any, T]) -> T:
        """What the change answers.

        Raises: as the change; Overloaded if the log does not decide it, or if the partition was
        lost over it; it may still be stored.
        """
        if self._has_ended or self._stalled_s() > STALLED_S:
            work.close()
            raise Overloaded.of(Code.LOG_WAITS)
        task, done = self._loop.create_task(work), self._loop.create_future()
        self._waiting[task] = Waiting(done, self._loop.time())
        task.add_done_callback(self._made)
        if self._alarm is None:
            self._alarm = self._loop.call_later(min(LOOK_S, STALLED_S), self._look)
        await done
        if task.done():
            return task.result()
        raise Overloaded.of(Code.LOG_WAITS)

    async def all_made(self) -> None:
        """No change is under way."""
        while self._waiting:
            await asyncio.wait(list(self._waiting))

    def end(self) -> None:
        """Nobody will answer any more."""
        self._has_ended = True
        for waiting in self._waiting.values():
            _tell(waiting)

    def _made(self, task: "asyncio.Task[Any]") -> None:
        waiting = self._waiting.pop(task)
        if waiting.done.done() and not task.cancelled():
            task.exception()  # its caller was told that nobody knows what becomes of it
        _tell(waiting)

    def _look(self) -> None:
        self._alarm = None
        if not self._waiting:
            return
        if self._stalled_s() > STALLED_S:
            until_s = self._loop.time() - STALLED_S
            for waiting in self._waiting.values():
                if waiting.since_s <= until_s:
                    _tell(waiting)
        self._alarm = self._loop.call_later(min(LOOK_S, STALLED_S), self._look)


def _tell(waiting: Waiting) -> None:
    if not waiting.done.done():
        waiting.done.set_result(None)

"""The time limits of attempts: as `asyncio.timeout`, with one timer for all of them.

All attempts of a client have the same limit, so they expire in the order in which they began, and
only the oldest needs a timer. A timer for each would cost a tenth of what the loop does for a
delivery: nearly all of them are cancelled.
"""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """A block that ends with TimeoutError if it takes too long; `expire` ends it at once."""

    __slots__ = ("_cancelling", "_deadlines", "_has_expired", "_task", "at_s")

    def __init__(self, deadlines: "Deadlines", at_s: float) -> None:
        self.at_s = at_s
        self._deadlines = deadlines
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._has_expired = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None, "a time limit is that of a task"
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raises: TimeoutError in place of the cancellation that the time limit has asked for."""
        task, self._task = self._task, None
        self._deadlines.drop(self)
        if self._has_expired and task is not None:
            is_all = task.uncancel() <= self._cancelling
            if is_all and kind is not None and issubclass(kind, asyncio.CancelledError):
                raise TimeoutError from exc

    def expire(self) -> None:
        """The block ends as if its time were over; nothing if it has ended."""
        if self._task is not None and not self._has_expired:
            self._has_expired = True
            self._deadlines.drop(self)
            self._task.cancel()


class Deadlines:
    """Belongs to the loop. `within_s`: what each has."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[Deadline, None] = {}  # the oldest first
        self._alarm: asyncio.TimerHandle | None = None

    def begin(self) -> Deadline:
        """To be entered at once."""
        return Deadline(self, self._loop.time() + self._within_s)

    def add(self, deadline: Deadline) -> None:
        self._under_way[deadline] = None
        if self._alarm is None:
            self._alarm = self._loop.call_at(deadline.at_s, self._expire)

    def drop(self, deadline: Deadline) -> None:
        """The alarm stays: it finds who is the oldest then."""
        self._under_way.pop(deadline, None)

    def close(self) -> None:
        """For good, once nothing is under way any more, or is waited for."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _expire(self) -> None:
        self._alarm = None
        now_s = self._loop.time()
        while self._under_way:
            oldest = next(iter(self._under_way))
            if oldest.at_s > now_s:
                self._alarm = self._loop.call_at(oldest.at_s, self._expire)
                return
            oldest.expire()

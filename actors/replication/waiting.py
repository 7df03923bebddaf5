"""Work of the loop, waited for by another thread: by the Store's, while a group is agreed on.

As `asyncio.run_coroutine_threadsafe`, which chains two futures and lets the loop turn once more.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Wait(Generic[T]):
    """Made in the thread that waits, which then calls `result`. `done`: called on the loop when the
    work has come to its end without an error."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, T],
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self._loop = loop
        self._then = done
        self._done: Future[T] = Future()
        self._task: asyncio.Task[None] | None = None
        self._is_given_up = False
        loop.call_soon_threadsafe(self._start, work)

    def result(self) -> T:
        """Raises: what the work raises; CancelledError if it was given up."""
        return self._done.result()

    def give_up(self) -> None:
        """The work is ended, and its result not waited for."""
        self._is_given_up = True
        self._done.cancel()
        self._loop.call_soon_threadsafe(self._end)

    def _start(self, work: Coroutine[Any, Any, T]) -> None:
        if self._is_given_up:
            work.close()
        else:
            self._task = self._loop.create_task(self._do(work))

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _do(self, work: Coroutine[Any, Any, T]) -> None:
        with suppress(InvalidStateError):  # it was given up
            try:
                result = await work
                self._then()
                self._done.set_result(result)
            except asyncio.CancelledError:
                self._done.cancel()
                raise
            except Exception as exc:  # noqa: BLE001 - it is the waiting thread's
                self._done.set_exception(exc)

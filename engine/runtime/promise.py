"""The answer to an `ask`: threads `get()` it, coroutines `await` it.

Pykka's own future blocks the event loop when it is awaited, because its `__await__` calls `get()`.
This one suspends the coroutine; the answer resumes it, from any thread. A `get()` on the loop's
thread could only wait for ever, so it raises an error instead.

A promise made from another one (`map`, `join`, `ActorRef.stop(block=False)`) computes its value in
`get()`; awaiting such a promise runs that `get()` on a thread of the loop's executor.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import InvalidStateError
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias, TypeVar

import pykka

T = TypeVar("T")
ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class _Answer(NamedTuple):
    value: Any
    error: BaseException | None
    traceback: TracebackType | None


class Promise(pykka.Future[T]):
    """A value that is set once, as a result or as an exception."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._answer: _Answer | None = None
        self._derived = False
        self._wakers: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"<Promise {'kept' if self.is_done() else 'open'}>"

    def is_done(self) -> bool:
        """True if `get()` would not wait for an answer (a derived promise computes it there)."""
        return self._answer is not None or self._derived

    def get(self, *, timeout: float | None = None) -> T:
        """The value, waited for at most `timeout` seconds.

        Raises:
            pykka.Timeout: no answer came in time.
            RuntimeError: called on an event loop's thread before there is an answer.
        """
        if not self.is_done():
            _refuse_on_a_loop()
            kept = threading.Event()
            self._wake_with(kept.set)
            if not kept.wait(timeout):
                self._forget(kept.set)
                raise pykka.Timeout(f"{timeout} seconds")
        return self._value(timeout)

    def set(self, value: T | None = None) -> None:
        self._keep(_Answer(value, None, None))

    def set_exception(self, exc_info: ExcInfo | None = None) -> None:
        kind, error, traceback = exc_info or sys.exc_info()
        if error is None:
            assert kind is not None, "set_exception() outside of an except block needs exc_info"
            error = kind()
        self._keep(_Answer(None, error, traceback))

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        with self._lock:
            self._refuse_a_second_answer()
            super().set_get_hook(func)
            self._derived = True
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def __await__(self) -> Generator[Any, None, T]:
        loop = asyncio.get_running_loop()
        if not self.is_done():
            woken: asyncio.Future[None] = loop.create_future()

            def wake() -> None:
                # The loop may be closed by now; then the coroutine is gone too.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(_resolve, woken)

            self._wake_with(wake)
            try:
                yield from woken
            finally:
                self._forget(wake)
        if self._derived:
            return (yield from loop.run_in_executor(None, self.get))
        return self._value(None)

    __iter__ = __await__

    def _value(self, timeout: float | None) -> T:
        if self._answer is None:
            return super().get(timeout=timeout)
        if self._answer.error is not None:
            raise self._answer.error.with_traceback(self._answer.traceback)
        value: T = self._answer.value
        return value

    def _keep(self, answer: _Answer) -> None:
        with self._lock:
            self._refuse_a_second_answer()
            self._answer = answer
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def _refuse_a_second_answer(self) -> None:
        if self.is_done():
            raise InvalidStateError("the promise has an answer already: answer it once")

    def _wake_with(self, wake: Callable[[], object]) -> None:
        with self._lock:
            if not self.is_done():
                self._wakers.append(wake)
                return
        wake()

    def _forget(self, wake: Callable[[], object]) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._wakers.remove(wake)


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _refuse_on_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("get() would block the event loop for ever: await the promise instead")

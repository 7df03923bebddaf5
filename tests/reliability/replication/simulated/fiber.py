"""A thread of the simulated machine: it runs only while the loop waits for it.

So a Store can wait for the log in the midst of a transaction while other nodes work, and everything
happens in one order, which the seed decides. It can be killed wherever it waits, as a process can.
"""

import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hookbundle.tests.reliability.simulation.virtual_time import SimulatedLoop

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone. A BaseException, so that no code of the product can handle it."""


class Fiber:
    """`resume` and `kill` on the loop's thread; `pause` and `wait` in the fiber's own.

    `waits`: for the loop, which resumes it.
    """

    def __init__(self, loop: SimulatedLoop, work: Callable[[], None]) -> None:
        self._loop = loop
        self._work = work
        self._goes = threading.Semaphore(0)
        self._rests = threading.Semaphore(0)
        self._is_killed = False
        self.is_over = False
        self.waits = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self) -> None:
        """It has run until it rests again."""
        if not self.is_over:
            self._goes.release()
            self._rests.acquire()

    def kill(self) -> None:
        """It has ended where it was; an open transaction is rolled back."""
        self._is_killed = True
        self.resume()
        self._thread.join()

    def pause(self) -> None:
        self._rests.release()
        self._goes.acquire()
        if self._is_killed:
            raise Killed

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        task = self._loop.create_task(work)
        task.add_done_callback(lambda _: self.resume())
        self.waits = True
        try:
            while not task.done():
                self.pause()
        except Killed:
            task.cancel()
            raise
        finally:
            self.waits = False
        return task.result()

    def _run(self) -> None:
        self._goes.acquire()
        try:
            if not self._is_killed:
                self._work()
        except Killed:
            pass
        except BaseException as exc:  # noqa: BLE001 - the life looks at it
            self.error = exc
        finally:
            self.is_over = True
            self._rests.release()

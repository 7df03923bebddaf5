"""Counts who reads, so that the map of the data can be made larger while nobody does.

readers = Readers()
with readers: ...                      # waits as long as the map grows; any thread, also nested
readers.without(grow, wait_s)          # as soon as nobody reads; False if somebody has not ended
"""

import threading
from collections.abc import Callable


class Readers:
    """`gate`: is told when the last one has ended. Not a generator's block: a message has several,
    each of which would cost as much as what is read in it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.gate = threading.Condition(self._lock)
        self._reading = 0
        self._is_growing = False

    def __enter__(self) -> None:
        with self._lock:
            while self._is_growing:
                self.gate.wait()
            self._reading += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._reading -= 1
            if not self._reading:
                self.gate.notify_all()

    def wait_for_none(self) -> None:
        self.gate.wait_for(lambda: not self._reading)

    def without(self, grow: Callable[[], None], wait_s: float) -> bool:
        """Whether `grow` was called. While it waits for that, nobody else begins to read."""
        with self._lock:
            self._is_growing = True
            try:
                if not self.gate.wait_for(lambda: not self._reading, wait_s):
                    return False
                grow()
            finally:
                self._is_growing = False
                self.gate.notify_all()
        return True

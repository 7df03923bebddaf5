"""What waits behind a piece of work that is not finished: all that came for the same key after it.

A piece whose work is too long for one turn is done in several. What is left of it takes its next
turn like any other piece, with those of others in between; what came for its key meanwhile stays
behind it, in the order in which it came.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")


class Behind(Generic[Key, T]):
    """Belongs to one thread. `again` queues a piece for its next turn, behind all others.

    `keys`: those of which a piece is not finished. Of such a key only one piece is in the queue.
    """

    def __init__(self, again: Callable[[T], None]) -> None:
        self.keys: set[Key] = set()
        self._lines: dict[Key, deque[T]] = {}  # the first of each has its next turn to come
        self._again = again

    def must_wait(self, key: Key, piece: T) -> bool:
        """Whether the piece, whose turn it is, has to wait: another of its key is not finished."""
        if key not in self.keys:
            return False
        line = self._lines.get(key)
        return line is None or line[0] is not piece

    def took_turn(self, key: Key, piece: T, rest: T | None) -> None:
        """The piece had its turn. `rest`: what is left of it; all of it, if it had to wait."""
        line = self._lines.get(key)
        if line is None:
            if rest is None:
                self.keys.discard(key)
            else:
                self.keys.add(key)
                self._lines[key] = deque((rest,))
                self._again(rest)
        elif line[0] is not piece:
            if rest is not None:
                line.append(rest)
        elif rest is not None:
            line[0] = rest
            self._again(rest)
        else:
            self._next(key, line)

    def leave(self) -> list[T]:
        """All that waits and is not in the queue; it waits no longer."""
        waiting = [piece for line in self._lines.values() for piece in list(line)[1:]]
        self._lines.clear()
        self.keys.clear()
        return waiting

    def _next(self, key: Key, line: deque[T]) -> None:
        line.popleft()
        if line:
            self._again(line[0])
        else:
            del self._lines[key]
            self.keys.discard(key)

"""The clock of the demo, whose time can be moved forward."""

from hookbundle.engine.clock import SystemClock


class MovableClock(SystemClock):
    """A clock whose time can be moved forward, so that a demo or a test need not wait for hours."""

    def __init__(self) -> None:
        self._moved_ms = 0
        super().__init__()

    def move(self, by_ms: int) -> None:
        """It is `by_ms` later, for the engine and on the wall."""
        self._moved_ms += by_ms

    def now_ms(self) -> int:
        return super().now_ms() + self._moved_ms

    def is_synchronised(self) -> bool:
        return False

    def wall_ms(self) -> int:
        return super().wall_ms() + self._moved_ms

    def elapsed_ms(self) -> int:
        return super().elapsed_ms() + self._moved_ms

"""`hookbundle` on a machine whose wall clock is a minute ahead."""

from hookbundle import cli
from hookbundle.engine.clock import SystemClock

AHEAD_MS = 60_000
WALL_MS = SystemClock.wall_ms


def main() -> None:
    SystemClock.wall_ms = lambda self: WALL_MS(self) + AHEAD_MS  # type: ignore[method-assign]
    cli.main()


if __name__ == "__main__":
    main()

"""The last compaction, or check, as every node knows it: by what its beat says, and the others'.

Each node says on what it has heard, so who starts later knows of it too, and so do all when the
node that went through the partitions has ended. That it has ended before it was through is seen by
its life, which is not among the live ones. A wrong beat makes nodes show what is not so, and no
more.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Generic, TypeVar

from hookbundle.engine.replication.beats import Beat, Work

AHEAD_MS_MAX = timedelta(days=1) // timedelta(milliseconds=1)

Kind = TypeVar("Kind", bound=Work)


class Known(Generic[Kind]):
    """`latest`: None as long as there was none. Belongs to the loop."""

    def __init__(self, life: str, said_by: Callable[[Beat], Kind | None]) -> None:
        """`life`: of this node, which knows best what it does itself. `said_by`: which of its works
        a beat is asked for."""
        self._life = life
        self._said_by = said_by
        self.latest: Kind | None = None

    def take(self, said: Kind) -> None:
        if self.latest is None or said.place >= self.latest.place:
            self.latest = said

    def hear(self, live: Mapping[str, Beat], wall_ms: int) -> None:
        """What beats say; of one work the node that does it has the last word."""
        found = ((beat.life, self._said_by(beat)) for beat in live.values())
        said = [(life, each) for life, each in found if each is not None]
        for life, each in sorted(said, key=lambda pair: pair[0] == pair[1].life):
            # A time of which nothing can come later is a beat's fault, and would be kept for ever.
            if self._life not in (life, each.life) and each.began_ms < wall_ms + AHEAD_MS_MAX:
                self.take(each)

    def next_ms(self, wall_ms: int) -> int:
        """When the next one begins: later than all before."""
        return max(wall_ms, self.latest.began_ms + 1 if self.latest else 0)

    def is_under_way(self, live: Mapping[str, Beat]) -> bool:
        latest = self.latest
        return bool(latest and latest.doing) and not self.has_stopped(live)

    def has_stopped(self, live: Mapping[str, Beat]) -> bool:
        """Whether the node that did it has ended before it was through."""
        latest = self.latest
        if latest is None or not latest.doing:
            return False
        beat = live.get(latest.node)
        return beat is None or beat.life != latest.life

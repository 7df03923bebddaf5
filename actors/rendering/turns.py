"""The bodies that wait to be rendered, in turns.

There are two lanes. In the first are those whose last body was rendered, and light; in the second
all others: new ones, heavy ones, and those whose last body could not be rendered. While both have
work they take turns, so what is well waits for one body of the others at most, however many these
are. In each lane workspaces have the same part of the processor's time.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hookbundle.engine.fairness.fair_order import FairOrder

LIGHT_US = 50_000  # of the processor's time: a bundle of a hundred messages takes 1 ms
LIGHT_REMEMBERED_MAX = 100_000
LEAST_WEIGHT = 1_000  # of a body, before it is known what it takes

Owner = TypeVar("Owner", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True)
class RenderingTurns(Generic[Owner, T]):
    """`owner`: a webhook; its workspace is that of its turn. Weights are microseconds."""

    _well: FairOrder[int, tuple[int, T]] = field(default_factory=lambda: FairOrder(LEAST_WEIGHT))
    _others: FairOrder[int, tuple[int, T]] = field(default_factory=lambda: FairOrder(LEAST_WEIGHT))
    _light: dict[Owner, None] = field(default_factory=dict)  # the one of longest ago first
    _was_well: bool = False

    def __len__(self) -> int:
        return len(self._well) + len(self._others)

    def add(self, workspace: int, owner: Owner, work: T) -> None:
        lane = self._well if owner in self._light else self._others
        lane.add(workspace, LEAST_WEIGHT, (workspace, work))

    def take(self) -> T:
        """The next one, of which there must be one."""
        self._was_well = bool(self._well) and not (self._was_well and self._others)
        taken = (self._well if self._was_well else self._others).take()
        assert taken is not None  # there is no bound to its weight
        return taken[1][1]

    def took(self, workspace: int, owner: Owner, processor_us: int, *, well: bool) -> None:
        """What the body took that was the last one taken."""
        lane = self._well if owner in self._light else self._others
        lane.charge(workspace, processor_us)
        self._light.pop(owner, None)
        if well and processor_us <= LIGHT_US:
            self._light[owner] = None
            if len(self._light) > LIGHT_REMEMBERED_MAX:
                del self._light[next(iter(self._light))]

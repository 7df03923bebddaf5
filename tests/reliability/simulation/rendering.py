"""The renderer of the simulated daemon: the real one, whose children are no processes of their own.

So what it has in memory, in which turns it renders and in whose child is the product's; what a
process adds is in tests/actors/rendering. A body takes a while, in which anything may happen to its
webhook; a large one takes more than a try.
"""

import asyncio
from typing import cast

from hookbundle.actors.rendering.child import Bounds, Child
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.actors.rendering.line import Line
from hookbundle.actors.rendering.paces import Pace
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.engine.clock import Clock
from hookbundle.engine.formats.jobs import Job
from hookbundle.engine.formats.rendering import rendered

RENDERS_S = 0.4  # longer than an action is waited for
LARGE_BYTES = 1_500
SMALL_S, LARGE_S = 0.001, 0.1  # of the processor's time


class SimulatedRenderer(Renderer):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        lines = {
            pace: _Line(clock, line.bounds, line._settle) for pace, line in self._lines.items()
        }
        self._lines = {**lines}
        self.quick, self.trial, self.slow = (
            lines[pace] for pace in (Pace.LIGHT, Pace.UNKNOWN, Pace.SLOW)
        )

    @property
    def busy(self) -> bool:
        """Whether a body is being rendered."""
        return any(line.busy for line in self._lines.values())


class _Line(Line):
    async def _started(self) -> Child:
        return cast(Child, _Child(self.bounds))


class _Child:
    def __init__(self, bounds: Bounds) -> None:
        self.is_asked = False
        self._bounds = bounds

    async def ask(self, job: Job) -> Answer | Ended:
        processor_s = LARGE_S if len(job.body) >= LARGE_BYTES else SMALL_S
        self.is_asked = True
        await asyncio.sleep(RENDERS_S)
        self.is_asked = False
        if processor_s > self._bounds.processor_s:
            return Ended.TIME
        return Answer(rendered(job), round(processor_s * 1_000_000))

    async def end(self) -> None:
        """There is no process."""

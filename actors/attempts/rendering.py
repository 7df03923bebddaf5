"""Bodies of formats, for the webhooks: who has them made, and how many may be on their way.

Between the moment in which the Store says what is to be rendered and that in which it has what came
of it, a body is in memory, and its webhook holds no slot for an attempt: it waits for the renderer,
then for a slot. So a slow template takes no slot from anybody. What it takes is memory, of which
no workspace can take all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from hookbundle.actors.rendering.paces import PaceCount
from hookbundle.actors.rendering.resting import Resting
from hookbundle.engine.error_codes import Term
from hookbundle.engine.errors import Fault, Overloaded, TooManyRequests
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.formats.jobs import Job, Outcome, Reading, Rendered
from hookbundle.storage.transitions.attempting import Render
from hookbundle.storage.transitions.rendering.storing import Made, Rests

ROOM_BYTES = 64 * 1024 * 1024
ROOM_AGAIN_S = 1.0

T = TypeVar("T")
Setting = tuple[bytes, bytes]  # a format and its variables


class Renders(Protocol):
    """The renderer of the process; actors/rendering/ has the one that renders in a child."""

    async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
        """Raises: Overloaded once it is closed."""

    async def preview(self, job: Job, workspace: int) -> Outcome | Resting:
        """Raises: TooManyRequests if the workspace has several under way; Overloaded."""

    async def read(self, reading: Reading, workspace: int) -> tuple[Fault, ...]:
        """What is wrong with a template. Raises: Overloaded."""

    def begin_anew(self, workspace: int, webhook: int) -> None: ...

    def counts(self) -> Sequence[PaceCount]:
        """What its processes did since the start."""

    async def close(self) -> None: ...


class NoRoomError(Exception):
    """Too many bodies are on their way; it is nobody's error, and the webhook asks again."""


def bodies_room(total: int = ROOM_BYTES) -> FairLimit[int]:
    """How many bytes of bodies may be on their way, shared by workspaces."""
    return FairLimit("bodies_to_render", Term.BODIES_TO_RENDER, total)


@dataclass(slots=True)
class Sum:
    """The bytes of all bodies that were rendered for deliveries."""

    bytes: int = 0


@dataclass(slots=True)
class Rendering:
    """Belongs to one loop. `product_name`: as it is now. `first`: what is added to the numbers of
    workspaces and webhooks, where partitions share the renderer. `_resting`: the formats with which
    webhooks rest, so that a webhook with another one begins anew."""

    renderer: Renders
    product_name: Callable[[], str]
    room: FairLimit[int] = field(default_factory=bodies_room)
    first: int = 0
    _sum: Sum = field(default_factory=Sum)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _resting: dict[int, Setting] = field(default_factory=dict)

    def apart(self, first: int) -> "Rendering":
        """The same renderer and room for a partition, which stops while others go on."""
        return Rendering(self.renderer, self.product_name, self.room, first, self._sum)

    @property
    def made_bytes(self) -> int:
        """Of all bodies that were rendered for deliveries, of all partitions."""
        return self._sum.bytes

    async def of(self, render: Render, store: Callable[[Made], Awaitable[T]]) -> T | None:
        """What `store` makes of the outcome. None if the daemon has begun to stop.

        Raises: NoRoomError, a while later, so that it may be asked again at once.
        """
        held = 0
        try:
            held += self._take(render, len(render.job.body) + 1)
            try:
                made = await self._made(render)
                # What it has become waits for a slot, and may be much larger.
                if isinstance(made, Rendered) and len(made.body) > held:
                    held += self._take(render, len(made.body) - held)
                return None if made is None else await store(made)
            finally:
                self.room.give_back(self.first + render.workspace, held)
        except NoRoomError:
            await asyncio.sleep(ROOM_AGAIN_S)
            raise

    async def preview(self, job: Job, workspace: int) -> Outcome | Resting:
        """A body that is looked at, or sent as a test. Raises: TooManyRequests; Overloaded."""
        job = msgspec.structs.replace(job, product_name=self.product_name())
        return await self.renderer.preview(job, self.first + workspace)

    async def read(self, reading: Reading, workspace: int) -> tuple[Fault, ...]:
        """What is wrong with a template, which a webhook of the workspace may get; `workspace`: 0
        if it is not there yet. Raises: Overloaded."""
        return await self.renderer.read(reading, self.first + workspace)

    def _take(self, render: Render, size: int) -> int:
        """Raises: NoRoomError."""
        try:
            self.room.take(self.first + render.workspace, size)
        except (TooManyRequests, Overloaded):
            raise NoRoomError from None
        return size

    def stop(self) -> None:
        """Nobody waits for the renderer any longer: what it would make is not sent any more."""
        self._stopping.set()

    async def _made(self, render: Render) -> Made | None:
        job = msgspec.structs.replace(render.job, product_name=self.product_name())
        setting = job.format, job.options
        workspace, webhook = self.first + render.workspace, self.first + render.webhook
        if self._resting.pop(render.webhook, setting) != setting:
            self.renderer.begin_anew(workspace, webhook)
        rendered = asyncio.ensure_future(self.renderer.render(job, workspace, webhook))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({rendered, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not rendered.done():
                return None
            made = rendered.result()
        except Overloaded:  # it is closed: the daemon stops
            return None
        finally:
            rendered.cancel()
            stopping.cancel()
        if isinstance(made, Rendered):
            self._sum.bytes += len(made.body)
        if not isinstance(made, Resting):
            return made
        if made.cause == "limits":
            self._resting[render.webhook] = setting
        return Rests(made.until_ms, made.cause)

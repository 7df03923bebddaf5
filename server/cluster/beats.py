"""Beats: each node says twice a second that it lives, and what it holds; who hears it remembers.

A node lives while its last beat is younger than `dead_after`, by the clock of the one who listens.
It hears its own beats too: who does not can't tell whether others live, and hears nothing of what
was taken from it. A node that hears its own name with another life has a double, and ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog

from hookbundle.engine.errors import Unusable
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.neighbours import Held, Neighbour

EVERY_S = 0.5
UNHEARD_S = 1.6  # three beats of its own that did not come back
NODES_MAX = 256

log = structlog.get_logger(__name__)


class Beat(msgspec.Struct, frozen=True, array_like=True):
    """`held`: by partition its role, epoch, generation, and number in the log."""

    name: str
    life: str
    version: str
    wall_ms: int
    free_bytes: int
    held: dict[int, tuple[str, int, str, int]]
    leaves: bool = False


class Beats:
    """What is heard. Belongs to the loop; `now_s`: a clock that only goes on."""

    def __init__(
        self, name: str, life: str, dead_after_s: float, now_s: Callable[[], float]
    ) -> None:
        self._name = name
        self._life = life
        self._dead_after_s = dead_after_s
        self._now_s = now_s
        self._heard: dict[str, tuple[float, Neighbour]] = {}
        self._own_s = -UNHEARD_S
        self._own_since_s = now_s()
        self.ignored = 0
        self.double: Unusable | None = None

    def hear(self, body: bytes) -> None:
        """A beat has come, of whomever; garbage is counted, and ignored."""
        try:
            beat = msgspec.msgpack.decode(body, type=Beat)
            held = {number: _held(*each) for number, each in beat.held.items()}
        except (msgspec.DecodeError, ValueError, UnicodeDecodeError):
            self.ignored += 1
            return
        now_s = self._now_s()
        if beat.name == self._name:
            self._hear_own(beat, now_s)
            return
        if beat.name not in self._heard and len(self._heard) >= NODES_MAX:
            self.ignored += 1
            return
        neighbour = Neighbour(
            beat.name, beat.life, beat.version, beat.wall_ms, beat.free_bytes, held, beat.leaves
        )
        self._heard[beat.name] = now_s, neighbour

    def _hear_own(self, beat: Beat, now_s: float) -> None:
        if beat.life != self._life:
            if self.double is None and self.heard_s() > 0:
                self.double = Unusable(
                    f"another node of the cluster is called {self._name}, too: give one of them "
                    "another name (cluster.node)"
                )
            return
        if now_s - self._own_s > UNHEARD_S:
            self._own_since_s = now_s
        self._own_s = now_s

    def unheard_s(self) -> float:
        """For how long this node has not heard itself."""
        return self._now_s() - self._own_s

    def heard_s(self) -> float:
        """For how long it has without a break; 0: it does not."""
        if self.unheard_s() > UNHEARD_S:
            return 0.0
        return self._now_s() - self._own_since_s

    def live(self) -> Mapping[str, Neighbour]:
        """The other nodes that live."""
        since_s = self._now_s() - self._dead_after_s
        return {name: each for name, (at_s, each) in self._heard.items() if at_s > since_s}

    def life_of(self, node: str) -> str | None:
        """None if it does not live."""
        found = self.live().get(node)
        return None if found is None else found.life


def beat_of(node: Neighbour) -> bytes:
    held = {
        number: (each.role.value, each.epoch, each.generation, each.seq)
        for number, each in node.held.items()
    }
    return msgspec.msgpack.encode(
        Beat(
            node.name,
            node.life,
            node.version,
            node.wall_ms,
            node.free_bytes,
            held,
            node.leaves,
        )
    )


def _held(role: str, epoch: int, generation: str, seq: int) -> Held:
    """Raises: ValueError for a role that nobody has."""
    return Held(Role(role), epoch, generation, seq)


async def beating(beat: Callable[[], bytes], send: Callable[[bytes], Awaitable[None]]) -> None:
    """Beats until it is cancelled."""
    while True:
        try:
            await send(beat())
        except Exception as exc:
            log.error("no beat", exc_info=exc)
        await asyncio.sleep(EVERY_S)

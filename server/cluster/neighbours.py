"""The other nodes of the cluster, and the logs of its partitions, as a node needs them.

What is here is a protocol: nodes over NATS keep it (actors/replication/), and so do those that a
test puts into one process.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hookbundle.actors.replication.log import RawLog
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.asked import Answered, Asked

Answer = Callable[[Asked], Awaitable[Answered]]


@dataclass(frozen=True, slots=True)
class Held:
    """What a node is for a partition: of its log as far as it has read it."""

    role: Role
    epoch: int = 0
    generation: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A live node, by its last beat. `held`: by partition; what it does not hold is not in it.

    `leaves`: it gives away all that it owns.
    """

    name: str
    life: str
    version: str = ""
    wall_ms: int = 0
    free_bytes: int = 0
    held: Mapping[int, Held] = field(default_factory=dict)
    leaves: bool = False


class Neighbours(Protocol):
    """`open()`, then `close()`."""

    partitions: int
    """Of the cluster; known once it is open."""

    async def open(self, answer: Answer, held: Callable[[], Mapping[int, Held]]) -> None:
        """This node is heard from now on: what it holds, and its answers.

        Raises: ConfigError if there is no such cluster; Unusable if another has its name.
        """

    async def close(self) -> None: ...

    def log_of(self, partition: int) -> RawLog: ...

    def news_of(self, partition: int, heard: Callable[[], None]) -> None:
        """`heard` is called when something may have come into the log. A hint, no more."""

    async def leave(self) -> None:
        """The others hear, now and from now on, that this node gives away what it owns."""

    def live(self) -> Mapping[str, Neighbour]:
        """The live nodes by their names, this one among them."""

    def heard_s(self) -> float:
        """For how long this node has heard its own beats without a break, in seconds; 0: not now.

        Who does not hear itself can't tell whether others live."""

    def unheard_s(self) -> float:
        """For how long it has not."""

    def has_failed(self) -> Exception | None:
        """Why the node has to end: another one has its name."""

    async def ask(self, node: str, asked: Asked) -> Answered:
        """Raises: NotAsked; AnswerLost."""

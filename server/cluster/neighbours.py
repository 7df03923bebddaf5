"""The other nodes of the cluster, and the logs of its partitions, as a node needs them.

What is here is a protocol: nodes over NATS keep it (actors/replication/), and so do those that a
test puts into one process.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from hookbundle.actors.replication.log import RawLog
from hookbundle.engine.replication.beats import Beat, Held, Works
from hookbundle.engine.replication.cluster import Upgrade
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.console.sessions import SessionRecords
from hookbundle.server.cluster.versions import Registered

LIFE_BYTES = 8

Answer = Callable[[Asked], Awaitable[Answered]]


def new_life() -> str:
    """A name for a start of a node's process, which no other has."""
    return secrets.token_hex(LIFE_BYTES)


class Neighbours(Protocol):
    """`open()`, then `close()`."""

    partitions: int
    """Of the cluster; known once it is open."""
    cluster_id: str
    """Of the cluster's record; known once it is open."""
    settings: Callable[[], str]
    """The digest of the settings that shape data, for this node's beats; set before it is open."""
    sessions: SessionRecords
    """Of the console, the same for all nodes; known once it is open."""
    schema: int
    """Which owners write, as the cluster's record says; known once it is open."""
    revision: int
    """Of that record, as this node has read it; its beats say it."""
    away: tuple[str, ...]
    """The log servers that the others do not hear, or that do not have all that they have."""
    replicas: int
    """On how many log servers each entry is stored; known once it is open."""

    async def open(
        self,
        answer: Answer,
        held: Callable[[], Mapping[int, Held]],
        given: Callable[[], Mapping[int, int]],
        works: Callable[[], Works],
    ) -> None:
        """The cluster is known, and others can ask this node. Its beats say what it has `held`,
        what it was `given` by command, and of which `works` it knows.

        Raises: ClusterUnusable if there is no such cluster, or the node can't be in it.
        """

    async def begin(self) -> None:
        """This node is heard from now on: that it lives, and what it holds.

        Raises: ClusterUnusable if another one has its name.
        """

    async def close(self) -> None: ...

    def log_of(self, partition: int) -> RawLog: ...

    def news_of(self, partition: int, heard: Callable[[], None]) -> None:
        """`heard` is called when something may have come into the log. A hint, no more."""

    async def leave(self, *, leaves: bool = True) -> None:
        """The others hear, now and from now on, that this node gives away what it owns."""

    def live(self) -> Mapping[str, Beat]:
        """The live nodes by their names, this one among them."""

    def others(self) -> Mapping[str, Beat]:
        """The live nodes without this one, whose own beat would have to be made."""

    def heard_s(self) -> float:
        """For how long this node has heard its own beats without a break, in seconds; 0: not now.

        Who does not hear itself can't tell whether others live."""

    def unheard_s(self) -> float:
        """For how long it has not."""

    def has_failed(self) -> Exception | None:
        """Why the node has to end: another one has its name."""

    def record_is_lost(self) -> bool:
        """Whether the log servers have no record of the cluster, as far as was seen."""

    async def make_record(self, replicas: int | None) -> bool:
        """The log servers have the cluster's record; False if they had. Its logs are stored on so
        many of them from now on; None: on as many as before, as far as they have a record.

        Raises: ClusterUnusable if they can't; Overloaded if nobody can say."""

    async def forget(self, node: str) -> bool:
        """The node is not known to the cluster any more; False if it was not known.

        Raises: Overloaded if nobody can say."""

    async def registered(self) -> Registered:
        """The cluster's record is read once more, and those of its nodes.

        Raises: Overloaded if nobody can say; ClusterUnusable if there is none, OtherVersion if this
            node can't be in it any more.
        """

    async def upgrade(self) -> Upgrade | None:
        """The cluster writes all that its nodes know, unless some are `behind`; None: it does so
        already. Raises: Overloaded if nobody can say; ClusterUnusable."""

    async def ask(self, node: str, asked: Asked) -> Answered:
        """Raises: NotAsked; AnswerLost."""

"""A node's beats: those of all are heard, and its own are sent twice a second.

Before it sends the first one it listens for two beats' time. If another node has its name, it ends
without having disturbed that one.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from hookbundle.actors.replication.nats.client import Message, NoAnswer, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.beats import EVERY_S, Beat, pack
from hookbundle.engine.replication.members import Members
from hookbundle.engine.replication.names import Names

LISTEN_S = 2 * EVERY_S + 0.1

log = structlog.get_logger(__name__)


class Beating:
    """`open()`, then `close()`. `say` is asked for each beat; `members` is told what is heard."""

    def __init__(
        self,
        connection: Connection,
        names: Names,
        node: str,
        members: Members,
        say: Callable[[], Beat],
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._names = names
        self._node = node
        self._members = members
        self._say = say
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """The others hear this node from now on.

        Raises: ClusterUnusable if one of them has its name; Unreachable.
        """
        await self._connection.subscribe(self._names.beat("*"), self._heard)
        await asyncio.sleep(LISTEN_S)
        fault = self.fault()
        if fault is not None:
            raise fault
        self._task = asyncio.create_task(self._beat(), name="beats")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def now(self) -> None:
        """What has changed is said at once, and not with the next beat."""
        with suppress(Unreachable, NoAnswer):
            await self._connection.publish(self._names.beat(self._node), pack(self._say()))

    def fault(self) -> ClusterUnusable | None:
        """Why the node has to end: another one has its name, and lives."""
        if not self._members.state.double:
            return None
        return ClusterUnusable(
            f"another node of the cluster is called {self._node}, too: give one of them another "
            "name (cluster.node)"
        )

    def _heard(self, message: Message) -> None:
        now_s = asyncio.get_running_loop().time()
        self._members.hear(message.body, now_s, self._clock.wall_ms())

    async def _beat(self) -> None:
        while True:
            try:
                await self.now()
            except Exception as exc:  # without beats it loses all that it owns
                log.error("no beat", exc_info=exc)
            self._members.forget_dead(asyncio.get_running_loop().time())
            await asyncio.sleep(EVERY_S)

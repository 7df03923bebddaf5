"""A node leaves a log server that can't do what another one can.

A server that runs and is cut off from the others lets nodes in, and says that it can store and find
nothing. Its nodes would wait there for as long as that lasts, and would not hear the other nodes.
But if no server can, all stay where they are: they answer reads for as long as they hear one.
"""

import asyncio
from dataclasses import replace

import structlog

from hookbundle.actors.replication.nats import membership
from hookbundle.actors.replication.nats.client import NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.records import Records
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.names import Names

LOOK_EVERY_S = 10.0
WITHIN_S = 3.0

log = structlog.get_logger(__name__)


class Elsewhere:
    """`connection`: of the node, to one of `servers`."""

    def __init__(self, connection: Connection, servers: Servers, names: Names) -> None:
        self._connection = connection
        self._servers = servers
        self._names = names
        self._next_s = float("-inf")

    async def look(self) -> None:
        """The server did not say what the cluster's record is: the others are asked, once in a
        while, and if one of them knows it this server is left."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_s or not self._connection.is_up:
            return
        self._next_s = now_s + LOOK_EVERY_S
        try:
            await self._leave_if_others_know()
        except Exception as exc:  # what calls this has to go on
            log.error("no other log server was looked at", exc_info=exc)

    async def _leave_if_others_know(self) -> None:
        here = self._connection.tried
        for url in self._servers.urls:
            if not url.endswith(f"/{here}") and await self._knows(url):
                log.warning("a log server can't do what another one can", server=here, other=url)
                await self._connection.leave()
                return

    async def _knows(self, url: str) -> bool:
        connection = Connection(replace(self._servers, urls=(url,)), "look", says=False)
        try:
            await connection.open(WITHIN_S)
            return await membership.cluster(Records(connection, self._names)) is not None
        except (Unreachable, NoAnswer, ClusterUnusable, OSError):
            return False
        finally:
            await connection.close()

"""Logs over real servers: one whose entries a test stores itself, and one for each part of a test.

`begun`: a partition of a new cluster, whose first generation is GENERATION.
"""

import asyncio
from typing import Self

from hookbundle.actors.replication.nats import api
from hookbundle.actors.replication.nats.client import NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import Records
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.names import Names
from hookbundle.tests.actors.replication.logs import ENTRY_BYTES_MAX, GENERATION
from hookbundle.tests.log_servers.cluster import LogServers

WITHIN_S = 30.0


async def connection_to(servers: LogServers, *urls: str) -> Connection:
    """To all servers, or by the URLs; close it."""
    connection = Connection(Servers(urls=urls or servers.urls), "tests")
    await connection.open(WITHIN_S)
    return connection


async def begun(servers: LogServers, connection: Connection, cluster: str) -> NatsLog:
    """Partition 0 of the cluster, with its first generation, empty."""
    names = Names(cluster)
    async with asyncio.timeout(WITHIN_S):
        while not await _has_made(Records(connection, names), servers.replicas):
            pass
    log = NatsLog(connection, names, 0, servers.replicas)
    await log.make(GENERATION)
    return log


async def _has_made(records: Records, replicas: int) -> bool:
    """False while servers that a test before has killed have no leader yet."""
    try:
        await records.make(replicas)
    except (NoAnswer, Unreachable, ClusterUnusable):  # "temporarily unavailable"
        return False
    return True


class StoredInNats(NatsLog):
    """Entries of GENERATION, of ENTRY_BYTES_MAX at most."""

    @classmethod
    async def made(cls, connection: Connection, cluster: str) -> Self:
        log = cls(connection, Names(cluster), 0, 1)
        log.entry_bytes_max = ENTRY_BYTES_MAX
        await log.make(GENERATION)
        return log

    async def store(self, headers: dict[str, str], body: bytes) -> int:
        subject = self._names.subject(0, GENERATION)
        return api.read((await self._connection.ask(subject, body, headers)).body).seq

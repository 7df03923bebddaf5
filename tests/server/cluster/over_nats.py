"""A cluster on real log servers, with nodes in this process."""

from pathlib import Path

from hookbundle.actors.replication.generations import begin
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import Records
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.names import Names
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import SCHEMA

FIRST = Generation(1, 0)


async def init(servers: Servers, name: str, partitions: int, replicas: int, folder: Path) -> None:
    connection = Connection(servers, "init")
    await connection.open(10.0)
    names = Names(name)
    await Records(connection, names).make(replicas)
    for number in range(partitions):
        log = NatsLog(connection, names, number, replicas)
        env = open_environment(folder / "first" / str(number), 1)
        try:
            await begin(log, env, FIRST, Life("init", SCHEMA, lambda: 1), Chain(seq=0, epoch=0))
            await log.begin_with(FIRST)
        finally:
            env.close()
    await connection.close()

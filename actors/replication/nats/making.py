"""How a cluster is made: the servers are looked at, then its logs, and at last its record.

Until the record is there, there is no cluster. What one that was cut short has left is deleted by
the next one.
"""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hookbundle.actors.replication.generations import begin
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats import api, membership
from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import NEW, Records, pack
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.cluster import CLUSTER_KEY, ClusterRecord
from hookbundle.engine.replication.entries import Generation, Kind
from hookbundle.engine.replication.log_servers import REPLICAS, faults_of
from hookbundle.engine.replication.names import Names, is_of
from hookbundle.storage.database.opening import open_environment

CONNECT_WITHIN_S = 5.0
AT_ONCE = 8
FIRST = Generation(1, 0)
OF_NODES = (Kind.CLAIM, Kind.GROUP, Kind.RELEASE, Kind.END)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`insecure`: servers without TLS or passwords will do, and fewer than three. `first`: with
    which the logs begin; none that copies of an earlier cluster of the name may have followed."""

    names: Names
    record: ClusterRecord
    life: Life
    replicas: int = REPLICAS
    insecure: bool = False
    first: Generation = FIRST


async def make_cluster(
    servers: Servers, wanted: Wanted, folder: Path, done: Callable[[int], None]
) -> None:
    """The cluster is there, and has a database for each partition.

    `folder`: they lie there by their numbers until they are in the logs; those that do not are
    made, empty. `done` is told how many are in the logs.

    Raises: ClusterUnusable, with what is wrong; Unreachable; NoAnswer; StorageError.
    """
    await may_be_made(servers, wanted.names, insecure=wanted.insecure)
    connection = Connection(servers, "cluster init")
    await connection.open(CONNECT_WITHIN_S)
    try:
        await _make(connection, wanted, folder, done)
    finally:
        await connection.close()


async def may_be_made(servers: Servers, names: Names, *, insecure: bool = False) -> None:
    """The servers can have a cluster, and have none of that name.

    Raises: ClusterUnusable, with what is wrong; Unreachable; NoAnswer.
    """
    for url in servers.urls:
        await _look_at(replace(servers, urls=(url,)), insecure=insecure)
    connection = Connection(servers, "cluster init")
    await connection.open(CONNECT_WITHIN_S)
    try:
        name = names.cluster
        found = await membership.cluster(Records(connection, names))
        if found is not None:
            raise ClusterUnusable(
                f"there is a cluster {name} already, with {found.partitions} partitions: a node "
                "joins it by its settings and a copy of its key, without `hookbundle cluster "
                "init`. For another cluster choose a --name"
            )
        if await _was_used(connection, name):
            raise ClusterUnusable(
                f"there are logs of a cluster {name}, though its record is lost: start a node of "
                "it, and `hookbundle cluster recover` makes the record anew; or choose a --name"
            )
    finally:
        await connection.close()


async def _was_used(connection: Connection, name: str) -> bool:
    """Whether a node has written to logs of that name: an `init` that was cut short leaves bases
    alone. Raises: Unreachable; NoAnswer."""
    for stream in await api.streams(connection, f"hb.{name}.log.>"):
        if not is_of(name, stream):
            continue
        if not stream.endswith(f"_{FIRST}"):
            return True
        answer = await api.call(connection, f"STREAM.INFO.{stream}")
        wanted = {"seq": answer.state.last_seq}
        last = await api.call(connection, f"STREAM.MSG.GET.{stream}", wanted)
        written = b64decode(last.message.hdrs) if last.message else b""
        if any(f"Hb-Kind: {kind}\r".encode() in written for kind in OF_NODES):
            return True
    return False


async def _look_at(server: Servers, *, insecure: bool) -> None:
    connection = Connection(server, "cluster init")
    await connection.open(CONNECT_WITHIN_S)
    try:
        faults = faults_of(connection.server, insecure=insecure)
    finally:
        await connection.close()
    if faults:
        raise ClusterUnusable(f"{server.urls[0].rpartition('@')[2]}: {'; '.join(faults)}")


async def _make(
    connection: Connection, wanted: Wanted, folder: Path, done: Callable[[int], None]
) -> None:
    records = Records(connection, wanted.names)
    await _delete_leftovers(connection, records, wanted.names.cluster)
    await records.make(wanted.replicas)
    places, count = asyncio.Semaphore(AT_ONCE), 0

    async def begin_one(partition: int) -> None:
        nonlocal count
        async with places:
            await _begin(connection, wanted, partition, folder / f"{partition:03}")
            count += 1
            done(count)

    try:
        async with asyncio.TaskGroup() as tasks:
            for partition in range(wanted.record.partitions):
                tasks.create_task(begin_one(partition))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    if not await records.put(CLUSTER_KEY, pack(wanted.record), NEW):
        raise ClusterUnusable(f"somebody else has made {wanted.names.cluster} at the same time")


async def _delete_leftovers(connection: Connection, records: Records, cluster: str) -> None:
    for stream in await api.streams(connection, f"hb.{cluster}.log.>"):
        if is_of(cluster, stream):
            await api.call(connection, f"STREAM.DELETE.{stream}")
    await records.delete()


async def _begin(connection: Connection, wanted: Wanted, partition: int, folder: Path) -> None:
    """The partition's log holds the database in the folder, an empty one if there was none."""
    raw, first = NatsLog(connection, wanted.names, partition, wanted.replicas), wanted.first
    env = open_environment(folder, wanted.record.created_ms)
    try:
        await begin(raw, env, first, wanted.life, Chain(seq=0, epoch=first.epoch))
    finally:
        env.close()
    await raw.begin_with(first)

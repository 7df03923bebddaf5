"""What log servers say of themselves and of a cluster, to one who only looks."""

import asyncio
import logging
from dataclasses import dataclass, field

import structlog

from hookbundle.actors.replication.nats import membership
from hookbundle.actors.replication.nats.beating import LISTEN_S
from hookbundle.actors.replication.nats.client import Message, NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.records import Records
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.beats import read
from hookbundle.engine.replication.cluster import ClusterRecord, key_id
from hookbundle.engine.replication.log_servers import faults_of
from hookbundle.engine.replication.members import APART_MS
from hookbundle.engine.replication.names import Names

NAME = "doctor"
WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Looked:
    """One server. `unreachable`: why, if it is. `faults`: why no cluster can be on it; `lacks`:
    what it does not protect. `silent`: why it could not say whether there is a cluster's record."""

    unreachable: str = ""
    faults: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    silent: str = ""


@dataclass(slots=True)
class Seen:
    """`why`: the record can't be read. `ahead_ms`: how far clocks of live nodes are ahead."""

    record: ClusterRecord | None = None
    replicas: int = 0
    why: str = ""
    ahead_ms: dict[str, int] = field(default_factory=dict)

    def is_apart(self, node: str) -> bool:
        """Whether the node's clock and this machine's differ by more than a cluster should have."""
        return abs(self.ahead_ms[node]) > APART_MS


def is_made_with(record: ClusterRecord, key: bytes) -> bool:
    """Whether the cluster was made with the key."""
    return key_id(key) == record.key_id


async def looked_at(server: Servers, names: Names) -> Looked:
    connection = Connection(server, NAME)
    try:
        await _quietly(connection)
        said = connection.server
        faults = faults_of(said, insecure=True)
        lacks = [each for each in faults_of(said, insecure=False) if each not in faults]
        return Looked("", faults, lacks, "" if faults else await _silent(connection, names))
    except (Unreachable, OSError) as exc:
        return Looked(str(exc))
    finally:
        await connection.close()


async def _silent(connection: Connection, names: Names) -> str:
    try:
        await membership.cluster(Records(connection, names))
    except (Unreachable, NoAnswer) as exc:
        return str(exc)
    except ClusterUnusable:
        pass  # there is one, and all servers say the same of it
    return ""


async def seen_by(servers: Servers, names: Names) -> Seen:
    """Beats are listened to for as long as a node does before it begins."""
    connection, seen, clock = Connection(servers, NAME), Seen(), SystemClock()

    def heard(message: Message) -> None:
        beat = read(message.body)
        if beat is not None:
            seen.ahead_ms[beat.node] = beat.wall_ms - clock.wall_ms()

    try:
        await _quietly(connection)
        await connection.subscribe(names.beat("*"), heard)
        records = Records(connection, names)
        seen.record = await membership.cluster(records)
        seen.replicas = await records.replicas() or 0
        if seen.record is not None:
            await asyncio.sleep(LISTEN_S)
    except (Unreachable, NoAnswer, ClusterUnusable, OSError) as exc:
        seen.why = str(exc) or "no answer"
    finally:
        await connection.close()
    return seen


async def _quietly(connection: Connection) -> None:
    """What a daemon would log is a finding here. Raises: Unreachable; OSError."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable()
    await connection.open(WITHIN_S)

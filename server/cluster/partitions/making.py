"""The hosts of a node's partitions, made when it starts."""

import asyncio
from concurrent.futures import Executor
from pathlib import Path

from hookbundle import __version__
from hookbundle.actors.replication.log import Life
from hookbundle.engine.clock import Clock
from hookbundle.engine.replication.cluster import ClusterConfig
from hookbundle.engine.replication.renewal import Rules
from hookbundle.server.cluster.neighbours import Neighbours
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.cluster.partitions.owned import Owned, Shared
from hookbundle.storage.database import files

AT_ONCE = 2  # copies that are opened or written anew: a damaged one does not hold up the others


def hosts_of(
    cluster: ClusterConfig,
    life: str,
    data: Path,
    neighbours: Neighbours,
    clock: Clock,
    threads: Executor,
    shared: Shared,
    owned: dict[int, Owned],
) -> dict[int, PartitionHost]:
    """One for each partition of the cluster, by number.

    `life`: of the node's process. `threads`: of one thread. `owned`: the node's, filled by hosts.
    """
    rules = Rules(
        generation_bytes=cluster.generation_bytes, erase_within_ms=cluster.erase_within_ms
    )
    turns = asyncio.Semaphore(AT_ONCE)
    return {
        number: PartitionHost(
            number,
            data / files.PARTITIONS / f"{number:03}",
            cluster.node,
            __version__,
            neighbours.log_of(number),
            Life(life, neighbours.schema, clock.now_ms),
            clock,
            threads,
            shared,
            owned,
            rules,
            turns,
        )
        for number in range(neighbours.partitions)
    }

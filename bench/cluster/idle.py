"""What a node and its log servers take when nothing happens, by the number of partitions.

A node that owns all partitions, with a workspace in each but no messages; then three nodes that
share 32 partitions, each of which has two copies: memory, open files, threads, and processor time.
Run it as `python bench/cluster/idle.py [--quick]`.
"""

import os
import sys
import time
from pathlib import Path

from hookbundle.bench import harness
from hookbundle.bench.cluster.made import (
    MeasuredCluster,
    MeasuredNode,
    cluster_of,
    cpu_s_of,
    log_servers,
    pids_of,
)
from hookbundle.bench.harness import Value, median, private_bytes
from hookbundle.tests.log_servers.cluster import LogServers

MIB = 1 << 20
RESTED_S = 10.0  # what a start leaves to be done is done


def run(quick: bool) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for_s = 5.0 if quick else 20.0
    with log_servers() as servers:
        for nodes, partitions in ((1, 1), (1, 32), (1, 128), (3, 32)):
            with cluster_of(servers, nodes, partitions) as cluster:
                time.sleep(RESTED_S)
                name = f"{nodes}_of_{partitions}" if nodes > 1 else f"partitions_{partitions}"
                found |= {f"{name}_{key}": value for key, value in _of(cluster, for_s).items()}
        # Those of all clusters before are still there.
        found["servers_mib_each"] = _servers_mib(servers)
    return found


def _of(cluster: MeasuredCluster, for_s: float) -> dict[str, Value]:
    """`cpu_percent`: of one processor, of the median node, and of all three log servers."""
    before = [node.process.cpu_s() for node in cluster.nodes]
    servers_s = cpu_s_of(cluster.servers)
    time.sleep(for_s)
    spent = [node.process.cpu_s() - was for node, was in zip(cluster.nodes, before, strict=True)]
    servers_s = cpu_s_of(cluster.servers) - servers_s
    return {
        "private_mib": round(
            median([node.process.private_bytes() / MIB for node in cluster.nodes]), 1
        ),
        "files": round(median([_files(node) for node in cluster.nodes])),
        "threads": round(median([_threads(node) for node in cluster.nodes])),
        "start_s": round(max(node.start_s for node in cluster.nodes), 1),
        "cpu_percent": round(median(spent) / for_s * 100, 1),
        "servers_cpu_percent": round(servers_s / for_s * 100, 1),
    }


def _files(node: MeasuredNode) -> int:
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def _threads(node: MeasuredNode) -> int:
    return len(list(Path(f"/proc/{node.process.pid}/task").iterdir()))


def _servers_mib(servers: LogServers) -> float:
    return round(median([private_bytes(pid) / MIB for pid in pids_of(servers)]), 1)


if __name__ == "__main__":
    harness.show("Idle", run("--quick" in sys.argv))

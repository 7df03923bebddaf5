"""For how long the clients of a cluster wait when a node is lost: the longest gap between answers.

Three nodes with six partitions, eight workspaces with a client each, which sends its next message
when the one before was answered, and asks the next node when one does not answer. One node is
killed, or stopped as a service manager stops it. What else may fail is measured, and audited, by
`make cluster-table`.
Run it as `python bench/cluster/takeover.py [--quick]`.
"""

import asyncio
import sys
from pathlib import Path

from hookbundle.bench import harness
from hookbundle.bench.cluster.made import log_servers
from hookbundle.bench.harness import Value
from hookbundle.tests.in_process import receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.clients import traffic
from hookbundle.tests.reliability.cluster.nodes import cluster_of

WORKSPACES = 8
BEFORE, AFTER = 20, 30  # answers of each client


def run(quick: bool) -> dict[str, Value]:
    found: dict[str, Value] = {}
    rounds = 1 if quick else 5
    with log_servers() as servers:
        for how in ("killed", "stopped"):
            gaps = sorted(asyncio.run(_gap(servers, how)) for _ in range(rounds))
            found[f"{how}_longest_s"] = round(gaps[-1], 2)
            found[f"{how}_median_s"] = round(harness.median(gaps), 2)
    return found


async def _gap(servers: LogServers, how: str) -> float:
    with harness.data_directory() as data:
        async with (
            receiving() as receiver,
            cluster_of(Path(data), servers) as made,
            traffic(made.nodes, receiver, WORKSPACES) as clients,
        ):
            await clients.more(BEFORE)
            clients.begin_gaps()
            if how == "killed":
                made.node("b").kill()
            else:
                await made.node("b").stop()
            await clients.more(AFTER)
            return clients.gap_s


if __name__ == "__main__":
    harness.show("When a node is lost", run("--quick" in sys.argv))

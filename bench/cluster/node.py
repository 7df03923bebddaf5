"""A node that is measured: `python bench/cluster/node.py FOLDER NAME CLUSTER COPIES URLS`.

The cluster is there already. FOLDER gets its data and its socket; URLS of the log servers, with
commas between them. It is ready when each partition has an owner, and reports its socket. After
each empty line on stdin it reports its counters. `--counted`: as for serve.py.
"""

import asyncio
import signal
import sys
import time
from functools import partial
from pathlib import Path

from hookbundle.actors.replication.nats.client import Servers
from hookbundle.bench import harness
from hookbundle.bench.processes.serve import measured
from hookbundle.commands.daemon.run import collect_less_often
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.replication.cluster import ClusterConfig
from hookbundle.server.cluster.joined import Joined
from hookbundle.server.cluster.neighbours import new_life
from hookbundle.server.cluster.node import Node
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.log_servers.instead import KEY

LOOK_S = 0.02


def cluster_config(node: str, name: str, copies: int) -> ClusterConfig:
    return ClusterConfig(
        name=name,
        node=node,
        copies=copies,
        dead_after_s=3.0,
        generation_bytes=1 << 40,  # no new one while it is measured
        erase_within_ms=86_400_000,
        key=KEY,
    )


def new_node(folder: Path, cluster: ClusterConfig, urls: str, clock: SystemClock) -> Node:
    config = DaemonConfig(
        data=folder / "data",
        listeners=ListenersConfig(folder / "run" / "socket", listen="127.0.0.1:0"),
        addresses=AddressPolicy.parse(["127.0.0.0/8"]),
        stop_within_s=5.0,
    )
    life = new_life()
    neighbours = Joined(Servers(urls=tuple(urls.split(","))), cluster, life, config.data)
    return Node(config, cluster, life, neighbours, clock)


def counters(node: Node) -> dict[str, object]:
    """`seq`: how far each log has been read. `commits`: of the partitions that are owned."""
    logs = {
        number: follower.log.chain.seq
        for number, host in node.hosts.items()
        if (follower := host.role.state.follower) is not None
    }
    stores = [owned.partition.store_queue.state for owned in node.owned.values()]
    return {
        "owned": sorted(node.owned),
        "seq": logs,
        "commits": sum(store.commits for store in stores),
        "transitions": sum(store.transitions for store in stores),
        "commit_ms": sum(store.commit_ms for store in stores),
    }


async def serve(
    folder: Path, name: str, cluster: str, copies: int, urls: str, clock: SystemClock
) -> None:
    loop = asyncio.get_running_loop()
    began_s = time.perf_counter()
    node = new_node(folder, cluster_config(name, cluster, copies), urls, clock)
    await node.start()
    while node.unowned():
        await asyncio.sleep(LOOK_S)
    collect_less_often()
    harness.say(
        {
            "socket": str(node.config.listeners.socket_path),
            "start_s": time.perf_counter() - began_s,
        }
    )

    def count() -> None:
        if sys.stdin.readline():
            harness.say(counters(node))
        else:
            loop.remove_reader(sys.stdin)

    loop.add_reader(sys.stdin, count)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await node.stop()


if __name__ == "__main__":
    given_folder, given_name, given_cluster, given_copies, given_urls = sys.argv[1:6]
    measured(
        partial(serve, Path(given_folder), given_name, given_cluster, int(given_copies), given_urls)
    )

"""What the benches of a cluster have in common: three log servers, nodes, and workspaces.

All of them are processes of one machine, and the servers share its disk.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.making import Wanted, make_cluster
from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Process
from hookbundle.bench.processes import calls
from hookbundle.engine.replication.cluster import FORMAT, ClusterRecord, key_id
from hookbundle.engine.replication.names import Names
from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.instead import KEY

SERVERS = 3
NEVER_CALLED = "http://127.0.0.1:8999/"  # a port that settings may name
SETTLED_WITHIN_S = 60.0
LOOK_S = 0.05


@contextmanager
def log_servers() -> Iterator[LogServers]:
    """Three, each of which syncs every entry."""
    with harness.data_directory() as data:
        servers = LogServers(data, SERVERS)
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()


def pids_of(servers: LogServers) -> list[int]:
    return [each.process.pid for each in servers.servers if each.process is not None]


def cpu_s_of(servers: LogServers) -> float:
    return sum(map(harness.cpu_s, pids_of(servers)))


@dataclass(slots=True)
class MeasuredNode:
    name: str
    process: Process
    socket: str
    start_s: float

    def counters(self) -> dict[str, Any]:
        return self.process.ask()

    def position(self, partition: int = 0) -> int:
        """How far it has read the log."""
        return int(self.counters()["seq"].get(str(partition), 0))


@dataclass(slots=True)
class MeasuredCluster:
    """`folder`: of the nodes; each has its own in it."""

    servers: LogServers
    name: str
    partitions: int
    copies: int
    folder: Path
    nodes: list[MeasuredNode]

    def start(self, names: Sequence[str]) -> list[Process]:
        """The processes, which are not ready yet."""
        urls = ",".join(self.servers.urls)
        return [
            Process("cluster/node.py", self.folder / name, name, self.name, self.copies, urls)
            for name in names
        ]

    def ready(self, names: Sequence[str], processes: Sequence[Process]) -> None:
        for name, process in zip(names, processes, strict=True):
            said = process.hear()
            self.nodes.append(MeasuredNode(name, process, said["socket"], said["start_s"]))

    def owner_of(self, partition: int) -> MeasuredNode:
        until_s = time.monotonic() + SETTLED_WITHIN_S
        while time.monotonic() < until_s:
            for node in self.nodes:
                if partition in node.counters()["owned"]:
                    return node
            time.sleep(LOOK_S)
        raise RuntimeError(f"nobody owns partition {partition}")

    def settled(self) -> None:
        """Each node owns its share, and nothing is given away any more."""
        most = -(-self.partitions // len(self.nodes))
        until_s = time.monotonic() + SETTLED_WITHIN_S
        while time.monotonic() < until_s:
            owned = [len(node.counters()["owned"]) for node in self.nodes]
            if sum(owned) == self.partitions and max(owned) <= most:
                return
            time.sleep(LOOK_S)
        raise RuntimeError("the partitions are not shared out")


@contextmanager
def cluster_of(
    servers: LogServers, nodes: int, partitions: int, copies: int = 2
) -> Iterator[MeasuredCluster]:
    """Nodes a, b, c …, all ready, each with its share."""
    with ExitStack() as closing:
        folder = closing.enter_context(harness.data_directory())
        made = MeasuredCluster(servers, servers.new_cluster(), partitions, copies, folder, [])
        asyncio.run(make(servers.urls, made.name, partitions, folder / "made"))
        names = [chr(ord("a") + number) for number in range(nodes)]
        processes = made.start(names)
        for process in processes:
            closing.callback(process.stop)
        made.ready(names, processes)
        made.settled()
        yield made


async def make(urls: Sequence[str], name: str, partitions: int, folder: Path) -> None:
    """The cluster is on the log servers. `folder`: as for `make_cluster`."""
    created_ms = filling.now_ms()
    wanted = Wanted(
        names=Names(name),
        record=ClusterRecord(FORMAT, name, partitions, SCHEMA, created_ms, key_id(KEY)),
        life=Life("init", SCHEMA, filling.now_ms),
        replicas=SERVERS,
        insecure=True,
    )
    await make_cluster(Servers(urls=tuple(urls)), wanted, folder, lambda _: None)


def make_workspaces(socket: str, count: int) -> None:
    """`ws0`, `ws1`, …: what is collected there is not sent for a day."""
    for number in range(count):
        webhook = {"url": NEVER_CALLED, "aggregation": "24h"}
        calls.made(socket, "PUT", f"/v1/workspaces/ws{number}", {"webhook": webhook})

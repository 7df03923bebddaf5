"""How fast a copy catches up: a follower that was away, and a node that joins without a copy.

A node takes messages; what it appended is read into a copy that has nothing of it, by the
follower of a node, in this process. Then a database full of windows becomes a log, and is joined
from it. Log servers and the reader share two processors and one disk.
Run it as `python bench/cluster/catching_up.py [--quick]`.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import InThread, join
from hookbundle.actors.replication.log import Life, RawLog
from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.bench import filling, harness
from hookbundle.bench.cluster.made import SERVERS, cluster_of, log_servers, make, make_workspaces
from hookbundle.bench.filling import OpenWindow
from hookbundle.bench.harness import Value
from hookbundle.engine.replication.names import Names
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.copies import open_copy
from hookbundle.tests.log_servers.cluster import LogServers

DAY_MS = 86_400_000
MIB = 1 << 20
WORKSPACES = 10
LOADS = {"single": (16, 1), "many": (16, 100)}  # connections, messages a request


def run(quick: bool) -> dict[str, Value]:
    found: dict[str, Value] = {}
    with log_servers() as servers:
        for kind, (connections, messages) in LOADS.items():
            requests = (1_000 if quick else 6_000) // (1 if messages == 1 else 10)
            found |= _caught_up(servers, kind, connections, requests, messages)
        found |= asyncio.run(_joined(servers, 20_000 if quick else 100_000))
    return found


def _caught_up(
    servers: LogServers, kind: str, connections: int, requests: int, messages: int
) -> dict[str, Value]:
    with cluster_of(servers, 1, 1) as cluster, tempfile.TemporaryDirectory() as folder:
        node = cluster.nodes[0]
        make_workspaces(node.socket, WORKSPACES)
        with Copy(Path(folder) / "copy", servers, cluster.name) as copy:
            asyncio.run(copy.caught_up())
            before = node.position()
            harness.run_once("load.py", node.socket, connections, requests, kind, kind)
            groups = node.position() - before
            seconds = asyncio.run(copy.caught_up())
    return {
        f"{kind}_groups_per_s": round(groups / seconds),
        f"{kind}_messages_per_s": round(requests * messages / seconds),
        f"{kind}_messages_a_group": round(requests * messages / groups, 1),
    }


class Copy:
    """A copy in this process, of partition 0."""

    def __init__(self, path: Path, servers: LogServers, cluster: str) -> None:
        self._path = path
        self._servers = servers
        self._cluster = cluster
        self._threads = ThreadPoolExecutor(1)

    def __enter__(self) -> "Copy":
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    async def caught_up(self) -> float:
        """The copy has what is in the log; the seconds that this took, without the start."""
        connection = Connection(Servers(urls=self._servers.urls), "bench")
        await connection.open()
        raw = NatsLog(connection, Names(self._cluster), 0, SERVERS)
        in_thread = _in(self._threads)
        if not self._path.exists():
            await join(raw, lambda: NewCopy(self._path), in_thread)
        env = open_copy(self._path, filling.now_ms())
        assert env is not None
        follower = Follower(raw, env, Life("bench", SCHEMA, filling.now_ms), in_thread)
        began_s = time.perf_counter()
        await follower.catch_up()
        seconds = time.perf_counter() - began_s
        env.close()
        await connection.close()
        return seconds


async def _joined(servers: LogServers, windows: int) -> dict[str, Value]:
    """A database of so many open windows, put into a log, and read into a new copy."""
    name = servers.new_cluster()
    connection = Connection(Servers(urls=servers.urls), "bench")
    await connection.open()
    raw = NatsLog(connection, Names(name), 0, SERVERS)
    with harness.data_directory() as data, ThreadPoolExecutor(1) as threads:
        path = data / "000"
        filling.fill(path, WORKSPACES, aggregation_ms=DAY_MS, url=filling.NEVER_CALLED)
        due_ms = filling.now_ms() + DAY_MS
        opened = (OpenWindow(n % WORKSPACES, f"{n}@c.us", due_ms) for n in range(windows))
        filling.open_windows(path, opened, DAY_MS)
        written_s = await _written(servers, name, data)
        joined_s, base_bytes = await _read(raw, data / "copy", _in(threads))
    await connection.close()
    return {
        "base_mib": round(base_bytes / MIB, 1),
        "base_written_mib_per_s": round(base_bytes / MIB / written_s, 1),
        "joined_mib_per_s": round(base_bytes / MIB / joined_s, 1),
        "joined_s": round(joined_s, 2),
    }


async def _written(servers: LogServers, name: str, folder: Path) -> float:
    began_s = time.perf_counter()
    await make(servers.urls, name, 1, folder)
    return time.perf_counter() - began_s


async def _read(raw: RawLog, path: Path, in_thread: InThread) -> tuple[float, int]:
    began_s = time.perf_counter()
    at = await join(raw, lambda: NewCopy(path), in_thread)
    assert at is not None
    return time.perf_counter() - began_s, at.base_bytes


def _in(threads: ThreadPoolExecutor) -> InThread:
    async def in_thread(work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    return in_thread


if __name__ == "__main__":
    harness.show("Catching up", run("--quick" in sys.argv))

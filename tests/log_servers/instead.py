"""Tests of the program, with a node of a cluster in the place of a daemon.

CLUSTER=4 before a run of tests: each program that they start is the one node of a cluster of its
own, with so many partitions, on one log server for the whole run. With one partition a node does
all that a daemon does; with several, what docs/cluster.md says is not there is refused.

ELSEWHERE=1 besides: a daemon that serves several tests is a node that owns nothing. Another one
owns all partitions, and has all requests passed on to it.
"""

import asyncio
import atexit
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.making import Wanted, make_cluster
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.replication.cluster import FORMAT, KEY_BYTES, ClusterRecord, key_id
from hookbundle.engine.replication.names import Names
from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.log_servers.cluster import LogServers

PARTITIONS = int(os.environ.get("CLUSTER", "0"))
KEY = bytes(KEY_BYTES)


@dataclass(slots=True)
class Clusters:
    """One log server, begun with the first cluster; `names`: of clusters, by folder."""

    servers: LogServers | None = None
    names: dict[Path, str] = field(default_factory=dict)

    def settings(self, folder: Path, partitions: int = PARTITIONS) -> Mapping[str, str]:
        """Of the cluster whose node has its data in the folder."""
        if folder not in self.names:
            self.names[folder] = self._made(partitions)
        key = folder / "cluster.key"
        folder.mkdir(parents=True, exist_ok=True)
        key.write_text(KEY.hex())
        key.chmod(0o600)
        assert self.servers is not None
        return {
            "CLUSTER__SERVERS": ",".join(self.servers.urls),
            "CLUSTER__NAME": self.names[folder],
            "CLUSTER__NODE": "a",
            "CLUSTER__KEY": str(key),
        }

    def _made(self, partitions: int) -> str:
        # In a thread: the test may have a loop of its own.
        with ThreadPoolExecutor(1) as thread:
            if self.servers is None:
                self.servers = LogServers(Path(tempfile.mkdtemp(prefix="logs-")), 1)
                atexit.register(self.servers.stop)
                thread.submit(self.servers.start).result()
            name = self.servers.new_cluster()
            thread.submit(init, self.servers, name, partitions).result()
        return name


@contextmanager
def owner_of_all(folder: Path, command: str, env: Mapping[str, str]) -> Iterator[None]:
    """Another node of the cluster runs, to which the one with `env` has given all it owned."""
    at = folder / "elsewhere"
    own = {"NODE": "z", "KEY": env["HOOKBUNDLE_CLUSTER__KEY"]}
    other = {
        **env,
        "HOOKBUNDLE_SOCKET": str(at / "run" / "control.sock"),
        "HOOKBUNDLE_DATA": str(at / "data"),
        **{f"HOOKBUNDLE_CLUSTER__{name}": value for name, value in own.items()},
    }
    with subprocess.Popen([command, "run"], env=other, stderr=subprocess.PIPE) as node:
        assert node.stderr is not None
        while b'"event": "ready"' not in node.stderr.readline():
            assert node.poll() is None
        subprocess.run([command, "cluster", "drain"], env=env, check=True, capture_output=True)
        try:
            yield
        finally:
            node.kill()


def init(servers: LogServers, name: str, partitions: int) -> None:
    record = ClusterRecord(FORMAT, name, partitions, SCHEMA, 1, key_id(KEY))
    wanted = Wanted(
        names=Names(name),
        record=record,
        life=Life("init", SCHEMA, SystemClock().now_ms),  # else nodes renew old logs at once
        replicas=servers.replicas,
        insecure=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        made = make_cluster(Servers(urls=servers.urls), wanted, Path(folder), lambda _: None)
        asyncio.run(made)


clusters = Clusters()

"""Nodes of a cluster as processes of their own, and the log servers that they share.

    async with cluster_of(folder, nodes=3, servers=3, partitions=8) as made:
        made.node("a").kill()

A node reaches the log servers through relays of its own if `cut_off` is to work on it.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.engine.replication.names import Names
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.instead import KEY, init
from hookbundle.tests.log_servers.relay import Relay
from hookbundle.tests.program import PROGRAM, Program, program_in
from hookbundle.tests.shared_work.mounting import small_disk, with_mounts

WITHIN_S = 60.0
LOOK_S = 0.05
NO_COMMANDS: Mapping[str, Sequence[str]] = {}
AHEAD = (sys.executable, "-m", "hookbundle.tests.reliability.cluster.ahead")


@dataclass(slots=True)
class NodeProcess:
    """`command` stands for `hookbundle`. `relays`: between it and the log servers."""

    name: str
    folder: Path
    program: Program
    command: Sequence[str] = (PROGRAM,)
    relays: list[Relay] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def socket_path(self) -> Path:
        return self.program.socket_path

    @property
    def copies(self) -> Path:
        return Path(self.program.env["HOOKBUNDLE_DATA"]) / "partitions"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "run"], env=self.program.env, stdout=log, stderr=log
            )

    async def until_says(self, event: str, count: int = 1) -> None:
        async with asyncio.timeout(WITHIN_S):
            while self.log().count(f'"event": "{event}"') < count:
                assert self.is_running, self.log()[-2_000:]
                await asyncio.sleep(LOOK_S)

    async def until_ended(self) -> None:
        """It has ended by itself."""
        async with asyncio.timeout(WITHIN_S):
            while self.is_running:
                await asyncio.sleep(LOOK_S)

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        self._wait()

    async def stop(self) -> int:
        """The exit code of a node that was told to stop."""
        self._send(signal.SIGTERM)
        return await asyncio.to_thread(self._wait)

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def cut_off(self) -> None:
        for relay in self.relays:
            relay.cut()

    def reconnect(self) -> None:
        for relay in self.relays:
            relay.mend()

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _wait(self) -> int:
        assert self.process is not None
        return self.process.wait(WITHIN_S)

    def end(self) -> None:
        """Whatever state it is in."""
        if self.is_running:
            self._send(signal.SIGKILL)
            self._send(signal.SIGCONT)
            self._wait()


@dataclass(slots=True)
class ClusterProcesses:
    servers: LogServers
    name: str
    partitions: int
    nodes: list[NodeProcess]

    def node(self, name: str) -> NodeProcess:
        return next(node for node in self.nodes if node.name == name)

    async def connection(self) -> Connection:
        connection = Connection(Servers(urls=self.servers.urls), "tests")
        await connection.open(WITHIN_S)
        return connection

    @property
    def replicas(self) -> int:
        return self.servers.replicas

    @property
    def names(self) -> Names:
        return Names(self.name)


@asynccontextmanager
async def cluster_of(
    folder: Path,
    servers: LogServers,
    *,
    nodes: int = 3,
    partitions: int = 6,
    copies: str = "2",
    through_relays: Sequence[str] = (),
    ahead: Sequence[str] = (),
    commands: Mapping[str, Sequence[str]] = NO_COMMANDS,
    later: Sequence[str] = (),
    disks: Mapping[str, int] = MappingProxyType({}),
    **settings: str,
) -> AsyncIterator[ClusterProcesses]:
    """All nodes are ready, but for those that are to be started `later`. `ahead`: those whose clock
    is a minute ahead. `commands`: what is run in place of `hookbundle`, by node. `disks`: those
    whose data lies on a disk of so many MiB."""
    name = servers.new_cluster()
    await asyncio.to_thread(init, servers, name, partitions)
    made = ClusterProcesses(servers, name, partitions, [])
    async with AsyncExitStack() as closing:
        for letter in "abcde"[:nodes]:
            relays = []
            if letter in through_relays:
                for server in servers.servers:
                    relays.append(await closing.enter_async_context(Relay(server.port)))
            urls = [relay.url for relay in relays] or servers.urls
            at = folder / letter
            at.mkdir(parents=True)
            key = at / "cluster.key"
            key.write_text(KEY.hex())
            key.chmod(0o600)
            program = program_in(
                at,
                CLUSTER__SERVERS=",".join(urls),
                CLUSTER__NAME=name,
                CLUSTER__NODE=letter,
                CLUSTER__KEY=str(key),
                CLUSTER__COPIES=copies,
                DELIVERY__BACKOFF="100ms",
                **settings,
            )
            command = commands.get(letter, AHEAD if letter in ahead else (PROGRAM,))
            if letter in disks:
                data = Path(program.env["HOOKBUNDLE_DATA"])
                data.mkdir(parents=True)
                command = with_mounts(small_disk(disks[letter]), data)
            node = NodeProcess(letter, at, program, command, relays)
            made.nodes.append(node)
            closing.callback(node.end)
            if letter not in later:
                node.start()
        for node in made.nodes:
            if node.is_running:
                await node.until_says("ready")
        yield made

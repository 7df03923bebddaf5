"""Log servers that form a cluster: all started, one of them found and killed, all ended.

servers = LogServers(folder, 3)
servers.start()
servers.leader_of("HB_c1_000_1x0").kill()
"""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookbundle.actors.replication.nats.client import NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.tests.log_servers.ports import free_port
from hookbundle.tests.log_servers.server import LogServer

READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1


@dataclass(slots=True)
class LogServers:
    """`clusters`: how many names of clusters were given out; each test has its own."""

    folder: Path
    count: int
    servers: list[LogServer] = field(default_factory=list)
    clusters: int = 0

    def __post_init__(self) -> None:
        ports = [free_port() for _ in range(self.count)] if self.count > 1 else []
        self.servers = [
            LogServer(
                self.folder / f"n{number}",
                f"n{number}",
                ports,
                ports[number] if ports else 0,
            )
            for number in range(self.count)
        ]

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(server.url for server in self.servers)

    @property
    def replicas(self) -> int:
        return self.count

    def new_cluster(self) -> str:
        """A name that no test has had."""
        self.clusters += 1
        return f"c{self.clusters}"

    def start(self) -> None:
        """All run, and streams can be made."""
        for server in self.servers:
            if not server.is_running:
                server.start()
        asyncio.run(self.until_ready())

    def stop(self) -> None:
        for server in self.servers:
            server.kill()

    async def until_ready(self) -> None:
        connection = Connection(Servers(urls=self.urls), "tests")
        await connection.open(READY_WITHIN_S)
        name = f"ready{self.clusters}"
        wanted = {"name": name, "subjects": [name], "num_replicas": self.count}
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self._has_made(connection, wanted):
                    await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await connection.close()

    async def _has_made(self, connection: Connection, wanted: dict[str, Any]) -> bool:
        """A stream with a copy on each server that is up can be made, and is deleted again."""
        name = wanted["name"]
        try:
            made = await _api(connection, f"STREAM.CREATE.{name}", wanted)
            await _api(connection, f"STREAM.DELETE.{name}")
        except (Unreachable, NoAnswer):
            return False
        return "error" not in made

    async def leader_of(self, connection: Connection, stream: str) -> LogServer:
        """The server that takes the stream's publications now."""
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                found = await self._leader_of(connection, stream)
                if found is not None:
                    return found
                await asyncio.sleep(LOOK_EVERY_S)

    async def _leader_of(self, connection: Connection, stream: str) -> LogServer | None:
        try:
            info = await _api(connection, f"STREAM.INFO.{stream}")
        except (Unreachable, NoAnswer):
            return None
        leader = info.get("cluster", {}).get("leader", self.servers[0].name)
        return next((server for server in self.servers if server.name == leader), None)


async def _api(connection: Connection, call: str, request: Any = None) -> dict[str, Any]:
    body = b"" if request is None else json.dumps(request).encode()
    answer = await connection.ask(f"$JS.API.{call}", body)
    found: dict[str, Any] = json.loads(answer.body)
    return found

"""What nodes and their clients pay for something: waits, processor time, memory, entries."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookbundle.actors.replication.nats import api
from hookbundle.tests.in_process import Api, connected, event
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses, NodeProcess

TICKS = os.sysconf("SC_CLK_TCK")


async def overview(node: NodeProcess) -> Any:
    async with connected(node.socket_path) as session:
        return await Api(session).get("/v1/cluster")


@dataclass(slots=True)
class Waits:
    """Of one client, in seconds. `refused`: answers other than 202."""

    found: list[float] = field(default_factory=list)
    refused: int = 0

    def begin(self) -> None:
        self.found.clear()

    def shown(self) -> str:
        ordered = sorted(self.found)
        if not ordered:
            return "no requests"
        at = [ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.99, 1)]
        p50, p99, most = (f"{1000 * each:.1f}" for each in at)
        count = f"{len(ordered)} requests, {self.refused} refused"
        return f"{count}, p50 {p50} ms, p99 {p99} ms, longest {most} ms"


@asynccontextmanager
async def asked_slowly(node: NodeProcess, workspaces: list[str]) -> AsyncIterator[Waits]:
    """A message every 20 ms, to one workspace after the other; waits are those for answers."""
    waits, ended = Waits(), asyncio.Event()

    async def ask() -> None:
        number = 0
        async with connected(node.socket_path) as session:
            while not ended.is_set():
                number += 1
                name = workspaces[number % len(workspaces)]
                began_s = time.monotonic()
                path, message = f"/v1/workspaces/{name}/messages", event(f"slow-{number}", "slow")
                answer = await Api(session).ask("POST", path, message)
                waits.refused += answer.status != 202
                waits.found.append(time.monotonic() - began_s)
                await asyncio.sleep(0.02)

    task = asyncio.create_task(ask())
    try:
        yield waits
    finally:
        ended.set()
        await task


def used_s(node: NodeProcess) -> float:
    """Processor time that its process has used."""
    assert node.process is not None
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(node: NodeProcess) -> int:
    assert node.process is not None
    text = Path(f"/proc/{node.process.pid}/status").read_text()
    (line,) = [each for each in text.splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


async def log_entries(made: ClusterProcesses) -> int:
    connection = await made.connection()
    try:
        count = 0
        for name in await api.streams(connection, f"hb.{made.name}.log.>"):
            count += (await api.call(connection, f"STREAM.INFO.{name}")).state.last_seq
        return count
    finally:
        await connection.close()

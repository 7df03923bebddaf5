"""A daemon in a process of its own that can be sent signals, and whose log is read."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.tests.in_process import Api, connected
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program

LOOK_S = 0.05


@dataclass(slots=True)
class Running(Api):
    """A daemon's process, its API, and what it logs."""

    process: asyncio.subprocess.Process
    said: list[dict[str, Any]] = field(default_factory=list)

    async def says(self, event: str, count: int = 1) -> dict[str, Any]:
        """The line of the log with that event, the `count`-th one."""
        assert self.process.stderr is not None
        async with asyncio.timeout(TIMEOUT_S):
            while len(found := [line for line in self.said if line["event"] == event]) < count:
                line = await self.process.stderr.readline()
                assert line, f"ended before it said {event!r}: {self.said}"
                self.said.append(msgspec.json.decode(line))
        return found[count - 1]

    async def ended(self) -> int:
        async with asyncio.timeout(TIMEOUT_S):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


async def started(
    program: Program,
    *arguments: str,
    command: Sequence[str] = (PROGRAM,),
    descriptors: Sequence[int] = (),
) -> asyncio.subprocess.Process:
    """The daemon's process; nothing is waited for. `command` stands for `hookbundle`.

    `descriptors` are inherited.
    """
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, *arguments, "run", env=program.env, stderr=pipe, pass_fds=descriptors
    )


async def until_served(socket_path: Path) -> None:
    """A daemon listens there; of one whose log can't be read."""
    async with asyncio.timeout(TIMEOUT_S):
        while not _is_served(socket_path):
            await asyncio.sleep(LOOK_S)


def _is_served(socket_path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(socket_path)) == 0


@asynccontextmanager
async def running(
    program: Program,
    *arguments: str,
    command: Sequence[str] = (PROGRAM,),
    descriptors: Sequence[int] = (),
) -> AsyncIterator[Running]:
    """A daemon that is ready; killed at the end if it has not ended by itself."""
    process = await started(program, *arguments, command=command, descriptors=descriptors)
    try:
        async with connected(program.socket_path) as session:
            daemon = Running(session, process)
            await daemon.says("ready")
            yield daemon
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()

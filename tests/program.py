"""The installed program in processes of its own: a daemon, and the commands that talk to it.

    async with serving(tmp_path) as program:
        listed = await program("chats", "list", "--json")
        assert listed.document == []

The daemon is ready when it says so in its log; nothing of the caller's own configuration is seen.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.tests.hook_receiver import PATIENCE_S

PROGRAM = str(Path(sys.executable).with_name("hookbundle"))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its output as JSON; the command must not have failed."""
        assert self.code == 0, self
        return msgspec.json.decode(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """Its output as plain lines; the command must not have failed."""
        assert self.code == 0, self
        return [line.split("\t") for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Program:
    """The program with an environment that knows the folder, and nothing else."""

    env: dict[str, str]

    @property
    def socket_path(self) -> Path:
        return Path(self.env["HOOKBUNDLE_SOCKET"])

    async def __call__(self, *arguments: str, given: bytes = b"", **env: str) -> Ran:
        process = await self.start(*arguments, **env)
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate(given)
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def start(self, *arguments: str, **env: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, env={**self.env, **env}, stdin=pipe, stdout=pipe, stderr=pipe
        )


def program_in(folder: Path, **settings: str) -> Program:
    """`settings` are environment variables without their `HOOKBUNDLE_`."""
    given = {
        "SOCKET": str(folder / "run" / "control.sock"),
        "DATA": str(folder / "data"),
        "LISTEN": "off",
        "DELIVERY__ALLOW_NETWORKS": "127.0.0.0/8",
        "STORAGE__FLOOR": "0KiB",
        "STORAGE__RESERVE": "64KiB",
        **settings,
    }
    variables = {f"HOOKBUNDLE_{name}": value for name, value in given.items()}
    homes = {name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    return Program({"PATH": os.environ["PATH"], **homes, **variables})


@asynccontextmanager
async def serving(folder: Path, **settings: str) -> AsyncIterator[Program]:
    """A daemon runs, and the program knows where; at the end it was stopped in good order."""
    program = program_in(folder, **settings)
    daemon = await program.start("run")
    assert daemon.stderr is not None
    log: list[bytes] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while b'"event": "ready"' not in b"".join(log[-1:]):
                log.append(await daemon.stderr.readline())
                assert log[-1], b"".join(log).decode()
        yield program
    finally:
        if daemon.returncode is None:
            daemon.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            rest = (await daemon.communicate())[1]
    assert daemon.returncode == 0, (b"".join(log) + rest).decode()

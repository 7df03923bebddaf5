"""How the processes of the battery talk: one JSON object a line, over stdin and stdout."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

LINE_BYTES_MAX = 2**26
PACKAGE = "hookbundle.tests.reliability.hostility.tenants"


def say(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def commands() -> AsyncIterator[dict[str, Any]]:
    """What the parent says, until it hangs up."""
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        yield json.loads(line)


class Helper:
    """A child process of the battery."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self.process = process
        self.name = name

    async def hear(self, timeout_s: float = 120.0) -> dict[str, Any]:
        """What it says next. Raises: TimeoutError; AssertionError if it has ended."""
        assert self.process.stdout is not None
        async with asyncio.timeout(timeout_s):
            line = await self.process.stdout.readline()
        assert line, f"{self.name} has ended"
        said: dict[str, Any] = json.loads(line)
        assert "failed" not in said, f"{self.name}: {said['failed']}"
        return said

    async def ask(self, timeout_s: float = 120.0, **words: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        return await self.hear(timeout_s)


@asynccontextmanager
async def helper(module: str, *arguments: str) -> AsyncIterator[Helper]:
    """A module of this package in a process of its own; killed at the end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"{PACKAGE}.{module}", *arguments),
        stdin=pipe,
        stdout=pipe,
        limit=LINE_BYTES_MAX,
        env={"PATH": os.environ["PATH"]},  # with more it would be no fork
    )
    try:
        yield Helper(process, module)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()

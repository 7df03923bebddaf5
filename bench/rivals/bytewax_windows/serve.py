"""bytewax: `python -m hookbundle.bench.rivals.bytewax_windows.serve DATA URL WINDOW_S`.

Two processes: this one is the door, which appends to a log and answers when it is synced (whoever
comes meanwhile shares the next sync); the other is the dataflow that follows the log. Bytewax
doesn't tell a source what it has snapshotted, so the log is never cut.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from hookbundle.bench.rivals import door
from hookbundle.bench.rivals.shape import Taken

FLOW = str(Path(__file__).with_name("flow.py"))
SNAPSHOT_EVERY_S = "1"
WORKERS = "4"  # threads of the dataflow's process; as many recovery partitions


class Log:
    """Appends, and syncs in a thread for all who wait."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._waiting: list[asyncio.Future[None]] = []
        self._syncing: asyncio.Task[None] | None = None

    async def append(self, lines: bytes) -> None:
        """They are on disk."""
        self._file.write(lines)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(kept)
        if self._syncing is None:
            self._syncing = asyncio.create_task(self._sync())
        await kept

    async def _sync(self) -> None:
        while self._waiting:
            served, self._waiting = self._waiting, []
            self._file.flush()
            await asyncio.to_thread(os.fdatasync, self._file.fileno())
            for kept in served:
                if not kept.done():
                    kept.set_result(None)
        self._syncing = None


def whole(path: Path) -> IO[bytes]:
    """The log, without the half of a line that a killed process has left (it was not answered)."""
    path.touch()
    file = path.open("r+b")
    content = file.read()
    file.truncate(content.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)
    return file


def start_flow(asked: door.Asked, log: Path) -> subprocess.Popen[bytes]:
    recovery = asked.data / "recovery"
    if not recovery.exists():
        recovery.mkdir()
        making = [sys.executable, "-m", "bytewax.recovery", str(recovery), WORKERS]
        subprocess.run(making, check=True)
    env = {
        **os.environ,
        "RIVAL_LOG": str(log),
        "RIVAL_URL": asked.url,
        "RIVAL_WINDOW_S": str(asked.window_s),
    }
    keeping = ["-w", WORKERS, "-r", str(recovery), "-s", SNAPSHOT_EVERY_S, "-b", "0"]
    with (asked.data / "bytewax.log").open("ab") as said:
        command = [sys.executable, "-m", "bytewax.run", FLOW, *keeping]
        return subprocess.Popen(command, env=env, stdout=said, stderr=said)


async def main() -> None:
    asked = door.asked()
    path = asked.data / "log"
    log = Log(whole(path))
    flow = start_flow(asked, path)

    async def take(ws: str, taken: Sequence[Taken]) -> None:
        came_ms = time.time_ns() // 1_000_000
        lines = ([ws, chat, came_ms, member.decode()] for chat, member in taken)
        await log.append(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    try:
        await door.serve(asked.socket_path, take)
    finally:
        flow.terminate()
        flow.wait()


if __name__ == "__main__":
    asyncio.run(main())

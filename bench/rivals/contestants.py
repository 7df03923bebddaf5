"""Who takes part, and one of them running: its processes, their memory, their end by SIGKILL."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hookbundle.bench import filling, harness

ROOT = harness.HERE.parent
RIVALS_PYTHON = Path(os.environ.get("RIVALS_PYTHON", ROOT / ".venv-rivals/bin/python"))
SETTLE_S_MAX = 20.0
LOOK_AGAIN_S = 0.25
STILL_LOOKS = 6
STILL_MIB = 0.5

OURS = "hookbundle"
NAMES = (OURS, "sqlite_asyncio", "celery_redis", "pykka_threads", "bytewax_windows")


@dataclass(frozen=True, slots=True)
class Home:
    """Where a contestant keeps its data, and how it is set up; it may be started again there."""

    name: str
    data: Path
    url: str
    window_s: float

    def set_up(self, workspaces: int) -> None:
        """Rivals take any workspace; hookbundle wants it made."""
        self.data.mkdir(parents=True)
        if self.name == OURS:
            window_ms = round(self.window_s * 1_000)
            filling.fill(self.data / "data", workspaces, aggregation_ms=window_ms, url=self.url)

    def command(self) -> list[str]:
        if self.name == OURS:
            return [sys.executable, str(harness.HERE / "processes" / "serve.py"), str(self.data)]
        module = f"hookbundle.bench.rivals.{self.name}.serve"
        arguments = [str(self.data), self.url, str(self.window_s)]
        return [str(RIVALS_PYTHON), "-m", module, *arguments]


class Running:
    """A contestant that is ready. All it starts is in one process group, which dies with it."""

    def __init__(self, home: Home) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT / ".src")}
        with (home.data / "said").open("ab") as said:
            self._child = subprocess.Popen(
                home.command(),
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            )
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            self.kill()
            raise RuntimeError(f"{home.name} did not start; see {home.data / 'said'}")
        self.socket_path: str = json.loads(line)["socket"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL for every process it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            pipe.close()

    def settle(self) -> None:
        """Its memory has stood still for a while: all its processes are up, and have caught up.

        Some are ready at the door while others of them are still being started.
        """
        until_s, last_mib, still = time.monotonic() + SETTLE_S_MAX, 0.0, 0
        while still < STILL_LOOKS and time.monotonic() < until_s:
            time.sleep(LOOK_AGAIN_S)
            now_mib = self.private_mib()
            still = still + 1 if abs(now_mib - last_mib) < STILL_MIB else 0
            last_mib = now_mib

    def private_mib(self) -> float:
        return sum(self._sum("RssAnon:")) / 1_024

    def threads(self) -> int:
        return sum(self._sum("Threads:"))

    def processes(self) -> int:
        return len(list(self._sum("Threads:")))

    def _sum(self, field: str) -> Iterator[int]:
        """The field of /proc/PID/status, of each process of the group."""
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):  # it has ended meanwhile
                stat = (folder / "stat").read_text().rpartition(") ")[2].split()
                if int(stat[2]) != self._child.pid:
                    continue
                for line in (folder / "status").read_text().splitlines():
                    if line.startswith(field):
                        yield int(line.split()[1])

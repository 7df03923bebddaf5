"""Shared parts of the benchmarks: measured processes, a directory for data, printed tables.

The measured program runs in a process of its own, so that memory and processor time can be
attributed to it; the load comes from other processes. Data is in /var/tmp, because /tmp may be in
memory.
"""

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
CLOCK_TICKS_S = os.sysconf("SC_CLK_TCK")
Value = float | int | str


class Process:
    """A running script of bench/processes/, or a bench itself in another of its parts.

    It reports its results as one JSON object per line. `under`: the command that runs it.
    `env`: its environment, if that is not ours.
    """

    def __init__(
        self,
        script: str,
        *arguments: object,
        under: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        path = HERE / "processes" / script
        path = path if path.exists() else HERE / script
        command = [*under, sys.executable, str(path), *map(str, arguments)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        self.pid = self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def hear(self) -> dict[str, Any]:
        """Waits for the next object that the script reports."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._child.args!r} has ended with {self._child.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def ask(self, line: str = "") -> dict[str, Any]:
        """Sends the line, empty for most, and returns the object that the script reports."""
        assert self._child.stdin is not None
        self._child.stdin.write(f"{line}\n")
        self._child.stdin.flush()
        return self.hear()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        self._child.send_signal(by)
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()

    def ended(self) -> None:
        """Waits until the script has ended by itself."""
        self._child.wait()

    def private_bytes(self) -> int:
        return private_bytes(self.pid)

    def cpu_s(self) -> float:
        return cpu_s(self.pid)


def private_bytes(pid: int) -> int:
    """Private anonymous memory of a process: neither shared nor backed by a file."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def cpu_s(pid: int) -> float:
    """Processor time used so far by all threads of a process, user and kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS_S


def run_once(script: str, *arguments: object) -> dict[str, Any]:
    """Runs the script to its end and returns what it reports."""
    with Process(script, *arguments) as process:
        return process.hear()


@contextmanager
def data_directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="hookbundle-bench-", dir="/var/tmp"))
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(path)


def as_installed(folder: Path) -> dict[str, str]:
    """An environment whose second process finds the modules compiled, as an installation has them.

    A machine for tests may not keep them, and to compile them is a third of a start.
    """
    compiled = {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    return {**os.environ, **compiled}


def start_daemon(
    data: Path, env: Mapping[str, str] | None = None
) -> tuple[Process, dict[str, Any]]:
    """A ready daemon on the data, which has reported its socket."""
    daemon = Process("serve.py", data, env=env)
    return daemon, daemon.hear()


@contextmanager
def running_daemon(
    data: Path, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Process, dict[str, Any]]]:
    daemon, ready = start_daemon(data, env)
    with daemon:
        yield daemon, ready


def say(fact: Mapping[str, object]) -> None:
    """Reports an object to `Process.hear` in the benchmark that started this process."""
    print(json.dumps(fact), flush=True)


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Of samples from the least to the greatest."""
    return ordered[len(ordered) * percent // 100]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The ratio of the medians; samples alternate, so a noisy minute affects both."""
    return round(median(ours) / median(theirs), 3)


def show(title: str, results: dict[str, Value]) -> None:
    print(f"\n{title}")
    for name, value in results.items():
        print(f"  {name:<44}{value:>14,}" if not isinstance(value, str) else f"  {name}: {value}")

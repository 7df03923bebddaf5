"""What the benchmarks share: processes to measure, a place for data, tables to print.

Whatever is measured runs in a process of its own, so that its memory and its processor time are
its own; the load comes from other processes. Data lies in /var/tmp, which is a disk where /tmp may
be memory.
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
    """One of our scripts, running. It says what it has to say as one JSON object a line."""

    def __init__(self, script: str, *arguments: object) -> None:
        command = [sys.executable, str(HERE / script), *map(str, arguments)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def hear(self) -> dict[str, Any]:
        """The next thing it says, waited for."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._child.args!r} has ended with {self._child.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def ask(self) -> dict[str, Any]:
        """What it says when it is poked with an empty line."""
        assert self._child.stdin is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        return self.hear()

    def stop(self) -> None:
        self._child.send_signal(signal.SIGTERM)
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()

    def private_bytes(self) -> int:
        """Memory that is nobody else's and no file's."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
        return int(line.split()[1]) * 1024

    def cpu_s(self) -> float:
        """Processor time used so far, by all its threads, in user and kernel."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS_S


def run_once(script: str, *arguments: object) -> dict[str, Any]:
    """What the script says before it ends by itself."""
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


def start_daemon(data: Path) -> tuple[Process, dict[str, Any]]:
    """A daemon on the data; it is ready, and has said where its doors are."""
    daemon = Process("serve.py", data)
    return daemon, daemon.hear()


@contextmanager
def running_daemon(data: Path) -> Iterator[tuple[Process, dict[str, Any]]]:
    daemon, ready = start_daemon(data)
    with daemon:
        yield daemon, ready


def say(fact: Mapping[str, object]) -> None:
    """In a process of ours: says the fact to whoever measures, for `Process.hear`."""
    print(json.dumps(fact), flush=True)


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Of the medians; the samples were taken in turns, so a noisy minute hit both."""
    return round(median(ours) / median(theirs), 3)


def show(title: str, results: dict[str, Value]) -> None:
    print(f"\n{title}")
    for name, value in results.items():
        print(f"  {name:<44}{value:>14,}" if not isinstance(value, str) else f"  {name}: {value}")

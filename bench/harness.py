"""What the benchmarks share: processes to measure, data to measure on, tables to print.

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
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from hookbundle.engine import signing
from hookbundle.engine.message import Incoming, digest_of
from hookbundle.storage import transitions
from hookbundle.storage.accepting import AcceptMessages, Quota
from hookbundle.storage.environment import Environment, open_environment
from hookbundle.storage.reads import Reads
from hookbundle.storage.settings import Changes, ChangeWorkspace
from hookbundle.storage.unit import Unit

HERE = Path(__file__).parent
CLOCK_TICKS_S = os.sysconf("SC_CLK_TCK")
FILL_AT_ONCE = 500
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


def fill(
    data: Path, workspaces: int, *, aggregation_ms: int, url: str, deliveries: int = 0
) -> None:
    """The data has workspaces `ws0`, `ws1`, ..., each with so many messages queued to be sent."""
    env = open_environment(data, _now_ms())
    try:
        changes = Changes(aggregation_ms=aggregation_ms, url=url)
        numbers = [_make_workspace(env, f"ws{number}", changes) for number in range(workspaces)]
        for turn in range(deliveries):
            for first in range(0, workspaces, FILL_AT_ONCE):
                _enqueue(env, numbers[first : first + FILL_AT_ONCE], turn)
    finally:
        env.close()


def open_windows(data: Path, dues_ms: Sequence[int], aggregation_ms: int) -> None:
    """In the data's workspaces, in turn, a chat's window of one message is due at each time."""
    env = open_environment(data, _now_ms())
    try:
        numbers = [view.settings.number for view in Reads(env).workspaces(limit=10_000)]
        for first in range(0, len(dues_ms), FILL_AT_ONCE):
            with env.write() as txn:
                unit = Unit(txn, env.identity)
                for place in range(first, min(first + FILL_AT_ONCE, len(dues_ms))):
                    due_ms = dues_ms[place]
                    transitions.apply(
                        unit,
                        accepting(
                            numbers[place % len(numbers)],
                            f"{place}-{due_ms}",
                            place,
                            due_ms - aggregation_ms,
                        ),
                    )
                unit.flush(1_000, 0)
    finally:
        env.close()


def due_of(chat_id: str) -> int:
    """When the window of a chat that `open_windows` made is due."""
    return int(chat_id.rpartition("-")[2])


def _make_workspace(env: Environment, workspace_id: str, changes: Changes) -> int:
    with env.write() as txn:
        unit = Unit(txn, env.identity)
        made = transitions.apply(
            unit,
            ChangeWorkspace(
                workspace_id=workspace_id,
                changes=changes,
                version=None,
                may_create=True,
                new_secret=signing.new_secret(os.urandom(32)),
                now_ms=_now_ms(),
                caller="bench",
            ),
        )
        unit.flush(1_000, 0)
    assert made is not None
    return int(getattr(made, "workspace_number"))  # noqa: B009 - a wide union


def _enqueue(env: Environment, numbers: Sequence[int], turn: int) -> None:
    with env.write() as txn:
        unit = Unit(txn, env.identity)
        for number in numbers:
            transitions.apply(unit, accepting(number, "c1", turn, _now_ms()))
        unit.flush(1_000, 0)


def accepting(workspace_number: int, chat_id: str, turn: int, now_ms: int) -> AcceptMessages:
    """A message to the chat, the same size each time; `turn` tells one from another."""
    message_id = f"m{turn}"
    message = Incoming(
        message_id=message_id,
        digest=digest_of(message_id),
        sent_ms=now_ms,
        is_new_chat=False,
        account=b'{"full_name":"Ann Account","email":"ann@example.com","phone":"+1 555 0100"}',
        chat=b'{"full_name":"Chat","responsible_name":"Rae","responsible_email":"rae@example.com",'
        b'"chat_url":"https://inbox.example/c/1","chat_id":"%b","is_new_chat":false,'
        b'"is_group":false,"phone":"+1 555 0199"}' % chat_id.encode(),
        message=b'{"direction":"received","timestamp":"2026-01-01T00:00:00+0000","message_id":"%b",'
        b'"sender":{"full_name":"Sam","phone":"+1 555 0199"},"recipient":{"full_name":"Ann",'
        b'"phone":"+1 555 0100"},"text":"%b"}'
        % (message_id.encode(), b"What about Thursday, then? " * 4),
        permalink="",
    )
    return AcceptMessages(
        workspace_number=workspace_number,
        chat_id=chat_id,
        messages=(message,),
        skipped=(),
        now_ms=now_ms,
        product_name="the inbox",
        quota=Quota(),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def as_line(fact: Mapping[str, object]) -> str:
    """What a process of ours says, for `Process.hear`."""
    return json.dumps(fact)


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Of the medians; the samples were taken in turns, so a noisy minute hit both."""
    return round(median(ours) / median(theirs), 3)


def show(title: str, results: dict[str, Value]) -> None:
    print(f"\n{title}")
    for name, value in results.items():
        print(f"  {name:<44}{value:>14,}" if not isinstance(value, str) else f"  {name}: {value}")

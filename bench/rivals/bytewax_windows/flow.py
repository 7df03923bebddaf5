# mypy: disable-error-code="import-not-found,import-untyped,misc"
"""The dataflow of the bytewax rival: log → by chat → window → by workspace → POST.

    python -m bytewax.run bench/rivals/bytewax_windows/flow.py -w 4 -r RECOVERY -s 1 -b 0

Bytewax keeps no input. It snapshots, once an epoch, how far each source was read and the state of
each key, into SQLite files; after a crash it goes on from the last snapshot and reads the source
again from there. So the source must be one that can be read again, here the log of the door, and
whatever was sent since the snapshot is sent again: at least once, as its pages say.

Its ready-made windows are aligned to the clock or closed by silence; one that opens with the first
message and ends a fixed time later is the stateful operator.
"""

import os
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import local
from typing import Any

import msgspec
import requests
from bytewax import operators as op
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic, StatefulLogic

from hookbundle.bench.rivals import shape

READ_BYTES = 1 << 18
LOOK_AGAIN = timedelta(milliseconds=20)

log_path = Path(os.environ["RIVAL_LOG"])
url = os.environ["RIVAL_URL"]
window_ms = round(float(os.environ["RIVAL_WINDOW_S"]) * 1_000)
of_thread = local()

Line = list[Any]  # workspace, chat, when it came, event
Bundle = tuple[str, list[str]]  # its id, its events


class LogPart(StatefulSourcePartition[Line, int]):
    """The log, followed; its state is the place of the first byte that was not read yet."""

    def __init__(self, place: int | None) -> None:
        self._file = log_path.open("rb")
        self._place = place or 0
        self._awake: datetime | None = None

    def next_batch(self) -> list[Line]:
        self._file.seek(self._place)
        whole, newline, _ = self._file.read(READ_BYTES).rpartition(b"\n")
        self._place += len(whole) + len(newline)
        self._awake = None if whole else datetime.now(UTC) + LOOK_AGAIN
        return [msgspec.json.decode(line) for line in whole.splitlines()]

    def next_awake(self) -> datetime | None:
        return self._awake

    def snapshot(self) -> int:
        return self._place

    def close(self) -> None:
        self._file.close()


class LogSource(FixedPartitionedSource[Line, int]):
    def list_parts(self) -> list[str]:
        return ["log"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> LogPart:
        return LogPart(resume_state)


class Window(StatefulLogic[Line, Bundle, tuple[Line, ...]]):
    """A chat's open window; it is forgotten when it is over."""

    def __init__(self, lines: tuple[Line, ...] | None) -> None:
        self._lines = list(lines or ())

    def on_item(self, value: Line) -> tuple[Iterable[Bundle], bool]:
        self._lines.append(value)
        return (), StatefulLogic.RETAIN

    def on_notify(self) -> tuple[Iterable[Bundle], bool]:
        ws, chat, came_ms, _ = self._lines[0]
        # No counter is durable here; what the window is about names it after a restart too.
        bundle = f"{ws}-{chat}-{came_ms}", [line[3] for line in self._lines]
        return (bundle,), StatefulLogic.DISCARD

    def notify_at(self) -> datetime | None:
        if not self._lines:
            return None
        return datetime.fromtimestamp((self._lines[0][2] + window_ms) / 1_000, UTC)

    def snapshot(self) -> tuple[Line, ...]:
        return tuple(self._lines)


class Webhook(StatefulBatchLogic[Bundle, str, tuple[Bundle, ...]]):
    """A workspace's bundles that are not delivered yet, in order.

    A sink would have to wait out an error before it comes back, and the whole dataflow with it.
    Here the wait is a notification, and what waits is state that a snapshot keeps. The POST itself
    still holds up its worker, and with it a share of all workspaces.
    """

    def __init__(self, waiting: tuple[Bundle, ...] | None) -> None:
        self._waiting = deque(waiting or ())
        self._errors = 0
        self._again = datetime.now(UTC) if waiting else None

    def on_batch(self, batch: Sequence[Bundle]) -> tuple[Iterable[str], bool]:
        self._waiting.extend(batch)
        if self._again is not None:
            return (), StatefulBatchLogic.RETAIN
        return self.on_notify()

    def on_notify(self) -> tuple[Iterable[str], bool]:
        self._again = None
        delivered: list[str] = []
        while self._waiting:
            number, events = self._waiting[0]
            if not _accepted(number, events):
                self._errors += 1
                wait = timedelta(seconds=shape.wait_s(self._errors))
                self._again = datetime.now(UTC) + wait
                return delivered, StatefulBatchLogic.RETAIN
            self._errors = 0
            delivered.append(self._waiting.popleft()[0])
        return delivered, StatefulBatchLogic.DISCARD

    def notify_at(self) -> datetime | None:
        return self._again

    def snapshot(self) -> tuple[Bundle, ...]:
        return tuple(self._waiting)


def _accepted(number: str, events: Sequence[str]) -> bool:
    if not hasattr(of_thread, "client"):
        of_thread.client = requests.Session()
        of_thread.client.trust_env = False  # or each request looks for proxies and ~/.netrc
    body = shape.bundle_body([event.encode() for event in events])
    try:
        answer = of_thread.client.post(
            url,
            body,
            headers=shape.headers(number),
            timeout=shape.REQUEST_TIMEOUT_S,
            allow_redirects=False,
        )
    except requests.RequestException:
        return False
    return bool(answer.status_code == 200)


flow = Dataflow("windows")
lines = op.input("log", flow, LogSource())
chats = op.key_on("chat", lines, lambda line: f"{line[0]}|{line[1]}")
windows = op.stateful("window", chats, Window)
bundles = op.map("workspace", windows, lambda pair: (pair[0].partition("|")[0], pair[1]))
delivered = op.stateful_batch("webhook", bundles, Webhook)
op.output("delivered", delivered, StdOutSink())

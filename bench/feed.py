"""The cost of a feed reader for intake: without a reader, with one, and with a stopped one.

The three alternate on one daemon. The load is batches of 100 messages to 100 chats, so that each
message is an event and the feed has the most work. The reader is a separate process that counts
the events. Run it as `python bench/feed.py [--quick]`.
"""

import itertools
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgpack

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Process, Value, median, ratio

BATCH, CONNECTIONS = 100, 8
RATE_GUESSED = 12_000  # messages a second, to size a round
LENGTH = struct.Struct(">I")


KINDS = ("nobody", "reading", "stopped")


def run(quick: bool) -> dict[str, Value]:
    """Rates are messages per second."""
    rounds, seconds = (3, 2.0) if quick else (7, 5.0)
    requests = int(RATE_GUESSED * seconds) // BATCH
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    cpu_us: dict[str, list[float]] = {kind: [] for kind in KINDS}
    behind_s: list[float] = []
    with harness.data_directory() as data:
        filling.fill(data / "data", 10, aggregation_ms=86_400_000, url=filling.NEVER_CALLED)
        with harness.running_daemon(data) as (daemon, ready):
            path = ready["socket"]
            load(path, requests // 4, "warm")
            for number, kind in itertools.product(range(rounds), KINDS):
                with subscriber(path, kind, requests * BATCH) as reader:
                    began_cpu_s = daemon.cpu_s()
                    rates[kind].append(load(path, requests, f"{kind}{number}"))
                    loaded_s = time.perf_counter()
                    if reader is not None and kind == "reading":
                        reader.hear()
                        behind_s.append(time.perf_counter() - loaded_s)
                    took_cpu_s = daemon.cpu_s() - began_cpu_s
                    cpu_us[kind].append(took_cpu_s / (requests * BATCH) * 1e6)
    return {
        "rounds": rounds,
        **{f"{kind}_messages_per_s": round(median(rates[kind])) for kind in KINDS},
        **{f"{kind}_cpu_us_per_message": round(median(cpu_us[kind]), 1) for kind in KINDS},
        "reading_to_nobody": ratio(rates["reading"], rates["nobody"]),
        "stopped_to_nobody": ratio(rates["stopped"], rates["nobody"]),
        "reader_behind_at_the_end_s": round(median(behind_s), 3),
    }


@contextmanager
def subscriber(path: str, kind: str, messages: int) -> Iterator[Process | None]:
    """Starts a reader of the kind and waits until it has subscribed; None without a reader."""
    if kind == "nobody":
        yield None
        return
    feed = path.rpartition("/")[0] + "/feed.sock"
    with Process("feed.py", "subscriber", feed, kind, messages) as reader:
        reader.hear()
        yield reader


def load(path: str, requests: int, tag: str) -> float:
    """Messages per second."""
    took = harness.run_once("load.py", path, CONNECTIONS, requests, "many", tag)
    return requests * BATCH / float(took["seconds"])


def subscribe(path: str, kind: str, messages: int) -> None:
    """Reports when it has subscribed and, if it reads, when it has seen so many messages."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(b'{"hello":1,"format":"msgpack"}\n')
        stream = sock.makefile("rb")
        frame(stream.read)
        print("{}", flush=True)
        heard = 0
        while kind == "reading" and heard < messages:
            event = frame(stream.read)
            if event["type"] == "message.received":
                heard += len(event["data"]["accepted"])
        print("{}", flush=True)
        sys.stdin.readline()  # blocks until the benchmark ends this process


def frame(read: Callable[[int], bytes]) -> dict[str, Any]:
    (length,) = LENGTH.unpack(read(LENGTH.size))
    found: dict[str, Any] = msgpack.unpackb(read(length))
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["subscriber"]:
        subscribe(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        harness.show("feed", run(quick="--quick" in sys.argv))

"""What one message a request costs, over the socket and over TCP with a token, in instructions.

A daemon runs under valgrind. A client opens a few connections, and sends one request on each before
it reads the answers: so they share a commit, as those of callers who wait for each other do. What
is counted is the difference between many rounds and few, by thread, the kernel not counted.
Run it as `python bench/alone/lane.py [--quick]`.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Process, Value
from hookbundle.bench.instructions.counting import VALGRIND
from hookbundle.bench.processes import load

CONNECTIONS = (16, 64, 1)
FEW, MANY = 128, 1_024  # requests, of which each number of connections has whole rounds
LOOP, STORE = "01", "02"  # the daemon's threads, in the order in which they began
NUMBERS = count(1)
CHATS = 64
AGENT = "User-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip\r\nAccept: */*\r\n"
TOKEN_BODY = b'{"scope":"intake"}'


def run(quick: bool) -> dict[str, Value]:
    """Thousands of instructions a request: of the loop, of the Store, and of both."""
    found: dict[str, Value] = {}
    for connections in CONNECTIONS[: 1 if quick else None]:
        for way, ours in _counted(connections).items():
            found[f"{way}_{connections}_loop"] = round(ours[LOOP], 1)
            found[f"{way}_{connections}_store"] = round(ours[STORE], 1)
            found[f"{way}_{connections}_together"] = round(sum(ours.values()), 1)
    return found


def _counted(connections: int) -> dict[str, dict[str, float]]:
    """By way, and by thread."""
    found = {}
    with harness.data_directory() as data:
        filling.fill(data / "data", 10, aggregation_ms=86_400_000, url="")
        out = data / "out"
        options = ("--separate-threads=yes", "--instr-atstart=no", f"--callgrind-out-file={out}")
        under = (*VALGRIND, *options)
        with Process("serve.py", data, "--counted", under=under) as daemon:
            ready = daemon.hear()
            token = _token(ready["socket"])
            for way in ("socket", "tcp"):
                lines = [_line(ready, way) for _ in range(connections)]
                more = f"{AGENT}Authorization: Bearer {token}\r\n" if way == "tcp" else ""
                _ask(lines, more, 2 * CHATS)  # each chat twice: its actor holds its head
                _control(daemon, "--instr=on")
                steps = []
                for requests in (FEW, MANY):
                    _control(daemon, "--zero")
                    _ask(lines, more, requests)
                    _control(daemon, "--dump")
                    steps.append(_by_thread(out))
                few, many = steps
                found[way] = {
                    thread: (many[thread] - few.get(thread, 0)) / (MANY - FEW) / 1_000
                    for thread in many
                }
                for line in lines:
                    line.close()
    return found


def _line(ready: dict[str, Any], way: str) -> socket.socket:
    if way == "tcp":
        host, _, port = ready["tcp"].rpartition(":")
        return socket.create_connection((host, port))
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(ready["socket"])
    return sock


def _ask(lines: list[socket.socket], more: str, requests: int) -> None:
    for _ in range(requests // len(lines)):
        for line, wanted in zip(lines, _requests(more), strict=False):
            line.sendall(wanted)
        for line in lines:
            answer = line.recv(65_536)
            if not answer.startswith(load.ACCEPTED):
                raise RuntimeError(f"answered {answer!r}")


def _requests(more: str) -> Iterator[bytes]:
    for number in NUMBERS:
        made = load.request("single", "m", number, CHATS)
        yield made.replace(b"Content-Type", more.encode() + b"Content-Type", 1)


def _token(path: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect(path)
        head = b"POST /v1/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        sock.sendall(head % len(TOKEN_BODY) + TOKEN_BODY)
        return sock.recv(65_536).decode().partition('"token":"')[2].partition('"')[0]


def _control(daemon: Process, what: str) -> None:
    command = ["callgrind_control", what, str(daemon.pid)]
    subprocess.run(command, check=True, capture_output=True)


def _by_thread(out: Path) -> dict[str, int]:
    """The instructions of the last dump; its files are gone after."""
    found = {}
    for each in sorted(out.parent.glob(f"{out.name}.*-*")):
        lines = each.read_text(errors="replace").splitlines()
        totals = next(line for line in lines if line.startswith(("totals:", "summary:")))
        found[each.name.rpartition("-")[2]] = int(totals.split()[1])
        each.unlink()
    return found


if __name__ == "__main__":
    harness.show("One message a request", run(quick="--quick" in sys.argv))

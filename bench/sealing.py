"""How late windows are sealed at a given rate, and the highest rate of sealing.

Windows are put into the database beforehand. In the first part they fall due evenly, at 5,000 and
at 10,000 a second; in the second all at once, as after a downtime. A reader of the event feed, in
a process of its own, records when it sees each event: so the time includes the commit and the feed.
The workspaces have no URL, so nothing but sealing happens; bench/herd.py measures windows that are
delivered as well. The baseline, in the same minute, is one commit of LMDB alone with as many rows.
Run it as `python bench/sealing.py [--quick]`.
"""

import socket
import sys
import time
from pathlib import Path

import lmdb

from hookbundle.bench import filling, harness
from hookbundle.bench.feed import frame
from hookbundle.bench.filling import OpenWindow
from hookbundle.bench.harness import Process, Value, median, percentile

RATES = (5_000, 10_000)
WORKSPACES = 100
HOUR_MS = 3_600_000
READY_S = 6.0  # from the end of filling until the first window is due: daemon and reader start
FILLED_PER_S = 8_000  # a low estimate; the first window falls due after filling
COMMITS = 200


def run(quick: bool) -> dict[str, Value]:
    """Times are milliseconds."""
    seconds = 10 if quick else 40
    late: dict[str, Value] = {}
    for rate in RATES:
        even = _measure(seconds * rate, rate)
        for name in ("p50", "p99", "most"):
            late[f"late_{name}_ms_at_{rate}"] = round(even[name], 1)
        late[f"cpu_us_per_window_at_{rate}"] = round(even["cpu_us"], 1)
    herd = _measure(50_000 if quick else 200_000, 0)
    commits_ms = _bare_commits_ms(1_000)
    return {
        "seconds": seconds,
        **late,
        "at_once_windows": 50_000 if quick else 200_000,
        "at_once_sealed_per_s": round(herd["per_s"]),
        "lmdb_alone_commit_of_1000_p50_ms": round(median(commits_ms), 1),
        "lmdb_alone_commit_of_1000_p99_ms": round(percentile(commits_ms, 99), 1),
    }


def _measure(windows: int, rate: int) -> dict[str, float]:
    """The reader's result for so many windows, due at that rate or all at once."""
    with harness.data_directory() as data:
        wait_s = READY_S + windows / FILLED_PER_S if rate else -60
        first_ms = filling.now_ms() + round(wait_s * 1_000)
        dues = (first_ms + (n * 1_000 // rate if rate else 0) for n in range(windows))
        filling.fill(data / "data", WORKSPACES, aggregation_ms=HOUR_MS, url="")
        wanted = (OpenWindow(n % WORKSPACES, f"{n}-{due}", due) for n, due in enumerate(dues))
        filling.open_windows(data / "data", wanted, HOUR_MS)
        if rate and filling.now_ms() > first_ms:
            raise RuntimeError("filling took longer than expected: lower FILLED_PER_S")
        with harness.running_daemon(data) as (daemon, ready):
            feed = ready["socket"].rpartition("/")[0] + "/feed.sock"
            with Process("sealing.py", "reader", feed, windows) as reader:
                said = reader.hear()
            if daemon.ask()["windows"]:
                raise RuntimeError(f"{daemon.ask()['windows']} windows are still open")
            return {**said, "cpu_us": daemon.cpu_s() / windows * 1e6}


def read(path: str, windows: int) -> None:
    """Reads so many seal events from the oldest on, and reports how late they were."""
    late_ms: list[float] = []
    first_s = 0.0
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(
            b'{"hello":1,"format":"msgpack","since":"oldest","types":["delivery.sealed"]}\n'
        )
        stream = sock.makefile("rb", buffering=1 << 20)
        while len(late_ms) < windows:
            event = frame(stream.read)
            if event["type"] == "delivery.sealed":
                first_s = first_s or time.monotonic()
                late_ms.append(time.time_ns() / 1e6 - due_of(event["chat"]))
    took_s = time.monotonic() - first_s
    late_ms.sort()
    said = {
        "p50": percentile(late_ms, 50),
        "p99": percentile(late_ms, 99),
        "most": late_ms[-1],
        "per_s": windows / took_s,
    }
    harness.say(said)
    sys.stdin.readline()  # blocks until the benchmark ends this process


def due_of(chat_id: str) -> int:
    """The due time of the chat's window, which its id contains."""
    return int(chat_id.rpartition("-")[2])


def _bare_commits_ms(rows: int) -> list[float]:
    """Sorted times of commits of LMDB alone, each with so many rows of 1,000 bytes."""
    took_ms = []
    with (
        harness.data_directory() as data,
        lmdb.open(str(_made(data / "bare")), map_size=1 << 32, lib_version=0) as env,
    ):
        for number in range(COMMITS):
            began_s = time.perf_counter()
            with env.begin(write=True) as txn:
                for row in range(rows):
                    txn.put((number * rows + row).to_bytes(8, "big"), bytes(1_000))
            took_ms.append((time.perf_counter() - began_s) * 1_000)
    return sorted(took_ms)


def _made(path: Path) -> Path:
    path.mkdir()
    return path


if __name__ == "__main__":
    if sys.argv[1:2] == ["reader"]:
        read(sys.argv[2], int(sys.argv[3]))
    else:
        harness.show("Sealing", run(quick="--quick" in sys.argv))

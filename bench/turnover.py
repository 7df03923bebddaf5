"""Memory while messages come and go: taken in, bundled, sealed, delivered, gone.

A hundred thousand at a time, to chats that no time before had, until a million have passed. After
each time, when everything is delivered, the daemon's private memory is read; and in the long form
once more when the chats' actors, some 1 KiB each, have been idle for a minute and were let go. Run
it as `python bench/turnover.py [--quick]`.
"""

import sys
import time

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Process, Value

BATCH = 100
TIMES = 10
WINDOW_MS = 3_000
WAIT_S_MAX = 300.0


def run(quick: bool) -> dict[str, Value]:
    requests = 250 if quick else 1_000  # each time, each of a chat of its own
    memory_mib: list[float] = []
    with harness.data_directory() as data, Process("peers.py", "receiver") as receiver:
        url = receiver.hear()["url"]
        filling.fill(data / "data", 10, aggregation_ms=WINDOW_MS, url=url)
        with harness.running_daemon(data) as (daemon, ready):
            before_mib = daemon.private_bytes() / 2**20
            for turn in range(TIMES):
                first = turn * requests
                options = ("--first", first, "--chats", TIMES * requests)
                harness.run_once(
                    "load.py", ready["socket"], 8, requests, "one", f"turn{turn}", *options
                )
                _until_delivered(daemon)
                memory_mib.append(daemon.private_bytes() / 2**20)
            residents = daemon.ask()["residents"]
            if not quick:
                _until_let_go(daemon)
            last_mib = daemon.private_bytes() / 2**20
            file_mib = daemon.ask()["used_bytes"] / 2**20
        bundles = receiver.ask()["count"]
    return {
        "messages": TIMES * requests * BATCH,
        "bundles": bundles,
        "private_mib_before": round(before_mib, 1),
        "private_mib_after_each_tenth": " ".join(f"{mib:.0f}" for mib in memory_mib),
        "residents_after_the_last": residents,
        "private_mib_in_the_end": round(last_mib, 1),
        "private_mib_grown_from_third_to_end": round(last_mib - memory_mib[2], 1),
        "data_file_mib": round(file_mib, 1),
    }


def _until_delivered(daemon: Process) -> None:
    until_s = time.monotonic() + WAIT_S_MAX
    while (left := daemon.ask())["pending"] or left["windows"]:
        if time.monotonic() > until_s:
            raise RuntimeError(f"{left['pending']} deliveries were left after {WAIT_S_MAX} s")
        time.sleep(0.1)


def _until_let_go(daemon: Process) -> None:
    until_s = time.monotonic() + WAIT_S_MAX
    while left := daemon.ask()["residents"]:
        if time.monotonic() > until_s:
            raise RuntimeError(f"{left} chats are resident after {WAIT_S_MAX} s")
        time.sleep(1)


if __name__ == "__main__":
    harness.show("Turnover", run(quick="--quick" in sys.argv))

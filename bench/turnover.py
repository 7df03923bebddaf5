"""Memory while messages are accepted, bundled, sealed and delivered.

Two million messages pass in rounds of a hundred thousand. After each round, when everything is
delivered, the daemon's private memory is read. The first million goes to new chats, whose actors
take some 1 KiB each; the second goes to the same chats again, and memory should no longer grow.
Run it as `python bench/turnover.py [--quick]`.
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
    requests = 250 if quick else 1_000  # in each round, each to its own chat
    memory_mib: list[float] = []
    with harness.data_directory() as data, Process("peers.py", "receiver") as receiver:
        url = receiver.hear()["url"]
        filling.fill(data / "data", 10, aggregation_ms=WINDOW_MS, url=url)
        with harness.running_daemon(data) as (daemon, ready):
            before_mib = daemon.private_bytes() / 2**20
            for turn in range(2 * TIMES):
                first = turn * requests
                options = ("--first", first, "--chats", TIMES * requests)
                harness.run_once(
                    "load.py", ready["socket"], 8, requests, "one", f"turn{turn}", *options
                )
                _until_delivered(daemon)
                memory_mib.append(daemon.private_bytes() / 2**20)
            counted = daemon.ask()
        bundles = receiver.ask()["count"]
    return {
        "messages": 2 * TIMES * requests * BATCH,
        "bundles": bundles,
        "private_mib_before": round(before_mib, 1),
        "private_mib_after_each_time": " ".join(f"{mib:.0f}" for mib in memory_mib),
        "residents_after_the_last": counted["residents"],
        "private_mib_grown_by_the_second_half": round(memory_mib[-1] - memory_mib[TIMES - 1], 1),
        "data_file_mib": round(counted["used_bytes"] / 2**20, 1),
    }


def _until_delivered(daemon: Process) -> None:
    until_s = time.monotonic() + WAIT_S_MAX
    while (left := daemon.ask())["queued"] or left["windows"]:
        if time.monotonic() > until_s:
            raise RuntimeError(f"{left['queued']} deliveries were left after {WAIT_S_MAX} s")
        time.sleep(0.1)


if __name__ == "__main__":
    harness.show("Turnover", run(quick="--quick" in sys.argv))

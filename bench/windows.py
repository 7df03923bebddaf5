"""The cost of an open window: private memory, bytes on disk, time until ready after a restart.

Windows are opened through the HTTP API by one message for each chat. Then the daemon is stopped,
and a new one is started on the same data.
Run it as `python bench/windows.py [--quick] [NUMBER]`.
"""

import sys
import time

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value

BATCH = 100
CONNECTIONS = 8
LOAD_AT_ONCE = 500  # requests; the generator makes them all before it starts


def run(quick: bool, windows: int = 0) -> dict[str, Value]:
    windows = windows or (100_000 if quick else 1_000_000)
    with harness.data_directory() as data:
        env = harness.as_installed(data)  # what the first daemon compiles, the second one finds
        filling.fill(data / "data", 10, aggregation_ms=86_400_000, url=filling.NEVER_CALLED)
        with harness.running_daemon(data, env) as (daemon, ready):
            empty_bytes = daemon.private_bytes()
            seconds = _open(ready["socket"], windows)
            counted = daemon.ask()
            full_bytes = daemon.private_bytes()
        began_s = time.perf_counter()
        with harness.running_daemon(data, env) as (daemon, ready):
            again_s = time.perf_counter() - began_s
            if daemon.ask()["windows"] != windows:
                raise RuntimeError(f"{daemon.ask()['windows']} windows of {windows}")
            again_bytes = daemon.private_bytes()
    return {
        "windows": windows,
        "opened_per_s": round(windows / seconds),
        "private_mib_empty": round(empty_bytes / 2**20, 1),
        "private_mib_with_windows": round(full_bytes / 2**20, 1),
        "private_bytes_per_window": round((full_bytes - empty_bytes) / windows),
        "private_mib_after_restart": round(again_bytes / 2**20, 1),
        "disk_bytes_per_window": round(counted["used_bytes"] / windows),
        "ready_again_s": round(ready["start_s"], 3),
        "ready_again_s_with_the_interpreter": round(again_s, 3),
    }


def _open(path: str, windows: int) -> float:
    """Opens so many windows; returns the seconds it took."""
    seconds, requests = 0.0, windows // BATCH
    for first in range(0, requests, LOAD_AT_ONCE):
        many = min(LOAD_AT_ONCE, requests - first)
        tag = f"w{first}"
        took = harness.run_once("load.py", path, CONNECTIONS, many, "new", tag, "--first", first)
        seconds += took["seconds"]
    return seconds


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    harness.show("Open windows", run("--quick" in sys.argv, *numbers[:1]))

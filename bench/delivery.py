"""Deliveries of 1,000 workspaces to a receiver that answers at once, next to a bare client loop.

Every workspace has queued deliveries of one message when the daemon starts; they are sent in order.
The receiver counts the requests between its first and its last. The bare loop is an aiohttp client
that makes as many requests of the same size on as many connections and stores nothing.
Run it as `python bench/delivery.py [--quick]`.
"""

import sys
import time

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value, median, ratio

WORKSPACES = 1_000
WAIT_S_MAX = 120.0


def run(quick: bool) -> dict[str, Value]:
    """Rates are requests per second."""
    rounds, each = (3, 10) if quick else (5, 30)
    ours, bare, cpu_us, bare_cpu_us, connections = [], [], [], [], 0
    with harness.Process("peers.py", "receiver") as receiver:
        url = receiver.hear()["url"]
        for _ in range(rounds):
            rate, cpu_s, connections = _deliver(receiver, url, each)
            ours.append(rate)
            cpu_us.append(cpu_s / (WORKSPACES * each) * 1e6)
            client = harness.run_once("peers.py", "client", url, WORKSPACES, each)
            heard = receiver.ask()
            bare.append(heard["count"] / heard["seconds"])
            bare_cpu_us.append(client["cpu_s"] / (WORKSPACES * each) * 1e6)
    return {
        "rounds": rounds,
        "workspaces": WORKSPACES,
        "deliveries_per_round": WORKSPACES * each,
        "connections": connections,
        "deliveries_per_s": round(median(ours)),
        "bare_client_per_s": round(median(bare)),
        "to_bare_client": ratio(ours, bare),
        "cpu_us_per_delivery": round(median(cpu_us), 1),
        "bare_cpu_us_per_request": round(median(bare_cpu_us), 1),
    }


def _deliver(receiver: harness.Process, url: str, each: int) -> tuple[float, float, int]:
    """Deliveries per second, the daemon's total processor time, and the number of connections."""
    with harness.data_directory() as data:
        filling.fill(data / "data", WORKSPACES, aggregation_ms=0, url=url, deliveries=each)
        with harness.running_daemon(data) as (daemon, _):
            until_s = time.monotonic() + WAIT_S_MAX
            while daemon.ask()["queued"]:
                if time.monotonic() > until_s:
                    raise RuntimeError(f"not all delivered in {WAIT_S_MAX} s")
                time.sleep(0.2)
            heard, cpu_s = receiver.ask(), daemon.cpu_s()
    if heard["count"] != WORKSPACES * each:
        raise RuntimeError(f"{heard['count']} requests for {WORKSPACES * each} deliveries")
    return heard["count"] / heard["seconds"], cpu_s, heard["connections"]


if __name__ == "__main__":
    harness.show("Deliveries", run(quick="--quick" in sys.argv))

"""Durable intake over HTTP, beside the most that the machine can do.

Batches of 100 messages to 100 chats, to ten, and to one; rates/listeners.py has single messages. In
the quick form `many` writes to most of its 10,000 chats once: it measures how windows are opened.
Baselines alternate with them: the same requests to a bare aiohttp handler that parses and stores
nothing, and LMDB alone with as many rows in a transaction as the daemon had messages, in two ways:
300 bytes at the end each time, as in a log, and the 1,200 bytes of a record of some of 10,000
chats, as the daemon has to write. Run it as `python bench/intake.py [--quick]`.
"""

import sys

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value, median, ratio
from hookbundle.bench.rates import lmdb_alone

KINDS = ("many", "ten", "one")
MESSAGES, CONNECTIONS = 100, 16  # of a request; at once


def run(quick: bool) -> dict[str, Value]:
    """Rates are messages per second, times milliseconds."""
    rounds, seconds = (3, 2.0) if quick else (5, 5.0)
    results: dict[str, Value] = {"rounds": rounds}
    for kind in KINDS:
        results |= _measure(kind, rounds, seconds)
    return results


def _measure(kind: str, rounds: int, seconds: float) -> dict[str, Value]:
    messages, connections = MESSAGES, CONNECTIONS
    requests = int(12_000 * seconds) // messages
    ours, bare, puts, scattered, groups, cpu_us, bare_cpu_us = [], [], [], [], [], [], []
    p50_ms, p99_ms = [], []
    with harness.data_directory() as data:
        filling.fill(data / "data", 10, aggregation_ms=86_400_000, url="")
        with (
            harness.running_daemon(data) as (daemon, ready),
            harness.Process("peers.py", "handler", data / "bare") as handler,
        ):
            bare_path = handler.hear()["socket"]
            _load(ready["socket"], connections, requests // 10 or 1, kind, "warm")
            for number in range(rounds):
                before, cpu_before_s = daemon.ask(), daemon.cpu_s()
                took = _load(ready["socket"], connections, requests, kind, f"round{number}")
                after = daemon.ask()
                ours.append(requests * messages / took["seconds"])
                cpu_us.append((daemon.cpu_s() - cpu_before_s) / (requests * messages) * 1e6)
                p50_ms.append(took["p50_ms"])
                p99_ms.append(took["p99_ms"])
                accepted = after["accepted"] - before["accepted"]
                if accepted != requests * messages:
                    raise RuntimeError(f"{accepted} accepted of {requests * messages}")
                groups.append(accepted / (after["commits"] - before["commits"]))
                cpu_before_s = handler.cpu_s()
                took = _load(bare_path, connections, requests, kind, f"round{number}")
                bare_cpu_us.append((handler.cpu_s() - cpu_before_s) / (requests * messages) * 1e6)
                bare.append(requests * messages / took["seconds"])
                group = round(groups[-1])
                puts.append(lmdb_alone.appended(data / f"end{number}", group, seconds / 4))
                scattered.append(lmdb_alone.scattered(data / f"all{number}", group, seconds / 4))
    return {
        f"{kind}_messages_per_s": round(median(ours)),
        f"{kind}_bare_handler_per_s": round(median(bare)),
        f"{kind}_to_bare_handler": ratio(ours, bare),
        f"{kind}_lmdb_puts_per_s": round(median(puts)),
        f"{kind}_to_lmdb_puts": ratio(ours, puts),
        f"{kind}_lmdb_scattered_per_s": round(median(scattered)),
        f"{kind}_to_lmdb_scattered": ratio(ours, scattered),
        f"{kind}_messages_per_commit": round(median(groups), 1),
        f"{kind}_cpu_us_per_message": round(median(cpu_us), 1),
        f"{kind}_bare_handler_cpu_us_per_message": round(median(bare_cpu_us), 1),
        f"{kind}_p50_ms": round(median(p50_ms), 2),
        f"{kind}_p99_ms": round(median(p99_ms), 2),
    }


def _load(path: str, connections: int, requests: int, kind: str, tag: str) -> dict[str, float]:
    return harness.run_once("load.py", path, connections, requests, kind, tag)


if __name__ == "__main__":
    harness.show("Durable intake over HTTP", run(quick="--quick" in sys.argv))

"""One message a request: over the socket, and over TCP with a token; few connections and many.

Beside each the same requests to a bare aiohttp handler over the same kind of connection, which
reads a request and does nothing; both take turns, and a ratio is that of medians. Callers wait for
their answer before they send again. So few of them show how long a commit takes, and many what the
daemon can do. `…_by_cpu` is the same ratio by processor time, which other processes of the machine
change less: for each commit the daemon waits for a turn of the processor twice, the handler never.
`load_share` is how much of its time the generator computed, beside the daemon: well
below 1, it was not the limit. Run it as `python bench/rates/listeners.py [--quick]`.
"""

import sys
from itertools import product
from typing import NamedTuple

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value, median, ratio
from hookbundle.bench.processes import calls

CONNECTIONS = (16, 64, 256)
LISTENERS = ("socket", "tcp")
DAY_MS = 86_400_000


class Side(NamedTuple):
    """What was measured of one of the two, in each round."""

    per_s: list[float]
    cpu_us: list[float]
    load_share: list[float]


def run(quick: bool) -> dict[str, Value]:
    """Rates are requests per second, processor times microseconds a request."""
    rounds, requests = (3, 3_000) if quick else (7, 12_000)
    results: dict[str, Value] = {"rounds": rounds}
    with harness.data_directory() as data:
        filling.fill(data / "data", 10, aggregation_ms=DAY_MS, url="")
        with (
            harness.running_daemon(data) as (daemon, ready),
            harness.Process("peers.py", "handler", data / "bare") as handler,
        ):
            bare = handler.hear()
            token = calls.new_token(ready["socket"])
            for listener, connections in product(LISTENERS, CONNECTIONS):
                ours, theirs = Side([], [], []), Side([], [], [])
                warm = (connections, connections * 4, "single", f"warm{listener}{connections}")
                for address in (ready[listener], bare[listener]):
                    harness.run_once("load.py", address, *warm, "--token", token)
                for number in range(rounds):
                    work = (connections, requests, "single", f"{listener}{connections}r{number}")
                    _measure(daemon, ours, (ready[listener], *work, "--token", token))
                    _measure(handler, theirs, (bare[listener], *work, "--token", token))
                results |= _figures(f"{listener}_{connections}", ours, theirs)
    return results


def _measure(served_by: harness.Process, side: Side, load: tuple[object, ...]) -> None:
    before_s = served_by.cpu_s()
    took = harness.run_once("load.py", *load)
    side.cpu_us.append((served_by.cpu_s() - before_s) / took["requests"] * 1e6)
    side.per_s.append(took["requests"] / took["seconds"])
    side.load_share.append(took["cpu_s"] / took["seconds"])


def _figures(name: str, ours: Side, bare: Side) -> dict[str, Value]:
    return {
        f"{name}_per_s": round(median(ours.per_s)),
        f"{name}_bare_per_s": round(median(bare.per_s)),
        f"{name}_to_bare": ratio(ours.per_s, bare.per_s),
        f"{name}_to_bare_by_cpu": ratio(bare.cpu_us, ours.cpu_us),
        f"{name}_cpu_us": round(median(ours.cpu_us), 1),
        f"{name}_bare_cpu_us": round(median(bare.cpu_us), 1),
        f"{name}_load_share": round(median(ours.load_share), 2),
        f"{name}_bare_load_share": round(median(bare.load_share), 2),
    }


if __name__ == "__main__":
    harness.show("One message a request", run(quick="--quick" in sys.argv))

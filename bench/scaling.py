"""The cost of a message by the number of open chats, and by the number of workspaces.

By chats: batches of 100 messages to chats far apart, which all have an open window. By workspaces:
one message a request, to each workspace in turn. Measured are the daemon's processor time, which
hardly depends on other load of the machine, and the rate.
Run it as `python bench/scaling.py [--quick]`; the pictures go to docs/benchmarks/.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from hookbundle.bench import filling, harness
from hookbundle.bench.filling import OpenWindow
from hookbundle.bench.harness import Value, median
from hookbundle.bench.pictures import Line, curves
from hookbundle.bench.processes.load import BATCH

PICTURES = harness.HERE.parent / "docs" / "benchmarks"
DAY_MS = 86_400_000
ROUNDS = 3
WORKSPACES = 10


def run(quick: bool) -> dict[str, Value]:
    chats = [1_000, 10_000, 100_000] if quick else [1_000, 10_000, 100_000, 1_000_000]
    workspaces = [1, 100, 10_000]
    by_chats = {count: _with_chats(count, 200 if quick else 600) for count in chats}
    by_workspaces = {count: _with_workspaces(count, 4_000) for count in workspaces}
    if not quick:
        PICTURES.mkdir(exist_ok=True)
        _draw("chats", "open chats", by_chats)
        _draw("workspaces", "workspaces", by_workspaces)
    return {
        **_named("chats", by_chats),
        **_named("workspaces", by_workspaces),
    }


def _with_chats(chats: int, requests: int) -> tuple[float, float]:
    """Processor time of a message in microseconds, and messages per second."""
    with harness.data_directory() as data:
        filling.fill(data / "data", WORKSPACES, aggregation_ms=DAY_MS, url=filling.NEVER_CALLED)
        filling.open_windows(data / "data", _windows(chats), DAY_MS)
        return _measure(data, "spread", requests, BATCH, ("--chats", chats))


def _windows(chats: int) -> Iterator[OpenWindow]:
    """Opens a window for each chat of the load, in the workspace that the load will use."""
    due_ms = filling.now_ms() + DAY_MS
    for chat in range(chats):
        yield OpenWindow(chat // BATCH % WORKSPACES, f"15550100-{chat}@c.us", due_ms)


def _with_workspaces(workspaces: int, requests: int) -> tuple[float, float]:
    with harness.data_directory() as data:
        filling.fill(data / "data", workspaces, aggregation_ms=DAY_MS, url=filling.NEVER_CALLED)
        options = ("--workspaces", workspaces, "--chats", 10_000)
        return _measure(data, "single", requests, 1, options)


def _measure(
    data: Path, kind: str, requests: int, messages: int, options: tuple[object, ...]
) -> tuple[float, float]:
    connections = 64 if kind == "single" else 16
    costs_us, rates = [], []
    with harness.running_daemon(data) as (daemon, ready):
        for turn in range(ROUNDS + 1):
            before_s = daemon.cpu_s()
            took = harness.run_once(
                "load.py", ready["socket"], connections, requests, kind, f"t{turn}",
                "--first", turn * requests, *options,
            )  # fmt: skip
            if turn:  # the first round warms up
                costs_us.append((daemon.cpu_s() - before_s) / (requests * messages) * 1e6)
                rates.append(requests * messages / took["seconds"])
    return median(costs_us), median(rates)


def _named(what: str, found: dict[int, tuple[float, float]]) -> dict[str, Value]:
    named: dict[str, Value] = {}
    for count, (cost_us, rate) in found.items():
        named[f"{what}_{count}_cpu_us_per_message"] = round(cost_us, 1)
        named[f"{what}_{count}_messages_per_s"] = round(rate)
    return named


def _draw(name: str, axis: str, found: dict[int, tuple[float, float]]) -> None:
    line = Line("processor time", [(count, cost_us) for count, (cost_us, _) in found.items()])
    picture = curves(f"Processor time of a message, by {axis}", axis, "µs a message", [line])
    (PICTURES / f"{name}.svg").write_text(picture)


if __name__ == "__main__":
    harness.show("Scaling", run(quick="--quick" in sys.argv))

"""Ten thousand windows of a thousand workspaces that all end at the same time of the day.

That is what `at: 18:00` does to a daemon. While the windows are sealed and delivered, messages to
twenty other workspaces are accepted at a steady rate. Measured are: how long intake takes to answer
before and meanwhile, and when the last window is sealed, as a reader of the event feed sees it, and
delivered. The baseline, just before, is as many windows of a fixed length that end together. The
time of the day is the next minute that leaves time to fill the database.
Run it as `python bench/rules/evening.py [--quick]`.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from hookbundle.bench import filling, harness
from hookbundle.bench.filling import OpenWindow
from hookbundle.bench.harness import Process, Value, median, percentile
from hookbundle.engine.windows.parsing import written

WORKSPACES = 1_000
OTHERS = 20  # workspaces whose messages are accepted meanwhile
PROBES_PER_S = 200
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
CALM_MS = 5_000  # of intake before the herd, and the daemon's start
FILL_MS = 6_000  # a high estimate
WAIT_S_MAX = 120.0


def run(quick: bool) -> dict[str, Value]:
    """Times are milliseconds unless the name says seconds."""
    windows, rounds = 10_000, 1 if quick else 3
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, value in _round(windows).items():
            found.setdefault(name, []).append(value)
    figures: dict[str, Value] = {name: round(median(each), 2) for name, each in found.items()}
    return {"windows": windows, "workspaces": WORKSPACES, "rounds": rounds, **figures}


def _round(windows: int) -> dict[str, float]:
    with harness.data_directory() as data, Process("peers.py", "receiver") as receiver:
        url = receiver.hear()["url"]
        filling.fill(data / "fixed" / "data", WORKSPACES, aggregation_ms=HOUR_MS, url=url)
        due_ms = filling.now_ms() + FILL_MS + CALM_MS
        _open(data / "fixed", windows, due_ms, HOUR_MS)
        fixed = _measure(data / "fixed", windows, due_ms, receiver)
        at_ms = (filling.now_ms() + FILL_MS + CALM_MS) // MINUTE_MS * MINUTE_MS + MINUTE_MS
        rule = written({"at": [time.strftime("%H:%M", time.gmtime(at_ms / 1_000))], "zone": "UTC"})
        filling.fill(data / "at" / "data", WORKSPACES, aggregation_ms=0, url=url, window=rule)
        _open(data / "at", windows, at_ms, at_ms - filling.now_ms())
        herd = _measure(data / "at", windows, at_ms, receiver)
    return {
        **{f"{name}_at": value for name, value in herd.items()},
        **{f"{name}_fixed": value for name, value in fixed.items()},
        "all_sealed_at_to_fixed": herd["all_sealed_ms"] / fixed["all_sealed_ms"],
        "all_delivered_at_to_fixed": herd["all_delivered_ms"] / fixed["all_delivered_ms"],
        "intake_p99_at_to_quiet": herd["intake_p99_ms"] / herd["intake_p99_ms_quiet"],
    }


def _open(data: Path, windows: int, due_ms: int, length_ms: int) -> None:
    """The name of each chat says when its window ends: the reader of the feed wants to know."""

    def each() -> Iterator[OpenWindow]:
        for number in range(windows):
            yield OpenWindow(number % WORKSPACES, f"{number}-{due_ms}", due_ms)

    filling.open_windows(data / "data", each(), length_ms)
    filling.fill(
        data / "data", OTHERS, aggregation_ms=DAY_MS, url=filling.NEVER_CALLED, prefix="now"
    )


def _measure(data: Path, windows: int, due_ms: int, receiver: Process) -> dict[str, float]:
    if filling.now_ms() + CALM_MS > due_ms:
        raise RuntimeError("filling took longer than expected: raise FILL_MS")
    receiver.ask()
    with harness.running_daemon(data) as (daemon, ready):
        feed = ready["socket"].rpartition("/")[0] + "/feed.sock"
        with (
            Process("sealing.py", "reader", feed, windows) as reader,
            Process("herd.py", "prober", ready["socket"], due_ms, PROBES_PER_S) as prober,
        ):
            calm = sorted(prober.hear()["answers_ms"])
            sealed = reader.hear()
            until_s = time.monotonic() + WAIT_S_MAX
            while daemon.ask()["queued"]:
                if time.monotonic() > until_s:
                    raise RuntimeError(f"not all delivered in {WAIT_S_MAX} s")
                time.sleep(0.1)
            delivered_ms = filling.now_ms() - due_ms
            busy = sorted(prober.ask()["answers_ms"])
            left = daemon.ask()["windows"]
    heard = receiver.ask()
    if heard["count"] != windows:
        raise RuntimeError(f"{heard['count']} deliveries of {windows}, {left} windows are open")
    return {
        "intake_p50_ms_quiet": percentile(calm, 50),
        "intake_p99_ms_quiet": percentile(calm, 99),
        "intake_p50_ms": percentile(busy, 50),
        "intake_p99_ms": percentile(busy, 99),
        "intake_most_ms": busy[-1],
        "half_sealed_ms": sealed["p50"],
        "all_sealed_ms": sealed["most"],
        "all_delivered_ms": delivered_ms,
    }


if __name__ == "__main__":
    harness.show("Windows that end at the same time", run(quick="--quick" in sys.argv))

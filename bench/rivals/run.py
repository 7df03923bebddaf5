"""hookbundle beside what else does its job: `python bench/rivals/run.py [--quick] [NAME ...]`.

Contestants take turns within each round, each round begins with another one, and a ratio is between
values of the same round, so a noisy minute hits both sides. Results: `bench/results/rivals.json`.
What each rival is, and why it is built so, is said at the top of its files.
"""

import json
import os
import platform
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from hookbundle.bench import harness
from hookbundle.bench.harness import Value
from hookbundle.bench.rivals import measures
from hookbundle.bench.rivals.contestants import NAMES, OURS, RIVALS_PYTHON, Home
from hookbundle.bench.rivals.measures import LONG_WINDOW_S, NOT_BACK, Size

QUICK = Size(
    singles=1_500,
    batched=5_000,
    open_chats=2_000,
    bundles=500,
    each=4,
    gentle_s=2.0,
    gentle_per_s=50.0,
    window_s=2.0,
    kill_after_s=(3.0,),
)
FULL = Size(
    singles=4_000,
    batched=20_000,
    open_chats=20_000,
    bundles=1_500,
    each=5,
    gentle_s=4.0,
    gentle_per_s=100.0,
    window_s=3.0,
    kill_after_s=(3.0, 3.0, 3.0),
)
RATIOS = (
    "single_per_s",
    "batch_per_s",
    "deliveries_per_s",
    "late_p99_ms",
    "private_mib_open",
    "threads",
    "posts_per_message",
)
PLAIN = ("open_chats", "acknowledged", NOT_BACK, "twice", "overtaken", "ready_again_s", "drained_s")
SUMMED = ("acknowledged", NOT_BACK, "twice", "refused", "overtaken", "kills")

KILLED_WINDOW_S = 1.0

Round = dict[str, dict[str, Value]]  # what was measured, by contestant
Measure = Callable[[Home, Size], dict[str, Value]]


def run(quick: bool, names: Sequence[str] = NAMES) -> dict[str, Value]:
    """The medians of all rounds, and the ratios to hookbundle."""
    size, rounds = (QUICK, 1) if quick else (FULL, 3)
    played = [_play(number, names, size) for number in range(rounds)]
    results: dict[str, Value] = {"rounds": rounds}
    for name in names:
        for key in sorted({key for one in played for key in one[name]}):
            values = [float(one[name][key]) for one in played if key in one[name]]
            total = sum(values) if key in SUMMED else statistics.median(values)
            results[f"{name}_{key}"] = round(total, 3)
            if key in RATIOS and name != OURS and OURS in names:
                results[f"{name}_{key}_ratio"] = _ratio(played, name, key)
    return results


def _ratio(played: Sequence[Round], name: str, key: str) -> float:
    """The rival's by hookbundle's, of the same round; the median over the rounds that have both."""
    ratios = [
        float(one[name][key]) / (float(one[OURS][key]) or 1e-9)
        for one in played
        if key in one[name] and key in one[OURS]
    ]
    return round(statistics.median(ratios), 3)


def _play(number: int, names: Sequence[str], size: Size) -> Round:
    measured: list[tuple[Measure, float]] = [
        (measures.standing, LONG_WINDOW_S),
        (measures.flowing, size.window_s),
    ]
    if number == 0:  # these say what is the case, not how fast on this machine
        measured += [(measures.holding, LONG_WINDOW_S), (measures.killed, KILLED_WINDOW_S)]
    first = number % len(names)
    results: Round = {name: {} for name in names}
    for measure, window_s in measured:
        for name in (*names[first:], *names[:first]):
            began_s = time.monotonic()
            with harness.data_directory() as folder:
                home = measures.home_of(name, folder / name, window_s)
                results[name] |= measure(home, size)
            took_s = time.monotonic() - began_s
            print(f"round {number}: {measure.__name__} {name} {took_s:.0f} s", file=sys.stderr)
    return results


def show(results: dict[str, Value], names: Sequence[str]) -> None:
    """A row a measure, a column a contestant; in brackets the ratio to hookbundle."""
    print("".join(f"{word:>26}" for word in ("", *names)))
    for key in (*RATIOS, *PLAIN):
        cells = []
        for name in names:
            value, ratio = results.get(f"{name}_{key}"), results.get(f"{name}_{key}_ratio")
            cells.append(f"{value:,}" + (f" ({ratio:,})" if ratio is not None else ""))
        print("".join(f"{cell:>26}" for cell in (key, *cells)))


def main() -> None:
    words = sys.argv[1:]
    names = [name for name in NAMES if name in words] or list(NAMES)
    if not RIVALS_PYTHON.exists():
        sys.exit("the rivals are not installed: make bench-rivals")
    # Contestants have sessions of their own; they die with us only if we leave in good order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    began_s = time.monotonic()
    results = run("--quick" in words, names)
    show(results, names)
    print(f"{time.monotonic() - began_s:.0f} s")
    into = harness.HERE / "results"
    into.mkdir(exist_ok=True)
    machine = {"processors": os.cpu_count(), "python": platform.python_version()}
    kept = {"at": time.strftime("%FT%TZ", time.gmtime()), "machine": machine, **results}
    (into / "rivals.json").write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()

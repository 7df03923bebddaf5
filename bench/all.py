"""Runs every benchmark, writes `bench/results/*.json`, and compares the results with the goals.

`python bench/all.py` takes the quick forms; `--full` the long ones, with a million windows.
"""

import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence

from hookbundle.bench import goals, harness
from hookbundle.bench.harness import Value

NAMES = (
    "instructions.work",
    "rates.listeners",
    "actors",
    "intake",
    "delivery",
    "windows",
    "sealing",
    "herd",
    "turnover",
    "scaling",
    "feed",
    "history",
    "histories.search",
    "histories.replay",
    "several.webhooks",
    "rules.quiet",
    "rules.evening",
    "sources",
    "alone.store",
    "commands.startup",
    "commands.ready",
)


def run_all(names: Sequence[str], *, full: bool) -> None:
    into = harness.HERE / "results"
    into.mkdir(exist_ok=True)
    run_of = {
        "at": time.strftime("%FT%TZ", time.gmtime()),
        "commit": _commit(),
        "form": "full" if full else "quick",
        "machine": {"processors": os.cpu_count(), "python": platform.python_version()},
    }
    found: dict[str, dict[str, Value]] = {}
    for name in names:
        began_s = time.perf_counter()
        found[name] = importlib.import_module(f"hookbundle.bench.{name}").run(quick=not full)
        harness.show(f"{name} ({time.perf_counter() - began_s:.0f} s)", found[name])
        kept = json.dumps({**run_of, **found[name]}, indent=2)
        (into / f"{name}.json").write_text(kept + "\n")
    goals.table(found)


def _commit() -> str:
    """The commit that was measured, marked if the tree has changes; empty outside git."""
    command = ["git", "-C", str(harness.HERE), "describe", "--always", "--dirty"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout.strip()


if __name__ == "__main__":
    run_all(NAMES, full="--full" in sys.argv)

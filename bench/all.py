"""Every benchmark in its quick form, shown and kept in `bench/results/*.json`."""

import importlib
import json
import os
import platform
import time

from hookbundle.bench import harness

NAMES = ("actors", "intake", "delivery", "windows", "feed")


def main() -> None:
    into = harness.HERE / "results"
    into.mkdir(exist_ok=True)
    for name in NAMES:
        if not (harness.HERE / f"{name}.py").exists():
            continue
        began_s = time.perf_counter()
        results = importlib.import_module(f"hookbundle.bench.{name}").run(quick=True)
        harness.show(f"{name} ({time.perf_counter() - began_s:.0f} s)", results)
        machine = {"processors": os.cpu_count(), "python": platform.python_version()}
        kept = {"at": time.strftime("%FT%TZ", time.gmtime()), "machine": machine, **results}
        (into / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()

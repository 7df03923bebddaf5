"""How long commands take to start, ask the daemon and end, beside an interpreter that does nothing.

Run it as `python bench/commands/startup.py [--quick]`. Times are the least of all runs, because
other load only adds to them; instructions are counted by callgrind, the kernel's not. Modules were
compiled before, as an installation has them.
"""

import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hookbundle.bench import harness
from hookbundle.bench.harness import Value
from hookbundle.bench.instructions.counting import can_count

RUNS, RUNS_QUICK = 40, 10
NOTHING = (sys.executable, "-c", "pass")
PROGRAM = str(Path(sys.executable).with_name("hookbundle"))
COMMANDS = (
    "--help",
    "run --help",
    "tail --help",
    "version",
    "status",
    "workspace list",
    "workspace show acme",
)
UNDER_VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
COUNTED = re.compile(rb"Collected : (\d+)")


def run(quick: bool) -> dict[str, Value]:
    with harness.data_directory() as folder, harness.running_daemon(folder) as (_, ready):
        env = {
            **harness.as_installed(folder),
            "HOOKBUNDLE_SOCKET": ready["socket"],
            "HOME": str(folder),
        }
        make = ("workspace", "set", "acme", "--url", "http://127.0.0.1:8009/hook")
        subprocess.run([PROGRAM, *make], env=env, check=True, capture_output=True)
        found: dict[str, Value] = {}
        for name in ("", *COMMANDS):
            command = (PROGRAM, *name.split()) if name else NOTHING
            key = re.sub(r"\W+", "_", name).strip("_") or "nothing"
            found[f"{key}_s"] = _least_s(command, env, RUNS_QUICK if quick else RUNS)
            if can_count():
                found[f"{key}_million_instructions"] = round(_instructions(command, env) / 1e6)
        return found


def _least_s(command: Sequence[str], env: Mapping[str, str], runs: int) -> float:
    least_s = float("inf")
    for _ in range(runs):
        began_s = time.perf_counter()
        subprocess.run(command, env=env, check=True, capture_output=True)
        least_s = min(least_s, time.perf_counter() - began_s)
    return round(least_s, 3)


def _instructions(command: Sequence[str], env: Mapping[str, str]) -> int:
    python = command if command is NOTHING else (sys.executable, *command)
    ran = subprocess.run([*UNDER_VALGRIND, *python], env=env, check=True, capture_output=True)
    counted = COUNTED.search(ran.stderr)
    assert counted is not None, ran.stderr.decode()
    return int(counted[1])


if __name__ == "__main__":
    harness.show("Start of commands", run("--quick" in sys.argv))

"""How long `hookbundle run` takes until it is ready, on an empty database.

Run it as `python bench/commands/ready.py [--quick]`. Times are the least of all runs, because other
load only adds to them; instructions are callgrind's, the kernel's not counted, of a whole run that
is told to stop once it is ready. Modules are compiled before, as an installation has them;
`from_source` is what a start takes that compiles them, as where Python may not write.
"""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hookbundle.bench import harness
from hookbundle.bench.commands.startup import COUNTED, PROGRAM, UNDER_VALGRIND
from hookbundle.bench.harness import Value
from hookbundle.bench.instructions.counting import can_count

RUNS, RUNS_QUICK = 20, 5


class Run(NamedTuple):
    """`said`: on its stderr."""

    ready_s: float
    said: bytes


def run(quick: bool) -> dict[str, Value]:
    with harness.data_directory() as folder:
        env = {**harness.as_installed(folder), "HOOKBUNDLE_LISTEN": "off", "HOME": str(folder)}
        source = {**env, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": f"{folder}/none"}
        _run(folder, env)  # compiles
        times = range(RUNS_QUICK if quick else RUNS)
        found: dict[str, Value] = {
            "ready_s": round(min(_run(folder, env).ready_s for _ in times), 3),
            "ready_from_source_s": round(min(_run(folder, source).ready_s for _ in times), 3),
        }
        if can_count():
            counted = COUNTED.search(_run(folder, env, UNDER_VALGRIND).said)
            assert counted is not None
            found["ready_million_instructions"] = round(int(counted[1]) / 1e6)
        return found


def _run(folder: Path, env: Mapping[str, str], under: Sequence[str] = ()) -> Run:
    """A daemon on an empty database, which is stopped when it has said that it is ready."""
    data, notify = folder / "data", folder / "notify"
    command = (*under, sys.executable, PROGRAM, "run", "--data", str(data))
    env = {**env, "NOTIFY_SOCKET": str(notify), "HOOKBUNDLE_SOCKET": str(folder / "socket")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(notify))
        began_s = time.perf_counter()
        with subprocess.Popen(command, env=env, stderr=subprocess.PIPE) as daemon:
            while b"READY=1" not in told.recv(4_096):
                pass
            ready_s = time.perf_counter() - began_s
            daemon.send_signal(signal.SIGTERM)
            _, said = daemon.communicate()
    notify.unlink()
    shutil.rmtree(data)
    return Run(ready_s, said)


if __name__ == "__main__":
    harness.show("Until the daemon is ready", run("--quick" in sys.argv))

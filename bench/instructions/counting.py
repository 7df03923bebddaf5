"""Instructions of a process, counted by callgrind, of each thread for itself; the kernel's not.

Hardly anything of the machine is in such a count, but all takes some fifty times as long. What a
program does by time would be counted fifty times too often for what it does by request: so the
daemon's time is slowed in serve.py, if it is told `--counted`.
"""

import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple, Self

from hookbundle.bench.harness import Process

VALGRIND = ("valgrind", "--tool=callgrind", "-q")
SLOWER_BY = 50  # what runs under valgrind
THREAD = re.compile(r"-(\d+)$")
TOTAL = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
MAIN = 1


class Count(NamedTuple):
    """`main`: of the first thread, which is the daemon's loop. `busiest`: of the one that did most
    of what is left, which is the daemon's Store."""

    main: int
    busiest: int
    others: int

    @property
    def all(self) -> int:
        return self.main + self.busiest + self.others


class Counted:
    """A script under valgrind, whose instructions are counted step by step.

    `from_start`: false if nothing is to be counted before the first step, which is ten times as
    fast until then.
    """

    def __init__(
        self, data: Path, script: str, *arguments: object, from_start: bool = True
    ) -> None:
        self._out = data / "out"
        self._steps = 0
        self._is_counting = from_start
        options = ("--separate-threads=yes", f"--instr-atstart={'yes' if from_start else 'no'}")
        under = (*VALGRIND, *options, f"--callgrind-out-file={self._out}")
        self.process = Process(script, *arguments, under=under)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A daemon whose time is slowed would wait for long before it gives its attempts up.
        self.process.stop(signal.SIGKILL)

    def begin(self) -> None:
        if not self._is_counting:
            self._control("--instr=on")
            self._is_counting = True
        self._control("--zero")

    def end(self) -> Count:
        """What was counted since the step began."""
        self._steps += 1
        self._control("--dump")
        return self._read(f"{self._out.name}.{self._steps}-*")

    def whole(self) -> Count:
        """What was counted of a script that ends by itself, once it has said its last."""
        self.process.hear()
        self.process.ended()
        return self._read(f"{self._out.name}-*")

    def _read(self, names: str) -> Count:
        of_thread: dict[int, int] = {}
        for path in self._out.parent.glob(names):
            thread, total = THREAD.search(path.name), TOTAL.search(path.read_text("latin-1"))
            if thread and total:
                of_thread[int(thread[1])] = int(total[1])
        main = of_thread.pop(MAIN)
        busiest = max(of_thread.values(), default=0)
        return Count(main, busiest, sum(of_thread.values()) - busiest)

    def _control(self, *what: str) -> None:
        command = ["callgrind_control", *what, str(self.process.pid)]
        subprocess.run(command, check=True, capture_output=True)


def can_count() -> bool:
    return shutil.which(VALGRIND[0]) is not None

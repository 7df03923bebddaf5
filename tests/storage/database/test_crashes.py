"""The machine takes something away in mid-traffic: the disk's last page, or the process itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.tests.storage.scratch import House, ids_in

LIMITED = """
import resource, signal, sys
from pathlib import Path
from hookbundle.engine.errors import StoreFull
from hookbundle.tests.storage.scratch import House

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
house = House(Path(sys.argv[1]))
house.workspace()
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
stored = 0
try:
    while stored < 10_000:
        house.accept(f"m{stored}")
        stored += 1
except StoreFull:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    house.accept("after")
    print(stored, house.view().state.buffered_messages)
"""

TRAFFIC = """
import sys
from pathlib import Path
from hookbundle.tests.storage.scratch import OK, House

house = House(Path(sys.argv[1]))
house.workspace()
number = 0
while True:
    house.accept(*(f"m{number + i}" for i in range(5)), chat=f"c{number % 3}")
    print(number + 5, flush=True)
    if number % 7 == 0:
        house.seal(f"c{number % 3}")
    number += 5
"""


def python(code: str, path: Path) -> list[str]:
    return [sys.executable, "-c", code, str(path)]


def environment() -> dict[str, str]:
    """So that another process finds the package, as the tests do."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_a_full_disk_refuses_a_commit_and_keeps_the_earlier_ones(tmp_path: Path) -> None:
    run = subprocess.run(
        python(LIMITED, tmp_path), env=environment(), capture_output=True, text=True, check=True
    )

    stored, buffered = map(int, run.stdout.split())
    house = House(tmp_path)
    assert stored > 100
    assert house.view().state.buffered_messages == buffered == stored + 1
    house.close()


@pytest.mark.parametrize("answers", [1, 60, 200])
def test_nothing_that_was_answered_is_lost_when_the_writer_is_killed(
    tmp_path: Path, answers: int
) -> None:
    writer = subprocess.Popen(python(TRAFFIC, tmp_path), env=environment(), stdout=subprocess.PIPE)
    assert writer.stdout is not None
    for _ in range(answers):
        answered = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    answered = max([answered, *map(int, writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()

    house = House(tmp_path)
    for chat in ("c0", "c1", "c2"):
        house.seal(chat)

    stored = [message_id for delivery in house.pending() for message_id in ids_in(delivery)]
    assert len(stored) == len(set(stored))
    assert {f"m{number}" for number in range(answered)} <= set(stored)
    house.close()

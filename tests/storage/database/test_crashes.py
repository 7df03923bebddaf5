"""A full disk or a killed process during writes: committed records survive."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import ScratchDatabase

LIMITED = """
import resource, signal, sys
from pathlib import Path
from hookbundle.engine.errors import StoreFull
from hookbundle.tests.storage.scratch import ScratchDatabase

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
db = ScratchDatabase(Path(sys.argv[1]))
db.workspace()
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
stored = 0
try:
    while stored < 10_000:
        db.accept(f"m{stored}")
        stored += 1
except StoreFull:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    db.accept("after")
    print(stored, db.view().state.buffered_messages)
"""

TRAFFIC = """
import sys
from pathlib import Path
from hookbundle.tests.storage.scratch import OK, ScratchDatabase

db = ScratchDatabase(Path(sys.argv[1]))
db.workspace()
number = 0
while True:
    db.accept(*(f"m{number + i}" for i in range(5)), chat=f"c{number % 3}")
    print(number + 5, flush=True)
    if number % 7 == 0:
        db.seal(f"c{number % 3}")
    number += 5
"""


def python(code: str, path: Path) -> list[str]:
    return [sys.executable, "-c", code, str(path)]


def environment() -> dict[str, str]:
    """Environment variables with which another process finds the package."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_a_full_disk_refuses_a_commit_and_keeps_the_earlier_ones(tmp_path: Path) -> None:
    run = subprocess.run(
        python(LIMITED, tmp_path), env=environment(), capture_output=True, text=True, check=True
    )

    stored, buffered = map(int, run.stdout.split())
    db = ScratchDatabase(tmp_path)
    assert stored > 100
    assert db.view().state.buffered_messages == buffered == stored + 1
    db.close()


@pytest.mark.parametrize("answers", [1, 60, 200])
def test_no_committed_message_is_lost_when_the_writer_is_killed(
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

    db = ScratchDatabase(tmp_path)
    for chat in ("c0", "c1", "c2"):
        db.seal(chat)

    stored = [message_id for delivery in db.queued() for message_id in ids_in(delivery)]
    assert len(stored) == len(set(stored))
    assert {f"m{number}" for number in range(answered)} <= set(stored)
    db.close()

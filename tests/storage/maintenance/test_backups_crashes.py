"""A compaction that is killed at any step leaves a database that works, and nothing else."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.storage.database import files
from hookbundle.storage.maintenance import backups
from hookbundle.tests.storage.deleting import busy, delete
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import START_MS, House

KILLED_AT = """
import os, signal, sys
from pathlib import Path
from hookbundle.storage.maintenance import backups

left = int(sys.argv[2])

def tick():
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

backups.compact(Path(sys.argv[1]), 0, tick)
"""


def tick() -> None:
    pass


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A data directory with a workspace, and another that was deleted and not erased."""
    house = House(tmp_path / "data")
    busy(house, "kept")
    busy(house, "gone")
    delete(house, "gone")
    house.close()
    return house.path


def compacting(path: Path, killed_at: int) -> int:
    """The exit code of a process that is killed at that record, counted over copy and check."""
    command = [sys.executable, "-c", KILLED_AT, str(path), str(killed_at)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=env, check=False, timeout=60).returncode


@pytest.mark.parametrize("share", [0.01, 0.3, 0.51, 0.9, 0.999])
def test_killed_while_copying_or_checking_the_database_is_as_it_was(
    closed: Path, share: float
) -> None:
    trial = closed.with_name("trial")
    shutil.copytree(closed, trial)
    records = backups.compact(trial, START_MS, tick).records

    code = compacting(closed, 1 + int(2 * records * share))

    left = closed / files.STAGING
    assert code == -signal.SIGKILL
    assert left.exists()
    house = House(closed)
    assert findings(house) == []
    assert len(house.dump()) == records
    assert not left.exists()
    house.close()


def test_killed_before_the_new_file_took_the_old_one_s_place_it_may_be_done_again(
    closed: Path,
) -> None:
    compacting(closed, 5)

    backups.compact(closed, START_MS, tick)

    house = House(closed)
    assert findings(house) == []
    assert not (closed / files.STAGING).exists()
    house.close()


def test_killed_after_the_new_file_took_the_old_one_s_place_only_litter_is_left(
    closed: Path,
) -> None:
    backups.compact(closed, START_MS, tick)
    (closed / files.STAGING).mkdir()
    (closed / files.STAGING / "lock.mdb").write_bytes(b"litter")

    house = House(closed)

    assert findings(house) == []
    assert not (closed / files.STAGING).exists()
    house.close()


def test_a_copy_that_cannot_be_made_changes_nothing(closed: Path) -> None:
    (closed / files.STAGING).write_text("a file where a directory is wanted")

    with pytest.raises(Exception, match=files.STAGING):
        backups.compact(closed, START_MS, tick)

    (closed / files.STAGING).unlink()
    house = House(closed)
    assert findings(house) == []
    house.close()

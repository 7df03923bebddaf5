"""A compaction that is killed at any step leaves a working database, and no other files."""

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
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase

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
    """A data directory with two workspaces; one is deleted, but not erased."""
    db = ScratchDatabase(tmp_path / "data")
    busy(db, "kept")
    busy(db, "gone")
    delete(db, "gone")
    db.close()
    return db.path


def compacting(path: Path, killed_at: int) -> int:
    """The exit code of a compaction that is killed at a record, counted over copy and check."""
    command = [sys.executable, "-c", KILLED_AT, str(path), str(killed_at)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=env, check=False, timeout=60).returncode


@pytest.mark.parametrize("share", [0.01, 0.3, 0.51, 0.9, 0.999])
def test_a_kill_during_copy_or_check_leaves_the_database_unchanged(
    closed: Path, share: float
) -> None:
    trial = closed.with_name("trial")
    shutil.copytree(closed, trial)
    records = backups.compact(trial, START_MS, tick).records

    code = compacting(closed, 1 + int(2 * records * share))

    left = closed / files.STAGING
    assert code == -signal.SIGKILL
    assert left.exists()
    db = ScratchDatabase(closed)
    assert findings(db) == []
    assert len(db.dump()) == records
    assert not left.exists()
    db.close()


def test_a_compaction_killed_before_the_rename_can_be_repeated(
    closed: Path,
) -> None:
    compacting(closed, 5)

    backups.compact(closed, START_MS, tick)

    db = ScratchDatabase(closed)
    assert findings(db) == []
    assert not (closed / files.STAGING).exists()
    db.close()


def test_a_compaction_killed_after_the_rename_leaves_only_files_to_remove(
    closed: Path,
) -> None:
    backups.compact(closed, START_MS, tick)
    (closed / files.STAGING).mkdir()
    (closed / files.STAGING / "lock.mdb").write_bytes(b"left over")

    db = ScratchDatabase(closed)

    assert findings(db) == []
    assert not (closed / files.STAGING).exists()
    db.close()


def test_a_copy_that_cannot_be_made_changes_nothing(closed: Path) -> None:
    (closed / files.STAGING).write_text("a file where a directory is wanted")

    with pytest.raises(Exception, match=files.STAGING):
        backups.compact(closed, START_MS, tick)

    (closed / files.STAGING).unlink()
    db = ScratchDatabase(closed)
    assert findings(db) == []
    db.close()

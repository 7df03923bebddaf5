"""A copy outlives its process, and the machine only if it was closed."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from hookbundle.engine.errors import InUse, StoreFull
from hookbundle.storage.database import files
from hookbundle.storage.database.replication import copy_state, position
from hookbundle.storage.database.replication.base import NewCopy, chunks
from hookbundle.storage.database.replication.copies import Copy, open_copy
from hookbundle.storage.database.replication.copy_state import CopyState
from hookbundle.storage.database.replication.position import Position
from hookbundle.tests.storage.page_damage import LEAF, pages_of, zeros
from hookbundle.tests.storage.scratch import ScratchDatabase

WRITER = """
import sys
from pathlib import Path
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.copies import open_copy
from hookbundle.storage.database.replication.position import Position

copy = open_copy(Path(sys.argv[1]), 1)
seq = 1
while True:
    seq += 1
    position.follow(copy, [(b"Wx%d" % seq, bytes(1000))], Position("1x0", seq, 0))
    print(seq, flush=True)
"""


@pytest.fixture
def path(db: ScratchDatabase, tmp_path: Path) -> Path:
    """Of a copy that nobody has opened yet."""
    db.workspace()
    path = tmp_path / "copy"
    copy = NewCopy(path)
    for chunk in chunks(db.env, 1 << 20):
        copy.put(chunk)
    copy.finish(Position("1x0", 1, 0))
    copy.close()
    return path


@pytest.fixture
def opened(path: Path, tmp_path: Path) -> Callable[[str], Copy | None]:
    """Opens the copy in a run of the machine."""

    def opening(run: str) -> Copy | None:
        file = tmp_path / "boot_id"
        file.write_text(f"{run}\n") if run else file.unlink(missing_ok=True)
        return open_copy(path, 1, boot_id_file=file)

    return opening


Opened = Callable[[str], Copy | None]


def down(copy: Copy | None) -> None:
    """The copy is left as a process leaves it that is killed."""
    assert copy is not None
    with patch.object(Copy, "_is_synced", lambda self: False):
        copy.close()


def test_a_new_copy_is_sound_in_any_run_until_it_is_opened(path: Path, opened: Opened) -> None:
    assert not (path / copy_state.FILE).exists()

    copy = opened("second")

    assert copy is not None
    assert not copy._env.flags()["sync"]
    assert not copy._env.flags()["metasync"]
    copy.close()


def test_a_copy_whose_process_was_killed_is_gone_on_with_in_the_same_run(opened: Opened) -> None:
    down(opened("first"))

    copy = opened("first")

    assert copy is not None
    with copy.read() as txn:
        assert position.read(txn) == Position("1x0", 1, 0)
    copy.close()


@pytest.mark.parametrize("run", ["second", ""])
def test_a_copy_that_was_open_when_the_machine_went_down_is_not_gone_on_with(
    path: Path, opened: Opened, run: str
) -> None:
    down(opened("first"))

    assert opened(run) is None
    assert (path / files.DATA).exists()
    assert opened(run) is None
    assert opened("first") is None


def test_a_copy_that_came_from_a_backup_of_its_file_while_it_was_open_is_not_gone_on_with(
    path: Path, opened: Opened
) -> None:
    down(opened("first"))
    restored = shutil.copy2(path / files.DATA, path / "restored")
    (path / files.DATA).unlink()
    Path(restored).rename(path / files.DATA)

    assert opened("first") is None


def test_a_backup_of_a_copy_that_was_closed_is_gone_on_with(path: Path, opened: Opened) -> None:
    first = opened("first")
    assert first is not None
    first.close()
    restored = shutil.copytree(path, path.with_name("restored"))

    copy = open_copy(restored, 1)

    assert copy is not None
    copy.close()


def test_a_copy_that_was_closed_is_sound_in_another_run(opened: Opened) -> None:
    first = opened("first")
    assert first is not None
    first.close()

    second = opened("second")

    assert second is not None
    second.close()


def test_a_state_that_can_not_be_read_counts_as_none_that_is_clean(
    path: Path, opened: Opened
) -> None:
    (path / copy_state.FILE).write_bytes(b"\xff{")

    assert opened("first") is None


@pytest.mark.parametrize("ends", [1, 2])
def test_a_copy_that_was_open_when_its_process_ended_is_looked_through_the_second_time(
    path: Path, opened: Opened, ends: int
) -> None:
    for _ in range(ends):
        down(opened("first"))
    zeros(path / files.DATA, pages_of(path / files.DATA, LEAF)[-1])

    again = opened("first") if ends > 1 else None

    assert again is None
    assert (path / files.DATA).exists(), "until a new one is whole"


def test_a_sound_copy_is_gone_on_with_however_often_its_process_ended(opened: Opened) -> None:
    for _ in range(4):
        down(opened("first"))
    copy = opened("first")
    assert copy is not None
    copy.close()

    inode = (copy.path / files.DATA).stat().st_ino
    assert copy_state.opened(copy.path, "first") == CopyState("first", False, 0, inode)


def test_a_full_disk_leaves_a_copy_as_it_was(path: Path, opened: Opened) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with patch.object(copy_state, "write", side_effect=full), pytest.raises(StoreFull):
        opened("first")
    copy = opened("first")
    assert copy is not None

    with patch.object(copy_state, "write", side_effect=full):
        copy.close()

    again = opened("first")
    assert again is not None
    again.close()
    assert (path / files.DATA).exists()


def test_no_copy_is_made_below_the_floor_of_the_disk(tmp_path: Path) -> None:
    copy = NewCopy(tmp_path / "copy", floor_bytes=1 << 60)

    with pytest.raises(StoreFull, match=r"storage\.floor"):
        copy.put([(b"Wx", b"value")])
    copy.close()

    assert sorted(each.name for each in (tmp_path / "copy").iterdir()) == ["lock"]


def test_a_copy_in_use_is_not_dropped(path: Path, opened: Opened) -> None:
    copy_state.write(path, CopyState("first", clean=False))

    with files.locked(path), pytest.raises(InUse):
        opened("second")

    assert (path / files.DATA).exists()


def test_a_new_copy_takes_the_place_of_one_that_was_not_sound(
    db: ScratchDatabase, path: Path, opened: Opened
) -> None:
    down(opened("first"))
    again = NewCopy(path)
    for chunk in chunks(db.env, 1 << 20):
        again.put(chunk)
    again.finish(Position("2x1", 9, 1))
    again.close()

    copy = opened("second")

    assert copy is not None
    copy.close()


def test_a_copy_of_a_killed_process_holds_all_that_it_had_committed(path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environ
    )
    assert writer.stdout is not None
    said = [int(writer.stdout.readline()) for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    said += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()

    copy = open_copy(path, 1)

    assert copy is not None
    with copy.read() as txn:
        at = position.read(txn)
        assert at is not None
        assert at.seq >= said[-1]
        assert all(txn.get(b"Wx%d" % seq) == bytes(1000) for seq in range(2, at.seq + 1))
    copy.close()

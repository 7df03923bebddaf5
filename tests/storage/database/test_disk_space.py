"""A disk that takes no more is told from one that fails, whatever limits it."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
import pytest

from hookbundle.engine.errors import CommitFailed, StoreFull
from hookbundle.storage.database.data_file.disk_space import FOR_WANT_OF_SPACE, has_room
from hookbundle.storage.database.environment import SURELY_ROOM_BYTES
from hookbundle.tests.reliability.harness.failing_calls import FailingDisk, Fault
from hookbundle.tests.storage.scratch import ScratchDatabase

MIB = 1024 * 1024


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_has_room_for_a_little_and_not_for_more_than_all(tmp_path: Path) -> None:
    data = tmp_path / "data.mdb"
    data.touch()

    assert has_room(data, 4_096)
    assert not has_room(data, 1 << 60)
    assert list(tmp_path.iterdir()) == [data]


def test_the_largest_size_of_a_file_counts_from_where_the_data_ends(tmp_path: Path) -> None:
    data = tmp_path / "data.mdb"
    data.touch()
    os.truncate(data, 3 * MIB)

    with files_of_at_most(4 * MIB):
        assert has_room(data, MIB)
        assert not has_room(data, 2 * MIB)


@pytest.mark.parametrize("code", [*sorted(FOR_WANT_OF_SPACE), errno.EIO, errno.EOPNOTSUPP])
def test_a_quota_is_a_full_disk_and_a_disk_that_fails_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    data = tmp_path / "data.mdb"
    data.touch()

    def refused(fd: int, offset: int, size: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refused)

    assert has_room(data, MIB) == (code not in FOR_WANT_OF_SPACE)


@pytest.mark.parametrize(
    ("size", "told"), [(SURELY_ROOM_BYTES // 2, StoreFull), (SURELY_ROOM_BYTES * 2, CommitFailed)]
)
def test_a_short_write_that_lmdb_calls_an_error_of_the_disk_is_told_as_what_it_was(
    tmp_path: Path, size: int, told: type[Exception]
) -> None:
    db = ScratchDatabase(tmp_path)
    disk = FailingDisk(db.env)
    disk.fault = Fault(cut_short, at=2)  # after its begin

    with files_of_at_most(size), pytest.raises(told), disk.write():
        pass
    assert disk.fault.hit == "commit"
    db.close()


def cut_short() -> Exception:
    error: Any = lmdb.Error("mdb_txn_commit: Input/output error")
    error.code = errno.EIO
    assert isinstance(error, lmdb.Error)
    return error

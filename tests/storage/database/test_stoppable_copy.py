"""A copy of a database in use can be stopped, and says what kept it from being written."""

from pathlib import Path

import pytest

from hookbundle.storage.database.data_file.stoppable_copy import CHUNK_BYTES
from hookbundle.tests.storage.scratch import ScratchDatabase


class Stopped(Exception):
    pass


def test_a_copy_that_is_stopped_writes_no_more(db: ScratchDatabase, tmp_path: Path) -> None:
    with db.env.write() as txn:
        for number in range(8):
            txn.put(b"?%d" % number, bytes(CHUNK_BYTES))
    calls = 0

    def stop_at_the_third() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Stopped

    with pytest.raises(Stopped):
        db.env.copy_compact(tmp_path, stop_at_the_third)

    assert calls == 3
    assert (tmp_path / "data.mdb").stat().st_size < 3 * CHUNK_BYTES


def test_a_copy_that_can_not_be_written_says_why(db: ScratchDatabase, tmp_path: Path) -> None:
    (tmp_path / "data.mdb").touch()

    with pytest.raises(FileExistsError):
        db.env.copy_compact(tmp_path, lambda: None)

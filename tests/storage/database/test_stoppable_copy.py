"""A copy of a database in use can be stopped, and says what kept it from being written.

Who closes a database does not wait for a copy, or another one that reads all of it.
"""

import threading
import time
from pathlib import Path

import pytest

from hookbundle.engine.errors import HookbundleError, Overloaded
from hookbundle.storage.database.data_file.stoppable_copy import CHUNK_BYTES
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.tests.storage.scratch import ScratchDatabase

WITHIN_S = 20.0


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


def reading(env: Environment, has_begun: threading.Event, ended: list[HookbundleError]) -> None:
    until_s = time.monotonic() + WITHIN_S
    try:
        with env.read_long():
            has_begun.set()
            while time.monotonic() < until_s:
                env.ends_if_told()
    except HookbundleError as exc:
        ended.append(exc)


def test_a_long_read_ends_when_the_database_is_closed(tmp_path: Path) -> None:
    env = open_environment(tmp_path, 1)
    has_begun, ended = threading.Event(), list[HookbundleError]()
    reader = threading.Thread(target=reading, args=(env, has_begun, ended))
    reader.start()
    assert has_begun.wait(WITHIN_S)

    env.close()
    reader.join(2 * WITHIN_S)

    assert [type(each) for each in ended] == [Overloaded]


def test_no_long_read_begins_any_more(tmp_path: Path) -> None:
    env = open_environment(tmp_path, 1)
    env.close()

    with pytest.raises(Overloaded), env.read_long():
        pass

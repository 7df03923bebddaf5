"""A copy that is made anew takes the place of the one before, whatever ends the process."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, files, keyspace
from hookbundle.storage.database.replication import copy_state, position
from hookbundle.storage.database.replication.base import NewCopy, chunks
from hookbundle.storage.database.replication.copies import open_copy
from hookbundle.storage.database.replication.position import Position, Row
from hookbundle.tests.storage.scratch import ScratchDatabase

BEFORE, AFTER = Position("1x0", 1, 0), Position("2x1", 9, 1)
OTHER_EPOCH = "ffeeddccbb"


class Ended(BaseException):
    """The process."""


@pytest.fixture
def path(db: ScratchDatabase, tmp_path: Path) -> Path:
    """Of a copy that was closed."""
    db.workspace()
    path = tmp_path / "copy"
    copy = NewCopy(path)
    for chunk in chunks(db.env, 1 << 20):
        copy.put(chunk)
    copy.finish(BEFORE)
    copy.close()
    opened = open_copy(path, 1)
    assert opened is not None
    opened.close()
    return path


def recovered(db: ScratchDatabase) -> Iterator[list[Row]]:
    """The rows of a log that was begun anew: the database has another epoch."""
    identity = replace(db.env.identity, epoch=OTHER_EPOCH)
    for chunk in chunks(db.env, 1 << 20):
        yield [row for row in chunk if row[0] != keyspace.IDENTITY]
    yield [(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))]


def fail(*_: object, **__: object) -> None:
    raise Ended


@pytest.mark.parametrize(
    ("where", "call", "is_new"),
    [
        (files, "sync", False),
        (Path, "rename", False),
        (files, "write_marker", True),
        (copy_state, "forget", True),
    ],
)
def test_whatever_ends_the_process_one_of_the_two_copies_is_there(
    db: ScratchDatabase, path: Path, where: object, call: str, is_new: bool
) -> None:
    copy = NewCopy(path)
    for rows in recovered(db):
        copy.put(rows)
    with patch.object(where, call, fail), pytest.raises(Ended):
        copy.finish(AFTER)
    copy._env.close()
    os.close(copy._lock_fd)  # as the kernel does it

    opened = open_copy(path, 1)

    assert opened is not None
    with opened.read() as txn:
        assert position.read(txn) == (AFTER if is_new else BEFORE)
    assert (opened.identity.epoch == OTHER_EPOCH) == is_new
    opened.close()


def test_a_new_copy_is_on_disk_before_it_takes_the_place_of_another(
    db: ScratchDatabase, path: Path
) -> None:
    done = list[str]()

    def noted(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def noting(*given: object, **named: object) -> object:
            done.append(name)
            return call(*given, **named)

        return noting

    copy = NewCopy(path)
    for rows in recovered(db):
        copy.put(rows)
    with (
        patch.object(files, "sync", noted("sync", files.sync)),
        patch.object(Path, "rename", noted("rename", Path.rename)),
    ):
        copy.finish(AFTER)
    copy.close()

    assert "sync" in done[: done.index("rename")]
    marker = files.read_marker(path)
    assert marker is not None
    assert marker.epoch == OTHER_EPOCH


def test_a_base_without_an_identity_is_no_copy_and_the_one_before_stays(path: Path) -> None:
    copy = NewCopy(path)
    copy.put([(b"Wx", b"value")])
    with pytest.raises(CorruptRecord, match="no identity"):
        copy.finish(AFTER)
    copy.close()

    opened = open_copy(path, 1)
    assert opened is not None
    with opened.read() as txn:
        assert position.read(txn) == BEFORE
    opened.close()

"""What a node remembers of its cluster, for when the log servers have lost it."""

from pathlib import Path

import pytest

from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import ClusterRecord
from hookbundle.server.cluster import record_file
from hookbundle.server.cluster.record_file import Remembered

RECORD = ClusterRecord(1, "one", 4, 2, 0, "key")
OTHER = ClusterRecord(1, "two", 4, 2, 0, "key")


def with_copy(data: Path) -> None:
    folder = data / "partitions" / "003"
    folder.mkdir(parents=True)
    (folder / "data.mdb").touch()


def test_what_was_written_is_read_by_the_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    record_file.write(data, Remembered(RECORD, 3))
    record_file.write(data, Remembered(OTHER, 1))

    assert record_file.read(data) == Remembered(OTHER, 1)
    assert (data / record_file.FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("written", [None, b"", b"\xff", b"[]", b'{"record": 1}'])
def test_what_can_not_be_read_is_nothing(tmp_path: Path, written: bytes | None) -> None:
    if written is not None:
        (tmp_path / record_file.FILE).write_bytes(written)

    assert record_file.read(tmp_path) is None
    record_file.check(tmp_path, RECORD)


def test_copies_of_another_cluster_are_refused_and_none_are_not(tmp_path: Path) -> None:
    record_file.write(tmp_path, Remembered(RECORD, 3))
    record_file.check(tmp_path, OTHER)
    with_copy(tmp_path)

    record_file.check(tmp_path, RECORD)
    with pytest.raises(ClusterUnusable, match="with the id one, and the log servers"):
        record_file.check(tmp_path, OTHER)

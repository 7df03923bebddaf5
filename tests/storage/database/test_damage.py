"""A damaged, truncated or wrong database is refused, and never replaced by an empty one."""

import os
from pathlib import Path

import lmdb
import pytest

from hookbundle.engine.errors import CorruptRecord, Unusable
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Chunk
from hookbundle.storage.database.records import SCHEMA, Identity
from hookbundle.tests.storage.database.directories import opened
from hookbundle.tests.storage.scratch import ScratchDatabase

PAGE = 4096


def test_an_empty_data_file_beside_a_marker_is_refused(closed: Path) -> None:
    os.truncate(closed / "data.mdb", 0)

    with pytest.raises(Unusable, match="empty or gone"):
        opened(closed)


def test_a_missing_data_file_beside_a_marker_is_refused(closed: Path) -> None:
    (closed / "data.mdb").unlink()

    with pytest.raises(Unusable, match="empty or gone"):
        opened(closed)


@pytest.mark.parametrize("lost", [1, PAGE, 100 * PAGE])
def test_a_truncated_file_is_refused_before_it_is_mapped(closed: Path, lost: int) -> None:
    data = closed / "data.mdb"
    os.truncate(data, data.stat().st_size - lost)

    with pytest.raises(Unusable, match="cut short"):
        opened(closed)


@pytest.mark.parametrize("values", [1, 40])
def test_a_file_that_lacks_only_free_pages_opens(tmp_path: Path, values: int) -> None:
    env = opened(tmp_path)
    for size in (
        100,
        1_000,
        60_000,
        90_000,
        120_000,
    ):  # a value too large for the free pages goes to the end of the file
        with env.write() as txn:
            for number in range(values):
                txn.put(keyspace.numbered(keyspace.MAILS, number), bytes(size))
            for number in range(values):
                txn.delete(keyspace.numbered(keyspace.MAILS, number))
    usage = env.usage()
    env.close()

    again = opened(tmp_path)

    assert usage.file_bytes < usage.used_bytes
    assert again.identity == env.identity
    again.close()


def test_records_written_and_deleted_in_one_commit_leave_a_file_that_opens(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(10):
        db.accept(f"m{number}")
    key = keyspace.of_delivery(keyspace.BODIES, 1, 99, 0)
    with db.unit() as unit:
        unit.put(key, Chunk(body=b"x" * 60_000))
        unit.delete(key)
    usage = db.env.usage()

    db.reopen()

    assert usage.file_bytes < usage.used_bytes
    assert db.view().state.queued == 10


@pytest.mark.parametrize("page", [0, 1])
def test_a_damaged_meta_page_is_refused(closed: Path, page: int) -> None:
    with (closed / "data.mdb").open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xa5" * 200)

    with pytest.raises(Unusable, match="damaged head"):
        opened(closed)


def test_a_file_of_another_kind_is_refused(closed: Path) -> None:
    (closed / "data.mdb").write_bytes(b"SQLite format 3\0" * 1_000)

    with pytest.raises(Unusable, match="damaged head"):
        opened(closed)


def test_a_database_with_the_marker_of_another_is_refused(closed: Path, tmp_path: Path) -> None:
    opened(tmp_path / "other").close()
    (closed / "data.mdb").write_bytes((tmp_path / "other" / "data.mdb").read_bytes())

    with pytest.raises(Unusable, match=r"is not the database named in identity\.json"):
        opened(closed)


def test_an_empty_database_in_place_of_a_lost_one_is_refused(closed: Path) -> None:
    (closed / "data.mdb").unlink()
    lmdb.open(str(closed), lib_version=0).close()

    with pytest.raises(Unusable, match="is not the database"):
        opened(closed)


def test_a_missing_marker_is_written_again(closed: Path) -> None:
    whole = (closed / "identity.json").read_bytes()
    (closed / "identity.json").unlink()

    opened(closed).close()

    assert (closed / "identity.json").read_bytes() == whole


@pytest.mark.parametrize("marker", [b"", b"[]", b"\xff\xfe", b'{"epoch":"\xff","schema":1}'])
def test_an_unreadable_marker_is_refused(closed: Path, marker: bytes) -> None:
    (closed / "identity.json").write_bytes(marker)

    with pytest.raises(Unusable, match=r"identity\.json can't be read"):
        opened(closed)


def test_a_newer_schema_is_refused_with_what_to_do(closed: Path) -> None:
    env = opened(closed)
    newer = Identity(epoch=env.identity.epoch, schema=SCHEMA + 1, created_ms=0)
    with env.write() as txn:
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, newer))
    env.close()

    with pytest.raises(Unusable, match=f"schema {SCHEMA + 1}.*run that version, or restore"):
        opened(closed)


def test_a_damaged_identity_is_refused(closed: Path) -> None:
    env = opened(closed)
    with env.write() as txn:
        txn.put(keyspace.IDENTITY, bytes(20))
    env.close()

    with pytest.raises(Unusable, match="Damaged data file"):
        opened(closed)


def test_a_damaged_record_is_noticed_when_it_is_read(db: ScratchDatabase) -> None:
    db.workspace()
    key = keyspace.workspace("acme")
    with db.env.write() as txn:
        value = txn.get(key)
        assert isinstance(value, bytes)
        txn.put(key, value[:-1] + bytes([value[-1] ^ 1]))

    with pytest.raises(CorruptRecord, match="checksum"):
        db.reads.workspace("acme")

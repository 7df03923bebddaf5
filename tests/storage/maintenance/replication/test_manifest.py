"""The list of what a backup of a cluster has: what is not as it says is refused."""

import shutil
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from hookbundle.engine.errors import CorruptRecord, Unusable
from hookbundle.engine.replication.assignment import partition_of
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.storage.maintenance.replication.manifest import ClusterBackup
from hookbundle.storage.maintenance.splitting.of_backups import check_number, split_backup
from hookbundle.tests.storage.maintenance import cluster_backups
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase

NAMES = [f"ws{number}" for number in range(6)]
PARTITIONS = 2


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    cluster_backups.made(tmp_path / "backup", PARTITIONS, NAMES)
    return tmp_path / "backup"


def listed(backup: Path) -> ClusterBackup:
    found = manifest.read(backup)
    assert found is not None
    return found


def split(backup: Path, into: Path, partitions: int = PARTITIONS, *, hold: bool = False) -> int:
    """How many workspaces are held."""
    into.mkdir()
    place = partial(partition_of, partitions=partitions)
    told = START_MS, lambda: None
    return split_backup(backup, listed(backup), into, partitions, place, *told, hold=hold).held


def test_what_is_written_is_read(backup: Path) -> None:
    found = listed(backup)

    assert [each.number for each in found.partitions] == [0, 1]
    assert {(each.generation, each.seq, each.epoch) for each in found.partitions} == {
        ("4x17", 230, 19)
    }
    assert manifest.last_generation(found) == (4, 19)
    manifest.check_whole(backup, found)
    assert list(manifest.findings(backup, found, lambda: None)) == []


def test_a_cluster_made_of_it_begins_after_the_greatest_number_and_the_greatest_epoch(
    backup: Path,
) -> None:
    found = listed(backup)
    first, second = found.partitions
    parts = [replace(first, generation="9x17"), replace(second, generation="10x3", epoch=4)]

    assert manifest.last_generation(replace(found, partitions=parts)) == (10, 19)


@pytest.mark.parametrize("numbers", [[], [1], [0, 0], [1, 0], [0, 2]])
def test_a_list_that_does_not_name_each_partition_once_is_refused(
    backup: Path, numbers: list[int]
) -> None:
    found = listed(backup)
    parts = [replace(found.partitions[0], number=number) for number in numbers]
    manifest.write(backup, replace(found, partitions=parts))

    with pytest.raises(Unusable, match="each partition once"):
        manifest.read(backup)


def test_another_folder_is_no_backup_of_a_cluster(tmp_path: Path, backup: Path) -> None:
    assert manifest.read(tmp_path) is None
    assert manifest.read(manifest.folder_of(backup, 0)) is None


def test_one_that_was_cut_short_is_not_finished(backup: Path) -> None:
    (backup / manifest.FILE).unlink()

    with pytest.raises(Unusable, match="not a finished backup"):
        manifest.read(backup)


@pytest.mark.parametrize(
    "written",
    [b"", b"{", b"[]", b"\xff", b'{"format":1}'],
)
def test_a_list_that_cannot_be_read_is_refused(backup: Path, written: bytes) -> None:
    (backup / manifest.FILE).write_bytes(written)

    with pytest.raises(Unusable, match="can't be read"):
        manifest.read(backup)


def test_one_of_a_later_format_names_the_version(backup: Path) -> None:
    text = (backup / manifest.FILE).read_text()
    (backup / manifest.FILE).write_text(text.replace('"format": 1', '"format": 2'))

    with pytest.raises(Unusable, match="use that version"):
        manifest.read(backup)


def test_partitions_that_are_gone_or_are_another_backups_are_named(
    tmp_path: Path, backup: Path
) -> None:
    shutil.rmtree(manifest.folder_of(backup, 0))
    cluster_backups.made(tmp_path / "other", PARTITIONS, NAMES)
    shutil.rmtree(manifest.folder_of(backup, 1))
    shutil.copytree(tmp_path / "other" / "001", manifest.folder_of(backup, 1))

    with pytest.raises(Unusable, match="partitions 0, 1 is not what"):
        manifest.check_whole(backup, listed(backup))
    with pytest.raises(Unusable, match="not whole"):
        split(backup, tmp_path / "parts")


def test_a_damaged_partition_is_found_and_not_made_into_one(tmp_path: Path, backup: Path) -> None:
    data = manifest.folder_of(backup, 1) / DATA
    written = bytearray(data.read_bytes())
    written[3 * 4_096 : 4 * 4_096] = bytes(4_096)
    data.write_bytes(written)

    found = list(manifest.findings(backup, listed(backup), lambda: None))

    assert {number for number, _ in found} == {1}
    with pytest.raises(Unusable, match="is damaged"):
        split(backup, tmp_path / "parts")


@pytest.mark.parametrize("partitions", [1, 3, 5])
def test_fewer_partitions_and_those_that_are_no_multiple_are_refused(
    backup: Path, partitions: int
) -> None:
    with pytest.raises(Unusable, match="or a multiple"):
        check_number(listed(backup), partitions)


def test_a_workspace_in_another_partitions_place_is_no_ones(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "parts").mkdir()
    wrong = lambda name: (partition_of(name, 2) + 1) % 2  # noqa: E731
    told = START_MS, lambda: None

    with pytest.raises(CorruptRecord, match="is not one of partition"):
        split_backup(backup, listed(backup), tmp_path / "parts", 2, wrong, *told, hold=False)


def test_what_is_held_is_not_sent(tmp_path: Path, backup: Path) -> None:
    assert split(backup, tmp_path / "parts", 4, hold=True) == len(NAMES)

    assert split(backup, tmp_path / "free", 4) == 0
    for number in range(4):
        db = ScratchDatabase(tmp_path / "parts" / f"{number:03}")
        for name in NAMES:
            if partition_of(name, 4) == number:
                assert not db.view(name).webhooks[0].state.enabled
        db.close()


def test_the_backup_stays_as_it_is(tmp_path: Path, backup: Path) -> None:
    before = {path: path.read_bytes() for path in backup.rglob("*.*") if path.is_file()}

    split(backup, tmp_path / "parts", 4)

    assert {path: path.read_bytes() for path in before} == before
    for number in range(PARTITIONS):
        marker = files.read_marker(manifest.folder_of(backup, number))
        assert marker is not None
        assert marker.state == "backup"

"""A backup of a cluster: a folder with a backup of each partition, and a list of what is in it.

    backup.json    the list, written last: without it the backup is not finished
    000, 001, ...  a backup of each partition, as `backup` makes them of any database

Each partition is as it was at one moment, which is its own: nothing in one depends on another.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from hookbundle.engine.errors import Unusable
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.replication import position
from hookbundle.storage.maintenance.check import Finding
from hookbundle.storage.maintenance.check_damage import check_directory
from hookbundle.storage.maintenance.copying import disk_errors, opened_to_read

FILE = files.BACKUP_OF_ALL
FORMAT = 1


class PartitionBackup(msgspec.Struct, frozen=True):
    """`identity`: the epoch of its database. `generation`, `seq`, `epoch`: how far its log had come
    at the moment that the backup shows. `taken_ms`: when that was."""

    number: int
    identity: str
    generation: str
    seq: int
    epoch: int
    records: int
    bytes: int
    taken_ms: int


class ClusterBackup(msgspec.Struct, frozen=True):
    """`cluster`, `id`: of which cluster; `schema`: which it wrote. `node`, `version`: who made it.
    `begun_ms`: everything that was acknowledged before is in it."""

    format: int
    cluster: str
    id: str
    node: str
    version: str
    schema: int
    begun_ms: int
    ended_ms: int
    partitions: list[PartitionBackup]


def folder_of(backup: Path, number: int) -> Path:
    """Where a partition of it is."""
    return backup / f"{number:03}"


def of_partition(folder: Path, number: int, records: int, taken_ms: int) -> PartitionBackup:
    """What the list says of a backup of a copy. Raises: Unusable."""
    with opened_to_read(folder) as env:
        with env.read() as txn:
            at = position.read(txn)
        if at is None:
            raise Unusable(f"{folder} is no backup of a copy of a partition")
        return PartitionBackup(
            number,
            env.identity.epoch,
            at.generation,
            at.seq,
            at.epoch,
            records,
            (folder / DATA).stat().st_size,
            taken_ms,
        )


def last_generation(found: ClusterBackup) -> tuple[int, int]:
    """The greatest number, and the greatest epoch, that a log of the cluster had."""
    generations = [each.generation.partition("x")[0] for each in found.partitions]
    return max(map(int, generations)), max(each.epoch for each in found.partitions)


def write(backup: Path, found: ClusterBackup) -> None:
    """The backup is finished, and on disk. Raises: StorageError."""
    body = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    with disk_errors(backup):
        files.write_whole(backup / FILE, body)


def read(backup: Path) -> ClusterBackup | None:
    """None if the folder is no backup of a cluster. Raises: Unusable, with the reason."""
    if not (backup / FILE).exists():
        if (folder_of(backup, 0) / DATA).exists():
            raise Unusable(
                f"{backup} is not a finished backup of a cluster: it has no {FILE}; each folder in "
                "it that has an identity.json is a finished backup of its partition"
            )
        return None
    try:
        found = msgspec.json.decode((backup / FILE).read_bytes(), type=ClusterBackup)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise Unusable(f"{backup / FILE} can't be read: {exc}") from exc
    except OSError as exc:
        raise Unusable(f"{backup / FILE} can't be read: {exc.strerror}") from exc
    if found.format != FORMAT:
        raise Unusable(
            f"{backup} was written by another version, {found.version} (format {found.format}); "
            "use that version"
        )
    numbers = [each.number for each in found.partitions]
    if not numbers or numbers != list(range(len(numbers))):
        raise Unusable(f"{backup / FILE} does not name each partition once")
    return found


def check_whole(backup: Path, found: ClusterBackup) -> None:
    """Each partition's folder has what the list says. Raises: Unusable, naming the others."""
    other = [
        str(each.number)
        for each in found.partitions
        if (marker := files.read_marker(folder_of(backup, each.number))) is None
        or (marker.state, marker.epoch) != ("backup", each.identity)
    ]
    if other:
        raise Unusable(
            f"{backup} is not whole: what it has of partitions {', '.join(other)} is not what "
            f"{FILE} says"
        )


def findings(
    backup: Path, found: ClusterBackup, tick: Callable[[], None]
) -> Iterator[tuple[int, Finding]]:
    """All problems of all partitions, by their numbers. `tick` is called for each record.

    Raises: Unusable if a partition is missing, or can't be read at all.
    """
    check_whole(backup, found)
    for each in found.partitions:
        folder = folder_of(backup, each.number)
        for finding in check_directory(folder, tick, lambda: None):
            yield each.number, finding

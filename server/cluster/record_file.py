"""`cluster.json`: what a node remembers of its cluster, beside its copies.

It is the cluster's record, as the log servers had it when the node started. If they have lost it,
the node starts all the same, and the record can be made anew. It has no secret.
"""

from pathlib import Path

import msgspec

from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import ClusterRecord
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA, PARTITIONS

FILE = "cluster.json"


class Remembered(msgspec.Struct, frozen=True):
    """`replicas`: on how many log servers each entry stood."""

    record: ClusterRecord
    replicas: int


def read(data: Path) -> Remembered | None:
    """What the data directory says; None if it says nothing that can be read."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def write(data: Path, remembered: Remembered) -> None:
    """It is on disk. Raises: OSError."""
    if read(data) == remembered:
        return
    files.make_directory(data)
    files.write_whole(data / FILE, msgspec.json.encode(remembered))


def has_copies(data: Path) -> bool:
    return any((data / PARTITIONS).glob(f"*/{DATA}"))


def check(data: Path, record: ClusterRecord) -> None:
    """The copies in the data directory are of this cluster, as far as it says.

    Raises: ClusterUnusable.
    """
    known = read(data)
    if known is not None and known.record.id != record.id and has_copies(data):
        raise ClusterUnusable(
            f"{data} has copies of the cluster with the id {known.record.id}, and the log servers "
            f"have another one of that name, with the id {record.id}; was the first one given up, "
            f"remove {data / PARTITIONS} and {data / FILE}"
        )

"""What a disk may hold after a power cut at some moment of a history.

Synced writes are on the disk. Of each write that was not synced, every sector is on the disk or
not, at random, because kernels and drives write sectors in any order. The name of a file is on the
disk for certain once its directory has been synced.
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from hookbundle.storage.database.files import DATA, MARKER
from hookbundle.tests.reliability.harness.promises import Promise
from hookbundle.tests.reliability.harness.tracing import (
    Answered,
    Event,
    Named,
    Synced,
    SyncedNames,
    Wrote,
)

SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True)
class Image:
    """The data directory after the power cut, and the promises made before it.

    `data` None: there is no data file. `marked`: there is a marker file.
    """

    data: bytes | None
    marked: bool
    promises: tuple[Promise, ...]

    def put_into(self, folder: Path, marker: bytes) -> None:
        folder.mkdir(mode=0o700)
        if self.data is not None:
            (folder / DATA).write_bytes(self.data)
        if self.marked:
            (folder / MARKER).write_bytes(marker)


def image(folder: Path, before: list[Event], rng: Random) -> Image:
    """One of the states in which a power cut after these events may leave the directory."""
    durable: set[int] = set()
    for event in before:
        if isinstance(event, Synced):
            durable.update(range(event.first, event.last))
    data = bytearray()
    for number, wrote in enumerate(event for event in before if isinstance(event, Wrote)):
        if number in durable:
            _put(data, wrote.offset, wrote.data)
            continue
        for at in range(0, len(wrote.data), SECTOR_BYTES):
            if rng.random() < 0.5:
                _put(data, wrote.offset + at, wrote.data[at : at + SECTOR_BYTES])
    promises = [one for event in before if isinstance(event, Answered) for one in event.promises]
    return Image(
        bytes(data) if _is_named(folder, DATA, before, rng) else None,
        _is_named(folder, MARKER, before, rng),
        tuple(promises),
    )


def _is_named(folder: Path, name: str, before: list[Event], rng: Random) -> bool:
    """Whether the file is there: by chance, unless its directory was synced afterwards."""
    path = folder / name
    if Named(path) not in before:
        return False
    return SyncedNames(folder) in before[before.index(Named(path)) :] or rng.random() < 0.5


def _put(data: bytearray, offset: int, piece: bytes) -> None:
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(piece)] = piece

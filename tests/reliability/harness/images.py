"""What a disk may hold after the power failed at some moment of a history.

What was synced is there. Of what was written and not synced, each sector is there or not, as chance
has it: drives and kernels write in the order that suits them. A name is there for good once its
directory was synced.
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
    """The data directory as the power cut left it, and what had been promised before.

    `data` None: it had no data file. `marked`: it has the marker.
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


def image(folder: Path, before: list[Event], chance: Random) -> Image:
    """One of the images of the directory that a power cut after these events may leave."""
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
            if chance.random() < 0.5:
                _put(data, wrote.offset + at, wrote.data[at : at + SECTOR_BYTES])
    promises = [one for event in before if isinstance(event, Answered) for one in event.promises]
    return Image(
        bytes(data) if _is_named(folder, DATA, before, chance) else None,
        _is_named(folder, MARKER, before, chance),
        tuple(promises),
    )


def _is_named(folder: Path, name: str, before: list[Event], chance: Random) -> bool:
    """Whether the file has its name: for certain once the directory has been synced after."""
    path = folder / name
    if Named(path) not in before:
        return False
    return SyncedNames(folder) in before[before.index(Named(path)) :] or chance.random() < 0.5


def _put(data: bytearray, offset: int, piece: bytes) -> None:
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(piece)] = piece

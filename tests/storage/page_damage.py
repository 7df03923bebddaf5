"""Damages pages of data files in the ways in which disks, cables and people do."""

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from hookbundle.storage.database.data_file import pages

PAGE = 4_096
BRANCH, LEAF, OVERFLOW = 1, 2, 4


def pages_of(data: Path, flags: int) -> list[int]:
    """The numbers of the pages in use that have the flags, in the order of their keys."""
    content = data.read_bytes()
    with data.open("rb") as file:
        meta = pages.meta_of(file, data)
    seen: list[int] = []
    waiting = [meta.records.page]
    while waiting:
        number = waiting.pop(0)
        kind, lower = struct.unpack_from("<10xHH", content, number * PAGE)
        if kind == flags:
            seen.append(number)
        for at in struct.unpack_from(f"<{(lower - 16) // 2}H", content, number * PAGE + 16):
            low, high, top, size = pages.NODE.unpack_from(content, number * PAGE + at)
            if kind == BRANCH:
                waiting.append(low | high << 16 | top << 32)
            elif top == pages.BIG and flags == OVERFLOW:
                seen += pages.WORD.unpack_from(content, number * PAGE + at + 8 + size)
    return seen


def overwrite(data: Path, number: int, content: bytes, at: int = 0) -> None:
    with data.open("r+b") as file:
        file.seek(number * PAGE + at)
        file.write(content)


def wild_offsets(data: Path, number: int) -> None:
    """The page's nodes seem to lie beyond its end."""
    overwrite(data, number, struct.pack("<4H", *[0xFFF0] * 4), at=16)


def no_nodes(data: Path, number: int) -> None:
    """The page says that it has none; LMDB asserts that there is one."""
    overwrite(data, number, struct.pack("<H", 16), at=12)


def zeros(data: Path, number: int) -> None:
    """As after a lost write, or from a file system that was repaired."""
    overwrite(data, number, bytes(PAGE))


def another_page(data: Path, number: int) -> None:
    """A write that went to the wrong place."""
    overwrite(data, number, data.read_bytes()[2 * PAGE : 3 * PAGE])


WAYS: dict[str, Callable[[Path, int], None]] = {
    "offsets beyond the page": wild_offsets,
    "no nodes": no_nodes,
    "zeros": zeros,
    "another page": another_page,
}


def at_random(data: Path, seeds: Iterator[int]) -> Iterator[int]:
    """Damages the file anew for each seed, of which it yields; the file is whole before each."""
    whole = data.read_bytes()
    for seed in seeds:
        rng = random.Random(seed)
        content = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(2 * PAGE, len(content))
            if rng.random() < 0.5:  # the head of a page says where everything is
                at = at // PAGE * PAGE + rng.randrange(64)
            content[at : at + 8] = rng.randbytes(rng.randint(1, 8)).ljust(8, content[at : at + 1])
        data.write_bytes(content)
        yield seed

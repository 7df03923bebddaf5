"""What the pages of a data file say of it, read before LMDB maps them.

A file that was cut short is a SIGBUS on the first touch of a page that is gone, so the last page
must be there. But a sound file may end before it: pages taken and freed again within one
transaction are never written, and no later one need have used them. They stand in LMDB's list of
free pages, and LMDB never reads a free page; so a file is whole if all that it lacks is free.

The shapes are those of LMDB 0.9 on a 64-bit machine (mdb.c: MDB_meta, MDB_page, MDB_node).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hookbundle.engine.errors import Unusable

META = struct.Struct("<16x II 16x I12x24xQ 48x QQ")  # page head, meta, free list, records, ends
META_MAGIC = 0xBEEFC0DE
PAGE_HEAD = struct.Struct("<10x HH 2x")
NODE = struct.Struct("<HHHH")
WORD = struct.Struct("<Q")
BRANCH = 0x01  # a page of branches
BIG = 0x01  # a node whose value stands on pages of its own
NO_PAGE = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Meta:
    """The part of a meta page that is asked for here."""

    page_bytes: int
    free_root: int
    last_page: int
    txn_id: int


def check(data: Path) -> None:
    """The file may be mapped.

    Raises: Unusable if its head is damaged, or pages are missing that are in use.
    """
    size = data.stat().st_size
    with data.open("rb") as file:
        meta = _newest_meta(file)
        if meta is None:
            raise Unusable(f"{data} has a damaged head; restore a backup into a new directory")
        missing = set(range(size // meta.page_bytes, meta.last_page + 1))
        if missing and not missing <= _free_pages(file, meta):
            want = (meta.last_page + 1) * meta.page_bytes
            raise Unusable(f"{data} was cut short: {size} bytes, want {want}; restore a backup")


def _newest_meta(file: BinaryIO) -> Meta | None:
    first = _meta_at(file, 0)
    second = _meta_at(file, first.page_bytes) if first else None
    if first is None or second is None:
        return None
    return max(first, second, key=lambda meta: meta.txn_id)


def _meta_at(file: BinaryIO, offset: int) -> Meta | None:
    file.seek(offset)
    page = file.read(META.size)
    if len(page) < META.size:
        return None
    magic, _version, page_bytes, free_root, last_page, txn_id = META.unpack(page)
    if magic != META_MAGIC or not 512 <= page_bytes <= 65_536:
        return None
    return Meta(page_bytes, free_root, last_page, txn_id)


def _free_pages(file: BinaryIO, meta: Meta) -> set[int]:
    """The numbers in the list of free pages; of a list that can't be read, those read so far."""
    free: set[int] = set()
    seen: set[int] = {NO_PAGE}
    waiting = [meta.free_root]
    try:
        while waiting:
            number = waiting.pop()
            if number not in seen:
                seen.add(number)
                waiting += _read_page(file, meta.page_bytes, number, free)
    except (struct.error, OSError):
        return free
    return free


def _read_page(file: BinaryIO, page_bytes: int, number: int, free: set[int]) -> list[int]:
    """The pages below this one; a leaf's free pages are in `free`."""
    file.seek(number * page_bytes)
    page = file.read(page_bytes)
    page_flags, lower = PAGE_HEAD.unpack_from(page)
    below = []
    for at in struct.unpack_from(f"<{(lower - 16) // 2}H", page, 16):
        low, high, node_flags, key_bytes = NODE.unpack_from(page, at)
        if page_flags & BRANCH:
            below.append(low | high << 16 | node_flags << 32)
            continue
        value = page[at + NODE.size + key_bytes :]
        if node_flags & BIG:
            file.seek(WORD.unpack_from(value)[0] * page_bytes + 16)
            value = file.read(low | high << 16)
        count = WORD.unpack_from(value)[0]
        free.update(struct.unpack_from(f"<{count}Q", value, WORD.size))
    return below

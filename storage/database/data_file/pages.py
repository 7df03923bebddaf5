"""Checks a data file for missing pages, before LMDB maps it.

Touching a page of a mapped file that lies beyond the file's end is a SIGBUS, which ends the
process. So a truncated file must be detected first.

A file may be shorter than its last page number says and still be sound. LMDB writes only pages that
hold data when the transaction commits; a page that was allocated and freed within one transaction
is counted but never written, so the file need not reach it. Such a page is in LMDB's list of free
pages, and LMDB does not read free pages. A file is therefore sound if all pages it lacks are free.

The layouts are those of LMDB 0.9 on a 64-bit machine (mdb.c: MDB_meta, MDB_page, MDB_node).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hookbundle.engine.errors import Unusable

# Page head, meta, free list, records, ends.
META = struct.Struct("<16x II 16x I HH24xQQ 4xHH24xQQ QQ")
NUMBER_KEYS = 0x08  # flag of a tree whose keys are numbers: of the list of free pages
HEADS = 2
META_MAGIC, META_VERSION = 0xBEEFC0DE, 1
PAGE_SIZES = tuple(512 << n for n in range(8))
PAGES_MAX = 1 << 36  # of the largest map there may be
PAGE_HEAD = struct.Struct("<10x HH 2x")
NODE = struct.Struct("<HHHH")
WORD = struct.Struct("<Q")
BRANCH = 0x01  # page flag: the nodes point to other pages
BIG = 0x01  # node flag: the value is on overflow pages
NO_PAGE = 2**64 - 1  # root of an empty tree
WHAT_TO_DO = "see 'Damaged data file' in docs/operations.md"


@dataclass(frozen=True, slots=True)
class Root:
    """Where a tree begins. `page` is NO_PAGE if it is empty."""

    flags: int
    depth: int
    entries: int
    page: int


@dataclass(frozen=True, slots=True)
class MetaPage:
    """The fields of a meta page that are needed here."""

    page_bytes: int
    free: Root
    records: Root
    last_page: int
    txn_id: int


def check(data: Path) -> None:
    """Checks that the file may be mapped.

    Raises: Unusable if a meta page is damaged, or if pages in use are missing.
    """
    size = data.stat().st_size
    with data.open("rb") as file:
        meta = _newest_meta(file)
        if meta is None:
            raise Unusable(f"{data} has a damaged head; {WHAT_TO_DO}")
        there = size // meta.page_bytes
        # The list has eight bytes for each free page, so it can't have more than that.
        is_too_short = meta.last_page - there > size // 8
        missing = set() if is_too_short else set(range(there, meta.last_page + 1))
        if is_too_short or (missing and not missing <= _free_pages(file, meta)):
            want = (meta.last_page + 1) * meta.page_bytes
            raise Unusable(f"{data} was cut short: {size} bytes, want {want}; {WHAT_TO_DO}")


def meta_of(file: BinaryIO, data: Path, txn_id: int | None = None) -> MetaPage:
    """The head of the last transaction, or of that one; the other head may be damaged.

    Raises: Unusable if there is none.
    """
    first = _meta_at(file, 0)
    sizes = (first.page_bytes,) if first else PAGE_SIZES
    found = [meta for meta in (first, *(_meta_at(file, size) for size in sizes)) if meta]
    found = [meta for meta in found if txn_id in (None, meta.txn_id)]
    if not found:
        raise Unusable(f"{data} has a damaged head; {WHAT_TO_DO}")
    return max(found, key=lambda meta: meta.txn_id)


def _newest_meta(file: BinaryIO) -> MetaPage | None:
    # LMDB writes its two meta pages in turns; the one with the higher transaction id is current.
    first = _meta_at(file, 0)
    second = _meta_at(file, first.page_bytes) if first else None
    if first is None or second is None:
        return None
    return max(first, second, key=lambda meta: meta.txn_id)


def _meta_at(file: BinaryIO, offset: int) -> MetaPage | None:
    file.seek(offset)
    page = file.read(META.size)
    if len(page) < META.size:
        return None
    magic, version, page_bytes, *fields = META.unpack(page)
    if (magic, version) != (META_MAGIC, META_VERSION) or page_bytes not in PAGE_SIZES:
        return None
    free, records, ends = Root(*fields[:4]), Root(*fields[4:8]), fields[8:]
    meta = MetaPage(page_bytes, free, records, *ends)
    return meta if meta.last_page < PAGES_MAX else None


def _free_pages(file: BinaryIO, meta: MetaPage) -> set[int]:
    """The page numbers in the list of free pages.

    If part of the list can't be read, the numbers read so far: the check then refuses the file,
    unless they cover all that is missing.
    """
    free: set[int] = set()
    seen: set[int] = {NO_PAGE}
    waiting = [meta.free.page]
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
    """The numbers of the page's child pages. The free pages that a leaf lists are added to `free`.

    A value of the free list is a count, then that many page numbers.
    """
    file.seek(number * page_bytes)
    page = file.read(page_bytes)
    page_flags, lower = PAGE_HEAD.unpack_from(page)
    children = []
    for at in struct.unpack_from(f"<{(lower - 16) // 2}H", page, 16):
        low, high, node_flags, key_bytes = NODE.unpack_from(page, at)
        if page_flags & BRANCH:
            children.append(low | high << 16 | node_flags << 32)
            continue
        value = page[at + NODE.size + key_bytes :]
        if node_flags & BIG:
            file.seek(WORD.unpack_from(value)[0] * page_bytes + 16)
            value = file.read(low | high << 16)
        count = WORD.unpack_from(value)[0]
        free.update(struct.unpack_from(f"<{count}Q", value, WORD.size))
    return children

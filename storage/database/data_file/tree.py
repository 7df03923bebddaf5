"""Reads the pages of a data file without LMDB, and believes nothing that they say.

LMDB trusts its file. On a damaged page it may follow an offset out of the map, which ends the
process by SIGBUS or SIGSEGV, or find an assertion of its own broken, which ends it by SIGABRT. And
after its first error a transaction answers nothing more. So a file that may be damaged, a backup
above all, is walked here first: every page that can be reached is checked for what LMDB would
believe of it. What is below a damaged page can't be reached, and is reported as a range of keys.

Values are not judged; records have checksums of their own. The layouts are those of pages.py.
"""

import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hookbundle.storage.database.data_file import pages
from hookbundle.storage.database.data_file.pages import MetaPage, Root

HEAD = struct.Struct("<Q2xHHH")  # number, flags, the ends of the two halves of a page
OVERFLOW_PAGES = struct.Struct("<I")
OVERFLOW_AT = 12
NODE, WORD = pages.NODE, pages.WORD
HEAD_BYTES = 16
BRANCH, LEAF, OVERFLOW = 0x01, 0x02, 0x04
DEPTH_MAX = 32  # of LMDB's cursors
KEY_BYTES_MAX = 511

Row = tuple[bytes, bytes]
Entry = tuple[bytes, int, int]  # key; of a branch the child and 0, of a leaf where the value is
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Damage:
    """A page that can't be read, and the keys that may have been on it or below it.

    `first`: they are not before it; `after`: they are before it, None if nothing comes after them.
    """

    page: int
    what: str
    first: bytes
    after: bytes | None
    is_of_free_pages: bool = False
    """The page is one of LMDB's list of free pages, which holds no record."""


class Broken(Exception):
    """The page says something that can't be true."""


def head_of(data: Path, txn_id: int) -> MetaPage:
    """The head of an open read transaction, which two commits after it overwrite.

    Raises: Unusable if it is not there any more; OSError.
    """
    with data.open("rb") as file:
        return pages.meta_of(file, data, txn_id)


def damages(data: Path, tick: Tick, head: MetaPage | None = None) -> list[Damage]:
    """All damaged pages; none if LMDB can read every record. Changes nothing.

    `tick` is called for each page, and may raise to stop it. `head`: of an open read transaction,
    if the file is in use.

    Raises: Unusable if no head of the file can be read; OSError.
    """
    return [one for one in walk(data, tick, head) if isinstance(one, Damage)]


def walk(
    data: Path, tick: Tick, head: MetaPage | None = None, *, rows: bool = False
) -> Iterator[Row | Damage]:
    """The damages, and if `rows` all records that can be reached, in the order of their keys."""
    with data.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
        meta = head or pages.meta_of(file, data)
        seen = bytearray(min(len(content) // meta.page_bytes, meta.last_page + 1))
        yield from _Walk(content, meta.page_bytes, meta.records, seen, tick, rows=rows).all()
        free = _Walk(content, meta.page_bytes, meta.free, seen, tick, rows=False)
        for damage in free.all():
            assert isinstance(damage, Damage)
            yield Damage(damage.page, damage.what, b"", None, is_of_free_pages=True)


class _Walk:
    def __init__(
        self,
        content: mmap.mmap,
        page_bytes: int,
        root: Root,
        seen: bytearray,
        tick: Tick,
        *,
        rows: bool,
    ) -> None:
        self._content = content
        self._page_bytes = page_bytes
        self._root = root
        self._seen = seen
        self._tick = tick
        self._rows = rows

    def all(self) -> Iterator[Row | Damage]:
        root = self._root
        if root.flags & ~pages.NUMBER_KEYS:
            yield Damage(0, f"says that the tree has the flags {root.flags:#x}", b"", None)
        elif root.page != pages.NO_PAGE:
            yield from self._below(root.page, 1, b"", None)
        elif root.entries:
            yield Damage(0, f"names no root of {root.entries} records", b"", None)

    def _below(
        self, number: int, depth: int, first: bytes, after: bytes | None
    ) -> Iterator[Row | Damage]:
        self._tick()
        try:
            is_branch = self._is_branch(number, depth)
            entries = self._entries(number, first, after, is_branch=is_branch)
        except (Broken, struct.error) as exc:
            yield Damage(number, str(exc), first, after)
            return
        if is_branch:
            starts = [first, *(key for key, _, _ in entries[1:])]
            ends = [*starts[1:], after]
            for (_, child, _), start, end in zip(entries, starts, ends, strict=True):
                yield from self._below(child, depth + 1, start, end)
        elif self._rows:
            yield from ((key, self._content[start:end]) for key, start, end in entries)

    def _is_branch(self, number: int, depth: int) -> bool:
        """The page is there, is of a tree, and is reached for the first time. Raises: Broken."""
        self._claim(number, 1)
        says, flags, _, _ = HEAD.unpack_from(self._content, number * self._page_bytes)
        if says != number:
            raise Broken(f"says it is page {says}")
        if flags not in (BRANCH, LEAF):
            raise Broken(f"is neither branch nor leaf (flags {flags:#x})")
        wanted = BRANCH if depth < self._root.depth else LEAF
        if flags != wanted or depth > DEPTH_MAX:
            raise Broken(f"is at depth {depth} of a tree of depth {self._root.depth}")
        return bool(flags == BRANCH)

    def _entries(
        self, number: int, first: bytes, after: bytes | None, *, is_branch: bool
    ) -> list[Entry]:
        """The page's nodes, in the order of their keys. Raises: Broken."""
        content, at = self._content, number * self._page_bytes
        _, _, lower, upper = HEAD.unpack_from(content, at)
        if not HEAD_BYTES <= lower <= upper <= self._page_bytes or lower % 2:
            raise Broken(f"has a free part from {lower} to {upper}")
        count = (lower - HEAD_BYTES) // 2
        if count < (2 if is_branch else 1):
            raise Broken(f"has {count} nodes")
        read = self._branch_entry if is_branch else self._leaf_entry
        entries = []
        before = None
        for offset in struct.unpack_from(f"<{count}H", content, at + HEAD_BYTES):
            if not upper <= offset <= self._page_bytes - NODE.size:
                raise Broken(f"has a node at {offset}")
            entry = read(at, offset)
            key = entry[0]
            # The first node of a branch stands for all keys before the second.
            if before is None and is_branch:
                key = first
            elif len(key) > KEY_BYTES_MAX or not key or key < first:
                raise Broken("has a key that does not belong on it")
            elif before is not None and key <= before:
                raise Broken("has keys out of order")
            before = key
            entries.append(entry)
        if before is not None and after is not None and before >= after:
            raise Broken("has a key that does not belong on it")
        return entries

    def _branch_entry(self, at: int, offset: int) -> Entry:
        low, high, top, key_bytes = NODE.unpack_from(self._content, at + offset)
        return self._key(at, offset, key_bytes), low | high << 16 | top << 32, 0

    def _leaf_entry(self, at: int, offset: int) -> Entry:
        low, high, flags, key_bytes = NODE.unpack_from(self._content, at + offset)
        key = self._key(at, offset, key_bytes)
        size, start = low | high << 16, at + offset + NODE.size + key_bytes
        if flags == 0:
            if start + size > at + self._page_bytes:
                raise Broken(f"has a value of {size} bytes")
            return key, start, start + size
        if flags != pages.BIG:
            raise Broken(f"has a node with the flags {flags:#x}")
        if start + WORD.size > at + self._page_bytes:
            raise Broken("has half of a page number")
        return key, *self._overflow(WORD.unpack_from(self._content, start)[0], size)

    def _key(self, at: int, offset: int, key_bytes: int) -> bytes:
        if offset + NODE.size + key_bytes > self._page_bytes:
            raise Broken(f"has a key of {key_bytes} bytes")
        start = at + offset + NODE.size
        key = self._content[start : start + key_bytes]
        # LMDB's list of free pages has numbers as keys, in the machine's order of bytes.
        return key[::-1] if self._root.flags & pages.NUMBER_KEYS else key

    def _overflow(self, number: int, size: int) -> tuple[int, int]:
        """Where a value on pages of its own is. Raises: Broken."""
        count = (HEAD_BYTES + size + self._page_bytes - 1) // self._page_bytes
        self._claim(number, count)
        at = number * self._page_bytes
        says, flags, _, _ = HEAD.unpack_from(self._content, at)
        claimed = OVERFLOW_PAGES.unpack_from(self._content, at + OVERFLOW_AT)[0]
        if (says, flags, claimed) != (number, OVERFLOW, count):
            raise Broken(f"has a value on page {number}, which holds none of {size} bytes")
        return at + HEAD_BYTES, at + HEAD_BYTES + size

    def _claim(self, number: int, count: int) -> None:
        """Each page is used once, or a walk would have no end. Raises: Broken."""
        if number < pages.HEADS or number + count > len(self._seen):
            raise Broken(f"is beyond the end of the file, which has {len(self._seen)} pages")
        if any(self._seen[number : number + count]):
            raise Broken("is in use twice")
        self._seen[number : number + count] = b"\x01" * count

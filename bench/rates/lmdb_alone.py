"""How many rows LMDB takes a second with nothing around it, so many of them in each transaction."""

import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import lmdb

CHATS = 10_000
RECORD_BYTES = 1_200  # of a chat with a window that is open
ROW_BYTES = 300
ROWS_MAX = 2_000_000


def appended(path: Path, group: int, seconds: float) -> float:
    """Small rows under rising keys: nearly all of them share a page with the row before."""
    rising = iter(range(ROWS_MAX))
    return _rows_per_s(path, (), lambda: [next(rising) for _ in range(group)], ROW_BYTES, seconds)


def scattered(path: Path, group: int, seconds: float) -> float:
    """Records of chats as they come: nearly each is on a page of its own."""
    chance = random.Random(0)
    several = min(group, CHATS)
    return _rows_per_s(
        path,
        range(CHATS),
        lambda: sorted(chance.sample(range(CHATS), several)),
        RECORD_BYTES,
        seconds,
    )


def _rows_per_s(
    path: Path, before: Iterable[int], rows: Callable[[], list[int]], size: int, seconds: float
) -> float:
    path.mkdir()
    value, put = bytes(size), 0
    with lmdb.open(str(path), map_size=1 << 30, lib_version=0) as env:
        with env.begin(write=True) as txn:
            for row in before:
                txn.put(row.to_bytes(8, "big"), value)
        began_s = time.perf_counter()
        while time.perf_counter() - began_s < seconds and put < ROWS_MAX // 2:
            with env.begin(write=True) as txn:
                for row in rows():
                    txn.put(row.to_bytes(8, "big"), value)
                    put += 1
        return put / (time.perf_counter() - began_s)

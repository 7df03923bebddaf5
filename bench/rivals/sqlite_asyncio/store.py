"""The database of the SQLite rival, and the thread that alone works on it.

What waits is done in one transaction, and its callers are answered after the commit (WAL with
synchronous=FULL: one fsync). A window needs no step that closes it: it is closed when its time has
come, which only this thread judges, so nothing is added to a bundle that may have been sent.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from hookbundle.bench.rivals.shape import Taken

T = TypeVar("T")

AT_ONCE_MAX = 2_000  # works in one transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS window (
    id INTEGER PRIMARY KEY AUTOINCREMENT, ws TEXT NOT NULL, chat TEXT NOT NULL, due_ms INT NOT NULL
);
CREATE INDEX IF NOT EXISTS queue ON window (ws, due_ms, id);
CREATE TABLE IF NOT EXISTS member (
    window INT NOT NULL, place INT NOT NULL, event BLOB NOT NULL, PRIMARY KEY (window, place)
) WITHOUT ROWID;
"""


class Opened(NamedTuple):
    """A window, and when it is due."""

    due_ms: int
    ws: str


class Bundle(NamedTuple):
    number: int
    members: list[bytes]


class _Window:
    __slots__ = ("count", "due_ms", "number")

    def __init__(self, number: int, due_ms: int, count: int) -> None:
        self.number, self.due_ms, self.count = number, due_ms, count


class Store:
    def __init__(self, path: Path, window_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._window_ms = round(window_s * 1_000)
        self._waiting: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]]] = SimpleQueue()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)
        self._open: dict[tuple[str, str], _Window] = {}
        self._load()

    def start(self) -> list[Opened]:
        """The windows that there are, in the order in which they are due."""
        rows = self._db.execute("SELECT due_ms, ws FROM window ORDER BY due_ms, id")
        found = [Opened(due_ms, ws) for due_ms, ws in rows]
        Thread(target=self._run, daemon=True).start()
        return found

    async def accept(self, ws: str, taken: Sequence[Taken]) -> list[Opened]:
        """The messages are on disk. Answers with the windows they have opened."""
        return await self._do(lambda: self._accept(ws, taken))

    async def next_after(self, ws: str, done: int | None) -> Bundle | None:
        """The bundle `done` is off the disk; this is the one after it, if one is due."""
        return await self._do(lambda: self._next_after(ws, done))

    def _do(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.put((work, future))
        return future

    def _run(self) -> None:
        while True:
            group = [self._waiting.get()]
            try:
                while len(group) < AT_ONCE_MAX:
                    group.append(self._waiting.get_nowait())
            except Empty:
                pass
            try:
                self._db.execute("BEGIN IMMEDIATE")
                outcomes = [work() for work, _ in group]
                self._db.execute("COMMIT")
            except sqlite3.Error as exc:
                self._db.rollback()
                self._load()
                self._loop.call_soon_threadsafe(_fail, [future for _, future in group], exc)
            else:
                answers = [
                    (future, outcome) for (_, future), outcome in zip(group, outcomes, strict=True)
                ]
                self._loop.call_soon_threadsafe(_answer, answers)

    def _accept(self, ws: str, taken: Sequence[Taken]) -> list[Opened]:
        now_ms = _now_ms()
        opened, rows = [], []
        for chat, member in taken:
            window = self._open.get((ws, chat))
            if window is None or window.due_ms <= now_ms:
                due_ms = now_ms + self._window_ms
                made = self._db.execute(
                    "INSERT INTO window (ws, chat, due_ms) VALUES (?, ?, ?)", (ws, chat, due_ms)
                )
                assert made.lastrowid is not None
                window = self._open[ws, chat] = _Window(made.lastrowid, due_ms, 0)
                opened.append(Opened(due_ms, ws))
            rows.append((window.number, window.count, member))
            window.count += 1
        self._db.executemany("INSERT INTO member VALUES (?, ?, ?)", rows)
        return opened

    def _next_after(self, ws: str, done: int | None) -> Bundle | None:
        if done is not None:
            self._db.execute("DELETE FROM window WHERE id = ?", (done,))
            self._db.execute("DELETE FROM member WHERE window = ?", (done,))
        head = self._db.execute(
            "SELECT id, chat FROM window WHERE ws = ? AND due_ms <= ? ORDER BY due_ms, id LIMIT 1",
            (ws, _now_ms()),
        ).fetchone()
        if head is None:
            return None
        number, chat = head
        known = self._open.get((ws, chat))
        if known is not None and known.number == number:
            del self._open[ws, chat]
        rows = self._db.execute(
            "SELECT event FROM member WHERE window = ? ORDER BY place", (number,)
        )
        return Bundle(number, [event for (event,) in rows])

    def _load(self) -> None:
        """The windows that are not due yet, with the place of the next message in each."""
        rows = self._db.execute(
            "SELECT ws, chat, id, due_ms, (SELECT count(*) FROM member WHERE window = id)"
            " FROM window WHERE due_ms > ?",
            (_now_ms(),),
        )
        self._open = {(ws, chat): _Window(*rest) for ws, chat, *rest in rows}


def _answer(answers: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, outcome in answers:
        if not future.done():
            future.set_result(outcome)


def _fail(futures: list["asyncio.Future[Any]"], exc: sqlite3.Error) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(exc)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

"""The timer on a real Store, with a clock that stands still until a test moves it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pykka

from hookbundle.actors.history_watch import HistoryTotal
from hookbundle.actors.timer import Reconfigure, TimerActor, TimerConfig, TimerState, Wakes
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook
from hookbundle.tests.actors.stores import Stored, storing

FAR_MS = 10**14


class StillClock(MovableClock):
    """A clock whose time passes only when it is moved."""

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._start_ms = start_ms
        super().__init__()

    def now_ms(self) -> int:
        return self._start_ms + self._moved_ms

    wall_ms = now_ms
    elapsed_ms = now_ms


@dataclass(slots=True)
class Timing:
    """A running timer. `woken`, `mailed`: the webhooks and mails it has woken."""

    store: Stored
    timer: "pykka.ActorRef[TimerActor]"
    state: TimerState
    woken: list[int]
    mailed: set[int]
    polled: asyncio.Event
    failed: asyncio.Queue[BaseException]

    @property
    def dues(self) -> DueReads:
        return DueReads(self.store.disk)

    def rows(self, kind: DueKind) -> list[Due]:
        """All rows of the kind, due or not."""
        return self.dues.due(kind, FAR_MS, 1_000_000)

    def reconfigure(self, total: HistoryTotal) -> None:
        self.timer.tell(Reconfigure(TimerConfig("the inbox", total)))

    async def until_polled(self, holds: Callable[[], bool]) -> None:
        """Something holds, now or after one of the next polls."""
        async with asyncio.timeout(20):
            while not holds():
                self.polled.clear()
                await self.polled.wait()

    async def polls(self, count: int) -> None:
        """The timer has polled so many times more."""
        async with asyncio.timeout(20):
            for _ in range(count):
                self.polled.clear()
                await self.polled.wait()

    async def windows(self, number: int, *chats: str) -> None:
        """Each of the chats has a message in an open window."""
        store = self.store
        accepting = [store.put(store.accepting(number, "m1", chat_id=chat)) for chat in chats]
        await asyncio.gather(*accepting)

    async def history(self, ws: str, number: int, *texts: str) -> None:
        """The workspace has ended deliveries of messages with these texts."""
        store = self.store
        now_ms = store.clock.now_ms()
        await store.do(DisableWebhook(workspace_id=ws, now_ms=now_ms, caller="test"))
        for count, text in enumerate(texts):
            await store.do(store.accepting(number, f"{now_ms}-{count}", text=text))
        enable = EnableWebhook(workspace_id=ws, discard=True, now_ms=now_ms, caller="test")
        await store.do(enable)
        await store.until(lambda: self.rows(DueKind.MOVE) == [])

    def history_bytes(self, ws: str) -> int:
        return self.store.reads.workspace(ws).usage.history_bytes


@asynccontextmanager
async def timing(
    folder: Path,
    clock: StillClock | None = None,
    *,
    total: HistoryTotal | None = None,
    **config: Any,
) -> AsyncIterator[Timing]:
    """A timer and its Store on a database in the folder; `config` is of the Store."""
    given = {"floor_bytes": 0, "reserve_bytes": 0, **config}
    async with storing(folder, clock or StillClock(), **given) as store:
        state, polled = TimerState(), asyncio.Event()
        woken: list[int] = []
        mailed: set[int] = set()
        failed: asyncio.Queue[BaseException] = asyncio.Queue()
        wakes = Wakes(woken.append, mailed.add, polled.set, failed.put_nowait)
        timer = TimerActor.start(
            store.disk,
            store.store_queue,
            store.clock,
            wakes,
            TimerConfig("the inbox", total or HistoryTotal(), given["floor_bytes"]),
            state,
        )
        try:
            yield Timing(store, timer, state, woken, mailed, polled, failed)
        finally:
            if timer.is_alive():
                timer.stop(block=False)
                await failed.get()


def put_mails(store: Stored, number: int, count: int) -> None:
    """So many mails of the workspace are due now."""
    now_ms = store.clock.now_ms()
    with store.disk.write() as txn:
        for mail in range(1, count + 1):
            key = keyspace.numbered(keyspace.MAILS, mail)
            record = Mail(
                number=mail,
                workspace=number,
                to="owner@acme.example",
                created_ms=now_ms,
                workspace_id="acme",
                workspace_name="Acme",
                url="",
                last_error="",
                held_messages=0,
                held_deliveries=0,
                next_ms=now_ms,
            )
            txn.put(key, codec.pack(key, record))
            txn.put(keyspace.due(Due(now_ms, DueKind.MAIL, mail)), b"")

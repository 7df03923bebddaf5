"""A Store on a real database, and a disk that is full or slow when a test says so."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lmdb
import pykka

from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import Commit, StoreQueue
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.delivery import signing
from hookbundle.engine.errors import HookbundleError, StoreFull
from hookbundle.engine.messages.message import Incoming, digest_of
from hookbundle.engine.preconditions import at_version
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment, Usage
from hookbundle.storage.database.keeping.kept import Kept
from hookbundle.storage.database.opening import MAP_BYTES_FIRST, open_environment
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.sealing import SealWindow
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.tests.storage.noting import note_of

TIMEOUT_S = 20.0
URL = "http://127.0.0.1:9/hook"
SECRET = signing.new_secret(bytes(32))


class Disk(Environment):
    """The environment, on a disk of its own.

    `full`: every commit fails. `full_beside_reserve`: every commit fails while the reserve exists.
    `free_inside_bytes`: of the file's pages; None: as they are. While `gate` is closed, a commit
    waits, and sets `at_gate`.
    """

    def __init__(self, env: Environment) -> None:
        super().__init__(env.path, env._env, env._lock_fd, env.identity)
        self.full = False
        self.full_beside_reserve = False
        self.broken: Exception | None = None
        self.free_bytes = 1 << 40
        self.free_inside_bytes: int | None = 0
        self.failures: deque[None] = deque()
        self._failed = threading.Condition()
        self.gate = threading.Event()
        self.at_gate = threading.Event()
        self.gate.set()

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        with super().write() as txn:
            yield txn
            self.at_gate.set()
            assert self.gate.wait(TIMEOUT_S)
            if self.broken is not None:
                raise self.broken
            if self.full or (self.full_beside_reserve and (self.path / "reserve").exists()):
                with self._failed:
                    self.failures.append(None)
                    self._failed.notify_all()
                raise StoreFull("the disk is full: No space left on device")

    def usage(self) -> Usage:
        found = replace(super().usage(), free_bytes=self.free_bytes)
        if self.free_inside_bytes is None:
            return found
        return replace(found, free_inside_bytes=self.free_inside_bytes)

    async def failed(self, count: int) -> None:
        """`count` commits have failed because the disk was full."""

        def wait() -> bool:
            with self._failed:
                return self._failed.wait_for(lambda: len(self.failures) >= count, TIMEOUT_S)

        assert await asyncio.to_thread(wait)

    def hold_up(self) -> None:
        """From now on commits wait."""
        self.at_gate.clear()
        self.gate.clear()

    async def held_up(self) -> None:
        """A commit waits at the gate."""
        assert await asyncio.to_thread(self.at_gate.wait, TIMEOUT_S)

    def damage(self, key: bytes) -> None:
        """The record under the key is damaged."""
        with super().write() as txn:
            value = bytes(txn.get(key) or b"")
            assert value, f"there is no record {key!r}"
            txn.put(key, value[:-1] + bytes([value[-1] ^ 1]))


@dataclass(slots=True)
class Stored:
    """A running Store. `fatal` has the errors after which it could not go on.

    `committed` is set after every commit.
    """

    disk: Disk
    store_queue: StoreQueue
    clock: MovableClock
    reads: Reads
    ref: "pykka.ActorRef[Store]"
    fatal: asyncio.Queue[Exception]
    committed: asyncio.Event

    def put(self, transition: Transition) -> "asyncio.Future[Result]":
        """The transition is in the Store's queue; returns its result to come."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def resolve(result: Result | HookbundleError) -> None:
            if isinstance(result, HookbundleError):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.store_queue.submit(transition, resolve)
        return future

    async def hold_up(self) -> "asyncio.Future[Result]":
        """The Store waits for its disk in the commit of a note, up to `disk.gate.set()`.

        What is put meanwhile waits together.
        """
        self.disk.hold_up()
        first = self.put(note_of("noted", "holds the store up", self.clock.now_ms()))
        await self.disk.held_up()
        return first

    async def do(self, transition: Transition) -> Result:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.put(transition)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Something holds, now or after one of the next commits."""
        async with asyncio.timeout(TIMEOUT_S):
            while not holds():
                self.committed.clear()
                await self.committed.wait()

    async def caught_up(self) -> None:
        """The Store has handled all its messages."""
        await asyncio.to_thread(self.ref.ask, Commit(), timeout=TIMEOUT_S)

    def damage(self, key: bytes) -> None:
        """The record under the key is damaged, and the Store, which rests, has none decoded."""
        self.store_queue.state.kept = Kept()
        self.disk.damage(key)

    async def workspace(self, ws: str = "acme", **changes: Any) -> int:
        """The number of a new workspace."""
        result = await self.do(self.changing(ws, **{"url": URL, **changes}))
        assert isinstance(result, WorkspaceChanged)
        return result.workspace_number

    def changing(self, ws: str, version: int | None = None, **changes: Any) -> ChangeWorkspace:
        return ChangeWorkspace(
            workspace_id=ws,
            changes=Changes(**changes),
            precondition=at_version(version),
            may_create=True,
            new_secret=SECRET,
            now_ms=self.clock.now_ms(),
            caller="test",
        )

    def accepting(
        self, number: int, *ids: str, chat_id: str = "c", text: str = "hello"
    ) -> AcceptMessages:
        return AcceptMessages(
            workspace_number=number,
            chat_id=chat_id,
            messages=tuple(incoming(id_, text) for id_ in ids),
            skipped=(),
            now_ms=self.clock.now_ms(),
            product_name="the inbox",
            quota=Quota(),
        )

    def flush(self, number: int, chat_id: str = "c") -> SealWindow:
        return SealWindow(
            workspace_number=number,
            chat_id=chat_id,
            now_ms=self.clock.now_ms(),
            product_name="the inbox",
        )

    def state_key(self, number: int) -> bytes:
        return keyspace.owned(keyspace.STATES, number)


def incoming(message_id: str, text: str = "hello") -> Incoming:
    return Incoming(
        message_id=message_id,
        digest=digest_of(message_id),
        sent_ms=1_000,
        is_new_chat=False,
        account=b"{}",
        chat=b'{"chat_id":"c"}',
        message=(
            b'{"direction":"sent","timestamp":"2021-02-24T16:25:29+0000","message_id":"%b",'
            b'"sender":{},"recipient":{},"text":"%b"}'
        )
        % (message_id.encode(), text.encode()),
        permalink="",
    )


@asynccontextmanager
async def storing(
    folder: Path,
    clock: MovableClock | None = None,
    map_bytes: int = MAP_BYTES_FIRST,
    agree: Agree | None = None,
    **config: Any,
) -> AsyncIterator[Stored]:
    """A Store on a database in the folder; `config` overrides fields of `StoreConfig`."""
    clock = clock or MovableClock()
    disk = Disk(open_environment(folder / "data", clock.now_ms(), map_bytes=map_bytes))
    given: dict[str, Any] = {"floor_bytes": 1_000, "reserve_bytes": 4_096, **config}
    settings = StoreConfig(**given)
    store_queue = StoreQueue(settings.waiting_max)
    committed = asyncio.Event()
    fatal: asyncio.Queue[Exception] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def on_commit(feed_next: int) -> None:
        committed.set()

    hear = fatal.put_nowait
    store = Store.start(disk, store_queue, settings, clock, loop, on_commit, hear, agree)
    store_queue.attach(store)
    stored = Stored(disk, store_queue, clock, Reads(disk), store, fatal, committed)
    try:
        yield stored
    finally:
        disk.gate.set()
        await asyncio.to_thread(store.stop)
        disk.close()

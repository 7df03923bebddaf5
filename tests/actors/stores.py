"""A Store on a real database, and a disk that is full or slow when a test says so."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lmdb
import pykka

from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import Commit, StoreDoor
from hookbundle.engine.clock import MovableClock
from hookbundle.engine.delivery import signing
from hookbundle.engine.errors import HookbundleError, StoreFull
from hookbundle.engine.messages.message import Incoming, digest_of
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment, Usage, open_environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.accepting import AcceptMessages, Quota
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.storage.transitions.table import Outcome, Transition

PATIENCE_S = 20.0
URL = "http://127.0.0.1:9/hook"
SECRET = signing.new_secret(bytes(32))


class Disk(Environment):
    """The environment, on a disk of its own.

    `full`: every commit fails. `full_beside_reserve`: until the reserve has been given up.
    While `gate` is closed a commit waits, and says in `at_gate` that it does.
    """

    def __init__(self, env: Environment) -> None:
        super().__init__(env.path, env._env, env._lock_fd, env.identity)
        self.full = False
        self.full_beside_reserve = False
        self.broken: Exception | None = None
        self.free_bytes = 1 << 40
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
            assert self.gate.wait(PATIENCE_S)
            if self.broken is not None:
                raise self.broken
            if self.full or (self.full_beside_reserve and (self.path / "reserve").exists()):
                with self._failed:
                    self.failures.append(None)
                    self._failed.notify_all()
                raise StoreFull("the disk is full: No space left on device")

    def usage(self) -> Usage:
        return replace(super().usage(), free_bytes=self.free_bytes)

    async def failed(self, count: int) -> None:
        """So many commits have found the disk full."""

        def wait() -> bool:
            with self._failed:
                return self._failed.wait_for(lambda: len(self.failures) >= count, PATIENCE_S)

        assert await asyncio.to_thread(wait)

    async def held_up(self) -> None:
        """A commit waits at the gate."""
        assert await asyncio.to_thread(self.at_gate.wait, PATIENCE_S)

    def damage(self, key: bytes) -> None:
        """The record under the key is no longer what was written."""
        with super().write() as txn:
            value = bytes(txn.get(key) or b"")
            assert value, f"there is no record {key!r}"
            txn.put(key, value[:-1] + bytes([value[-1] ^ 1]))


@dataclass(slots=True)
class Stored:
    """A Store at work. `fatal` has what it could not go on after."""

    disk: Disk
    door: StoreDoor
    clock: MovableClock
    reads: Reads
    ref: "pykka.ActorRef[Store]"
    fatal: asyncio.Queue[Exception]
    commits: list[int]

    def put(self, transition: Transition) -> "asyncio.Future[Outcome]":
        """The transition waits at the door; what it comes to."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome | HookbundleError) -> None:
            if isinstance(outcome, HookbundleError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.door.submit(transition, settle)
        return future

    async def do(self, transition: Transition) -> Outcome:
        async with asyncio.timeout(PATIENCE_S):
            return await self.put(transition)

    async def caught_up(self) -> None:
        """The Store has handled all its mail."""
        await asyncio.to_thread(self.ref.ask, Commit(), timeout=PATIENCE_S)

    async def workspace(self, ws: str = "acme", **changes: Any) -> int:
        """The number of a new workspace."""
        outcome = await self.do(self.changing(ws, **{"url": URL, **changes}))
        assert isinstance(outcome, WorkspaceChanged)
        return outcome.workspace_number

    def changing(self, ws: str, version: int | None = None, **changes: Any) -> ChangeWorkspace:
        return ChangeWorkspace(
            workspace_id=ws,
            changes=Changes(**changes),
            version=version,
            may_create=True,
            new_secret=SECRET,
            now_ms=self.clock.now_ms(),
            caller="test",
        )

    def accepting(self, number: int, *ids: str, chat_id: str = "c") -> AcceptMessages:
        return AcceptMessages(
            workspace_number=number,
            chat_id=chat_id,
            messages=tuple(map(incoming, ids)),
            skipped=(),
            now_ms=self.clock.now_ms(),
            product_name="the inbox",
            quota=Quota(),
        )

    def state_key(self, number: int) -> bytes:
        return keyspace.owned(keyspace.STATES, number)


def incoming(message_id: str) -> Incoming:
    return Incoming(
        message_id=message_id,
        digest=digest_of(message_id),
        sent_ms=1_000,
        is_new_chat=False,
        account=b"{}",
        chat=b'{"chat_id":"c"}',
        message=(
            b'{"direction":"sent","timestamp":"2021-02-24T16:25:29+0000","message_id":"%b",'
            b'"sender":{},"recipient":{},"text":"hello"}'
        )
        % message_id.encode(),
        permalink="",
    )


@asynccontextmanager
async def storing(folder: Path, **config: Any) -> AsyncIterator[Stored]:
    """A Store in the folder; `config` is its own."""
    clock = MovableClock()
    disk = Disk(open_environment(folder / "data", clock.now_ms()))
    given: dict[str, Any] = {"floor_bytes": 1_000, "reserve_bytes": 4_096, **config}
    settings = StoreConfig(**given)
    door = StoreDoor(settings.waiting_max)
    commits: list[int] = []
    fatal: asyncio.Queue[Exception] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    store = Store.start(disk, door, settings, clock, loop, commits.append, fatal.put_nowait)
    door.attach(store)
    stored = Stored(disk, door, clock, Reads(disk), store, fatal, commits)
    try:
        yield stored
    finally:
        disk.gate.set()
        await asyncio.to_thread(store.stop)
        disk.close()

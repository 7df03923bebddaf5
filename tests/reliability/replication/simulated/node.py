"""A node of the simulated cluster: the real role, follower and Store on a real database.

Simulated are its threads, its network and its death. What a partition has beside a Store (timer,
chats, webhooks) is not there: the life submits transitions itself.
"""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import lmdb

from hookbundle.actors.replication.generations import turn
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.role import Host, Look, OwnershipEnded, RoleActor, Yield
from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import Commit, StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import Fenced, HookbundleError, StoreFull
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.transitions.table import Transition
from hookbundle.tests.reliability.replication.simulated.fake_log import FakeLog, Servers
from hookbundle.tests.reliability.replication.simulated.fiber import Fiber
from hookbundle.tests.reliability.simulation.virtual_time import SimulatedLoop

T = TypeVar("T")
Told = Callable[[Any], None]

STORE = StoreConfig(floor_bytes=0, reserve_bytes=0)


class Network(FakeLog):
    """The servers, reached by a process that may be frozen or gone."""

    def __init__(self, servers: Servers, entry_bytes_max: int, life: "Process") -> None:
        super().__init__(servers, entry_bytes_max)
        self._process = life

    async def publish(self, *what: Any) -> Any:
        await self._process.runs()
        answer = await super().publish(*what)
        await self._process.runs()
        return answer

    async def read(self, *what: Any) -> Any:
        await self._process.runs()
        entries = await super().read(*what)
        await self._process.runs()
        return entries


class Disk(Environment):
    """The real database, on a disk whose commits may fail."""

    def __init__(self, env: Environment, servers: Servers) -> None:
        super().__init__(env.path, env._env, env._lock_fd, env.identity)
        self._servers = servers

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        with super().write() as txn:
            yield txn
            if self._servers.chance("disk"):
                raise StoreFull("the disk is full: No space left on device")


class Process:
    """Whether the node's process runs, is frozen, or is gone."""

    def __init__(self) -> None:
        self.is_dead = False
        self.thawed = asyncio.Event()
        self.thawed.set()

    async def runs(self) -> None:
        """Does not come back to a process that is gone."""
        await self.thawed.wait()
        if self.is_dead:
            await asyncio.get_running_loop().create_future()


class Node(Host):
    """One start of a node's process: `start`, then `kill` or nothing."""

    def __init__(
        self,
        name: str,
        number: int,
        path: Path,
        servers: Servers,
        clock: Clock,
        loop: SimulatedLoop,
        entry_bytes_max: int,
    ) -> None:
        self.name = name
        self.life = f"{name}{number}"
        self.process = Process()
        self.queue: StoreQueue | None = None
        self.turn_wanted = False
        self.turns = 0
        self.fenced = 0
        self._path = path
        self._clock = clock
        self._loop = loop
        self._servers = servers
        self._fiber: Fiber | None = None
        self._env: Environment | None = None
        self._mail: deque[Commit] = deque()
        raw = Network(servers, entry_bytes_max, self.process)
        self.role = RoleActor(name, "1", SCHEMA, raw, Life(self.life, SCHEMA, clock.now_ms), self)
        self.role.begin()

    # ---- what the life does

    def look(self, *, owns: bool, lives: dict[str, str]) -> None:
        self._tell(Look(holds=True, owns=owns, lives=lives))

    def give_away(self, to: str) -> None:
        self._tell(Yield(to=to))

    def submit(self, transition: Transition, then: Told) -> bool:
        """False if the node does not own the partition, as far as it knows."""
        if self.queue is None or self.process.is_dead or not self.process.thawed.is_set():
            return False
        self.queue.submit(transition, then)
        return True

    def kill(self) -> None:
        self.process.is_dead = True
        self.process.thawed.set()
        self.queue = None
        if self._fiber is not None:
            self._fiber.kill()
            self._check()
        if self._env is not None:
            self._env.close()
            self._env = None

    def freeze(self) -> None:
        self.process.thawed.clear()

    def thaw(self) -> None:
        self.process.thawed.set()

    def in_words(self) -> str:
        state = self.role.state
        where = state.follower.log.chain if state.follower else ""
        busy = self.queue.state if self.queue else None
        return f"{self.life} {state.role} {state.why} {where} {busy}"

    @property
    def is_running(self) -> bool:
        return not self.process.is_dead and self.process.thawed.is_set()

    @property
    def env(self) -> Environment:
        assert self._env is not None
        return self._env

    def lose_copy(self) -> None:
        """Of a process that is gone: its machine has lost its disk."""
        shutil.rmtree(self._path, ignore_errors=True)

    # ---- the host of the role

    def open_copy(self) -> Environment | None:
        if not (self._path / DATA).exists():
            return None
        env = open_environment(self._path, self._clock.now_ms())
        self._env = Disk(env, self._servers)
        return self._env

    def new_copy(self) -> NewCopy:
        shutil.rmtree(self._path, ignore_errors=True)
        return NewCopy(self._path)

    async def in_thread(self, work: Callable[[], T]) -> T:
        await self.process.runs()
        return work()

    async def own(self, env: Environment, agree: Agree) -> None:
        await self.process.runs()
        self.queue = StoreQueue(1_000)

        def agree_and_turn(rows: Collected) -> Position:
            if self.turn_wanted:
                self.turn_wanted = False
                follower = self.role.state.follower
                assert follower is not None
                self.wait(turn(follower.log, env))
                self.turns += 1
            return agree(rows)

        def ended(why: Exception) -> None:
            assert isinstance(why, Fenced), why
            self.fenced += 1
            self._tell(OwnershipEnded(why=why, env=env))

        store = Store(env, self.queue, STORE, self._clock, self._loop, _none, ended, agree_and_turn)
        self._mail.clear()
        fiber = self._fiber = Fiber(self._loop, lambda: self._serve(store))
        self.queue.attach(_Mailbox(self, fiber))  # type: ignore[arg-type]
        fiber.resume()

    async def disown(self, *, finish: bool) -> None:
        """A Store that waits for the log is waited for, as the end of its thread would be."""
        await self.process.runs()
        queue, self.queue = self.queue, None
        while queue is not None and (queue.state.is_busy or self._mail):
            await asyncio.sleep(0.05)
            await self.process.runs()
        if self._fiber is not None:
            self._fiber.kill()
            self._check()
            self._fiber = None

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._fiber is not None
        return self._fiber.wait(work)

    # ---- the machinery

    def _serve(self, store: Store) -> None:
        assert self._fiber is not None
        while True:
            while self._mail:
                store.on_receive(self._mail.popleft())
            self._fiber.pause()

    def _tell(self, message: Look | Yield | OwnershipEnded) -> None:
        if not self.process.is_dead:
            self.role.actor_ref.tell(message)

    def _check(self) -> None:
        error = self._fiber.error if self._fiber is not None else None
        if error is not None and not isinstance(error, HookbundleError):
            raise error

    @property
    def owns(self) -> bool:
        return self.role.state.role is Role.OWNER


class _Mailbox:
    """Stands for the Store's reference."""

    def __init__(self, node: Node, fiber: Fiber) -> None:
        self._node = node
        self._fiber = fiber
        self._is_called = False

    def is_alive(self) -> bool:
        return not self._fiber.is_over

    def tell(self, message: Commit) -> None:
        self._node._mail.append(message)
        if not self._is_called:
            self._is_called = True
            self._node._loop.call_soon(self._wake)

    def _wake(self) -> None:
        """The Store works if it rests; one that waits for the log finds its mail after that."""
        self._is_called = False
        if not self._fiber.waits and not self._node.process.is_dead:
            self._fiber.resume()


def _none(feed_next: int) -> None:
    pass

"""A node of the simulated cluster: the real role, follower and Store on a real database.

Simulated are its threads, its network and its death. What a partition has beside a Store (timer,
chats, webhooks) is not there: the life submits transitions itself.
"""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.messages import (
    Host,
    Inbox,
    Look,
    OwnershipEnded,
    Renew,
    RewriteCopy,
    Yield,
)
from hookbundle.actors.replication.role import RoleActor
from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import Commit, StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import Fenced, HookbundleError
from hookbundle.engine.replication.renewal import Rules
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication import copy_state
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.copies import open_copy
from hookbundle.storage.transitions.notes import Confirm, RaiseSchema
from hookbundle.storage.transitions.table import Transition
from hookbundle.tests.reliability.replication.simulated.fake_log import Servers
from hookbundle.tests.reliability.replication.simulated.fiber import Fiber
from hookbundle.tests.reliability.replication.simulated.process import Disk, Network, Process
from hookbundle.tests.reliability.simulation.virtual_time import SimulatedLoop

T = TypeVar("T")
Told = Callable[[Any], None]

STAGES = ("its log is renewed", "its log turns")
STORE = StoreConfig(floor_bytes=0, reserve_bytes=0)


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
        rules: Rules | None = None,
        schema: int = SCHEMA,
    ) -> None:
        self.name = name
        self.life = f"{name}{number}"
        self.process = Process()
        self.queue: StoreQueue | None = None
        self.fenced = 0
        self._path = path
        self._clock = clock
        self._loop = loop
        self._servers = servers
        self._fiber: Fiber | None = None
        self._env: Environment | None = None
        self._mail: deque[Commit] = deque()
        raw = Network(servers, entry_bytes_max, self.process)
        life = Life(self.life, schema, clock.now_ms)
        self.role = RoleActor(name, "1", schema, raw, life, self, rules)
        self.role.begin()

    # ---- what the life does

    def look(self, look: Look) -> None:
        self._tell(look)

    def renew(self) -> None:
        self._tell(Renew())

    def rewrite(self, then: Told) -> None:
        self._tell(RewriteCopy(then=then))

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
        if self.role.state.maintenance is not None:
            self.role.state.maintenance.cancel()
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
        copy = open_copy(self._path, self._clock.now_ms())
        self._env = Disk(copy, self._servers) if copy is not None else None
        return self._env

    def new_copy(self) -> NewCopy:
        return NewCopy(self._path)

    def distrust_copy(self) -> None:
        copy_state.distrust(self._path)

    def left_over(self) -> bool:
        return (self._path / DATA).exists()

    def drop_copy(self) -> None:
        self._servers.seen.add("given up")
        shutil.rmtree(self._path)
        self._env = None

    def confirm(self) -> None:
        self.submit(Confirm(), lambda _: None)

    def raise_schema(self, schema: int) -> None:
        self.submit(RaiseSchema(schema, self._clock.now_ms()), lambda _: None)

    def go_on(self) -> None:
        pass

    async def in_thread(self, work: Callable[[], T]) -> T:
        await self.process.runs()
        return work()

    async def in_turn(self, work: Callable[[], T]) -> T:
        return await self.in_thread(work)

    async def own(self, env: Environment, agree: Agree) -> None:
        await self.process.runs()
        self.queue = StoreQueue(1_000)

        def ended(why: Exception) -> None:
            assert isinstance(why, Fenced), why
            self.fenced += 1
            self._tell(OwnershipEnded(why=why, env=env))

        store = Store(env, self.queue, STORE, self._clock, self._loop, _none, ended, agree)
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

    def _tell(self, message: Inbox) -> None:
        if not self.process.is_dead:
            self.role.actor_ref.tell(message)

    def _check(self) -> None:
        error = self._fiber.error if self._fiber is not None else None
        if error is not None and not isinstance(error, HookbundleError):
            raise error

    @property
    def owns(self) -> bool:
        return self.role.state.role is Role.OWNER

    @property
    def renews(self) -> str:
        """How far the node has come with a new generation; empty if it makes none."""
        maintenance = self.role.state.maintenance
        if maintenance is None or not maintenance.state.doing:
            return ""
        return STAGES[maintenance.state.is_finishing]


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

"""The node around one partition: its copy on disk, and what works on it while the node owns it."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pykka import ActorDeadError

from hookbundle.actors.replication.giving_up import UntilGivenUp
from hookbundle.actors.replication.log import Life, RawLog
from hookbundle.actors.replication.messages import (
    CloseCopy,
    Host,
    OwnershipEnded,
    RecordDamaged,
)
from hookbundle.actors.replication.role import RoleActor
from hookbundle.actors.replication.waiting import Wait
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import (
    CorruptRecord,
    Fenced,
    GivenUp,
    HookbundleError,
    Overloaded,
    Unusable,
)
from hookbundle.engine.replication.renewal import Rules
from hookbundle.engine.replication.roles import BUSY
from hookbundle.server.cluster.partitions.owned import Owned, Shared
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication import copy_state
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.copies import open_copy
from hookbundle.storage.transitions.notes import RaiseSchema

T = TypeVar("T")

log = structlog.get_logger(__name__)


class PartitionHost(Host):
    """`role` is the partition's actor, `raw` its log, `life` that of the node's process.

    `threads`: of one thread, in which all copies that are followed are written.
    """

    def __init__(
        self,
        number: int,
        path: Path,
        node: str,
        version: str,
        raw: RawLog,
        life: Life,
        clock: Clock,
        threads: Executor,
        shared: Shared,
        owned: dict[int, Owned],
        rules: Rules,
        turns: asyncio.Semaphore,
    ) -> None:
        """`owned`: of the node, by number; this partition is in it while it works on its copy.
        `turns`: of the node; one is held by each copy that is opened or written anew."""
        self.number = number
        self.raw = raw
        self.life = life
        self._path = path
        self._clock = clock
        self._threads = threads
        self._turns = turns
        self._shared = shared
        self._owned = owned
        self._loop = asyncio.get_running_loop()
        self._waits: set[Wait[Any]] = set()
        self._working: set[asyncio.Task[None]] = set()
        self._raising: asyncio.Task[None] | None = None
        self._since_s = 0.0
        self._is_given_up = False
        self._log = UntilGivenUp(raw)
        self.role = RoleActor(node, version, SCHEMA, self._log, life, self, rules)
        self.role.begin()

    @property
    def is_owned(self) -> bool:
        """Whether this node answers for the partition now."""
        return self.number in self._owned

    # ---- the copy

    def open_copy(self) -> Environment | None:
        return open_copy(self._path, self._clock.now_ms())

    def new_copy(self) -> NewCopy:
        return NewCopy(self._path, self._shared.config().store.floor_bytes)

    def distrust_copy(self) -> None:
        copy_state.distrust(self._path)

    def left_over(self) -> bool:
        return (self._path / DATA).exists()

    def drop_copy(self) -> None:
        shutil.rmtree(self._path)

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._threads, work)

    async def in_turn(self, work: Callable[[], T]) -> T:
        async with self._turns:
            return await asyncio.to_thread(work)

    def go_on(self) -> None:
        if self._is_given_up:
            raise Overloaded.of(Code.STOPPING)

    # ---- what works on it

    async def own(self, env: Environment, agree: Agree) -> None:
        lost = partial(self._lost, env)
        failed = partial(self._failed, env)
        owned = Owned(self.number, env, agree, self._shared, lost, failed, self.stalled_s)
        try:
            await owned.start()
        except Exception as exc:
            log.error("partition not begun", partition=self.number, exc_info=exc)
            lost(exc)
            return
        self._owned[self.number] = owned
        log.info("partition owned", partition=self.number)

    async def disown(self, *, finish: bool) -> None:
        owned = self._owned.pop(self.number, None)
        if owned is not None:
            await owned.stop(finish=finish)
            self._shared.ended(owned)
            log.info("partition not owned any more", partition=self.number)

    def confirm(self) -> None:
        self._does(self.confirmed())

    def raise_schema(self, schema: int) -> None:
        owned = self._owned.get(self.number)
        if owned is not None and self._raising not in self._working:
            wanted = RaiseSchema(schema, owned.clock.now_ms())
            self._raising = self._does(owned.partition.store_queue.done(wanted))

    def _does(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Nobody waits for it, and it need not succeed."""
        task = self._loop.create_task(_suppressed(work))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises: GivenUp if the node gives up waiting, because its process is to end."""
        self._since_s = self._loop.time()
        wait = Wait(self._loop, work, self._appended)
        self._waits.add(wait)
        if self._is_given_up:
            wait.give_up()
        try:
            return wait.result()
        except CancelledError:
            raise GivenUp from None
        finally:
            self._waits.discard(wait)

    def _appended(self) -> None:
        self._shared.appended(self._loop.time() - self._since_s)

    def give_up(self) -> None:
        """The log is not waited for any more: as if the process were killed now."""
        self._is_given_up = True
        self._log.give_up()
        for wait in list(self._waits):
            wait.give_up()

    @property
    def is_busy(self) -> bool:
        """Whether it owns the partition, or is about to; one whose role has failed does neither."""
        return self.role.actor_ref.is_alive() and self.role.state.role in BUSY

    async def close(self) -> None:
        """The copy is closed; what works on it must have ended."""
        if self.number in self._owned:
            await self.disown(finish=False)
        with suppress(ActorDeadError):  # which the node ends for
            await self.role.actor_ref.ask(CloseCopy(), block=False)
        await self.role.actor_ref.stop(block=False)

    async def confirmed(self) -> None:
        """The log says that the partition is still owned. Raises: HookbundleError if not."""
        owned = self._owned.get(self.number)
        if owned is not None:
            await owned.partition.store_queue.confirmed()

    def stalled_s(self) -> float:
        """For how long the group that waits for the log has done so; 0: none does."""
        return self._loop.time() - self._since_s if self._waits else 0.0

    def _lost(self, env: Environment, why: BaseException) -> None:
        """On the loop: the Store or the timer has ended, for whatever reason."""
        self.role.actor_ref.tell(OwnershipEnded(why=_ending(why), env=env))

    def _failed(self, env: Environment, why: Exception) -> None:
        """In the Store's thread."""
        if isinstance(why, CorruptRecord):
            message = RecordDamaged(why=why, env=env)
            self._loop.call_soon_threadsafe(self.role.actor_ref.tell, message)


async def _suppressed(work: Coroutine[Any, Any, Any]) -> None:
    with suppress(HookbundleError):
        await work


def _ending(why: BaseException) -> Fenced | Unusable:
    """Only a Store that was fenced leaves a copy that can be followed on as it is."""
    return why if isinstance(why, Fenced) else Unusable(str(why))

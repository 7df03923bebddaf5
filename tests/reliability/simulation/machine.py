"""The simulated machine: a disk that fills up and loses power, and the daemon that runs on it.

The daemon is the real one, started and stopped by its own code; so are its actors, the Store's
logic and the database. Two things differ: the Store runs on the event loop instead of in a thread,
and the listeners have no routes, because the tests hand commands in behind them.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, cast

import lmdb
import pykka
from aiohttp import web

from hookbundle.actors.attempts.rendering import Renders
from hookbundle.actors.due_rows import BUDGETS
from hookbundle.actors.outbound.client import GuardedClient, LimitHolder
from hookbundle.actors.store import Store
from hookbundle.engine.delivery.outcomes import HttpResult
from hookbundle.engine.errors import StoreFull
from hookbundle.engine.requests.request import PLAIN, Request
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.pykka_seam import StopFlag
from hookbundle.engine.runtime.standstill import LoopWatch
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.partition import Partition
from hookbundle.server.daemon.process import Daemon
from hookbundle.server.http.resources.sources.intake import SourceIntake
from hookbundle.server.http.routes import Route
from hookbundle.server.http.wire import Connection
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.environment import Environment, Usage
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.dues import DueReads
from hookbundle.tests.reliability.simulation.rendering import SimulatedRenderer
from hookbundle.tests.reliability.simulation.virtual_time import SimulatedClock

ROOM_BYTES = 1 << 40
BUSY_POLL_S = 30.0  # the period of the timer's sweep
FULL_POLL_S = 1.0
QUIET_POLL_S = 21_600.0

Post = Callable[[str, bytes, dict[str, str]], Any]


class PowerCut(BaseException):
    """The machine is off. A BaseException, so that no code of the daemon can handle it."""


class Disk(Environment):
    """The real database, on a disk that can fail.

    `full`: no commit succeeds. `tight`: there is no space for intake. `cut`: the power fails
    "before" or "after" the next commit, and then the disk is `dead`. `only_moving`: not before one
    that begins with deliveries on the move, or with a step of a replay to make.
    """

    def __init__(self, env: Environment) -> None:
        super().__init__(env.path, env._env, env._lock_fd, env.identity)
        self.full = False
        self.tight = False
        self.cut = ""
        self.only_moving = False
        self.dead = False

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        if self.dead:
            raise PowerCut
        with super().write() as txn:
            kinds = (DueKind.MOVE, DueKind.REPLAY)
            moving = any(rows.first_of(txn, keyspace.due_of(kind), 1) for kind in kinds)
            cut = self.cut if moving or not self.only_moving else ""
            yield txn
            if self.full:
                raise StoreFull("the disk is full: No space left on device")
            if cut == "before":
                self.dead = True
                raise PowerCut
        if cut == "after":
            self.dead = True
            raise PowerCut

    def usage(self) -> Usage:
        free_bytes = 0 if self.tight else ROOM_BYTES
        return replace(super().usage(), free_bytes=free_bytes, free_inside_bytes=0)


class StoreOnTheLoop(LoopActor, Store):
    """The real Store, with a mailbox on the event loop instead of a thread."""

    def __init__(self, *parts: Any) -> None:
        Store.__init__(self, *parts)
        self.actor_stopped = StopFlag()  # a thread's actor has an event of threads
        self._actor_ref = _StoreRef(self)

    def _serve_all(self) -> None:
        try:
            super()._serve_all()
        except PowerCut:
            disk = cast(Disk, self._env)
            if disk.cut:
                disk.cut = ""
                self._loop.stop()


class _StoreRef(pykka.ActorRef[Any]):
    def __init__(self, actor: StoreOnTheLoop) -> None:
        super().__init__(actor)
        self._actor = actor

    def stop(self, **options: Any) -> Any:
        """Passivates at once; a thread would do it after its last message."""
        self._actor.passivate()


class SimulatedClient(GuardedClient):
    """Calls the simulated receivers instead of using sockets; without power it never answers."""

    def connect(self, disk: Disk, post: Post) -> None:
        self._disk = disk
        self._post = post

    async def open(self) -> None:
        pass

    async def post(
        self,
        url: str,
        body: bytes,
        headers: dict[str, str],
        owner: int = 0,
        holder: LimitHolder | None = None,
        *,
        once: bool = False,
        request: Request = PLAIN,
        webhook: int = 0,
    ) -> HttpResult:
        if self._disk.dead:
            await asyncio.get_running_loop().create_future()
        outcome: HttpResult = await self._post(url, body, headers)
        return outcome


class SimulatedLoopWatch(LoopWatch):
    """Says that the loop stood still when the world says so; the loop itself leaps through time."""

    def __init__(self, stood_still_s: Callable[[], float]) -> None:
        super().__init__()
        self.stood_still_s = stood_still_s  # type: ignore[method-assign]

    def start(self) -> None:
        pass


class _NoConsole:
    def start(self) -> None:
        pass

    async def close(self) -> None:
        pass


class SimulatedDaemon(Daemon):
    """The daemon on the simulated machine. `committed` is called after every commit.

    `stood_still_s`: for how long the machine says that it stood still so far.
    """

    def __init__(
        self,
        config: DaemonConfig,
        clock: SimulatedClock,
        rng: Random,
        post: Post,
        committed: Callable[[], None],
        stood_still_s: Callable[[], float],
    ) -> None:
        super().__init__(config, clock, rng)
        self._stood_still_s = stood_still_s
        self._post = post
        self._hear = committed
        self.source_intake: SourceIntake | None = None
        self.source_app: web.Application | None = None

    def quiet_for_s(self) -> float:
        """For how long nothing becomes due, so that the timer's polls can be skipped."""
        if self.partition.timer_state.held:
            return BUSY_POLL_S  # due rows wait until the clock is trusted
        most_s = QUIET_POLL_S
        if self.partition.timer_state.claimed or self.partition.reads.ready(0, 1):
            most_s = BUSY_POLL_S
        if not self.partition.store_queue.state.intake_open and not self.disk.tight:
            most_s = FULL_POLL_S
        now_ms = self.clock.now_ms()
        heads = DueReads(self.partition.env).heads(but=self.partition.timer_state.claimed)
        if heads.get(DueKind.TRIM):  # else it is urgent, and at 0
            heads[DueKind.TRIM] += self.partition.store_queue.retention.history_ms
        for kind, claims in self.partition.timer_state.claims.items():
            if kind in heads:  # the timer looks again when so much time has passed
                heads[kind] = max(heads[kind], claims.looked_ms + BUDGETS[kind].every_ms)
        return max(min([most_s, *((at_ms - now_ms) / 1_000 for at_ms in heads.values())]), 0.0)

    @property
    def disk(self) -> Disk:
        return cast(Disk, self.partition.env)

    def _new_partition(self) -> Partition:
        return SimulatedPartition(
            self.config,
            self.clock,
            self._rng,
            self._shutdown_deadline,
            self.meters.commit,
            self._lost,
            self._hear,
        )

    def _new_client(self) -> GuardedClient:
        client = SimulatedClient(self.config.addresses, self.config.limits, "hookbundle/simulated")
        client.connect(self.disk, self._post)
        return client

    def _new_renderer(self) -> Renders:
        return SimulatedRenderer(self.clock)

    def _new_loop_watch(self) -> LoopWatch:
        return SimulatedLoopWatch(self._stood_still_s)

    def _start_watch(self) -> None:
        """In virtual time it would look every second of weeks."""

    def _routes(self) -> list[Route]:
        self.console = _NoConsole()  # type: ignore[assignment]
        self.make_connection = Connection
        return []


class SimulatedPartition(Partition):
    """A partition on the simulated disk, whose Store runs on the event loop."""

    def __init__(self, *parts: Any) -> None:
        *parts_of_a_partition, self._hear = parts
        super().__init__(*parts_of_a_partition)

    def _open_environment(self) -> Environment:
        return Disk(super()._open_environment())

    def _new_store(self, kind: type[Store]) -> "pykka.ActorRef[Store]":
        # Runs after the Store's last commit and before the database is closed.
        self._closing.callback(self._hear_the_last)
        return super()._new_store(StoreOnTheLoop)

    def _committed(self, feed_next: int) -> None:
        super()._committed(feed_next)
        self._hear()

    def _hear_the_last(self) -> None:
        self._hear()
        self._hear = lambda: None

"""The simulated machine: a disk that fills up and loses power, and the daemon that runs on it.

The daemon is the real one, started and stopped by its own code; so are its actors, the Store's
logic and the database. Simulated is what the daemon gets from its machine: the Store has its turns
on the loop instead of a thread, and the doors have no routes: commands are handed in behind them.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, cast

import lmdb
import pykka

from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.store import Store
from hookbundle.engine.delivery.outcomes import Outcome
from hookbundle.engine.errors import StoreFull
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.server.daemon.process import Daemon, DaemonConfig
from hookbundle.server.http.routes import Route
from hookbundle.storage.database.environment import Environment, Usage
from hookbundle.tests.reliability.simulation.virtual_time import SimulatedClock

ROOM_BYTES = 1 << 40
BUSY_LOOK_S = 30.0  # the sweep's own rhythm
FULL_LOOK_S = 1.0
QUIET_LOOK_S = 3_600.0

Post = Callable[[str, bytes, dict[str, str]], Any]


class PowerCut(BaseException):
    """The machine is off. No Exception, so that nothing in the house can be polite about it."""


class Disk(Environment):
    """`full`: no commit succeeds. `tight`: there is no room for intake.

    `cut` "before" or "after" the next commit the power fails, and then the disk is `dead`.
    """

    def __init__(self, env: Environment) -> None:
        super().__init__(env.path, env._env, env._lock_fd, env.identity)
        self.full = False
        self.tight = False
        self.cut = ""
        self.dead = False

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        if self.dead:
            raise PowerCut
        with super().write() as txn:
            yield txn
            if self.full:
                raise StoreFull("the disk is full: No space left on device")
            if self.cut == "before":
                self.dead = True
                raise PowerCut
        if self.cut == "after":
            self.dead = True
            raise PowerCut

    def usage(self) -> Usage:
        return replace(super().usage(), free_bytes=0 if self.tight else ROOM_BYTES)


class StoreOnTheLoop(LoopActor, Store):
    """The Store as it is, but with a mailbox on the loop in the place of a thread."""

    def __init__(self, *parts: Any) -> None:
        Store.__init__(self, *parts)
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
        """What a thread would do after its last mail is done at once."""
        self._actor.let_go()


class SimulatedClient(GuardedClient):
    """In the place of sockets: whoever the machine is connected to, as long as it has power."""

    def connect(self, disk: Disk, post: Post) -> None:
        self._disk = disk
        self._post = post

    async def open(self) -> None:
        pass

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        if self._disk.dead:
            await asyncio.get_running_loop().create_future()
        outcome: Outcome = await self._post(url, body, headers)
        return outcome


class _NoConsole:
    def start(self) -> None:
        pass

    async def close(self) -> None:
        pass


class SimulatedDaemon(Daemon):
    """The daemon on the simulated machine. `committed` hears of every commit."""

    disk: Disk

    def __init__(
        self,
        config: DaemonConfig,
        clock: SimulatedClock,
        chance: Random,
        post: Post,
        committed: Callable[[], None],
    ) -> None:
        super().__init__(config, clock, chance)
        self._post = post
        self._on_commit = committed

    def quiet_for_s(self) -> float:
        """For how long nothing falls due, and nobody but the sweep would find anything."""
        if self.timer_state.held:
            return BUSY_LOOK_S  # whatever is due has to wait
        most_s = QUIET_LOOK_S
        if self.timer_state.told or self.reads.ready(0, 1):
            most_s = BUSY_LOOK_S
        if not self.door.state.intake_open and not self.disk.tight:
            most_s = FULL_LOOK_S
        now_ms = self.clock.now_ms()
        told = self.timer_state.told
        rows = self.reads.due(now_ms + round(most_s * 1_000), 1, but=told)
        return max((rows[0].at_ms - now_ms) / 1_000, 0.0) if rows else most_s

    def _open_environment(self) -> Environment:
        self.disk = Disk(super()._open_environment())
        return self.disk

    def _new_client(self) -> GuardedClient:
        client = SimulatedClient(self.config.addresses, self.config.limits, "hookbundle/simulated")
        client.connect(self.disk, self._post)
        return client

    def _new_store(self, kind: type[Store]) -> "pykka.ActorRef[Store]":
        # Behind the Store's last commit, and before the database is closed.
        self._closing.callback(self._hear_the_last)
        return super()._new_store(StoreOnTheLoop)

    def _routes(self) -> list[Route]:
        self.console = _NoConsole()  # type: ignore[assignment]
        return []

    def _committed(self, feed_next: int) -> None:
        super()._committed(feed_next)
        self._on_commit()

    def _hear_the_last(self) -> None:
        self._on_commit()
        self._on_commit = lambda: None

"""A partition that this node owns: its Store, timer, chats, webhooks, and its part of the API.

It is opened when a claim counts, and closed when the partition was given away or lost, while the
node goes on. The copy is the role's (actors/replication/role.py), before and after.
"""

import random
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from hookbundle import __version__
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.webhook import Traffic
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.fairness.fair_limit import Limit
from hookbundle.engine.replication.members import APART_MS
from hookbundle.server.cluster.partitions.under_way import UnderWay
from hookbundle.server.console.sessions import SignedIn
from hookbundle.server.daemon.api import ApiParts, resources_of
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.partition import Partition
from hookbundle.server.daemon.shutdown import ShutdownDeadline
from hookbundle.server.daemon.status import Lifetime, StatusReport
from hookbundle.server.daemon.watch import StatusWatch
from hookbundle.server.http.callers.token_check import KnownTokens, TokenCheck
from hookbundle.server.http.callers.token_uses import TokenUses
from hookbundle.server.http.connection_guard import Guard
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.resources.maintenance import Maintenance
from hookbundle.server.http.resources.sources.observing import Observations
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.server.metrics.meters import Meters
from hookbundle.storage.daemon_facts import DaemonStarted
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Totals
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.transitions.notes import Note

YIELD_WITHIN_S = 5.0  # for attempts under way, when a partition is given away


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all partitions of a node use. `config` answers with the configuration as it is now.

    `traffic` makes the traffic of a partition. `sessions`: who is signed in to the
    console, at whichever node. `ended` is told of a partition that is owned no more; `appended`,
    for how many seconds a group waited for the log.
    """

    config: Callable[[], DaemonConfig]
    client: GuardedClient
    traffic: Callable[[int], Traffic]
    tokens: TokenCheck
    sessions: SignedIn
    meters: Meters
    guard: Guard
    fair_limits: FairLimits
    rng: random.Random
    log_lost: Callable[[], int]
    ended: Callable[["Owned"], None]
    appended: Callable[[float], None]


class PartitionClock(SystemClock):
    """A partition's own clock. What its last owner has stored may be a little ahead of this
    machine, however right that is: nodes differ. What is further ahead came from a wrong clock."""

    def is_right_about(self, stored_ms: int) -> bool:
        return stored_ms - self.wall_ms() > APART_MS and self.is_synchronised()


class OwnedPartition(Partition):
    """A partition on a copy that is open already, and stays so."""

    def __init__(self, copy: Environment, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]
        self._copy = copy

    def _open_environment(self) -> Environment:
        return self._copy

    def _close_environment(self) -> None:
        """It is the role's."""


class Owned:
    """`start()`, then `stop()`. `handlers`: of the API, by method and path."""

    def __init__(
        self,
        number: int,
        env: Environment,
        agree: Agree,
        shared: Shared,
        lost: Callable[[BaseException], None],
        failed: Callable[[Exception], None],
        stalled_s: Callable[[], float],
    ) -> None:
        """`stalled_s`: for how long a group has waited for the log. `failed`: as of a
        Store's queue."""
        self.number = number
        self.stalled_s = stalled_s
        self._failed = failed
        self.clock = PartitionClock()
        self.deadline = ShutdownDeadline()
        self.state = Lifetime()
        self.traffic = shared.traffic(number)
        self.sessions = shared.sessions
        self._shared = shared
        self._closing = AsyncExitStack()
        self.partition = OwnedPartition(
            env,
            shared.config(),
            self.clock,
            shared.rng,
            self.deadline,
            shared.meters.commit,
            lost,
            agree,
        )
        self.under_way = UnderWay(stalled_s)
        self.handlers: dict[tuple[str, str], Route] = {}
        self.limits: tuple[Limit, ...] = ()
        """Those that the partition has for itself."""
        self._totals = Totals()

    async def start(self) -> None:
        """Raises: HookbundleError; then nothing of it runs."""
        try:
            await self._start()
        except BaseException:
            await self.stop(finish=False)
            raise

    async def _start(self) -> None:
        shared, closing, partition = self._shared, self._closing, self.partition
        closing.push_async_callback(partition.close)
        await partition.open()
        self._totals = partition.reads.meta().totals
        partition.store_queue.failed = self._failed
        closing.push_async_callback(partition.stop_actors)
        partition.start_actors(shared.client, self.traffic)
        self.watch = StatusWatch(
            partition,
            self.traffic,
            self.clock,
            is_started=lambda: self.state.ready,
            sends_mail=lambda: bool(shared.config().smtp.host),
            log_lost=shared.log_lost,
            names={"partition": self.number},
        )
        self.token_uses = TokenUses(partition.store_queue, self.clock)
        closing.push_async_callback(self._ended, self.token_uses.close)
        self.observations = Observations(partition.store_queue, self.clock)
        closing.push_async_callback(self._ended, self.observations.close)
        self.tokens = KnownTokens(partition.reads, partition.store_queue.tokens)
        self.maintenance = Maintenance(partition.env)
        closing.callback(self.maintenance.stop)
        self._assemble()
        closing.push_async_callback(partition.feed.close)
        self.state.started_ms = self.clock.now_ms()
        note = Note(DaemonStarted(detail=f"version {__version__}"), self.clock.now_ms())
        await partition.store_first(note)
        self.watch.start()
        closing.push_async_callback(self.watch.close)
        self.state.ready = True

    def _assemble(self) -> None:
        shared = self._shared
        parts = ApiParts(
            partition=self.partition,
            tokens=shared.tokens,
            sessions=shared.sessions,
            client=shared.client,
            slots=self.traffic.slots,
            rendering=self.traffic.rendering,
            clock=self.clock,
            observations=self.observations,
            meters=shared.meters,
            guard=shared.guard,
            fair_limits=shared.fair_limits,
            maintenance=self.maintenance,
            config=shared.config,
            status=self.status,
            conditions=lambda: self.watch.recent().conditions,
            started_ms=lambda: self.state.started_ms,
        )
        resources = resources_of(parts)
        self.limits, self.intake = resources.limits, resources.intake
        routes = [*resources.routes, *resources.console().routes()]
        self.handlers = {(route.method, route.path): route for route in routes}

    async def stop(self, *, finish: bool) -> None:
        """Nothing works on the copy any more. `finish`: attempts under way are waited for."""
        self.state.ready = False
        self.traffic.open = False
        self.deadline.begin(YIELD_WITHIN_S if finish else 0.0)
        if not finish:
            self.deadline.expire()
        if finish:
            # The chats still take what was begun; new requests come no more.
            await self.deadline.wait(self.under_way.all_made())
        await self._closing.aclose()
        self.traffic.abandoned = True
        self.under_way.end()

    async def _ended(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """What waits for the Store is waited for until the deadline."""
        await self.deadline.wait(close())

    def status(self) -> StatusOut:
        report = StatusReport(self.partition, self.traffic, self.clock, self.state, [])
        return report.now(self.watch.look())

    def counted(self) -> dict[str, int]:
        """What came to each total since the partition is owned. Raises: StorageError."""
        before, now = self._totals, self.partition.reads.meta().totals
        return {
            name: getattr(now, name) - getattr(before, name) for name in Totals.__struct_fields__
        }

    def reconfigure(self, config: DaemonConfig) -> None:
        self.traffic.policy = config.policy
        self.partition.reconfigure(config)

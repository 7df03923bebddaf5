"""The daemon: what a process has one of, and the order in which everything starts and stops.

    partition opened → HTTP client → actors → metrics → connection guard, listeners, feed socket

Stopping goes the other way: the feed ends, the listeners close, the timer stops, attempts under way
are finished within a deadline (the others are found at the next start), and the Store goes last.
With sockets that the service manager holds, callers are served until these attempts have ended. A
part that fails for good ends the daemon with an error: it is never alive but idle.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import structlog

from hookbundle import __version__
from hookbundle.actors.attempts.rendering import Rendering, Renders
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.actors.webhook import Traffic, attempt_slots, give_way_s
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import StoreFull
from hookbundle.engine.runtime.standstill import LoopWatch
from hookbundle.server.daemon.api import ApiParts, assemble
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.descriptors import Shares, shares
from hookbundle.server.daemon.partition import Partition
from hookbundle.server.daemon.shutdown import ShutdownDeadline
from hookbundle.server.daemon.status import Lifetime, StatusReport
from hookbundle.server.daemon.watch import StatusWatch
from hookbundle.server.feed.unix_socket import FeedSocket
from hookbundle.server.http.callers.token_check import KnownTokens, TokenCheck
from hookbundle.server.http.callers.token_uses import TokenUses
from hookbundle.server.http.connection_guard import Guard, GuardLimits
from hookbundle.server.http.fair_limits import FairLimits, feed_readers
from hookbundle.server.http.listeners import open_listeners
from hookbundle.server.http.resources.maintenance import Maintenance
from hookbundle.server.http.resources.sources.observing import Observations
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.server.http.sockets.socket_files import SocketWatch
from hookbundle.server.metrics.meters import Meters
from hookbundle.storage.daemon_facts import DaemonStarted
from hookbundle.storage.transitions.notes import Note
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded

ATTEMPTS_POLL_S = 0.05

log = structlog.get_logger(__name__)


class Daemon:
    """`start()`, then `stop()`. Belongs to one event loop."""

    def __init__(
        self,
        config: DaemonConfig,
        clock: SystemClock,
        rng: random.Random | None = None,
        log_lost: Callable[[], int] = lambda: 0,
    ) -> None:
        """`log_lost`: how many lines of the log could not be written."""
        self.config = config
        self.clock = clock
        self.state = Lifetime()
        self.failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Has a result when the daemon can't go on."""
        self.meters = Meters()
        self.fair_limits = FairLimits(feed=feed_readers(config.feed.subscribers_max))
        self._rng = rng or random.SystemRandom()
        self._shutdown_deadline = ShutdownDeadline()
        self._log_lost = log_lost
        self._closing = AsyncExitStack()

    async def start(self) -> None:
        """Ready: everything that was waiting in the database is on its way.

        Raises: Unusable if the data can't be used; ConfigError if a listener can't be opened.
        """
        try:
            await self._start()
        except BaseException:
            await self._close()
            raise

    async def stop(self) -> None:
        """Everything is closed; attempts that took too long are found at the next start."""
        self.state.ready = False
        self.traffic.open = False
        self._shutdown_deadline.begin(self.config.stop_within_s)
        if self.config.listeners.given.names:
            # Callers are served until then: from the end of accepting on they wait for the next
            # daemon, and should not have to wait for slow receivers of this one.
            await self._shutdown_deadline.wait(self._attempts_ended())
            self.listeners.accept_no_more()
            log.info("accepts no more: new connections wait for the next daemon")
        await self._closing.aclose()
        log.info("stopped")

    async def _attempts_ended(self) -> None:
        while self.traffic.in_flight:
            await asyncio.sleep(ATTEMPTS_POLL_S)

    async def _close(self) -> None:
        self._shutdown_deadline.begin(self.config.stop_within_s)
        await self._closing.aclose()

    def expire(self) -> None:
        """Attempts under way are not waited for any longer."""
        self._shutdown_deadline.expire()

    async def pulse(self) -> None:
        """The loop turns and the store commits; if not, this does not come back.

        Raises: StorageError if the store answers, but can't commit. A full disk does not count:
            that is answered by keeping what there is, and a restart would not help.
        """
        with suppress(StoreFull):
            await self.partition.store_queue.do(EndWaits((), self.clock.now_ms()), WaitsEnded)

    def reconfigure(self, config: DaemonConfig) -> None:
        """What may change while the daemon runs is as `config` says; the rest stays as it was."""
        before = self.config
        now = self.config = replace(
            before,
            quota=config.quota,
            policy=config.policy,
            limits=config.limits,
            addresses=config.addresses,
            tls=config.tls,
            proxy=config.proxy,
            smtp=config.smtp,
            product_name=config.product_name,
            stop_within_s=config.stop_within_s,
            listeners=replace(before.listeners, guard=config.listeners.guard),
        )
        if now.way_out != before.way_out:
            self.client.change(now.addresses, now.limits, now.tls, now.proxy)
        self.traffic.policy = now.policy
        self.traffic.slots.give_way_s = give_way_s(now.limits.total_timeout_ms)
        self.partition.reconfigure(now)
        self.guard.limits = self._guard_limits()

    async def _start(self) -> None:
        config, clock, closing = self.config, self.clock, self._closing
        self.partition = self._new_partition()
        closing.push_async_callback(self.partition.close)
        await self.partition.open()
        self.client = self._new_client()
        await self.client.open()
        closing.push_async_callback(self.client.close)
        slots = attempt_slots(
            self.partition.reads, self._shares().attempts, config.limits.total_timeout_ms
        )
        closing.callback(slots.close)
        watch = self._new_loop_watch()
        watch.start()
        closing.callback(watch.close)
        renderer = self._new_renderer()
        closing.push_async_callback(renderer.close)
        rendering = Rendering(renderer, lambda: self.config.product_name)
        self.traffic = Traffic(
            slots, config.policy, self.meters.attempt, rendering, watch.stood_still_s
        )
        closing.push_async_callback(self.partition.stop_actors)
        self.partition.start_actors(self.client, self.traffic)
        self.watch = StatusWatch(
            self.partition,
            self.traffic,
            clock,
            is_started=lambda: self.state.ready,
            sends_mail=lambda: bool(self.config.smtp.host),
            log_lost=self._log_lost,
        )
        self.meters.start()
        closing.callback(self.meters.close)
        self.guard = Guard(self._guard_limits(), self.fair_limits.connections)
        self.maintenance = Maintenance(self.partition.env)
        self.token_uses = TokenUses(self.partition.store_queue, clock)
        closing.push_async_callback(self.token_uses.close)
        self.observations = Observations(self.partition.store_queue, clock)
        closing.push_async_callback(self.observations.close)
        known = KnownTokens(self.partition.reads, self.partition.store_queue.tokens)
        self.tokens = TokenCheck(known, clock, self.token_uses.note)
        self.listeners = await open_listeners(
            config.listeners,
            self._routes(),
            self.make_connection,
            self.tokens,
            self.guard,
            self.meters,
            self.fair_limits,
        )
        closing.push_async_callback(self.listeners.close)
        closing.callback(self.maintenance.stop)
        feed = self.partition.feed
        feed_socket = FeedSocket(feed, self.fair_limits.feed, config.listeners.feed_path)
        closing.push_async_callback(feed_socket.close)
        closing.push_async_callback(feed.close)
        await feed_socket.open_again()
        self.socket_watch = SocketWatch((self.listeners, feed_socket))
        self.socket_watch.start()
        closing.push_async_callback(self.socket_watch.close)
        self.state.started_ms = clock.now_ms()
        note = Note(DaemonStarted(detail=f"version {__version__}"), clock.now_ms())
        await self.partition.store_first(note)
        self.console.start()
        closing.push_async_callback(self.console.close)
        self._start_watch()
        closing.push_async_callback(self.watch.close)
        self.state.ready = True
        if not config.smtp.host:
            log.warning("no e-mail will be sent: smtp.host is not set, owners are told nothing")
        log.info("ready", socket=str(config.listeners.socket_path), tcp=self.listeners.tcp)

    def _routes(self) -> list[Route]:
        parts = ApiParts(
            partition=self.partition,
            tokens=self.tokens,
            client=self.client,
            slots=self.traffic.slots,
            rendering=self.traffic.rendering,
            clock=self.clock,
            observations=self.observations,
            meters=self.meters,
            guard=self.guard,
            fair_limits=self.fair_limits,
            maintenance=self.maintenance,
            config=lambda: self.config,
            status=self.status,
            conditions=lambda: self.watch.recent().conditions,
            started_ms=lambda: self.state.started_ms,
        )
        routes, self.console, self.make_connection = assemble(parts)
        return routes

    # ---- where the daemon meets its machine; a simulation has another machine

    def _new_partition(self) -> Partition:
        return Partition(
            self.config,
            self.clock,
            self._rng,
            self._shutdown_deadline,
            self.meters.commit,
            self._lost,
        )

    def _new_client(self) -> GuardedClient:
        config = self.config
        user_agent = f"hookbundle/{__version__}"
        return GuardedClient(
            config.addresses,
            config.limits,
            user_agent,
            config.resolver,
            tls=config.tls,
            proxy=config.proxy,
        )

    def _new_renderer(self) -> Renders:
        return Renderer(self.clock)

    def _new_loop_watch(self) -> LoopWatch:
        def late(late_s: float) -> None:
            log.warning("stood still", seconds=round(late_s, 3))

        return LoopWatch(late)

    def _start_watch(self) -> None:
        self.watch.start()

    def status(self) -> StatusOut:
        status = self.watch.look()
        given = self.config.listeners.given.names
        return StatusReport(self.partition, self.traffic, self.clock, self.state, given).now(status)

    def _guard_limits(self) -> GuardLimits:
        wanted = self.config.listeners.guard
        return replace(wanted, connections_max=self._shares().connections)

    def _shares(self) -> Shares:
        config = self.config
        return shares(config.listeners.guard.connections_max, config.in_flight_max)

    def _lost(self, error: BaseException) -> None:
        """The daemon can't go on: `failed` says why.

        Without its Store or its timer the daemon waits for no attempt: it ends, and is started
        again; attempts under way are found then.
        """
        if not self.failed.done():
            log.critical("the daemon can't go on", error=str(error))
            self.failed.set_result(error if isinstance(error, Exception) else RuntimeError(error))
        self.expire()

"""The daemon: what a process has one of, and the order in which everything starts and stops.

    partition opened → HTTP client → actors → metrics → connection guard, listeners, feed socket

Stopping goes the other way: the feed ends, the listeners close, the timer stops, attempts under way
are finished within a deadline (the others are found at the next start), and the Store goes last.
With sockets that the service manager holds, callers are served until these attempts have ended. A
part that fails for good ends the daemon with an error: it is never alive but idle.
"""

import asyncio
from contextlib import suppress

import structlog

from hookbundle import __version__
from hookbundle.actors.slot_lanes import standing_in
from hookbundle.engine.errors import StoreFull
from hookbundle.server.console.sessions import Sessions
from hookbundle.server.daemon.api import ApiParts, assemble
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.partition import Partition
from hookbundle.server.daemon.status import StatusReport
from hookbundle.server.daemon.watch import StatusWatch
from hookbundle.server.daemon.way_out import Process
from hookbundle.server.feed.unix_socket import FeedSocket
from hookbundle.server.http.callers.token_check import KnownTokens, TokenCheck
from hookbundle.server.http.callers.token_uses import TokenUses
from hookbundle.server.http.connection_guard import Guard
from hookbundle.server.http.listeners import open_listeners
from hookbundle.server.http.resources.maintenance import Maintenance
from hookbundle.server.http.resources.sources.observing import Observations
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.server.http.sockets.socket_files import SocketWatch
from hookbundle.storage.daemon_facts import DaemonStarted
from hookbundle.storage.transitions.notes import Note
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded

ATTEMPTS_POLL_S = 0.05

log = structlog.get_logger(__name__)


class Daemon(Process):
    """One partition and its process. `start()`, then `stop()`."""

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

    async def pulse(self) -> None:
        """The loop turns and the store commits; if not, this does not come back.

        Raises: StorageError if the store answers, but can't commit. A full disk does not count:
            that is answered by keeping what there is, and a restart would not help.
        """
        with suppress(StoreFull):
            await self.partition.store_queue.do(EndWaits((), self.clock.now_ms()), WaitsEnded)

    def reconfigure(self, config: DaemonConfig) -> None:
        """What may change while the daemon runs is as `config` says; the rest stays as it was."""
        now = self._reconfigure(config)
        self.traffic.policy = now.policy
        self.partition.reconfigure(now)

    async def _start(self) -> None:
        config, clock, closing = self.config, self.clock, self._closing
        self.partition = self._new_partition()
        closing.push_async_callback(self.partition.close)
        await self.partition.open()
        await self._open_way_out(standing_in(self.partition.reads))
        self.traffic = self._new_traffic()
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
        self.sessions = Sessions(self.tokens, self.clock)
        parts = ApiParts(
            partition=self.partition,
            tokens=self.tokens,
            sessions=self.sessions,
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

    def _start_watch(self) -> None:
        self.watch.start()

    def status(self) -> StatusOut:
        status = self.watch.look()
        given = self.config.listeners.given.names
        return StatusReport(self.partition, self.traffic, self.clock, self.state, given).now(status)

"""The house put together: what runs, in which order it starts, and in which it stops.

    environment → store → webhooks, chats, outbox → timer → doors, feed

Stopping goes the other way: the feed ends, the doors close, the timer stands still, attempts under
way are finished within a limit (what is not is found again at the next start), the chats hand in
what they have, and the store goes last. Whatever fails for good on the way ends the daemon with an
error: it is never alive but idle.
"""

import asyncio
import random
import secrets
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pykka
import structlog

from hookbundle import __version__
from hookbundle.actors.chat import ChatConfig
from hookbundle.actors.mailer import SmtpConfig
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import StoreDoor
from hookbundle.actors.timer import Rename, TimerActor, TimerState, Wakes
from hookbundle.actors.virtual_actors import Residents
from hookbundle.actors.webhook import Traffic
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits
from hookbundle.engine.errors import StoreFull, Unusable, in_words
from hookbundle.server.console.console import Api, Console, ConsoleConfig
from hookbundle.server.daemon.descriptors import Shares, shares
from hookbundle.server.daemon.shutdown import Patience
from hookbundle.server.daemon.status import Lifetime, Standing
from hookbundle.server.feed.sse import FeedStream
from hookbundle.server.feed.subscription import Feed, FeedConfig
from hookbundle.server.feed.unix_socket import FeedSocket
from hookbundle.server.http.connection_guard import Guard, GuardLimits
from hookbundle.server.http.idempotency import Repeats
from hookbundle.server.http.listeners import DoorsConfig, open_doors
from hookbundle.server.http.openapi import contract
from hookbundle.server.http.resources.chats import Chats
from hookbundle.server.http.resources.deletions import Erasing
from hookbundle.server.http.resources.deliveries import Deliveries
from hookbundle.server.http.resources.logs import Logs
from hookbundle.server.http.resources.maintenance import Upkeep
from hookbundle.server.http.resources.messages import Intake
from hookbundle.server.http.resources.metrics import Metrics
from hookbundle.server.http.resources.signing_secrets import SigningSecrets
from hookbundle.server.http.resources.status import Status
from hookbundle.server.http.resources.testing import TestRequests
from hookbundle.server.http.resources.tokens import Tokens
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.server.metrics.meters import Meters
from hookbundle.storage.database.environment import Environment, open_environment
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.totals import waiting
from hookbundle.storage.transitions.accepting import Quota
from hookbundle.storage.transitions.attempting import EndWaits, WaitsEnded
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.housekeeping import Note
from hookbundle.storage.transitions.table import Transition

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonConfig:
    """Each part's own configuration; nobody but the daemon sees the whole."""

    data: Path
    doors: DoorsConfig
    store: StoreConfig = StoreConfig()
    quota: Quota = Quota()
    policy: BackoffPolicy = BackoffPolicy()
    limits: AttemptLimits = AttemptLimits()
    addresses: AddressPolicy = AddressPolicy()
    smtp: SmtpConfig = SmtpConfig()
    feed: FeedConfig = FeedConfig()
    console: ConsoleConfig = ConsoleConfig()
    product_name: str = "the inbox"
    in_flight_max: int = 2_000
    stop_within_s: float = 20.0
    trust_clock: bool = False


class Daemon:
    """A running house; `start()`, then `stop()`. Belongs to one event loop."""

    def __init__(
        self, config: DaemonConfig, clock: SystemClock, chance: random.Random | None = None
    ) -> None:
        self.config = config
        self.clock = clock
        self.state = Lifetime()
        self.failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Has a result when the daemon can't go on."""
        self.meters = Meters()
        self._chance = chance or random.SystemRandom()
        self._patience = Patience()
        self._closing = AsyncExitStack()
        self._is_closing = False

    async def start(self) -> None:
        """Ready: everything that was waiting in the database is on its way.

        Raises: Unusable if the data can't be used; ConfigError if a door can't be opened.
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
        await self._close()
        log.info("stopped")

    async def _close(self) -> None:
        self._is_closing = True
        self._patience.begin(self.config.stop_within_s)
        await self._closing.aclose()

    def hurry(self) -> None:
        """Attempts under way are not waited for any longer."""
        self._patience.hurry()

    async def pulse(self) -> None:
        """The loop turns and the store commits; if not, this does not come back.

        Raises: StorageError if the store answers, but can't commit. A full disk does not count:
            that is answered by keeping what there is, and a restart would not help.
        """
        with suppress(StoreFull):
            await self.door.do(EndWaits(()), WaitsEnded)

    def reconfigure(self, config: DaemonConfig) -> None:
        """What may change while the daemon runs is as `config` says; the rest stays as it was."""
        before = self.config
        now = self.config = replace(
            before,
            quota=config.quota,
            policy=config.policy,
            limits=config.limits,
            addresses=config.addresses,
            smtp=config.smtp,
            product_name=config.product_name,
            stop_within_s=config.stop_within_s,
            doors=replace(before.doors, guard=config.doors.guard),
        )
        if (now.addresses, now.limits) != (before.addresses, before.limits):
            self.client.change(now.addresses, now.limits)
        self.traffic.policy = now.policy
        self._chat_config.product_name, self._chat_config.quota = now.product_name, now.quota
        self._timer.tell(Rename(now.product_name))
        self.residents.outbox.config = now.smtp
        self.guard.limits = self._guard_limits()

    async def _start(self) -> None:
        config, clock, closing = self.config, self.clock, self._closing
        self.env = self._open_environment()
        closing.callback(self.env.close)
        self.reads, self.upkeep = Reads(self.env), Upkeep(self.env)
        meta = self.reads.meta()
        if not config.trust_clock:
            clock.start_after(meta.last_ms)
        self.door = StoreDoor(config.store.waiting_max)
        self.door.state.feed_next = meta.feed_next
        self.door.observe = self.meters.commit
        self.feed = Feed(FeedReader(self.env), clock, config.feed)
        self._start_store()
        if config.trust_clock and clock.now_ms() < meta.last_ms:
            log.warning("clock.trusted", behind_ms=meta.last_ms - clock.now_ms())
            await self._store_first(TrustClock(clock.now_ms()))
        self.client = self._new_client()
        await self.client.open()
        closing.push_async_callback(self.client.close)
        self._start_actors()
        self._start_timer()
        self.meters.start()
        closing.callback(self.meters.close)
        self.guard = Guard(self._guard_limits())
        self.doors = await open_doors(
            config.doors, self._routes(), self.reads, self.guard, self.meters
        )
        closing.push_async_callback(self.doors.close)
        closing.callback(self.upkeep.stop)
        feed_socket = FeedSocket(self.feed, config.doors.feed_path)
        closing.push_async_callback(feed_socket.close)
        closing.push_async_callback(self.feed.close)
        await feed_socket.open()
        self.state.started_ms = clock.now_ms()
        note = Note("daemon.started", f"version {__version__}", clock.now_ms())
        await self._store_first(note)
        self.console.start()
        closing.push_async_callback(self.console.close)
        self.state.ready = True
        log.info("ready", socket=str(config.doors.socket_path), tcp=self.doors.tcp)

    async def _store_first(self, transition: Transition) -> None:
        """It is stored, in the start. Raises: HookbundleError, also if the store ends over it."""
        stored = asyncio.ensure_future(self.door.done(transition))
        either: set[asyncio.Future[Any]] = {stored, self.failed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not stored.done():
            stored.cancel()
            error = self.failed.result()
            raise Unusable(f"the start could not be stored: {in_words(error)}") from error
        await stored

    def _start_store(self) -> None:
        store = self._new_store(Store)
        self.door.attach(store)

        async def stop_store() -> None:
            note = Note("daemon.stopped", "as told", self.clock.now_ms())
            await self._patience.wait(self.door.done(note))
            await asyncio.to_thread(store.stop)

        self._closing.push_async_callback(stop_store)

    # ---- where the daemon meets its machine, which a simulation has its own of

    def _open_environment(self) -> Environment:
        return open_environment(self.config.data, self.clock.now_ms())

    def _new_client(self) -> GuardedClient:
        config = self.config
        return GuardedClient(config.addresses, config.limits, f"hookbundle/{__version__}")

    def _new_store(self, kind: type[Store]) -> "pykka.ActorRef[Store]":
        loop = asyncio.get_running_loop()
        return kind.start(
            self.env, self.door, self.config.store, self.clock, loop, self._committed, self._lost
        )

    # ---- the actors

    def _start_actors(self) -> None:
        config = self.config
        places = asyncio.Semaphore(self._shares().attempts)
        self.traffic = Traffic(places, config.policy, self.meters.attempt)
        self._chat_config = ChatConfig(config.product_name, config.quota)
        self.residents = Residents(
            self.reads,
            self.door,
            self.client,
            self.clock,
            self._chance,
            self.traffic,
            self._chat_config,
            config.smtp,
            self.env.identity.epoch,
        )

        async def stop_actors() -> None:
            self.traffic.open = False
            await self._patience.wait(self.residents.chats.stop_all())
            await self._patience.wait(self.residents.webhooks.stop_all())
            self.traffic.abandoned = True

        self._closing.push_async_callback(stop_actors)

    def _start_timer(self) -> None:
        async def stop_outbox() -> None:
            await self._patience.wait(self.residents.outbox.stop())

        self._closing.push_async_callback(stop_outbox)
        residents, self.timer_state = self.residents, TimerState()
        wakes = Wakes(
            webhook=residents.wake,
            mail=residents.outbox.send,
            idle=residents.let_go_idle,
            failed=self._timer_ended,
        )
        self._timer = timer = TimerActor.start(
            self.reads,
            self.door,
            self.clock,
            wakes,
            self.config.product_name,
            self.timer_state,
        )
        self._closing.callback(timer.stop, block=False)

    def _routes(self) -> list[Route]:
        reads, door, clock = self.reads, self.door, self.clock
        random_bytes, listing = secrets.token_bytes, Listing(self.env)
        chats, wake = self.residents.chats, self.residents.wake
        api = Api(
            workspaces=Workspaces(reads, door, clock, self._addresses, random_bytes, wake),
            secrets=SigningSecrets(reads, door, clock, random_bytes),
            chats=Chats(reads, listing, clock, self._product_name, chats.tell),
            deliveries=Deliveries(listing, door, clock, wake, clock.now_ms()),
            testing=TestRequests(reads, door, self.client, clock, random_bytes),
            logs=Logs(reads),
            status=Status(self.status),
        )
        self.console = Console(
            self.config.console, api, reads, listing, self.feed, clock, self.status
        )
        metrics = Metrics(
            self.meters,
            self.guard,
            self.status,
            door.state,
            partial(waiting, self.env),
            lambda: self.state.started_ms,
            clock.now_ms,
        )
        routes = [
            *Intake(reads, chats.tell, Repeats(door, clock)).routes(),
            *Erasing(door, clock).routes(),
            *self.upkeep.routes(),
            *api.workspaces.routes(),
            *api.secrets.routes(),
            *api.chats.routes(),
            *api.deliveries.routes(),
            *Tokens(reads, door, clock, random_bytes).routes(),
            *api.testing.routes(),
            *api.logs.routes(),
            *api.status.routes(),
            *FeedStream(self.feed).routes(),
            *metrics.routes(),
        ]
        return [*routes, *contract(routes, __version__), *self.console.routes()]

    def status(self) -> StatusOut:
        return Standing(
            self.env,
            self.reads,
            self.door,
            self.residents,
            self.traffic,
            self.feed,
            self.timer_state,
            self.clock,
            self.state,
        ).now()

    def _addresses(self) -> AddressPolicy:
        return self.config.addresses

    def _product_name(self) -> str:
        return self.config.product_name

    def _guard_limits(self) -> GuardLimits:
        wanted = self.config.doors.guard
        return replace(wanted, connections_max=self._shares().connections)

    def _shares(self) -> Shares:
        config = self.config
        return shares(config.doors.guard.connections_max, config.in_flight_max)

    # ---- what goes wrong

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            log.critical("the daemon can't go on", error=str(error))
            self.failed.set_result(error if isinstance(error, Exception) else RuntimeError(error))

    def _lost(self, error: BaseException) -> None:
        """Without its store or its clock the daemon waits for no attempt: it ends, and is started
        again; what was under way is found then."""
        self._fail(error)
        self.hurry()

    def _timer_ended(self, error: BaseException) -> None:
        if not self._is_closing:  # for then it is we who stop it
            self._lost(error)

    def _committed(self, feed_next: int) -> None:
        """After each commit: feed readers have something to read."""
        self.feed.committed(feed_next)

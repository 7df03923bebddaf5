"""The house put together: what runs, in which order it starts, and in which it stops.

    environment → store → webhooks, chats, outbox → timer → doors, feed

Stopping goes the other way: the feed ends, the doors close, the timer stands still, attempts under
way are finished within a limit (what is not is found again at the next start), the chats hand in
what they have, and the store goes last. Whatever fails for good on the way ends the daemon with an
error: it is never alive but idle.
"""

import asyncio
import os
import random
import secrets
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from hookbundle import __version__
from hookbundle.actors import chat
from hookbundle.actors.chat import ChatActor, ChatConfig, ChatKey
from hookbundle.actors.chats import Chats
from hookbundle.actors.console.console import Api, Console, ConsoleConfig
from hookbundle.actors.deliveries import Deliveries
from hookbundle.actors.descriptors import Shares, shares
from hookbundle.actors.doors import DoorsConfig, open_doors
from hookbundle.actors.erasing import Erasing
from hookbundle.actors.feed import Feed, FeedConfig
from hookbundle.actors.feed_socket import FeedSocket
from hookbundle.actors.feed_stream import FeedStream
from hookbundle.actors.guard import Guard, GuardLimits
from hookbundle.actors.idempotency import Repeats
from hookbundle.actors.intake import Intake
from hookbundle.actors.mailer import Outbox, SmtpConfig
from hookbundle.actors.meters import Meters, counted
from hookbundle.actors.metrics import Metrics
from hookbundle.actors.openapi import contract
from hookbundle.actors.outbound import AttemptLimits, GuardedClient
from hookbundle.actors.reports import Reports
from hookbundle.actors.routes import Route
from hookbundle.actors.shapes import StatusOut, iso
from hookbundle.actors.signing_secrets import SigningSecrets
from hookbundle.actors.stopping import Patience
from hookbundle.actors.store import Store, StoreConfig, StoreDoor
from hookbundle.actors.testing import TestRequests
from hookbundle.actors.timer import Rename, TimerActor, TimerState, Wakes
from hookbundle.actors.tokens import Tokens
from hookbundle.actors.upkeep import Upkeep
from hookbundle.actors.webhook import Traffic, Wake, WebhookActor
from hookbundle.actors.workspaces import Workspaces
from hookbundle.engine.addresses import AddressPolicy
from hookbundle.engine.backoff import BackoffPolicy
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.directory import Directory
from hookbundle.engine.errors import HookbundleError, StoreFull, in_words
from hookbundle.engine.supervisor import RestartIntensity
from hookbundle.storage.accepting import Quota
from hookbundle.storage.attempting import EndWaits, WaitsEnded
from hookbundle.storage.chores import Note
from hookbundle.storage.environment import open_environment
from hookbundle.storage.feed import FeedReader
from hookbundle.storage.figures import waiting
from hookbundle.storage.listing import Listing
from hookbundle.storage.reads import Reads

CHAT_RESIDENTS_MAX = 30_000
WEBHOOK_RESIDENTS_MAX = 20_000
IDLE_MS = 60_000
INTENSITY = RestartIntensity(failures_max=5, period_ms=60_000, quarantine_ms=300_000)

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


@dataclass(slots=True)
class DaemonState:
    started_ms: int = 0
    ready: bool = False


class Daemon:
    """A running house; `start()`, then `stop()`. Belongs to one event loop."""

    def __init__(
        self, config: DaemonConfig, clock: SystemClock, chance: random.Random | None = None
    ) -> None:
        self.config = config
        self.clock = clock
        self.state = DaemonState()
        self.failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Has a result when the daemon can't go on."""
        self.meters = Meters()
        self._chance = chance or random.SystemRandom()
        self._patience = Patience()
        self._closing = AsyncExitStack()

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
        self.outbox.config = now.smtp
        self.guard.limits = self._guard_limits()

    async def _start(self) -> None:
        config, clock, closing = self.config, self.clock, self._closing
        self.env = open_environment(config.data, clock.now_ms())
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
        self.client = GuardedClient(config.addresses, config.limits, f"hookbundle/{__version__}")
        await self.client.open()
        closing.push_async_callback(self.client.close)
        self._start_actors()
        self._start_timer()
        self.meters.start()
        closing.callback(self.meters.close)
        self.guard = Guard(self._guard_limits())
        self.doors = await open_doors(
            config.doors, self._routes(), self.reads, self.guard, [counted(self.meters)]
        )
        closing.push_async_callback(self.doors.close)
        closing.callback(self.upkeep.stop)
        feed_socket = FeedSocket(self.feed, config.doors.feed_path)
        closing.push_async_callback(feed_socket.close)
        closing.push_async_callback(self.feed.close)
        await feed_socket.open()
        self.state.started_ms = clock.now_ms()
        await self.door.done(Note("daemon.started", f"version {__version__}", clock.now_ms()))
        self.console.start()
        closing.push_async_callback(self.console.close)
        self.state.ready = True
        log.info("ready", socket=str(config.doors.socket_path), tcp=self.doors.tcp)

    def _start_store(self) -> None:
        loop = asyncio.get_running_loop()
        store = Store.start(
            self.env, self.door, self.config.store, self.clock, loop, self._committed, self._fail
        )
        self.door.attach(store)

        async def stop_store() -> None:
            note = Note("daemon.stopped", "as told", self.clock.now_ms())
            await self._patience.wait(self.door.done(note))
            await asyncio.to_thread(store.stop)

        self._closing.push_async_callback(stop_store)

    def _start_actors(self) -> None:
        now_ms = self.clock.now_ms
        config = self.config
        places = asyncio.Semaphore(self._shares().attempts)
        self.traffic = Traffic(places, config.policy, self.meters.attempt)
        self._chat_config = ChatConfig(config.product_name, config.quota)
        self.webhooks: Directory[int, Wake] = Directory(
            name="workspace",
            activate=self._webhook,
            residents_max=WEBHOOK_RESIDENTS_MAX,
            intensity=INTENSITY,
            now_ms=now_ms,
            on_dead_letter=self._wake_lost,
            on_quarantine=self._webhook_quarantined,
        )
        self.chats: Directory[ChatKey, chat.Inbox] = Directory(
            name="chat",
            activate=self._chat,
            residents_max=CHAT_RESIDENTS_MAX,
            intensity=INTENSITY,
            now_ms=now_ms,
            on_dead_letter=chat.bury,
            on_quarantine=self._chat_quarantined,
        )

        async def stop_actors() -> None:
            self.traffic.open = False
            await self._patience.wait(self.chats.stop_all())
            await self._patience.wait(self.webhooks.stop_all())
            self.traffic.abandoned = True

        self._closing.push_async_callback(stop_actors)

    def _start_timer(self) -> None:
        self.outbox = Outbox(
            self.reads,
            self.door,
            self.clock,
            self.config.smtp,
            self.env.identity.epoch,
            INTENSITY,
            self._mail_quarantined,
        )

        async def stop_outbox() -> None:
            await self._patience.wait(self.outbox.stop())

        self._closing.push_async_callback(stop_outbox)
        self.timer_state = TimerState()
        wakes = Wakes(
            chat=self.chats.tell,
            webhook=self.wake,
            mail=self.outbox.send,
            idle=self._let_go_idle,
            failed=self._fail,
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
        api = Api(
            workspaces=Workspaces(reads, door, clock, self._addresses, random_bytes, self.wake),
            secrets=SigningSecrets(reads, door, clock, random_bytes),
            chats=Chats(reads, listing, clock, self._product_name, self.chats.tell),
            deliveries=Deliveries(listing, door, clock, self.wake, clock.now_ms()),
            testing=TestRequests(reads, door, self.client, clock, random_bytes),
            reports=Reports(reads, self.status),
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
            *Intake(reads, self.chats.tell, Repeats(door, clock)).routes(),
            *Erasing(door, clock).routes(),
            *self.upkeep.routes(),
            *api.workspaces.routes(),
            *api.secrets.routes(),
            *api.chats.routes(),
            *api.deliveries.routes(),
            *Tokens(reads, door, clock, random_bytes).routes(),
            *api.testing.routes(),
            *api.reports.routes(),
            *FeedStream(self.feed).routes(),
            *metrics.routes(),
        ]
        return [*routes, *contract(routes, __version__), *self.console.routes()]

    def wake(self, workspace_number: int) -> None:
        """The webhook looks whether there is something to send, unless it has been told to.

        One that is at it is told as well: it may have looked just before there was something.
        """
        actor = self.webhooks.resident(workspace_number)
        if actor is None or actor.actor_inbox.empty():
            self.webhooks.tell(workspace_number, Wake())

    def status(self) -> StatusOut:
        meta, usage, store = self.reads.meta(), self.env.usage(), self.door.state
        totals = meta.totals
        return StatusOut(
            version=__version__,
            pid=os.getpid(),
            started_at=iso(self.state.started_ms),
            now=iso(self.clock.now_ms()),
            ready=self.state.ready and store.intake_open,
            windows=meta.windows,
            pending=meta.pending,
            parked=meta.parked,
            mails=meta.mails,
            workspaces_disabled=self.reads.disabled(100),
            totals={name: getattr(totals, name) for name in totals.__struct_fields__},
            residents={"chats": self.chats.residents, "webhooks": self.webhooks.residents},
            quarantined=[
                *(f"chat {q.key.chat_id}" for q in self.chats.quarantined()),
                *(f"workspace {q.key}" for q in self.webhooks.quarantined()),
                *(f"mail {q.key}" for q in self.outbox.quarantined()),
            ],
            in_flight=self.traffic.in_flight,
            store={
                "waiting": len(self.door.waiting),
                "commits": store.commits,
                "transitions": store.transitions,
                "commit_ms_mean": round(store.commit_ms / max(store.commits, 1), 2),
                "commit_ms_max": store.commit_ms_max,
                "intake_open": store.intake_open,
            },
            disk={
                "map_bytes": usage.map_bytes,
                "used_bytes": usage.used_bytes,
                "file_bytes": usage.file_bytes,
                "free_bytes": usage.free_bytes,
            },
            feed={
                "next": self.feed.next,
                "oldest": meta.feed_oldest,
                "subscribers": self.feed.subscribers,
                "lag_events_max": self.feed.lag_events_max,
            },
            lag_ms=self.timer_state.late_ms,
            clock_held=self.timer_state.held,
        )

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

    # ---- actors, made on demand

    def _chat(self, key: ChatKey) -> ChatActor:
        return ChatActor(key, self.door, self.clock, self._chat_config, self.wake)

    def _webhook(self, number: int) -> WebhookActor:
        return WebhookActor(
            number,
            self.door,
            self.client,
            self.clock,
            self._chance,
            self.traffic,
        )

    def _let_go_idle(self) -> None:
        self.chats.let_go_idle(IDLE_MS)
        self.webhooks.let_go_idle(IDLE_MS)
        self.outbox.let_go_idle(IDLE_MS)

    # ---- what goes wrong

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            log.critical("the daemon can't go on", error=str(error))
            self.failed.set_result(error if isinstance(error, Exception) else RuntimeError(error))

    def _committed(self, feed_next: int) -> None:
        """After each commit: feed readers have something to read."""
        self.feed.committed(feed_next)

    def _wake_lost(self, number: int, message: Wake, error: HookbundleError) -> None:
        log.warning("webhook not woken", workspace=number, error=str(error))

    def _webhook_quarantined(self, number: int, error: Exception) -> None:
        self._note_quarantine(f"workspace {number}", error)

    def _chat_quarantined(self, key: ChatKey, error: Exception) -> None:
        self._note_quarantine(f"chat {key.chat_id} of workspace {key.workspace_number}", error)

    def _mail_quarantined(self, number: int, error: Exception) -> None:
        self._note_quarantine(f"mail {number}", error)

    def _note_quarantine(self, whom: str, error: Exception) -> None:
        log.error("quarantined", whom=whom, exc_info=error)
        note = Note("actor.quarantined", f"{whom}: {in_words(error)}", self.clock.now_ms())
        self.door.submit(note, lambda _: None)

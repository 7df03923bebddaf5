"""The house put together: what runs, in which order it starts, and in which it stops.

    environment → store → webhooks, chats, mailer → timer → doors

Stopping goes the other way: the doors close, the timer stands still, attempts under way are
finished within a limit (what is not is found again at the next start), the chats hand in what they
have, and the store goes last. Whatever fails for good on the way ends the daemon with an error:
it is never alive but idle.
"""

import asyncio
import os
import random
import resource
import secrets
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from hookbundle import __version__
from hookbundle.actors import chat
from hookbundle.actors.chat import ChatActor, ChatConfig, ChatKey
from hookbundle.actors.doors import DoorsConfig, open_doors
from hookbundle.actors.intake import Intake
from hookbundle.actors.mailer import MailerActor, Send, SmtpConfig
from hookbundle.actors.outbound import AttemptLimits, GuardedClient
from hookbundle.actors.reports import Reports
from hookbundle.actors.routes import Route
from hookbundle.actors.shapes import StatusOut, iso
from hookbundle.actors.store import Store, StoreConfig, StoreDoor
from hookbundle.actors.testing import TestRequests
from hookbundle.actors.timer import TimerActor, TimerState, Wakes
from hookbundle.actors.webhook import Traffic, Wake, WebhookActor
from hookbundle.actors.workspaces import Workspaces
from hookbundle.engine.addresses import AddressPolicy
from hookbundle.engine.backoff import BackoffPolicy
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.directory import Directory
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.supervisor import RestartIntensity
from hookbundle.storage.accepting import Quota
from hookbundle.storage.chores import Note
from hookbundle.storage.environment import open_environment
from hookbundle.storage.reads import Reads

CHAT_RESIDENTS_MAX = 30_000
WEBHOOK_RESIDENTS_MAX = 20_000
IDLE_MS = 60_000
INTENSITY = RestartIntensity(failures_max=5, period_ms=60_000, quarantine_ms=300_000)
DESCRIPTORS_SPARE = 256  # for the database, the doors, DNS and mail

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
        self._chance = chance or random.SystemRandom()
        self._closing = AsyncExitStack()

    async def start(self) -> None:
        """Ready: everything that was waiting in the database is on its way.

        Raises: Unusable if the data can't be used; ConfigError if a door can't be opened.
        """
        try:
            await self._start()
        except BaseException:
            await self._closing.aclose()
            raise

    async def stop(self) -> None:
        """Everything is closed; attempts that took too long are found at the next start."""
        self.state.ready = False
        await self._closing.aclose()
        log.info("stopped")

    async def _start(self) -> None:
        config, clock, closing = self.config, self.clock, self._closing
        self.env = open_environment(config.data, clock.now_ms())
        closing.callback(self.env.close)
        self.reads = Reads(self.env)
        meta = self.reads.meta()
        if not config.trust_clock:
            clock.start_after(meta.last_ms)
        self.door = StoreDoor(config.store.waiting_max)
        self.door.state.feed_next = meta.feed_next
        self._start_store()
        self.client = GuardedClient(config.addresses, config.limits, f"hookbundle/{__version__}")
        await self.client.open()
        closing.push_async_callback(self.client.close)
        self._start_actors()
        self._start_timer()
        self.doors = await open_doors(config.doors, self._routes(), self.reads)
        closing.push_async_callback(self.doors.close)
        self.state.started_ms = clock.now_ms()
        await self.door.done(Note("daemon.started", f"version {__version__}", clock.now_ms()))
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
            await self._within_limit(self.door.done(note))
            await asyncio.to_thread(store.stop)

        self._closing.push_async_callback(stop_store)

    def _start_actors(self) -> None:
        now_ms = self.clock.now_ms
        places = min(self.config.in_flight_max, _descriptors() - DESCRIPTORS_SPARE)
        self.traffic = Traffic(asyncio.Semaphore(max(places, 1)))
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
            await self._within_limit(self.chats.stop_all())
            await self._within_limit(self.webhooks.stop_all())
            self.traffic.abandoned = True

        self._closing.push_async_callback(stop_actors)

    def _start_timer(self) -> None:
        mailer = MailerActor.start(
            self.reads, self.door, self.clock, self.config.smtp, self.env.identity.epoch
        )
        self._closing.callback(mailer.stop, block=False)
        self.timer_state = TimerState()
        wakes = Wakes(
            chat=self.chats.tell,
            webhook=self.wake,
            mail=lambda number: mailer.tell(Send(number)),
            idle=self._let_go_idle,
            failed=self._fail,
        )
        timer = TimerActor.start(
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
        addresses, random_bytes = self.config.addresses, secrets.token_bytes
        return [
            *Intake(reads, self.chats.tell).routes(),
            *Workspaces(reads, door, clock, addresses, random_bytes, self.wake).routes(),
            *TestRequests(reads, door, self.client, clock, random_bytes).routes(),
            *Reports(reads, self.status).routes(),
        ]

    def wake(self, workspace_number: int) -> None:
        """The webhook looks whether there is something to send, unless it is at it already."""
        actor = self.webhooks.resident(workspace_number)
        if actor is None or actor.is_resting():
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
            lag_ms=self.timer_state.late_ms,
            clock_held=self.timer_state.held,
        )

    # ---- actors, made on demand

    def _chat(self, key: ChatKey) -> ChatActor:
        config = ChatConfig(self.config.product_name, self.config.quota)
        return ChatActor(key, self.door, self.clock, config, self.wake)

    def _webhook(self, number: int) -> WebhookActor:
        return WebhookActor(
            number,
            self.door,
            self.client,
            self.clock,
            self._chance,
            self.config.policy,
            self.traffic,
        )

    def _let_go_idle(self) -> None:
        self.chats.let_go_idle(IDLE_MS)
        self.webhooks.let_go_idle(IDLE_MS)

    # ---- what goes wrong

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            log.critical("the daemon can't go on", error=str(error))
            self.failed.set_result(error if isinstance(error, Exception) else RuntimeError(error))

    def _committed(self, feed_next: int) -> None:
        """After each commit: feed readers have something to read."""

    def _wake_lost(self, number: int, message: Wake, error: HookbundleError) -> None:
        log.warning("webhook not woken", workspace=number, error=str(error))

    def _webhook_quarantined(self, number: int, error: Exception) -> None:
        self._note_quarantine(f"workspace {number}", error)

    def _chat_quarantined(self, key: ChatKey, error: Exception) -> None:
        self._note_quarantine(f"chat {key.chat_id} of workspace {key.workspace_number}", error)

    def _note_quarantine(self, whom: str, error: Exception) -> None:
        log.error("quarantined", whom=whom, exc_info=error)
        note = Note("actor.quarantined", f"{whom}: {error!r}", self.clock.now_ms())
        self.door.submit(note, lambda _: None)

    async def _within_limit(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for the work; what it could not do in time is found at the next start."""
        try:
            await asyncio.wait_for(work, self.config.stop_within_s)
        except (TimeoutError, HookbundleError) as exc:
            log.warning("not finished in time", error=str(exc) or type(exc).__name__)


def _descriptors() -> int:
    """How many files and sockets we may open, after asking for as many as we may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard

"""A partition: what there is one of for each database.

The environment, its Store, the feed's reader, and the actors that work on it: chats, webhooks, the
outbox and the timer. What a process has one of (listeners, HTTP client, connection guard, attempt
slots, metrics) is in `process.py`, which starts a partition in two steps and stops it in two:

    open              environment → Store → a trusted clock
    start_actors      chats, webhooks, outbox → timer
    stop_actors       timer → outbox → chats → webhooks; the next start finds the rest
    close             the Store, after its last transition → environment

The HTTP client is opened and closed between the two, because attempts under way still need it.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pykka
import structlog

from hookbundle.actors.chat import ChatConfig
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.store import Store
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.actors.timer import Reconfigure, TimerActor, TimerState, Wakes
from hookbundle.actors.virtual_actors import VirtualActors
from hookbundle.actors.webhook import Traffic
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import Unusable, in_words
from hookbundle.server.console import catalogues
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.shutdown import ShutdownDeadline
from hookbundle.server.feed.subscription import Feed
from hookbundle.storage.daemon_facts import DaemonStopped
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.notes import Note, RaiseSchema
from hookbundle.storage.transitions.table import Transition

log = structlog.get_logger(__name__)


class Partition:
    """`open()`, `start_actors()`, `stop_actors()`, `close()`, in this order, on one loop."""

    def __init__(
        self,
        config: DaemonConfig,
        clock: SystemClock,
        rng: random.Random,
        deadline: ShutdownDeadline,
        on_commit: Callable[[int, int], None],
        lost: Callable[[BaseException], None],
        agree: Agree | None = None,
    ) -> None:
        """`on_commit` hears how long a commit took, in ms, and its transitions, in the Store's
        thread; `lost` hears, on the loop, why the partition can't go on. `agree`: in a cluster."""
        self._config = config
        self.floor_bytes = config.store.floor_bytes
        self._clock = clock
        self._rng = rng
        self._deadline = deadline
        self._on_commit = on_commit
        self._lost = lost
        self._agree = agree
        self._closing = AsyncExitStack()
        self._actors = AsyncExitStack()
        self._is_stopping = False
        self._failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """The database can be read, and takes transitions.

        Raises: Unusable if the data can't be used.
        """
        config, clock = self._config, self._clock
        self.env = self._open_environment()
        self._closing.callback(self._close_environment)
        self.reads = Reads(self.env)
        meta = self.reads.meta()
        trusts = config.trust_clock
        if not trusts and clock.wall_ms() < meta.last_ms:
            trusts = clock.is_right_about(meta.last_ms)
        if not trusts:
            clock.start_after(meta.last_ms)
        self.store_queue = StoreQueue(config.store.waiting_max)
        self.store_queue.agrees = self._agree is not None
        self.store_queue.state.feed_next = meta.feed_next
        self.store_queue.observe = self._on_commit
        self.feed = Feed(FeedReader(self.env), clock, config.feed)
        self._start_store()
        if trusts and clock.now_ms() < meta.last_ms:
            log.warning("clock.trusted", behind_ms=meta.last_ms - clock.now_ms())
            await self.store_first(TrustClock(clock.now_ms()))
        if self._agree is None and self.env.identity.schema < SCHEMA:
            # In a cluster it is raised when all nodes can read it.
            await self.store_first(RaiseSchema(SCHEMA, clock.now_ms()))

    def start_actors(self, client: GuardedClient, traffic: Traffic) -> None:
        """Everything that was waiting in the database is on its way."""
        config = self._config
        self._chat_config = ChatConfig(config.product_name, config.quota)
        self.virtual_actors = actors = VirtualActors(
            self.reads,
            self.store_queue,
            client,
            self._clock,
            self._rng,
            traffic,
            self._chat_config,
            config.smtp,
            self.env.identity.epoch,
            catalogues.translations_of,
        )

        async def stop_chats_and_webhooks() -> None:
            traffic.open = False
            traffic.rendering.stop()
            await self._deadline.wait(actors.chats.stop_all())
            await self._deadline.wait(actors.webhooks.stop_all())
            traffic.abandoned = True

        async def stop_outbox() -> None:
            await self._deadline.wait(actors.outbox.stop())

        self._actors.push_async_callback(stop_chats_and_webhooks)
        self._actors.push_async_callback(stop_outbox)
        self.timer_state = TimerState()
        wakes = Wakes(
            webhook=actors.wake,
            mail=actors.outbox.send,
            idle=actors.passivate_idle,
            failed=self._timer_ended,
        )
        self._timer = TimerActor.start(
            self.env, self.store_queue, self._clock, wakes, config.timer, self.timer_state
        )
        self._actors.callback(self._timer.stop, block=False)

    async def stop_actors(self) -> None:
        """Attempts under way have ended, or were given up at the deadline."""
        self._is_stopping = True
        await self._actors.aclose()

    async def close(self) -> None:
        """What was handed to the Store is on disk, and the database is closed."""
        self._is_stopping = True
        await self._closing.aclose()

    def reconfigure(self, config: DaemonConfig) -> None:
        self._config = config
        self._chat_config.product_name, self._chat_config.quota = config.product_name, config.quota
        self._timer.tell(Reconfigure(config.timer))
        self.store_queue.retention = config.store.retention
        self.virtual_actors.outbox.config = config.smtp

    async def store_first(self, transition: Transition) -> None:
        """The transition is on disk. For the start, when the Store may end over it.

        Raises: HookbundleError as the transition says; Unusable if the Store ended.
        """
        stored = asyncio.ensure_future(self.store_queue.done(transition))
        either: set[asyncio.Future[Any]] = {stored, self._failed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not stored.done():
            stored.cancel()
            error = self._failed.result()
            raise Unusable(f"the start could not be stored: {in_words(error)}") from error
        await stored

    def _start_store(self) -> None:
        store = self._new_store(Store)
        self.store_queue.attach(store)

        async def stop_store() -> None:
            note = Note(DaemonStopped(detail="as told"), self._clock.now_ms())
            await self._deadline.wait(self.store_queue.done(note))
            await asyncio.to_thread(store.stop)

        self._closing.push_async_callback(stop_store)

    # ---- where the partition meets its machine; a simulation has another machine

    def _open_environment(self) -> Environment:
        return open_environment(self._config.data, self._clock.now_ms())

    def _close_environment(self) -> None:
        self.env.close()

    def _new_store(self, kind: type[Store]) -> "pykka.ActorRef[Store]":
        return kind.start(
            self.env,
            self.store_queue,
            self._config.store,
            self._clock,
            asyncio.get_running_loop(),
            self._committed,
            self._store_ended,
            self._agree,
        )

    def _committed(self, feed_next: int) -> None:
        """After each commit: feed readers have something to read."""
        self.feed.committed(feed_next)

    # ---- what goes wrong

    def _store_ended(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_result(error)
        self._lost(error)

    def _timer_ended(self, error: BaseException) -> None:
        # While the partition stops, it stops the timer itself, which is no failure.
        if not self._is_stopping:
            self._lost(error)

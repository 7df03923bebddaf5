"""What a process has one of, however many partitions it runs: the way out to receivers.

    HTTP client → slots for attempts → a watch on the loop → templates' renderer

A daemon alone (`process.py`) has one partition beside it, a node of a cluster several.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import structlog

from hookbundle import __version__
from hookbundle.actors.attempts.rendering import Rendering, Renders
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.actors.slot_lanes import Standing
from hookbundle.actors.webhook import Traffic, attempt_slots, give_way_s
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.runtime.standstill import LoopWatch
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.descriptors import Shares, shares
from hookbundle.server.daemon.shutdown import ShutdownDeadline
from hookbundle.server.daemon.status import Lifetime
from hookbundle.server.http.connection_guard import Guard, GuardLimits
from hookbundle.server.http.fair_limits import FairLimits, feed_readers
from hookbundle.server.http.listeners import Listeners
from hookbundle.server.http.sockets.socket_files import SocketWatch
from hookbundle.server.metrics.meters import Meters

log = structlog.get_logger(__name__)


class Process:
    """`start()`, which calls `_start`, then `stop()`. Belongs to one event loop."""

    waits_for_others = False
    """Whether a start may take for ever, because others have to be there."""
    said: Callable[[], tuple[tuple[str, str], ...]] = staticmethod(tuple)
    """What there is to say of others that it works with, by what that is."""
    guard: Guard
    listeners: Listeners
    socket_watch: SocketWatch

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
        """Has a result when the process can't go on."""
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

    def expire(self) -> None:
        """Attempts under way are not waited for any longer."""
        self._shutdown_deadline.expire()

    async def _start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        """Everything is closed; attempts that took too long are found at the next start."""
        raise NotImplementedError

    async def pulse(self) -> None:
        """Comes back as long as the process is not stuck. Raises: StorageError."""
        raise NotImplementedError

    def reconfigure(self, config: DaemonConfig) -> None:
        """What may change while the process runs is as `config` says; the rest stays."""
        raise NotImplementedError

    async def _close(self) -> None:
        self._shutdown_deadline.begin(self.config.stop_within_s)
        await self._closing.aclose()

    async def _open_way_out(self, standing: Callable[[int], Standing]) -> None:
        """`standing`: what the database knows of a webhook."""
        closing = self._closing
        self.client = self._new_client()
        await self.client.open()
        closing.push_async_callback(self.client.close)
        total_timeout_ms = self.config.limits.total_timeout_ms
        self.slots = attempt_slots(standing, self._shares().attempts, total_timeout_ms)
        closing.callback(self.slots.close)
        watch = self._new_loop_watch()
        watch.start()
        closing.callback(watch.close)
        self._stood_still_s = watch.stood_still_s
        renderer = self._new_renderer()
        closing.push_async_callback(renderer.close)
        self.rendering = Rendering(renderer, lambda: self.config.product_name)

    def _new_traffic(self, first: int | None = None) -> Traffic:
        """Of the only partition; or of one of several, which ends while the others go on, and whose
        webhooks are counted from `first` on in what all share."""
        return Traffic(
            self.slots,
            self.config.policy,
            self.meters.attempt,
            self.rendering if first is None else self.rendering.apart(first),
            self._stood_still_s,
            first=first or 0,
        )

    def _reconfigure(self, config: DaemonConfig) -> DaemonConfig:
        """What may change while the process runs is as `config` says; the rest stays as it was."""
        before = self.config
        now = self.config = replace(
            before,
            store=replace(before.store, retention=config.store.retention),
            history_total=config.history_total,
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
        self.slots.give_way_s = give_way_s(now.limits.total_timeout_ms)
        self.guard.limits = self._guard_limits()
        return now

    # ---- where the process meets its machine; a simulation has another machine

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

    def _guard_limits(self) -> GuardLimits:
        wanted = self.config.listeners.guard
        return replace(wanted, connections_max=self._shares().connections)

    def _shares(self) -> Shares:
        config = self.config
        return shares(config.listeners.guard.connections_max, config.in_flight_max)

    def _lost(self, error: BaseException) -> None:
        """The process can't go on: `failed` says why.

        Without its Store or its timer the daemon waits for no attempt: it ends, and is started
        again; attempts under way are found then.
        """
        if not self.failed.done():
            log.critical("the daemon can't go on", error=str(error))
            self.failed.set_result(error if isinstance(error, Exception) else RuntimeError(error))
        self.expire()

"""A node of a cluster: the process, its copies of partitions, and the API over all of them.

    way out → connection guard → log servers → copies → listeners → assignment

A partition begins and ends to be owned while the node runs, whenever the log says so. Without log
servers what needs them waits. Stopping gives all partitions away first, then ends as a daemon does.
"""

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from hookbundle.actors.slot_lanes import NOBODY, Standing, standing_in
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import Unusable
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.cluster import ClusterConfig
from hookbundle.engine.replication.roles import Role
from hookbundle.engine.replication.settings import digest_of
from hookbundle.server.cluster.answering import Answering
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.assigning import Assigning
from hookbundle.server.cluster.callers.sources import posters_at
from hookbundle.server.cluster.callers.unknown_tokens import UnknownTokens
from hookbundle.server.cluster.console.making import new_console
from hookbundle.server.cluster.console.sessions import ClusterSessions
from hookbundle.server.cluster.feed.source import ClusterFeed
from hookbundle.server.cluster.measuring.counting import Counting
from hookbundle.server.cluster.neighbours import Neighbours
from hookbundle.server.cluster.partitions.holding import held_by
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.cluster.partitions.making import hosts_of
from hookbundle.server.cluster.partitions.node_lane import connections
from hookbundle.server.cluster.partitions.owned import Owned, Shared
from hookbundle.server.cluster.routing import Router
from hookbundle.server.cluster.serving import Serving
from hookbundle.server.cluster.shaping import shaping
from hookbundle.server.cluster.tokens import NodeTokens, finding
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.way_out import Process
from hookbundle.server.feed.unix_socket import FeedSocket
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.connection_guard import Guard
from hookbundle.server.http.listeners import open_listeners
from hookbundle.server.http.sockets.socket_files import SocketWatch
from hookbundle.storage.database import files
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.maintenance.copying import disk_errors

WEBHOOK_BITS = 32  # of a webhook's number; those of a partition's number stand above
BEGUN_WITHIN_S = 10.0
POLL_S = 0.05

log = structlog.get_logger(__name__)


class Node(Process):
    """`start()`, then `stop()`. Belongs to one event loop."""

    waits_for_others = True

    def __init__(
        self,
        config: DaemonConfig,
        cluster: ClusterConfig,
        life: str,
        neighbours: Neighbours,
        clock: SystemClock,
        rng: random.Random | None = None,
        log_lost: Callable[[], int] = lambda: 0,
    ) -> None:
        """`life`: of this process; its neighbours know it by that."""
        console = replace(config.console, clustered=True)
        super().__init__(replace(config, console=console), clock, rng, log_lost)
        self.life = life
        self.cluster = cluster
        self.neighbours = neighbours
        neighbours.settings = lambda: digest_of(shaping(self.config, cluster))
        self.hosts: dict[int, PartitionHost] = {}
        self.owned: dict[int, Owned] = {}
        self.counting = Counting(self.owned)
        self._answering: Answering | None = None

    # ---- what the partitions of this node are

    def followed(self, partition: int) -> Environment | None:
        state = self.hosts[partition].role.state
        follower = state.follower if state.role is Role.FOLLOWING else None
        return None if follower is None else follower.env

    def owner_of(self, partition: int) -> str | None:
        """The live node that owns the partition, by its beats; "" if it is this one."""
        others = {name: beat.held.get(partition) for name, beat in self.neighbours.others().items()}
        best, epoch = None, -1
        for name, held in [*others.items(), (self.cluster.node, held_by(self.hosts[partition]))]:
            if held is not None and held.role is Role.OWNER and held.epoch > epoch:
                best, epoch = name, held.epoch
        if best == self.cluster.node:
            return "" if partition in self.owned and not self.is_doubtful(partition) else None
        return best

    def is_doubtful(self, partition: int) -> bool:
        return self.assigning.is_doubtful(partition)

    def is_stopped(self, partition: int) -> bool:
        return self.assigning.is_stopped(partition)

    def live(self) -> Mapping[str, Beat]:
        return self.neighbours.live()

    async def ask(self, node: str, asked: Asked) -> Answered:
        if node == self.cluster.node:
            return await self.answer(asked)
        return await self.neighbours.ask(node, asked)

    async def answer(self, asked: Asked) -> Answered:
        """What this node answers, of its own partitions, to another one."""
        assert self._answering is not None
        return await self._answering.answer(asked)

    # ---- starting and stopping

    async def _start(self) -> None:
        config, closing = self.config, self._closing
        self._take_directory()
        await self._open_way_out(self._standing)
        self.guard = Guard(self._guard_limits(), self.fair_limits.connections)
        self.meters.start()
        closing.callback(self.meters.close)
        closing.push_async_callback(self.neighbours.close)
        await self.neighbours.open(
            self.answer,
            lambda: self.assigning.held(),
            lambda: self.assigning.given(),
            lambda: self.serving.commanding.works(),
        )
        partitions = self.neighbours.partitions
        tokens = NodeTokens(partitions, self.owned, self)
        self.tokens = TokenCheck(tokens, self.clock, tokens.used)
        router = Router(partitions, self.owned, self)
        router.here = self.answer
        self.unknown_tokens = UnknownTokens(tokens, router.asked, partitions, router.owns)
        router.posters = posters_at(self, router)
        token_of = finding(tokens, self.tokens, router.asked, partitions)
        self.sessions = ClusterSessions(self.neighbours.sessions, token_of, self.clock)
        self._make_hosts(self._shared())
        closing.push_async_callback(self._close_copies)
        self.feed = ClusterFeed(partitions, router.asked, self.followed, config.feed)
        self.serving = serving = Serving(self, router)
        self.console = new_console(self, router, serving.mail_tests)
        closing.push_async_callback(serving.commanding.close)
        closing.push_async_callback(serving.backing_up.close)
        self._answering = Answering(
            serving.answered_here(), self.fair_limits, config.listeners, router
        )
        closing.callback(self._answering.close)
        self.listeners = await open_listeners(
            config.listeners,
            serving.routes(),
            connections(self, router, tokens, config.listeners.body_s),
            self.tokens,
            self.guard,
            self.meters,
            self.fair_limits,
            (self.unknown_tokens.asked_first(),),
        )
        closing.push_async_callback(self.listeners.close)
        feed_socket = FeedSocket(self.feed, self.fair_limits.feed, config.listeners.feed_path)
        closing.push_async_callback(feed_socket.close)
        await feed_socket.open_again()
        closing.push_async_callback(self.feed.close)
        self.socket_watch = SocketWatch((self.listeners, feed_socket))
        self.socket_watch.start()
        closing.push_async_callback(self.socket_watch.close)
        self.state.started_ms = self.clock.now_ms()
        await self.neighbours.begin()
        self.assigning.start()
        serving.commanding.start()
        self.state.ready = True
        await self._until_begun()
        self.console.start()
        closing.push_async_callback(self.console.close)
        log.info("ready", socket=str(config.listeners.socket_path), tcp=self.listeners.tcp)

    def _take_directory(self) -> None:
        """Raises: InUse; Unusable if a daemon alone has its database there, or it is a backup."""
        data = self.config.data
        with disk_errors(data):
            files.make_directory(data)
            fd = files.lock(data)
        self._closing.callback(os.close, fd)
        files.check_no_backup(data)
        if (data / files.DATA).exists():
            raise Unusable(
                f"{data} has the database of a daemon that is in no cluster; give the node a "
                "directory of its own"
            )

    def _shared(self) -> Shared:
        return Shared(
            config=lambda: self.config,
            client=self.client,
            traffic=lambda number: self._new_traffic(first=number << WEBHOOK_BITS),
            tokens=self.tokens,
            sessions=self.sessions,
            meters=self.meters,
            guard=self.guard,
            fair_limits=self.fair_limits,
            rng=self._rng,
            log_lost=self._log_lost,
            ended=self.counting.ended,
            appended=self.counting.appends.observe,
        )

    def _make_hosts(self, shared: Shared) -> None:
        cluster = self.cluster
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="followers")
        self.hosts |= hosts_of(
            cluster,
            self.life,
            self.config.data,
            self.neighbours,
            self.clock,
            self._threads,
            shared,
            self.owned,
        )
        self.assigning = Assigning(
            cluster.node,
            self.life,
            cluster.copies,
            cluster.dead_after_s,
            self.config.store.floor_bytes,
            self.hosts,
            self.neighbours,
            self._lost,
        )

    async def _until_begun(self) -> None:
        """Each partition has an owner, or it was waited for long enough."""
        try:
            async with asyncio.timeout(BEGUN_WITHIN_S):
                while unowned := self.unowned():
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            log.warning("partitions without an owner", partitions=unowned)

    def unowned(self) -> list[int]:
        """The partitions that no live node owns, as far as is known here."""
        return [each for each in self.hosts if each not in self.owned and not self.owner_of(each)]

    async def stop(self) -> None:
        """All partitions are given away, and everything is closed."""
        self.state.ready = False
        self._shutdown_deadline.begin(self.config.stop_within_s)
        await self._shutdown_deadline.wait(self._drained())
        for host in self.hosts.values():
            host.give_up()
        await self._closing.aclose()
        log.info("stopped")

    async def _drained(self) -> None:
        self.assigning.drains = True
        await self.neighbours.leave()
        told = set[int]()
        while any(host.is_busy for host in self.hosts.values()):
            for number, host in self.hosts.items():
                # Also those whose claim was on its way when the drain began.
                if host.is_busy and host.role.state.role is Role.OWNER and number not in told:
                    told.add(number)
                    self.assigning.give_away(number, self.assigning.heir_of(number))
            await asyncio.sleep(POLL_S)

    async def _close_copies(self) -> None:
        await self.assigning.close()
        for host in self.hosts.values():
            await host.close()
        self._threads.shutdown()

    async def pulse(self) -> None:
        """The loop turns. A log that is lost must not restart every node, so it is not asked."""

    def reconfigure(self, config: DaemonConfig) -> None:
        """What may change while the node runs is as `config` says; the rest stays as it was."""
        now = self._reconfigure(config)
        for owned in self.owned.values():
            owned.reconfigure(now)

    def _standing(self, webhook: int) -> Standing:
        owned = self.owned.get(webhook >> WEBHOOK_BITS)
        if owned is None:
            return NOBODY
        return standing_in(owned.partition.reads)(webhook & ((1 << WEBHOOK_BITS) - 1))

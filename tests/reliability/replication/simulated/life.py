"""A life of a cluster of three nodes and one partition. Its seed alone decides what happens.

Real: the role's machine, the follower, the appending, the chain rule, the Store with its groups,
all transitions that are submitted, and LMDB. Simulated: time, the servers of the log, the threads,
the nodes' beats. At the end all faults are over, and everything must be as if there had been none.
"""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from hookbundle.actors.replication.generations import begin
from hookbundle.actors.replication.log import Life as LogLife
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.replication.assignment import ranking
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.transitions.notes import Confirm
from hookbundle.tests.reliability.replication.simulated.client import Client
from hookbundle.tests.reliability.replication.simulated.fake_log import FakeLog, Servers, Weather
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.reliability.simulation.virtual_time import (
    SimulatedClock,
    SimulatedLoop,
    Wall,
)

NAMES = ("a", "b", "c")
CHATS = ("x", "y")
BEGINNING_MS = 1_700_000_000_000
ENTRY_BYTES_MAX = 4_000  # so that larger groups go in parts
FIRST = Generation(1, 0)
LOOK_S = 0.25
DEAD_AFTER_S = 3.0
LATEST_S = 10.0  # after which nothing arrives any more that was sent before
QUIET_WITHIN_S = 200.0
PAGE = 1_000_000


class Life:
    def __init__(self, seed: int, base: Environment, folder: Path, seconds: float) -> None:
        self.rng = Random(seed)
        self.seen: Counter[str] = Counter()
        self.acknowledged = 0
        self._base = base
        self._folder = folder
        self._seconds = seconds
        self._loop = SimulatedLoop(0.0)
        self._clock = SimulatedClock(self._loop, Wall(BEGINNING_MS))
        self._servers = Servers(self.rng, self._loop)
        self._nodes: dict[str, Node] = {}
        self._starts = 0
        self._beats: dict[str, tuple[float, str]] = {}
        self._partition = 0
        self._is_over = False

    def run(self) -> None:
        """Raises: AssertionError if a promise was broken."""
        asyncio.set_event_loop(self._loop)
        try:
            task = self._loop.create_task(self._run())
            task.add_done_callback(lambda _: self._loop.stop())
            self._loop.run_to(self._loop.time() + self._seconds + QUIET_WITHIN_S + 100)
            assert task.done(), "the life does not end"
            task.result()
        finally:
            for node in self._nodes.values():
                node.kill()
            for left in asyncio.all_tasks(self._loop):
                left.cancel()
            self._loop.run_to(self._loop.time())
            self._loop.close()
            asyncio.set_event_loop(None)

    async def _run(self) -> None:
        raw = FakeLog(self._servers, ENTRY_BYTES_MAX)
        life = LogLife("init", SCHEMA, self._clock.now_ms)
        await begin(raw, self._base, FIRST, life, Chain(seq=0, epoch=0))
        await raw.begin_with(FIRST)
        for name in NAMES:
            self._start(name)
        clients = [Client(chat, self._running, self._clock, self.rng) for chat in CHATS]
        tasks = [asyncio.ensure_future(client.run()) for client in clients]
        tasks += [asyncio.ensure_future(self._look(name)) for name in NAMES]
        faults = asyncio.ensure_future(self._faults())
        await asyncio.sleep(self._seconds)
        faults.cancel()
        self._heal()
        await asyncio.sleep(LATEST_S)
        for client in clients:
            client.stopped = True
        try:
            await asyncio.wait_for(self._quiet(), QUIET_WITHIN_S)
        except TimeoutError:
            roles = [node.in_words() for node in self._nodes.values()]
            raise AssertionError(f"the cluster does not come to rest: {roles}") from None
        self._is_over = True
        for each in (*tasks, faults):
            if each.done() and not each.cancelled():
                each.result()
        self._check(clients)

    # ---- the cluster

    def _start(self, name: str) -> None:
        self._starts += 1
        self._nodes[name] = Node(
            name,
            self._starts,
            self._folder / name,
            self._servers,
            self._clock,
            self._loop,
            ENTRY_BYTES_MAX,
        )

    def _running(self) -> list[Node]:
        return [node for node in self._nodes.values() if node.is_running]

    async def _look(self, name: str) -> None:
        """The node beats, and looks at what it should be."""
        while not self._is_over:
            await asyncio.sleep(LOOK_S)
            node, now_s = self._nodes[name], self._loop.time()
            if not node.is_running:
                continue
            assert not node.role.actor_stopped.is_set(), f"the role of {name} has failed"
            self._beats[name] = now_s, node.life
            lives = {
                other: life
                for other, (at_s, life) in self._beats.items()
                if now_s - at_s < DEAD_AFTER_S
            }
            if self._servers.chance("blind"):
                lives = {name: node.life}
            wanted = ranking(self._partition, lives)[0]
            node.look(owns=wanted == name, lives=lives)
            if node.owns and wanted != name and self.rng.random() < 0.5:
                self.seen["yielded"] += 1
                node.give_away(wanted)

    # ---- what goes wrong

    async def _faults(self) -> None:
        kinds = (self._crash, self._crash, self._freeze, self._storm, self._storm, self._move)
        while True:
            await asyncio.sleep(self.rng.uniform(0.2, 4.0))
            await self.rng.choice((*kinds, self._turn, self._calm))()

    async def _crash(self) -> None:
        node = self._nodes[self.rng.choice(NAMES)]
        if node.process.is_dead:
            return
        if node.owns and node.queue is not None and node.queue.state.is_busy:
            self.seen["crash while a group waits"] += 1
        self.seen["crash"] += 1
        self._kill(node)
        if self.rng.random() < 0.2:
            self.seen["copy lost"] += 1
            node.lose_copy()
        self._loop.call_later(self.rng.uniform(0.0, 6.0), self._start_again, node.name)

    async def _freeze(self) -> None:
        node = self._nodes[self.rng.choice(NAMES)]
        if node.owns:
            self.seen["owner frozen"] += 1
        node.freeze()
        self._loop.call_later(self.rng.uniform(0.2, 9.0), node.thaw)

    async def _storm(self) -> None:
        rng = self.rng
        self._servers.weather = Weather(
            **{
                name: rng.choice((0.0, 0.0, 0.05, 0.3))
                for name in ("lost", "late", "unacked", "twice", "refused", "foreign", "behind")
            },
            blind=rng.choice((0.0, 0.0, 0.1)),
            disk=rng.choice((0.0, 0.0, 0.05)),
            checks=rng.random() < 0.5,
            down=rng.random() < 0.1,
        )

    async def _calm(self) -> None:
        self._servers.weather = Weather()

    async def _move(self) -> None:
        self._partition += 1

    async def _turn(self) -> None:
        for node in self._running():
            node.turn_wanted = node.owns

    def _kill(self, node: Node) -> None:
        self.seen["fenced"] += node.fenced
        self.seen["broken"] += bool(node.role.state.why)
        self.seen["claim lost"] += node.role.state.lost
        self.seen["turned"] += node.turns
        node.kill()

    def _start_again(self, name: str) -> None:
        if self._nodes[name].process.is_dead:
            self._start(name)

    def _heal(self) -> None:
        self._servers.weather = Weather()
        for name in NAMES:
            self._nodes[name].thaw()
            self._start_again(name)

    # ---- what must hold

    async def _quiet(self) -> None:
        """One node owns the partition, says so, and the others have all that it has."""
        while True:
            await asyncio.sleep(LOOK_S)
            owners = [node for node in self._running() if node.owns]
            others = [node for node in self._running() if node.role.state.role is Role.FOLLOWING]
            if len(owners) != 1 or len(others) != len(NAMES) - 1:
                continue
            confirmed = await self._ask(owners[0], Confirm())
            if confirmed is None and all(
                _dump(each.env) == _dump(owners[0].env) for each in others
            ):
                return

    async def _ask(self, node: Node, transition: Any) -> Any:
        answer: asyncio.Future[Any] = self._loop.create_future()
        if not node.submit(transition, answer.set_result):
            return HookbundleError("it owns no more")
        return await answer

    def _check(self, clients: list[Client]) -> None:
        for node in list(self._nodes.values()):
            events = FeedReader(node.env).read(0, PAGE).events
            for client in clients:
                client.check(events)
            with node.env.read() as txn:
                assert list(check(txn)) == []
            self._kill(node)
        self.acknowledged = sum(len(client.acknowledged) for client in clients)
        for name in self._servers.seen:
            self.seen[name] += 1


def _dump(env: Environment) -> dict[bytes, bytes]:
    with env.read() as txn:
        return {bytes(key): bytes(value) for key, value in txn.cursor() if key != keyspace.POSITION}

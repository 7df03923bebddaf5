"""What goes wrong in a life: at random times, one thing after the other."""

import asyncio

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.maintenance.replication.copies import Rewritten
from hookbundle.tests.reliability.replication.simulated.cluster import NAMES, Cluster
from hookbundle.tests.reliability.replication.simulated.fake_log import Weather
from hookbundle.tests.reliability.replication.simulated.node import STAGES, Node


class Faults(Cluster):
    async def _faults(self) -> None:
        kinds = (
            *(self._crash, self._crash, self._freeze, self._storm, self._storm, self._calm),
            *(self._move, self._hold, self._renew, self._renew_and_strike, self._rewrite),
        )
        while True:
            await asyncio.sleep(self.rng.uniform(0.1, 3.0))
            await self.rng.choice(kinds)()

    async def _crash(self) -> None:
        self._crash_one(self._nodes[self.rng.choice(NAMES)])

    def _crash_one(self, node: Node) -> None:
        if node.process.is_dead:
            return
        if node.renews:
            self.seen[f"crash while {node.renews}"] += 1
        if node.owns and node.queue is not None and node.queue.state.is_busy:
            self.seen["crash while a group waits"] += 1
        self.seen["crash"] += 1
        self._kill(node)
        if self.rng.random() < 0.2:
            self.seen["copy lost"] += 1
            node.lose_copy()
        self._loop.call_later(self.rng.uniform(0.0, 6.0), self._start_again, node.name)

    async def _freeze(self) -> None:
        self._freeze_one(self._nodes[self.rng.choice(NAMES)])

    def _freeze_one(self, node: Node) -> None:
        if node.renews:
            self.seen[f"frozen while {node.renews}"] += 1
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

    async def _renew(self) -> None:
        for node in self._running():
            node.renew()

    async def _renew_and_strike(self) -> None:
        """The owner is renewing its log when it crashes or freezes."""
        strike = self.rng.choice((self._crash_one, self._freeze_one))
        stage = self.rng.choice(STAGES)
        await self._renew()
        for _ in range(200):
            await asyncio.sleep(self.rng.uniform(0.0, 0.02))
            if found := [node for node in self._running() if node.renews == stage]:
                strike(found[0])
                return

    async def _hold(self) -> None:
        """Each partition has so many copies, from now on."""
        self._copies = self.rng.choice((1, 2, len(NAMES)))

    async def _rewrite(self) -> None:
        def told(done: Rewritten | HookbundleError) -> None:
            if isinstance(done, Rewritten):
                self.seen["rewritten"] += 1

        self._nodes[self.rng.choice(NAMES)].rewrite(told)

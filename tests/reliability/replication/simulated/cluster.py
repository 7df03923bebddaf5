"""A cluster of three nodes and one partition, in one process on virtual time."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

from hookbundle.actors.replication.messages import Look
from hookbundle.engine.replication.assignment import ranking
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.renewal import Rules
from hookbundle.engine.replication.roles import CopyAt
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.reliability.replication.simulated.fake_log import Servers, Weather
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.reliability.simulation.virtual_time import (
    SimulatedClock,
    SimulatedLoop,
    Wall,
)

NAMES = ("a", "b", "c")
BEGINNING_MS = 1_700_000_000_000
ENTRY_BYTES_MAX = 4_000  # so that larger groups go in parts
FIRST = Generation(1, 0)
LOOK_S = 0.25
DEAD_AFTER_S = 3.0
RULES = Rules(generation_bytes=30_000, past_ms=9_000, erase_within_ms=4_000, renew_after_ms=15_000)
LATEST_S = 10.0  # after which nothing arrives any more that was sent before


class Cluster:
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
        self._beats: dict[str, tuple[float, str, CopyAt]] = {}
        self._copies = len(NAMES)
        self._partition = 0
        self._is_over = False

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
            RULES,
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
            self._beats[name] = now_s, node.life, node.role.state.copy_at()
            look = self._as_seen_by(node, now_s)
            node.look(look)
            wanted = look.assigned[0]
            if node.owns and wanted != name and self.rng.random() < 0.5:
                self.seen["yielded"] += 1
                node.give_away(wanted)

    def _as_seen_by(self, node: Node, now_s: float) -> Look:
        beats = {name: beat for name, beat in self._beats.items() if now_s - beat[0] < DEAD_AFTER_S}
        if self._servers.chance("blind"):
            beats = {node.name: beats[node.name]}
        assigned = tuple(ranking(self._partition, beats)[: self._copies])
        return Look(
            holds=node.name in assigned,
            owns=assigned[0] == node.name,
            lives={name: life for name, (_, life, _) in beats.items()},
            assigned=assigned,
            copies={name: copy for name, (_, _, copy) in beats.items()},
        )

    def _kill(self, node: Node) -> None:
        self.seen["fenced"] += node.fenced
        self.seen["broken"] += bool(node.role.state.why)
        self.seen["claim lost"] += node.role.state.lost
        node.kill()

    def _start_again(self, name: str) -> None:
        if self._nodes[name].process.is_dead:
            self._start(name)

    def _heal(self) -> None:
        self._servers.weather = Weather()
        self._copies = len(NAMES)
        for name in NAMES:
            self._nodes[name].thaw()
            self._start_again(name)

"""A cluster in one process: real nodes, on logs in memory, which hear each other at once.

async with cluster(tmp_path, partitions=4) as made:
    first = await made.start("a")
    second = await made.start("b")
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hookbundle import __version__
from hookbundle.actors.replication.generations import begin
from hookbundle.actors.replication.log import Acked, Answer, Entries, Life, Unknown
from hookbundle.actors.store import StoreConfig
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import LogDamaged, Overloaded
from hookbundle.engine.replication.beats import Beat, Held, Works
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.cluster import (
    FORMAT,
    KEY_BYTES,
    ClusterConfig,
    ClusterRecord,
    NodeRecord,
    Upgrade,
    check_schema,
)
from hookbundle.engine.replication.entries import Entry, Generation, entry_of
from hookbundle.server.cluster import neighbours
from hookbundle.server.cluster.asked import Answered, AnswerLost, Asked, NotAsked
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST
from hookbundle.tests.actors.replication.logs import part_of
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import LOOPBACK
from hookbundle.tests.server.cluster.memory_records import MemoryRecords

ENTRY_BYTES_MAX = 1 << 20
FIRST = Generation(1, 0)


class MemoryLog:
    """Keeps entries in the order in which they come. `is_down`: says nothing, and keeps nothing."""

    entry_bytes_max = ENTRY_BYTES_MAX

    def __init__(self) -> None:
        self.entries: dict[Generation, list[Entry]] = {}
        self.news: list[Callable[[], None]] = []
        self.is_up = asyncio.Event()
        self.is_up.set()
        self._oldest: Generation | None = None

    async def publish(self, generation: Generation, headers: dict[str, str], body: bytes) -> Answer:
        await self.is_up.wait()
        if generation not in self.entries:
            return Unknown()
        entries = self.entries[generation]
        entries.append(entry_of(len(entries) + 1, headers, body))
        for heard in self.news:
            asyncio.get_running_loop().call_soon(heard)
        return Acked(len(entries))

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        await self.is_up.wait()
        return part_of(self._of(generation), after, most)

    async def last(self, generation: Generation) -> int | None:
        await self.is_up.wait()
        return len(self._of(generation))

    def _of(self, generation: Generation) -> list[Entry]:
        """Raises: LogDamaged."""
        if generation not in self.entries:
            raise LogDamaged(f"generation {generation} is gone")
        return self.entries[generation]

    async def make(self, generation: Generation) -> None:
        self.entries.setdefault(generation, [])

    async def oldest(self) -> Generation | None:
        return self._oldest

    async def begin_with(self, generation: Generation) -> None:
        self._oldest = generation

    async def generations(self) -> list[Generation]:
        return sorted(self.entries)

    async def delete(self, generation: Generation) -> None:
        self.entries.pop(generation, None)


def cluster_config(node: str, name: str = "test", copies: int = 2) -> ClusterConfig:
    return ClusterConfig(
        name=name,
        node=node,
        copies=copies,
        dead_after_s=3.0,
        generation_bytes=1 << 28,
        erase_within_ms=86_400_000,
        key=bytes(KEY_BYTES),
    )


@dataclass(slots=True)
class MemoryCluster:
    folder: Path
    logs: list[MemoryLog]
    sessions: MemoryRecords = field(default_factory=MemoryRecords)
    nodes: dict[str, "Heard"] = field(default_factory=dict)
    known: dict[str, NodeRecord] = field(default_factory=dict)
    record: ClusterRecord = ClusterRecord(FORMAT, "test", 0, SCHEMA, 1, "")
    revision: int = 1
    has_record: bool = True
    started: list[Node] = field(default_factory=list)

    async def start(self, name: str, copies: int = 2, schema: int = SCHEMA, **listens: Any) -> Node:
        """Ready. `schema`: the latest that it and its partitions know. `listens`: its listeners."""
        folder = self.folder / name
        config = DaemonConfig(
            data=folder / "data",
            listeners=ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0", **listens),
            addresses=LOOPBACK,
            store=StoreConfig(floor_bytes=0, reserve_bytes=0),
        )
        heard = Heard(self, NodeRecord(name, __version__, schema, 1), name, neighbours.new_life())
        node = Node(config, cluster_config(name, copies=copies), heard.life, heard, SystemClock())
        await node.start()
        self.started.append(node)
        return node


@dataclass(slots=True)
class Heard(neighbours.Neighbours):
    """What a node hears of the others; `is_cut`: nothing, and nobody hears it."""

    cluster: MemoryCluster
    itself: NodeRecord
    name: str
    life: str
    is_cut: bool = False
    leaves: bool = False
    may_judge: bool = True
    loses_answers: int = 0
    free_bytes: int = 1 << 30
    partitions: int = 0
    cluster_id: str = "0123456789abcdef"
    sessions: MemoryRecords = field(default_factory=MemoryRecords)
    schema: int = 0
    revision: int = 0
    away: tuple[str, ...] = ()
    replicas: int = 3
    answer: neighbours.Answer | None = None
    held: Callable[[], Mapping[int, Held]] = dict
    given: Callable[[], Mapping[int, int]] = dict
    works: Callable[[], Works] = lambda: Works(None, None)
    settings: Callable[[], str] = str

    async def open(
        self,
        answer: neighbours.Answer,
        held: Callable[[], Mapping[int, Held]],
        given: Callable[[], Mapping[int, int]],
        works: Callable[[], Works],
    ) -> None:
        self.answer, self.held, self.given, self.works = answer, held, given, works
        self.partitions = len(self.cluster.logs)
        self.sessions = self.cluster.sessions
        self.cluster.known[self.name] = self.itself
        await self.registered()

    async def begin(self) -> None:
        self.cluster.nodes[self.name] = self

    async def close(self) -> None:
        self.cluster.nodes.pop(self.name, None)

    async def leave(self, *, leaves: bool = True) -> None:
        self.leaves = leaves

    def log_of(self, partition: int) -> MemoryLog:
        return self.cluster.logs[partition]

    def news_of(self, partition: int, heard: Callable[[], None]) -> None:
        self.cluster.logs[partition].news.append(heard)

    def live(self) -> Mapping[str, Beat]:
        return {
            name: each.beat()
            for name, each in self.cluster.nodes.items()
            if each is self or not (each.is_cut or self.is_cut)
        }

    def others(self) -> Mapping[str, Beat]:
        return {name: each for name, each in self.live().items() if name != self.name}

    def beat(self) -> Beat:
        held, given = dict(self.held()), dict(self.given())
        return Beat(
            self.name,
            self.life,
            self.itself.version,
            0,
            self.free_bytes,
            self.settings(),
            held,
            self.leaves,
            given,
            self.revision,
            *self.works(),
        )

    def heard_s(self) -> float:
        return 0.0 if self.is_cut else 60.0 if self.may_judge else 0.1

    def unheard_s(self) -> float:
        return 60.0 if self.is_cut else 0.0

    def has_failed(self) -> Exception | None:
        return None

    def record_is_lost(self) -> bool:
        return not self.cluster.has_record

    async def make_record(self, replicas: int | None) -> bool:
        was_lost, self.cluster.has_record = not self.cluster.has_record, True
        return was_lost

    async def forget(self, node: str) -> bool:
        return self.cluster.known.pop(node, None) is not None

    async def registered(self) -> Registered:
        if self.is_cut or self.cluster.sessions.is_down:
            raise Overloaded.of(Code.LOG_WAITS)
        check_schema(self.cluster.record, SCHEMA_OLDEST, self.itself.schema)
        self.schema, self.revision = self.cluster.record.schema, self.cluster.revision
        return Registered(self.cluster.record, list(self.cluster.known.values()))

    async def upgrade(self) -> Upgrade | None:
        found = (await self.registered()).upgrade()
        if found is not None and not found.behind:
            self.cluster.record = replace(self.cluster.record, schema=found.schema)
            self.cluster.revision += 1
            await self.registered()
        return found

    async def ask(self, node: str, asked: Asked) -> Answered:
        other = self.cluster.nodes.get(node)
        if other is None or other.is_cut or self.is_cut or other.answer is None:
            raise NotAsked("nobody is there")
        answered = await other.answer(asked)
        if other.loses_answers:
            other.loses_answers -= 1
            raise AnswerLost.of(AnswerLost.other)
        return answered


async def shared_out(*nodes: Node) -> None:
    """Each of the nodes owns its share, and none is on its way."""
    all_ = len(nodes[0].hosts)
    async with asyncio.timeout(TIMEOUT_S):
        while sorted(len(node.owned) for node in nodes) != sorted(
            all_ // len(nodes) + (index < all_ % len(nodes)) for index in range(len(nodes))
        ):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def cluster(folder: Path, partitions: int, old: bool = False) -> AsyncIterator[MemoryCluster]:
    """Logs of empty partitions; if `old`, they are renewed. Its nodes are stopped at the end."""
    made = MemoryCluster(folder, [MemoryLog() for _ in range(partitions)])
    for number, log in enumerate(made.logs):
        env = open_environment(folder / "first" / str(number), 1)
        try:
            life = Life("init", SCHEMA, (lambda: 1) if old else SystemClock().now_ms)
            await begin(log, env, FIRST, life, Chain(seq=0, epoch=0))
            await log.begin_with(FIRST)
        finally:
            env.close()
    try:
        yield made
    finally:
        for log in made.logs:
            log.is_up.set()  # a test that has failed left it down, and nodes would wait for it
        for node in made.started:
            if node.state.ready:
                await node.stop()

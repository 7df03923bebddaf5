"""A cluster whose nodes look when a test says so: real roles and Stores on simulated nodes."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

from hookbundle.actors.replication.generations import begin
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.messages import Look
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.renewal import Rules
from hookbundle.engine.replication.roles import CopyAt, Role
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.transitions.erasing import DeleteChat
from hookbundle.storage.transitions.sealing import SealWindow
from hookbundle.storage.transitions.table import Transition
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.tests.actors.replication.logs import run_on
from hookbundle.tests.reliability.replication.simulated.fake_log import FakeLog, Servers
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.reliability.simulation.virtual_time import (
    SimulatedClock,
    SimulatedLoop,
    Wall,
)
from hookbundle.tests.storage.noting import note_of
from hookbundle.tests.storage.scratch import PRODUCT, ScratchDatabase

FIRST = Generation(1, 0)


class Cluster:
    """Nodes that look when a test says so."""

    def __init__(self, db: ScratchDatabase, folder: Path) -> None:
        self.db = db
        self.folder = folder
        self.loop = SimulatedLoop(0.0)
        self.clock = SimulatedClock(self.loop, Wall(1_700_000_000_000))
        self.servers = Servers(Random(1), self.loop)
        self.raw = FakeLog(self.servers, 4_000)
        self.nodes: list[Node] = []

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        run_on(self.loop, work(), self._close)

    def _close(self) -> None:
        for node in self.nodes:
            node.kill()

    async def begin(self) -> None:
        if not self.db.reads.workspaces(1).found:
            self.db.workspace()
        life = Life("init", 2, self.clock.now_ms)
        await begin(self.raw, self.db.env, FIRST, life, Chain(seq=0, epoch=0))
        await self.raw.begin_with(FIRST)

    def start(self, name: str, rules: Rules | None = None, schema: int = SCHEMA) -> Node:
        node = Node(
            name,
            len(self.nodes),
            self.folder / name,
            self.servers,
            self.clock,
            self.loop,
            4_000,
            rules,
            schema,
        )
        self.nodes.append(node)
        return node

    async def look(self, node: Node, *live: Node, **how: Any) -> None:
        """The node has looked twice: after it has joined, it looks at what it should be."""
        for _ in range(2):
            await self.look_once(node, *live, **how)

    async def look_once(
        self,
        node: Node,
        *live: Node,
        owns: bool = False,
        holds: bool = True,
        told: bool = False,
        schema: int = 0,
        furthest: CopyAt | None = None,
    ) -> None:
        """`told`: it knows what the live nodes say of their copies; `live` are to hold them."""
        nodes = (node, *live)
        look = Look(
            holds=holds,
            owns=owns,
            lives={each.name: each.life for each in nodes},
            assigned=tuple(each.name for each in live),
            copies={each.name: each.role.state.copy_at() for each in nodes} if told else None,
            schema=schema,
            furthest=furthest,
        )
        node.look(look)
        await self.rest()

    @property
    def streams(self) -> list[str]:
        """The generations that the servers have."""
        return [str(generation) for generation in sorted(self.servers.streams)]

    async def rest(self) -> None:
        """All that was told has been done."""
        await run_for(self.loop, 5.0)

    async def note(self, node: Node, detail: str) -> Any:
        return await self.ask(node, note_of("noted", detail, self.clock.now_ms()))

    async def ask(self, node: Node, transition: Transition) -> Any:
        answer: Any = self.loop.create_future()
        assert node.submit(transition, answer.set_result)
        return await answer

    async def delete_chat(self, node: Node, chat: str) -> bool:
        """True if the chat was deleted, and erased to its end."""
        await self.ask(node, self.deleting(chat))
        return await self.erase(node)

    async def erase(self, node: Node) -> bool:
        """As a timer does."""
        step = EraseStep(row=Due(0, DueKind.ERASE, 1), most=5, now_ms=self.clock.now_ms())
        while not (await self.ask(node, step)).finished:
            pass
        return True

    def deleting(self, chat: str) -> DeleteChat:
        now_ms = self.clock.now_ms()
        return DeleteChat(workspace_id="acme", chat_id=chat, now_ms=now_ms, caller="test")

    def sealing(self, chat: str) -> SealWindow:
        given: Any = {"now_ms": self.clock.now_ms(), "product_name": PRODUCT}
        return SealWindow(workspace_number=1, chat_id=chat, **given)


async def run_for(loop: SimulatedLoop, seconds: float) -> None:
    future = loop.create_future()
    loop.call_later(seconds, future.set_result, None)
    await future


def dump(node: Node) -> dict[bytes, bytes]:
    with node.env.read() as txn:
        return {bytes(k): bytes(v) for k, v in txn.cursor() if k != keyspace.POSITION}


def role_of(node: Node) -> Role:
    return node.role.state.role

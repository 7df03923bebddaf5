"""How a node becomes owner, and what it does when it owns no more; on simulated nodes."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hookbundle.actors.replication.generations import begin
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.messages import Look, OwnershipEnded
from hookbundle.engine.errors import Fenced
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database import keyspace
from hookbundle.tests.actors.replication.logs import run_on
from hookbundle.tests.reliability.replication.simulated.fake_log import FakeLog, Servers
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.reliability.simulation.virtual_time import (
    SimulatedClock,
    SimulatedLoop,
    Wall,
)
from hookbundle.tests.storage.noting import note_of
from hookbundle.tests.storage.scratch import ScratchDatabase

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
        self.db.workspace()
        life = Life("init", 2, lambda: 0)
        await begin(self.raw, self.db.env, FIRST, life, Chain(seq=0, epoch=0))
        await self.raw.begin_with(FIRST)

    def start(self, name: str) -> Node:
        node = Node(
            name,
            len(self.nodes),
            self.folder / name,
            self.servers,
            self.clock,
            self.loop,
            4_000,
        )
        self.nodes.append(node)
        return node

    async def look(self, node: Node, *live: Node, owns: bool = False) -> None:
        """The node has looked twice: after it has joined, it looks at what it should be."""
        for _ in range(2):
            lives = {each.name: each.life for each in (node, *live)}
            node.look(Look(holds=True, owns=owns, lives=lives))
            await self.rest()

    async def rest(self) -> None:
        """All that was told has been done."""
        await run_for(self.loop, 5.0)

    async def note(self, node: Node, detail: str) -> Any:
        answer: Any = self.loop.create_future()
        assert node.submit(note_of("noted", detail, self.clock.now_ms()), answer.set_result)
        return await answer


async def run_for(loop: SimulatedLoop, seconds: float) -> None:
    future = loop.create_future()
    loop.call_later(seconds, future.set_result, None)
    await future


@pytest.fixture
def cluster(db: ScratchDatabase, tmp_path: Path) -> Cluster:
    return Cluster(db, tmp_path)


def dump(node: Node) -> dict[bytes, bytes]:
    with node.env.read() as txn:
        return {bytes(k): bytes(v) for k, v in txn.cursor() if k != keyspace.POSITION}


def role_of(node: Node) -> Role:
    return node.role.state.role


def test_a_partition_goes_from_node_to_node_with_all_that_was_acknowledged(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(a, b, owns=True)
        await cluster.look(b, a)
        assert (role_of(a), role_of(b)) == (Role.OWNER, Role.FOLLOWING)
        assert await cluster.note(a, "one") is None

        a.give_away("b")
        await cluster.rest()
        await cluster.look(b, a, owns=True)
        await cluster.look(a, b)
        assert (role_of(a), role_of(b)) == (Role.FOLLOWING, Role.OWNER)
        assert await cluster.note(b, "two") is None
        b.kill()
        await cluster.look(a, owns=True)

        assert role_of(a) is Role.OWNER
        stored = b"".join(value for key, value in dump(a).items() if key.startswith(b"F"))
        assert b"one" in stored
        assert b"two" in stored

    cluster.run(life)


def test_a_node_that_comes_back_claims_nothing_from_a_live_owner(cluster: Cluster) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(a, b, owns=True)
        assert await cluster.note(a, "one") is None
        await cluster.look(b, a)
        b.kill()

        again = cluster.start("b")
        await cluster.look(again, a, owns=True)
        assert role_of(again) is Role.FOLLOWING
        await cluster.look(again, owns=True)

        assert role_of(again) is Role.OWNER

    cluster.run(life)


def test_a_claim_that_was_lost_leaves_a_copy_that_misses_nothing(cluster: Cluster) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b, a)
        await cluster.look(a, b, owns=True)
        assert await cluster.note(a, "one") is None
        follower = b.role.state.follower
        assert follower is not None
        # As one that looked a moment before: what a wrote is met by the claim itself.
        original = follower.catch_up

        async def seen_nothing() -> None:
            pass

        follower.catch_up = seen_nothing  # type: ignore[method-assign]
        await cluster.look(b, owns=True)
        follower.catch_up = original  # type: ignore[method-assign]
        assert (role_of(b), b.role.state.lost >= 1) == (Role.FOLLOWING, True)

        await cluster.look(b, a)

        assert dump(b) == dump(a)

    cluster.run(life)


def test_an_owner_whose_store_could_not_go_on_lets_another_have_the_partition(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(a, b, owns=True)

        a.role.actor_ref.tell(OwnershipEnded(why=Fenced("the disk is full"), env=a.env))
        await cluster.rest()
        await cluster.look(a, b)
        await cluster.look(b, a, owns=True)

        assert (role_of(a), role_of(b)) == (Role.FOLLOWING, Role.OWNER)

    cluster.run(life)


def test_a_stale_owner_is_told_by_its_next_group_and_goes_on_as_a_follower(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(a, b, owns=True)
        await cluster.look(b, owns=True)  # it hears no beat of a
        assert (role_of(a), role_of(b)) == (Role.OWNER, Role.OWNER)

        refused = await cluster.note(a, "stale")
        await cluster.rest()
        await cluster.look(a, b)

        assert refused.status == 503
        assert role_of(a) is Role.FOLLOWING
        assert dump(a) == dump(b)

    cluster.run(life)


def test_a_copy_that_cannot_be_trusted_is_dropped_and_made_anew(cluster: Cluster) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(a, b, owns=True)
        await cluster.look(b, a)
        assert await cluster.note(a, "one") is None
        sound = cluster.servers.streams[FIRST][-1].body
        cluster.servers.streams[FIRST][-1].body = b"damaged"

        b.look(Look(holds=True, owns=False, lives={"b": b.life, "a": a.life}))
        await cluster.rest()
        assert role_of(b) is Role.BROKEN
        assert "checksum" in b.role.state.why
        cluster.servers.streams[FIRST][-1].body = sound
        await cluster.look(b, a)

        assert role_of(b) is Role.FOLLOWING
        assert dump(b) == dump(a)

    cluster.run(life)


def test_what_a_foreign_life_claims_is_not_this_ones(cluster: Cluster) -> None:
    """The claim of an earlier life of the node stands in the log; it is claimed anew."""

    async def life() -> None:
        await cluster.begin()
        a = cluster.start("a")
        await cluster.look(a, owns=True)
        a.kill()

        again = cluster.start("a")
        await cluster.look(again, owns=True)

        follower = again.role.state.follower
        assert follower is not None
        assert (role_of(again), follower.log.chain.epoch) == (Role.OWNER, 2)

    cluster.run(life)

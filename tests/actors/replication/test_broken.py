"""Copies that can't be written or read: kept, made anew, and nobody waits for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import pytest

from hookbundle.actors.replication import role_state
from hookbundle.actors.replication.messages import MakeAnew, RecordDamaged
from hookbundle.engine.errors import CorruptRecord, StoreFull
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.actors.replication.clusters import Cluster, dump, role_of, run_for
from hookbundle.tests.reliability.replication.simulated.node import Node

MARK = b"W a workspace of nobody"
FULL = "the disk is full: No space left on device"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """The folders whose disk is full; what is committed there fails."""
    full: set[Path] = set()
    write = Environment.write

    @contextmanager
    def writing(self: Environment) -> Iterator[lmdb.Transaction]:
        with write(self) as txn:
            yield txn
            if self.path in full:
                raise StoreFull(FULL)

    monkeypatch.setattr(Environment, "write", writing)
    return full


def mark(node: Node) -> None:
    """A row that the log does not have: a copy that is made anew has it not."""
    with node.env.write() as txn:
        txn.put(MARK, b"")


def is_marked(node: Node) -> bool:
    return MARK in dump(node)


def test_a_copy_whose_disk_is_full_is_kept_and_gone_on_with(
    cluster: Cluster, full: set[Path]
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        await cluster.look(b, a)
        mark(b)
        full.add(cluster.folder / "b")
        for number in range(3):
            assert await cluster.note(a, f"n{number}") is None
            await cluster.look(b, a)
            assert role_of(b) is Role.BROKEN
        assert FULL in b.role.state.why
        full.clear()
        await cluster.look(b, a)

        assert role_of(b) is Role.FOLLOWING
        assert is_marked(b)
        assert dump(b) == {**dump(a), MARK: b""}

    cluster.run(life)


def test_an_owner_whose_disk_is_full_lets_another_own_what_it_can_not_store(
    cluster: Cluster, full: set[Path]
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        await cluster.look(b, a)
        full.add(cluster.folder / "a")
        assert await cluster.note(a, "is in the log") is None
        await cluster.look(a, b)
        assert role_of(a) is Role.BROKEN
        await cluster.look(b, a, owns=True)
        assert role_of(b) is Role.OWNER
        assert await cluster.note(b, "goes on") is None
        full.clear()
        await cluster.look(a, b)

        assert dump(a) == dump(b)
        stored = b"".join(value for key, value in dump(b).items() if key.startswith(b"F"))
        assert b"is in the log" in stored

    cluster.run(life)


def test_an_owner_with_a_damaged_record_gives_the_partition_away_and_makes_its_copy_anew(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(a, owns=True)
        a.role.actor_ref.tell(damaged(a))
        await cluster.rest()
        assert role_of(a) is Role.OWNER, "nobody else could own it"
        assert "checksum" in a.role.state.damaged
        mark(a)
        await cluster.look(b, a)
        await cluster.look_once(a, b, owns=True, told=True)
        assert role_of(a) is Role.BROKEN
        await cluster.look(b, a, owns=True, told=True)
        assert role_of(b) is Role.OWNER
        assert await cluster.note(b, "goes on") is None
        await cluster.look(a, b, told=True)

        assert role_of(a) is Role.FOLLOWING
        assert not is_marked(a)
        assert dump(a) == dump(b)

    cluster.run(life)


def test_a_record_that_the_log_has_damaged_does_not_go_from_node_to_node(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_state, "HEALED_AGAIN_S", 300.0)

    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        owner, other = a, b
        moves = 0
        for _ in range(4):
            await cluster.look(owner, other, owns=True, told=True)
            await cluster.look(other, owner, told=True)
            await cluster.look(owner, other, owns=True, told=True)
            owner.role.actor_ref.tell(damaged(owner))
            await cluster.rest()
            if role_of(owner) is Role.BROKEN:
                moves += 1
                await cluster.look(owner, other, told=True)
                owner, other = other, owner
        assert moves == 2, "each node has made its copy anew once"
        assert role_of(owner) is Role.OWNER

        await run_for(cluster.loop, 300.0)
        owner.role.actor_ref.tell(damaged(owner))
        await cluster.rest()
        assert role_of(owner) is Role.BROKEN

    cluster.run(life)


def test_only_a_copy_that_is_followed_is_made_anew_by_command(cluster: Cluster) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        mark(b)
        told: list[bool] = []
        for node in (a, b):
            node.role.actor_ref.tell(MakeAnew(why="told to", then=told.append))
        await cluster.rest()
        assert (told, role_of(a), role_of(b)) == ([False, True], Role.OWNER, Role.BROKEN)
        await cluster.look(b, a)

        assert (role_of(b), b.role.state.why) == (Role.FOLLOWING, "told to")
        assert not is_marked(b)
        assert dump(b) == dump(a)

    cluster.run(life)


def damaged(node: Node) -> RecordDamaged:
    return RecordDamaged(why=CorruptRecord("its checksum is wrong"), env=node.env)

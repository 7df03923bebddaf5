"""A log that has lost something begins anew with the copy of one node."""

from typing import Any

import pytest

from hookbundle.actors.replication.messages import Recover, Recovered
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.files import DATA
from hookbundle.tests.actors.replication.clusters import FIRST, Cluster, dump, role_of
from hookbundle.tests.actors.replication.losses import (
    DAMAGES,
    Damage,
    gone,
    looked,
    recovered,
    shortened,
    two_nodes,
)
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.storage.deleting import delete
from hookbundle.tests.storage.scratch import incoming


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_log_begins_anew_with_the_copy_of_one_node_under_a_new_epoch(
    cluster: Cluster, damage: Damage
) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        a.kill()
        damage(cluster)
        await cluster.look(b, owns=True)
        epoch = b.env.identity.epoch
        a = cluster.start("a")
        await cluster.look(a, b)
        done = await recovered(cluster, b, Generation(7, 3))
        for node in (a, b):
            await cluster.look(node, a, b)
        await cluster.look(b, a, owns=True)
        assert await cluster.note(b, "goes on") is None
        await cluster.look(a, b)

        assert isinstance(done, Recovered)
        assert done.generation == Generation(8, 4)
        assert cluster.streams == ["8x4"]
        assert (role_of(a), role_of(b)) == (Role.FOLLOWING, Role.OWNER)
        assert dump(a) == dump(b)
        assert a.env.identity.epoch == b.env.identity.epoch != epoch
        known = await cluster.ask(b, cluster.db.accepting(incoming("m1", text="one"), chat="c"))
        assert known.duplicate == 1
        feed = b"".join(value for key, value in dump(b).items() if key.startswith(keyspace.FEED))
        assert b"from the copy of node b, at entry" in feed

    cluster.run(life)


def test_a_partition_whose_log_is_writable_is_claimed_before_it_begins_anew(
    cluster: Cluster,
) -> None:
    """So that an owner that is not heard can't go on in the old log meanwhile."""

    async def life() -> None:
        a, b = await two_nodes(cluster)
        done = await recovered(cluster, b)
        refused = await cluster.note(a, "lost")
        await cluster.rest()
        for node in (b, a):
            await cluster.look(node, a, b)

        assert isinstance(done, Recovered)
        assert done.generation == Generation(2, 3)  # epoch 2 was the claim's
        assert refused.status == 503
        assert (role_of(a), role_of(b)) == (Role.FOLLOWING, Role.FOLLOWING)
        assert dump(a) == dump(b)

    cluster.run(life)


def test_an_owner_can_have_its_own_log_begin_anew(cluster: Cluster) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        done = await recovered(cluster, a)
        for node in (a, b):
            await cluster.look(node, a, b)
        await cluster.look(a, b, owns=True)

        assert isinstance(done, Recovered)
        assert (role_of(a), role_of(b)) == (Role.OWNER, Role.FOLLOWING)
        assert dump(a) == dump(b)

    cluster.run(life)


def test_a_log_that_another_node_has_claimed_meanwhile_does_not_begin_anew(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        raw: Any = b.role._raw
        make = raw.make

        async def meanwhile(generation: Generation) -> None:
            await make(generation)
            assert (await cluster.note(a, "refused")).status == 503, "b has claimed it"
            await cluster.look(a, owns=True)  # and is not heard
            assert await cluster.note(a, "goes on") is None

        raw.make = meanwhile
        done = await recovered(cluster, b)
        assert await cluster.note(a, "goes on still") is None

        assert isinstance(done, Conflict)
        assert done.code == Code.CLAIMED_MEANWHILE
        assert cluster.servers.first == FIRST
        assert role_of(a) is Role.OWNER

    cluster.run(life)


def test_what_is_being_deleted_when_a_log_begins_anew_leaves_the_new_one_in_time(
    cluster: Cluster,
) -> None:
    def erased_ms(node: Node) -> int | None:
        assert node.role.state.follower is not None
        return node.role.state.follower.log.chain.erased_ms

    async def life() -> None:
        cluster.db.workspace()
        cluster.db.accept("m0", ws=cluster.db.workspace("deleted"))
        delete(cluster.db, "deleted")
        a, b = await two_nodes(cluster)
        assert erased_ms(a) is None  # it was deleted before there was a log
        assert isinstance(await recovered(cluster, a), Recovered)
        for node in (a, b):
            await cluster.look(node, a, b)

        assert erased_ms(a) == erased_ms(b) is not None

    cluster.run(life)


@pytest.mark.parametrize("step", ["make", "publish", "delete", "begin_with"])
def test_a_node_that_is_killed_while_its_log_begins_anew_can_be_told_again(
    cluster: Cluster, step: str
) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        a.kill()
        shortened(cluster)
        await looked(cluster, b, owns=True)
        whole = dump(b)
        raw: Any = b.role._raw

        def killed(*_: Any) -> Any:
            b.kill()
            return cluster.loop.create_future()

        setattr(raw, step, killed)
        cluster.servers.is_recovered = True
        b.role.actor_ref.tell(Recover(above=(), then=lambda _: None))
        await cluster.rest()
        assert b.process.is_dead

        b = cluster.start("b")
        await looked(cluster, b, owns=True)
        assert (role_of(b), dump(b)) == (Role.STOPPED, whole)
        assert isinstance(await recovered(cluster, b), Recovered)
        await cluster.look(b)
        await cluster.look(b, owns=True)

        assert role_of(b) is Role.OWNER
        assert len(cluster.streams) == 1
        known = await cluster.ask(b, cluster.db.accepting(incoming("m1", text="one"), chat="c"))
        assert known.duplicate == 1

    cluster.run(life)


def test_a_node_without_a_whole_copy_has_nothing_to_begin_with(cluster: Cluster) -> None:
    async def life() -> None:
        await two_nodes(cluster)
        fresh = cluster.start("c")
        gone(cluster)
        await cluster.look(fresh, owns=True)

        assert isinstance(await recovered(cluster, fresh), Conflict)
        assert role_of(fresh) is Role.BROKEN
        assert not (cluster.folder / "c" / DATA).exists()

    cluster.run(life)

"""A log that has lost what was read of it: copies stay, nobody claims, and it can begin anew."""

from collections.abc import Callable
from typing import Any

import pytest

from hookbundle.actors.replication.messages import Recover, Recovered
from hookbundle.engine.errors import Conflict, HookbundleError
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import CopyAt, Role
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.files import DATA
from hookbundle.tests.actors.replication.clusters import FIRST, Cluster, dump, role_of
from hookbundle.tests.reliability.replication.simulated.fake_log import Stored
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.storage.scratch import incoming

Damage = Callable[[Cluster], None]


def at(node: Node) -> CopyAt:
    return node.role.state.copy_at()


async def recovered(cluster: Cluster, node: Node, *above: Generation) -> Recovered | Any:
    answer: Any = cluster.loop.create_future()
    cluster.servers.is_recovered = True
    node.role.actor_ref.tell(Recover(above=above, then=answer.set_result))
    done: Recovered | HookbundleError = await answer
    await cluster.rest()
    return done


async def looked(cluster: Cluster, node: Node, *live: Node, **how: Any) -> None:
    """Often enough to be sure that a log is shorter than it was."""
    for _ in range(2):
        await cluster.look(node, *live, **how)


async def two_nodes(cluster: Cluster) -> tuple[Node, Node]:
    """An owner with a message, and a node that follows it."""
    await cluster.begin()
    a, b = cluster.start("a"), cluster.start("b")
    await cluster.look(b)
    await cluster.look(a, b, owns=True)
    assert await cluster.ask(a, cluster.db.accepting(incoming("m1", text="one"), chat="c"))
    await cluster.look(b, a)
    return a, b


def gone(cluster: Cluster) -> None:
    cluster.servers.streams.clear()


def all_gone(cluster: Cluster) -> None:
    gone(cluster)
    cluster.servers.first = None


def shortened(cluster: Cluster) -> None:
    del cluster.servers.streams[FIRST][-1]


def another(cluster: Cluster) -> None:
    """As long, with something else in the place of the last entry."""
    stream = cluster.servers.streams[FIRST]
    last = stream[-1]
    stream[-1] = Stored(last.at_s, {**last.headers, "Hb-Id": "other.1"}, last.body)


def longer(cluster: Cluster) -> None:
    another(cluster)
    stream = cluster.servers.streams[FIRST]
    stream += [Stored(0.0, {"Nats-Other": "1"}, b"?")] * 3


DAMAGES = [gone, all_gone, shortened, another, longer]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_node_that_is_started_keeps_what_its_log_has_lost_and_claims_nothing(
    cluster: Cluster, damage: Damage
) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        whole = dump(b)
        a.kill()
        b.kill()
        damage(cluster)
        again = cluster.start("b")
        await looked(cluster, again, owns=True)

        assert (role_of(again), again.role.state.claims) == (Role.STOPPED, 0)
        assert "log" in again.role.state.why or "gone" in again.role.state.why
        assert dump(again) == whole
        assert at(again).seq > 0
        again.kill()
        for _ in range(2):  # nor does another start of it drop anything
            once_more = cluster.start("b")
            await looked(cluster, once_more, owns=True, told=True)
            assert (role_of(once_more), dump(once_more)) == (Role.STOPPED, whole)
            once_more.kill()

    cluster.run(life)


@pytest.mark.parametrize("damage", [gone, all_gone, shortened, another])
def test_an_owner_whose_log_is_not_its_log_any_more_stores_nothing_and_keeps_its_copy(
    cluster: Cluster, damage: Damage
) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        whole = dump(a)
        damage(cluster)

        refused: Any = None
        if damage is not another:  # an entry behind it counts, so that only a restart finds it
            refused = await cluster.note(a, "two")
            await cluster.rest()
            assert refused.status == 503
            assert (role_of(a), dump(a)) == (Role.STOPPED, whole)
            await looked(cluster, b, a, owns=True)
            assert (role_of(b), b.role.state.claims) == (Role.STOPPED, 0)
        else:
            a.kill()
            await cluster.look(b, owns=True)
            assert (role_of(b), b.role.state.claims) == (Role.STOPPED, 0)

    cluster.run(life)


def test_an_owner_is_not_led_astray_by_what_another_has_written_since_the_log_was_shortened(
    cluster: Cluster,
) -> None:
    """Else both would be owners of the same log, each by what it has read."""

    async def life() -> None:
        a, b = await two_nodes(cluster)
        b.kill()
        assert await cluster.note(a, "two") is None
        shortened(cluster)
        again = cluster.start("b")
        await cluster.look(again, owns=True)  # it has no way to know, and hears nobody
        assert role_of(again) is Role.OWNER
        for word in ("three", "four"):
            assert await cluster.note(again, word) is None
        refused = await cluster.note(a, "five")
        await cluster.rest()

        assert refused.status == 503
        assert role_of(a) is Role.STOPPED
        assert b"two" in b"".join(dump(a).values())
        a.kill()
        a = cluster.start("a")
        await cluster.look(a, again, owns=True)
        assert (role_of(a), a.role.state.claims) == (Role.STOPPED, 0)

    cluster.run(life)


def test_a_log_that_has_all_of_it_after_all_is_followed_again(cluster: Cluster) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        kept = dict(cluster.servers.streams)
        gone(cluster)
        await cluster.look(b, a)
        assert role_of(b) is Role.STOPPED
        cluster.servers.streams.update(kept)
        assert await cluster.note(a, "two") is None
        await cluster.look(b, a)

        assert (role_of(b), b.role.state.why) == (Role.FOLLOWING, "")
        assert dump(b) == dump(a)

    cluster.run(life)


def test_a_node_that_has_read_less_than_was_heard_of_claims_nothing_and_says_so(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        assert await cluster.note(a, "two") is None
        heard = at(a)
        a.kill()
        shortened(cluster)
        for _ in range(4):
            await cluster.look(b, owns=True, furthest=heard)

        assert (role_of(b), b.role.state.claims) == (Role.STOPPED, 0)
        assert f"heard to have entry {heard.seq}" in b.role.state.why
        await cluster.look(b, owns=True, furthest=heard)
        assert role_of(b) is Role.STOPPED
        a = cluster.start("a")
        await looked(cluster, a, b, furthest=heard)
        assert role_of(a) is Role.STOPPED
        done = await recovered(cluster, a)
        for node in (a, b):
            await cluster.look(node, a, b, furthest=heard)
        await cluster.look(a, b, owns=True, furthest=heard)

        assert isinstance(done, Recovered)
        assert (role_of(a), role_of(b)) == (Role.OWNER, Role.FOLLOWING)
        assert b"two" in b"".join(dump(a).values())

    cluster.run(life)


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

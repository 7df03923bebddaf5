"""How a node becomes owner, and what it does when it owns no more; on simulated nodes."""

from hookbundle.actors.replication.messages import OwnershipEnded
from hookbundle.engine.errors import Fenced, StorageError
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.files import DATA
from hookbundle.tests.actors.replication.clusters import FIRST, Cluster, dump, role_of


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


def test_a_copy_that_cannot_be_used_is_made_anew_and_stays_until_that_is_whole(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(a, b, owns=True)
        await cluster.look(b, a)
        assert await cluster.note(a, "one") is None
        data = cluster.folder / "b" / DATA
        before = data.stat().st_ino
        follower = b.role.state.follower
        assert follower is not None

        async def fails() -> None:
            raise StorageError("the disk fails")

        follower.catch_up = fails  # type: ignore[method-assign]
        stream = cluster.servers.streams[FIRST]
        whole = list(stream)
        del stream[1:]  # of what there is to begin with a part can be read for a moment
        await cluster.look(b, a)
        assert (role_of(b), data.stat().st_ino) == (Role.JOINING, before)
        b.kill()
        b = cluster.start("b")
        await cluster.look(b, a)
        assert role_of(b) is Role.JOINING  # and it is not gone on with after a crash either
        stream[:] = whole
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

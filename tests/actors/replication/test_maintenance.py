"""When an owner renews its log, and which generations it deletes; and what copies make of that."""

import asyncio

from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.renewal import Rules
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.replication import position
from hookbundle.tests.actors.replication.clusters import FIRST, Cluster, dump, role_of
from hookbundle.tests.actors.replication.test_renewing import filled, has_begun
from hookbundle.tests.reliability.replication.simulated.node import Node

NEXT = Generation(2, 1)
NEVER = Rules(renew_after_ms=1 << 62, erase_within_ms=1 << 62)


async def written(cluster: Cluster, node: Node, size: int) -> None:
    """Groups of so many bytes in sum stand in the log."""
    follower = node.role.state.follower
    assert follower is not None
    until = follower.log.chain.group_bytes + size
    while follower.log.chain.group_bytes < until:
        assert await cluster.note(node, "x" * 400) is None


def generation_of(node: Node) -> Generation | None:
    return node.role.state.copy_at().generation


def test_a_log_that_has_grown_is_renewed_also_by_an_owner_that_did_not_write_it(
    cluster: Cluster,
) -> None:
    rules = Rules(generation_bytes=20_000, renew_after_ms=1 << 62)

    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a", rules), cluster.start("b", rules)
        await cluster.look(a, b, owns=True)
        await written(cluster, a, 12_000)
        await cluster.look(a, b, owns=True)
        await cluster.look(b, a)
        a.kill()
        b.kill()
        again = cluster.start("b", rules)
        await cluster.look(again, owns=True)
        assert generation_of(again) == FIRST

        await written(cluster, again, 9_000)
        await cluster.look(again, owns=True)

        assert generation_of(again) == Generation(2, 2)

    cluster.run(life)


def test_a_deletion_has_left_the_log_within_its_time_and_so_has_what_is_a_week_old(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        rules = Rules(erase_within_ms=60_000, renew_after_ms=300_000)
        await cluster.begin()
        a = cluster.start("a", rules)
        await cluster.look(a, owns=True)
        await cluster.look(a, owns=True)
        began = generation_of(a)
        assert await cluster.note(a, "one") is None
        assert await cluster.delete_chat(a, "never was")
        await asyncio.sleep(70)
        await cluster.look(a, owns=True)
        assert generation_of(a) == began

        await cluster.ask(a, cluster.db.accepting("m1", chat="c"))
        assert await cluster.delete_chat(a, "c")
        await cluster.look(a, owns=True)
        assert generation_of(a) == began
        await asyncio.sleep(60)
        await cluster.look(a, owns=True)
        erased = generation_of(a)
        assert erased != began
        await asyncio.sleep(250)
        await cluster.look(a, owns=True)
        assert generation_of(a) == erased
        assert await cluster.note(a, "two") is None
        await asyncio.sleep(50)
        await cluster.look(a, owns=True)

        assert generation_of(a) not in (began, erased)

    cluster.run(life)


def test_what_was_deleted_has_left_the_log_in_time_also_if_its_owner_is_gone(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        rules = Rules(erase_within_ms=60_000, renew_after_ms=1 << 62)
        await cluster.begin()
        a, b = cluster.start("a", rules), cluster.start("b", rules)
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        await cluster.ask(a, cluster.db.accepting("m1", chat="c"))
        await cluster.look(b, a)
        assert await cluster.delete_chat(a, "c")
        await cluster.look(b, a)
        a.kill()
        await cluster.look(b, owns=True)
        began = generation_of(b)
        await asyncio.sleep(60)
        await cluster.look(b, owns=True)

        assert began == FIRST
        assert generation_of(b) == Generation(2, 2)

    cluster.run(life)


def test_an_old_generation_stays_until_all_live_copies_are_past_it(cluster: Cluster) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a", NEVER), cluster.start("b", NEVER)
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        a.renew()
        await cluster.look(a, b, owns=True, told=True)
        assert cluster.streams == ["1x0", "2x1"]

        await cluster.look(b, a)
        await cluster.look(a, b, owns=True, told=True)

        assert cluster.streams == ["2x1"]
        assert generation_of(b) == NEXT

    cluster.run(life)


def test_an_old_generation_stays_a_while_if_nobody_knows_the_copies_and_who_was_away_joins_again(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        rules = Rules(past_ms=100_000)
        await cluster.begin()
        a, b = cluster.start("a", rules), cluster.start("b", rules)
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        b.kill()
        a.renew()
        await cluster.look(a, owns=True)
        await asyncio.sleep(70)
        await cluster.look(a, owns=True)
        assert cluster.streams == ["1x0", "2x1"]
        await asyncio.sleep(20)
        await cluster.look(a, owns=True)
        assert cluster.streams == ["2x1"]
        again = cluster.start("b", NEVER)
        await cluster.look_once(again, a)
        assert (role_of(again), again.role.state.why) == (
            Role.JOINING,
            "generation 1x0 is gone",
        )
        await cluster.look(again, a)

        assert role_of(again) is Role.FOLLOWING
        assert dump(again) == dump(a)

    cluster.run(life)


def test_an_owner_that_has_nothing_to_write_goes_on_with_its_own_copy_after_a_restart(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a = cluster.start("a", NEVER)
        await cluster.look(a, owns=True)
        a.renew()
        await cluster.look(a, owns=True, told=True)
        assert cluster.streams == ["2x1"]
        with a.env.read() as txn:
            at = position.read(txn)
        assert at is not None
        assert at.generation == "2x1"
        a.kill()

        again = cluster.start("a", NEVER)
        await cluster.look(again, owns=True)

        assert (role_of(again), again.role.state.why) == (Role.OWNER, "")

    cluster.run(life)


def test_what_owners_of_before_left_half_made_is_deleted_and_what_is_of_later_epochs_is_not(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        for left in (Generation(2, 0), Generation(7, 0), Generation(2, 1), Generation(2, 5)):
            await cluster.raw.make(left)
        a = cluster.start("a", NEVER)
        await cluster.look(a, owns=True)

        assert cluster.streams == ["1x0", "2x1", "2x5"]

        await cluster.raw.make(Generation(1, 5))
        await cluster.look(a, owns=True)
        assert cluster.streams == ["1x0", "1x5", "2x1", "2x5"]

    cluster.run(life)


def test_who_takes_over_moves_on_what_joining_nodes_begin_with(cluster: Cluster) -> None:
    """The owner before was killed between its `end` and that."""

    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a", NEVER), cluster.start("b", NEVER)
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        a.renew()
        await cluster.look(a, b, owns=True)
        a.kill()
        cluster.servers.first = FIRST

        await cluster.look(b, owns=True, told=True)
        await cluster.look(b, owns=True, told=True)

        assert cluster.servers.first == NEXT
        assert cluster.streams == ["2x1"]

    cluster.run(life)


def test_a_partition_that_is_given_away_is_renewed_no_further_by_who_gave_it(
    cluster: Cluster,
) -> None:
    """The log would turn behind the release, when it is the next owner's to say where it goes on;
    and a base that may be large would be written by a node that owns nothing."""

    async def life() -> None:
        filled(cluster)
        await cluster.begin()
        a, b = cluster.start("a", NEVER), cluster.start("b", NEVER)
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        a.renew()
        while NEXT not in cluster.servers.streams:
            await asyncio.sleep(0.01)
        a.give_away("b")
        await cluster.rest()
        assert role_of(a) is Role.FOLLOWING
        assert not has_begun(cluster, NEXT)

        await cluster.look(b, a, owns=True)
        await cluster.look(a, b)

        assert (role_of(b), generation_of(b), cluster.streams) == (Role.OWNER, FIRST, ["1x0"])
        assert dump(a) == dump(b)

    cluster.run(life)

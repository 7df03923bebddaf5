"""A log goes on in a new generation while its owner's groups go on, and loses none of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hookbundle.actors.replication import generations
from hookbundle.actors.replication.maintenance import FAILED_AGAIN_S, MaintenanceState
from hookbundle.engine.replication.entries import Generation, Kind
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.tests.actors.replication.clusters import FIRST, Cluster, dump, role_of
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.storage.scratch import incoming

NEXT = Generation(2, 1)
WITHIN = 2_000


def filled(cluster: Cluster, messages: int = 300) -> None:
    """The database with which the cluster begins has some records, before the feed and after it."""
    cluster.db.workspace()
    for n in range(messages):
        cluster.db.accept(incoming(f"m{n}", text="x" * 400), chat=f"chat{n % 7}")
        if n % 14 == 13:
            cluster.db.seal(f"chat{n % 7}")


def maintenance_of(node: Node) -> MaintenanceState:
    assert node.role.state.maintenance is not None
    return node.role.state.maintenance.state


async def until_renewed(node: Node) -> None:
    before = maintenance_of(node).renewed
    node.renew()
    for _ in range(WITHIN):
        await asyncio.sleep(0.01)
        if maintenance_of(node).renewed > before:
            return
    pytest.fail(f"the log was not renewed: {maintenance_of(node)}")


def has_begun(cluster: Cluster, generation: Generation) -> bool:
    """Its base is complete; nothing points to it yet."""
    stored = cluster.servers.streams.get(generation, [])
    return any(each.headers["Hb-Kind"] == Kind.BEGIN for each in stored)


@asynccontextmanager
async def traffic(cluster: Cluster, node: Node) -> AsyncIterator[list[float]]:
    """Groups are committed one after the other inside the block; how long each took."""
    took_s: list[float] = []
    is_over = False

    async def write() -> None:
        while not is_over:
            began_s = cluster.loop.time()
            assert await cluster.note(node, f"note {len(took_s)}") is None
            took_s.append(cluster.loop.time() - began_s)

    task = asyncio.ensure_future(write())
    yield took_s
    is_over = True
    await task


def test_groups_go_on_while_the_base_is_written_and_wait_for_the_turn_alone(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        filled(cluster)
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        began_s = cluster.loop.time()

        async with traffic(cluster, a) as took_s:
            await until_renewed(a)
            renewed_s = cluster.loop.time() - began_s
            await asyncio.sleep(1.0)
        c = cluster.start("c")
        await cluster.look(c, a)
        await cluster.look(b, a)

        # The turn is five answers of the log, of 40 ms at most each, whatever the base has.
        assert renewed_s > 1.0
        assert 0.0 < maintenance_of(a).stood_s < 0.25
        assert max(took_s) < maintenance_of(a).stood_s + 0.1
        assert sum(took_s) / len(took_s) < 0.05
        for node in (b, c):
            assert node.role.state.copy_at().generation == NEXT
            assert dump(node) == dump(a)

    cluster.run(life)


def test_a_base_goes_in_entries_of_bounded_size_and_reads_no_more_at_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "PART_BYTES", 1_000)

    async def life() -> None:
        filled(cluster, 100)
        await cluster.begin()
        a = cluster.start("a")
        await cluster.look(a, owns=True)
        await until_renewed(a)

        stored = cluster.servers.streams[NEXT]
        base = [each for each in stored if each.headers["Hb-Kind"] == Kind.BASE]
        assert max(len(each.body) for each in base) <= 1_000
        assert max(int(each.headers.get("Hb-Part", "1/1").split("/")[1]) for each in base) <= 6
        assert len(base) > 20

    cluster.run(life)


def test_what_is_deleted_while_the_base_is_written_is_deleted_for_whoever_reads_it(
    cluster: Cluster,
) -> None:
    """Its rows are in the base already, or not yet, or never."""

    async def life() -> None:
        filled(cluster)
        await cluster.begin()
        a, follows = cluster.start("a"), cluster.start("follows")
        await cluster.look(follows)
        await cluster.look(a, follows, owns=True)
        a.renew()
        while NEXT not in cluster.servers.streams:
            await asyncio.sleep(0.01)
        for _ in range(3):
            await asyncio.sleep(0.2)
            for chat in ("chat0", "chat6"):
                assert await cluster.delete_chat(a, chat)
                accepted = await cluster.ask(a, cluster.db.accepting("again", chat=chat))
                assert isinstance(accepted, Accepted)
        while not maintenance_of(a).renewed:
            await asyncio.sleep(0.01)
        joins = cluster.start("joins")
        for node in (follows, joins):
            await cluster.look(node, a)

            assert dump(node) == dump(a)
            follower = node.role.state.follower
            assert follower is not None
            assert follower.log.generation == NEXT
            assert follower.log.chain.erased_ms is not None  # the new generation has it, too

    cluster.run(life)


def test_an_owner_that_another_has_replaced_turns_no_log(cluster: Cluster) -> None:
    async def life() -> None:
        filled(cluster, 50)
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        a.renew()
        while not has_begun(cluster, NEXT):
            await asyncio.sleep(0.001)
        a.freeze()
        await cluster.look(b, owns=True)
        assert role_of(b) is Role.OWNER
        assert await cluster.note(b, "kept") is None

        stale = maintenance_of(a)
        a.thaw()
        await cluster.rest()
        refused = await cluster.note(a, "stale")
        await cluster.look(a, b)

        assert (stale.renewed, stale.failed) == (0, 1)
        assert refused.status == 503
        assert cluster.servers.first == FIRST
        assert role_of(a) is Role.FOLLOWING
        assert dump(a) == dump(b)

    cluster.run(life)


def test_an_owner_that_is_killed_at_any_moment_of_a_renewal_leaves_a_log_that_goes_on(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        filled(cluster, 20)
        await cluster.begin()
        node, moment_s, turned = cluster.start("n"), 0.0, 0
        for n in range(24):
            await cluster.look(node, owns=True)
            assert await cluster.note(node, f"note {n}") is None
            before = dump(node)
            node.renew()
            await asyncio.sleep(moment_s)
            moment_s += 0.03
            turned += bool(maintenance_of(node).renewed)
            node.kill()
            node = cluster.start("n")
            other = cluster.start(f"other{n}")
            await cluster.look(other, node)
            assert dump(other) == before
            other.kill()

        assert 0 < turned < 24

    cluster.run(life)


def test_a_generation_that_came_to_nothing_is_deleted_and_another_one_is_made(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        filled(cluster, 20)
        await cluster.begin()
        a = cluster.start("a")
        await cluster.look(a, owns=True)
        a.renew()
        while NEXT not in cluster.servers.streams:
            await asyncio.sleep(0.001)
        stored = cluster.servers.streams[FIRST]
        assert await cluster.note(a, "one") is None
        sound, stored[-1].body = stored[-1].body, b"damaged"
        await cluster.rest()
        stored[-1].body = sound
        assert (maintenance_of(a).failed, cluster.streams) == (1, ["1x0", "2x1"])

        await asyncio.sleep(FAILED_AGAIN_S)
        await cluster.look(a, owns=True, told=True)
        b = cluster.start("b")
        await cluster.look(b, a)

        assert cluster.streams == ["3x1"]
        assert dump(b) == dump(a)

    cluster.run(life)

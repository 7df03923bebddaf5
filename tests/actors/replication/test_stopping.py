"""A log that has lost what was read of it: copies stay, and nobody claims."""

from typing import Any

import pytest

from hookbundle.actors.replication.follower import SURE_AFTER
from hookbundle.actors.replication.held_copy import RECOGNISED_AGAIN_S
from hookbundle.actors.replication.messages import Recovered
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.tests.actors.replication.clusters import Cluster, dump, role_of, run_for
from hookbundle.tests.actors.replication.losses import (
    DAMAGES,
    Damage,
    all_gone,
    another,
    at,
    gone,
    looked,
    recovered,
    shortened,
    two_nodes,
)


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


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_owner_that_has_nothing_to_write_notices_what_its_log_has_lost(
    cluster: Cluster, damage: Damage
) -> None:
    async def life() -> None:
        a, b = await two_nodes(cluster)
        b.kill()
        whole = dump(a)
        await cluster.look(a, owns=True)
        assert role_of(a) is Role.OWNER
        damage(cluster)
        for _ in range(SURE_AFTER):
            await run_for(cluster.loop, RECOGNISED_AGAIN_S)
            await cluster.look_once(a, owns=True)

        assert (role_of(a), dump(a)) == (Role.STOPPED, whole)

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


def test_a_log_that_looks_short_for_a_moment_now_and_then_is_no_reason_to_stop(
    cluster: Cluster,
) -> None:
    """A server that has just begun to lead may not know all."""

    async def short(_: Generation) -> int:
        return 0

    async def life() -> None:
        a, b = await two_nodes(cluster)
        a.kill()
        b.kill()
        b = cluster.start("b")
        raw: Any = b.role._raw
        whole = raw.last
        for owns in (False, True, True):
            raw.last = short
            await cluster.look_once(b, owns=owns)
            assert (role_of(b), b.role.state.claims) == (Role.FOLLOWING, 0)
            raw.last = whole
            await cluster.look_once(b)
        await cluster.look_once(b, owns=True)

        assert role_of(b) is Role.OWNER

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

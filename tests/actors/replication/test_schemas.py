"""Which schema a partition's log is written in: that of the cluster, raised by its owner, and the
next owner goes on in it."""

from hookbundle.engine.replication.entries import Kind
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.actors.replication.clusters import Cluster, dump, role_of
from hookbundle.tests.reliability.replication.simulated.node import Node

LATER = SCHEMA + 1


def started(cluster: Cluster) -> tuple[Node, Node]:
    """Two that know a later schema, and write the present one."""
    found = cluster.start("a", schema=LATER), cluster.start("b", schema=LATER)
    for node in found:
        node.role._life.schema = SCHEMA
    return found


def claimed(cluster: Cluster) -> list[int]:
    """The schemas of the claims, in order."""
    (entries,) = cluster.servers.streams.values()
    headers = [each.headers for each in entries if each.headers["Hb-Kind"] == Kind.CLAIM]
    return [int(each["Hb-Schema"]) for each in headers]


def test_an_owner_raises_its_partition_when_it_hears_of_it_and_followers_have_it_by_the_log(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = started(cluster)
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        assert (a.env.identity.schema, claimed(cluster)) == (SCHEMA, [SCHEMA])

        await cluster.look(a, b, owns=True, schema=LATER)
        await cluster.look(b, a)

        assert [node.env.identity.schema for node in (a, b)] == [LATER, LATER]
        assert b.role.state.schema() == LATER
        assert dump(a) == dump(b)

    cluster.run(life)


def test_the_next_owner_goes_on_in_the_schema_of_the_log_though_it_has_not_heard_of_it(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = started(cluster)
        await cluster.look(b)
        await cluster.look(a, b, owns=True, schema=LATER)
        a.kill()
        await cluster.look(b, owns=True)
        assert await cluster.note(b, "one") is None

        assert role_of(b) is Role.OWNER
        assert (claimed(cluster)[-1], b.env.identity.schema) == (LATER, LATER)

    cluster.run(life)


def test_a_node_that_knows_no_later_schema_takes_over_until_it_is_raised_and_not_after(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, later = started(cluster)
        old = cluster.start("old")
        await cluster.look(old)
        await cluster.look(a, old, owns=True)
        a.kill()
        await cluster.look(old, owns=True)
        assert await cluster.note(old, "one") is None
        assert role_of(old) is Role.OWNER

        old.give_away("b")
        await cluster.look(later, owns=True, schema=LATER)
        assert role_of(later) is Role.OWNER
        later.kill()
        await cluster.look(old, owns=True)

        assert (role_of(old), old.role.state.claims) == (Role.FOLLOWING, 1)
        assert f"schema {LATER}" in old.role.state.why

    cluster.run(life)


def test_an_owner_that_is_killed_before_it_could_raise_its_rows_leaves_that_to_the_next_one(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = started(cluster)
        a.raise_schema = lambda schema: None  # type: ignore[method-assign]
        await cluster.look(b)
        await cluster.look(a, b, owns=True, schema=LATER)
        assert a.env.identity.schema == SCHEMA
        a.kill()
        await cluster.look(b, owns=True)

        assert b.env.identity.schema == LATER

    cluster.run(life)

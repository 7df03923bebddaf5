"""Copies that are written anew, given up, or of a schema that the node does not know."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine.errors import Conflict, CorruptRecord, HookbundleError
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.maintenance.replication.copies import Rewritten
from hookbundle.tests.actors.replication.clusters import Cluster, dump, role_of
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.storage.scratch import incoming

CANARY = "a text that was deleted"


async def rewritten(cluster: Cluster, node: Node) -> Rewritten | HookbundleError:
    answer: Any = cluster.loop.create_future()
    node.rewrite(answer.set_result)
    done: Rewritten | HookbundleError = await answer
    return done


def kept(cluster: Cluster, *nodes: Node) -> list[str]:
    """Where the canary still stands."""
    streams = cluster.servers.streams.items()
    found = [f"{name}" for name, of in streams if any(CANARY.encode() in e.body for e in of)]
    for node in nodes:
        files = (cluster.folder / node.name).rglob("*")
        found += [node.name for file in files if CANARY.encode() in file.read_bytes()]
    return found


def has_copy(cluster: Cluster, node: Node) -> bool:
    return (cluster.folder / node.name / DATA).exists()


def test_after_a_renewal_and_with_all_copies_written_anew_no_deleted_byte_is_left(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        for n in range(20):
            message = incoming(f"m{n}", text=CANARY * 20)
            await cluster.ask(a, cluster.db.accepting(message, chat="c"))
        await cluster.ask(a, cluster.db.accepting("stays", chat="other"))
        await cluster.look(b, a)
        assert kept(cluster, a, b) == ["1x0", "a", "b"]

        assert await cluster.delete_chat(a, "c")
        a.renew()
        await cluster.look(a, b, owns=True, told=True)
        await cluster.look(b, a)
        await cluster.look(a, b, owns=True, told=True)
        assert kept(cluster, a, b) == ["a", "b"]
        assert isinstance(await rewritten(cluster, b), Rewritten)
        assert kept(cluster, a, b) == ["a"]
        assert role_of(b) is Role.FOLLOWING

        assert isinstance(await rewritten(cluster, a), Rewritten)
        assert role_of(a) is Role.FOLLOWING  # the owner gave it away, and may claim it again
        await cluster.look(a, b, owns=True, told=True)

        assert kept(cluster, a, b) == []
        assert role_of(a) is Role.OWNER
        assert await cluster.note(a, "goes on") is None
        await cluster.look(b, a)
        assert dump(b) == dump(a)

    cluster.run(life)


def test_erasing_comes_first(cluster: Cluster) -> None:
    """A log that was asked to be renewed waits, and a copy is not written anew meanwhile."""

    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        await cluster.ask(a, cluster.db.accepting(incoming("m1", text=CANARY), chat="c"))
        await cluster.ask(a, cluster.sealing("c"))
        await cluster.ask(a, cluster.deleting("c"))
        a.renew()
        await cluster.look(a, b, owns=True, told=True)
        await cluster.look(b, a)
        assert a.role.state.maintenance is not None
        assert "until all that was deleted is erased" in a.role.state.maintenance.state.doing
        assert cluster.streams == ["1x0"]
        assert isinstance(await rewritten(cluster, b), Conflict)
        assert role_of(b) is Role.FOLLOWING

        await cluster.erase(a)
        await cluster.look(a, b, owns=True, told=True)

        assert cluster.streams[-1] == "2x1"
        assert kept(cluster)[-1:] != ["2x1"]

    cluster.run(life)


def test_a_copy_in_which_the_check_finds_something_is_made_anew_instead(cluster: Cluster) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        with b.env.write() as txn:
            txn.delete(keyspace.owned(keyspace.STATES, 1))

        assert isinstance(await rewritten(cluster, b), CorruptRecord)
        assert role_of(b) is Role.BROKEN
        await cluster.look(b, a)

        assert dump(b) == dump(a)
        assert isinstance(await rewritten(cluster, cluster.start("none")), Conflict)

    cluster.run(life)


def test_a_copy_that_is_not_wanted_is_deleted_when_all_others_are_there(cluster: Cluster) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b, c = cluster.start("a"), cluster.start("b"), cluster.start("c")
        await cluster.look(c)
        await cluster.look(a, c, owns=True)

        await cluster.look(c, a, b, holds=False, told=True)  # b holds none yet
        assert (role_of(c), has_copy(cluster, c)) == (Role.FOLLOWING, True)
        await cluster.look(b, a, told=True)
        await cluster.look(c, a, b, holds=False)  # and nobody knows
        assert (role_of(c), has_copy(cluster, c)) == (Role.FOLLOWING, True)
        await cluster.look(c, a, b, holds=False, told=True)
        assert (role_of(c), has_copy(cluster, c)) == (Role.ABSENT, False)

        await cluster.look(c, a, b, told=True)
        assert (role_of(c), dump(c)) == (Role.FOLLOWING, dump(a))

    cluster.run(life)


def test_a_copy_of_before_that_is_not_wanted_any_more_is_found_and_given_up(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a"), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        b.kill()
        again, fresh = cluster.start("b"), cluster.start("c")
        await cluster.look(again, a, holds=False, told=True)
        await cluster.look(fresh, a, holds=False, told=True)

        assert (role_of(again), has_copy(cluster, again)) == (Role.ABSENT, False)
        assert (role_of(fresh), has_copy(cluster, fresh)) == (Role.ABSENT, False)

    cluster.run(life)


@pytest.fixture
def newer(cluster: Cluster) -> Cluster:
    """Its database was written by a later version."""
    cluster.db.workspace()
    later = msgspec.structs.replace(cluster.db.env.identity, schema=SCHEMA + 1)
    with cluster.db.env.write() as txn:
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, later))
    return cluster


def test_rows_of_a_later_schema_are_followed_and_never_owned(newer: Cluster) -> None:
    async def life() -> None:
        await newer.begin()
        a = newer.start("a")
        await newer.look(a, owns=True)

        assert (role_of(a), a.role.state.claims) == (Role.FOLLOWING, 0)
        assert a.role.state.why == (
            f"its rows have schema {SCHEMA + 1}, and this node works on {SCHEMA}: it follows them, "
            "and never owns the partition"
        )
        assert dump(a) == newer.db.dump()
        a.kill()
        again = newer.start("a")  # which opens the copy of before
        await newer.look(again, owns=True)
        assert (role_of(again), again.role.state.claims) == (Role.FOLLOWING, 0)
        assert isinstance(await rewritten(newer, again), Rewritten)

    newer.run(life)


def test_a_claim_of_a_node_that_writes_a_later_schema_is_respected_for_good(
    cluster: Cluster,
) -> None:
    async def life() -> None:
        await cluster.begin()
        a, b = cluster.start("a", schema=SCHEMA + 1), cluster.start("b")
        await cluster.look(b)
        await cluster.look(a, b, owns=True)
        assert await cluster.note(a, "one") is None
        a.kill()
        await cluster.look(b, owns=True)
        b.kill()
        again = cluster.start("b")
        await cluster.look(again, owns=True)

        assert (role_of(again), again.role.state.claims) == (Role.FOLLOWING, 0)
        assert str(SCHEMA + 1) in again.role.state.why

    cluster.run(life)

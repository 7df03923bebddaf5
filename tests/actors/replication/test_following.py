"""A copy is made from the base of a log, follows it over generations, and is whole at each step."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import at_once, begin, join, position_of
from hookbundle.actors.replication.log import Life, Log
from hookbundle.actors.replication.renewal import Renewal
from hookbundle.engine.errors import CorruptRecord, Fenced
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import Generation, Kind, in_order, pack_rows
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.rows import Collected
from hookbundle.tests.reliability.replication.simulated.fake_log import FakeLog, Servers, Weather
from hookbundle.tests.storage.scratch import ScratchDatabase

FIRST = Generation(1, 1)


class Cluster:
    """An owner that writes what a test tells it to, and its log; in real time, which is short."""

    def __init__(self, db: ScratchDatabase, folder: Path) -> None:
        self.db = db
        self.folder = folder
        self.servers = Servers(Random(1), asyncio.get_running_loop(), Weather())
        self.raw = FakeLog(self.servers, 2_000)
        self.life = Life("owner", 2, lambda: 0)

    async def begin(self) -> None:
        seq = await begin(self.raw, self.db.env, FIRST, self.life, Chain(seq=0, epoch=1))
        await self.raw.begin_with(FIRST)
        self.log = Log(self.raw, FIRST, Chain(seq=seq, epoch=1), self.life, 1)
        self.stand()

    async def accept(self, *ids: str) -> None:
        rows: Collected = {}
        self.db.collected = rows
        self.db.accept(*ids)
        self.db.collected = None
        await self.log.append(Kind.GROUP, pack_rows(in_order(rows)))
        self.stand()

    def stand(self) -> None:
        """The database has its position, as an owner's has."""
        with self.db.env.write() as txn:
            position.write(txn, position_of(self.log.generation, self.log.chain))

    async def turn(self) -> None:
        renewal = Renewal(self.log, self.db.env, Generation(2, 1), at_once, asyncio.Lock())
        await renewal.prepare()
        await renewal.finish()

    async def joined(self, name: str) -> Environment | None:
        at = await join(self.raw, lambda: NewCopy(self.folder / name), at_once)
        return open_environment(self.folder / name, 1) if at else None

    def follower(self, env: Environment) -> Follower:
        return Follower(self.raw, env, Life("follower", 2, lambda: 0), at_once)


def dump(env: Environment) -> dict[bytes, bytes]:
    with env.read() as txn:
        return {bytes(k): bytes(v) for k, v in txn.cursor() if k != keyspace.POSITION}


async def test_a_node_without_a_copy_gets_the_base_and_then_what_happened_since(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    cluster = Cluster(db, tmp_path)
    db.workspace()
    db.accept(*(f"m{n}" for n in range(50)))
    await cluster.begin()
    await cluster.accept("later", "x" * 3_000)

    env = await cluster.joined("copy")
    assert env is not None
    follower = cluster.follower(env)
    await follower.catch_up()

    assert dump(env) == dump(db.env)
    assert env.identity == db.env.identity
    env.close()


async def test_an_interrupted_base_is_no_copy_and_nothing_of_it_is_left(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    cluster = Cluster(db, tmp_path)
    db.workspace()
    await cluster.begin()
    begun = cluster.servers.streams[FIRST].pop()

    assert await cluster.joined("copy") is None
    assert not (tmp_path / "copy" / "data.mdb").exists()
    assert not (tmp_path / "copy" / "compacting").exists()
    cluster.servers.streams[FIRST].append(begun)
    env = await cluster.joined("copy")
    assert env is not None
    env.close()


async def test_what_could_not_be_written_for_whatever_reason_is_read_once_more(
    db: ScratchDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(db, tmp_path)
    db.workspace()
    await cluster.begin()
    env = await cluster.joined("copy")
    assert env is not None
    follower = cluster.follower(env)
    await cluster.accept("m1")

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(position, "follow", fail)
        with pytest.raises(MemoryError):
            await follower.catch_up()
    await cluster.accept("m2")
    await follower.catch_up()

    assert dump(env) == dump(db.env)
    env.close()


async def test_a_follower_goes_on_where_its_copy_is_whatever_it_had_read(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    cluster = Cluster(db, tmp_path)
    db.workspace()
    await cluster.begin()
    env = await cluster.joined("copy")
    assert env is not None
    follower = cluster.follower(env)
    await cluster.accept("m1")
    await follower.log.read()  # and nothing of it was stored

    follower.start_again()
    await follower.catch_up()

    assert dump(env) == dump(db.env)
    env.close()


async def test_a_log_that_ends_is_followed_in_the_generation_to_which_its_end_points(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    cluster = Cluster(db, tmp_path)
    db.workspace()
    await cluster.begin()
    early = await cluster.joined("early")
    assert early is not None
    await cluster.accept("before")

    await cluster.turn()
    await cluster.accept("after")
    late = await cluster.joined("late")
    assert late is not None
    for env in (early, late):
        follower = cluster.follower(env)
        await follower.catch_up()
        assert dump(env) == dump(db.env)
        with env.read() as txn:
            at = position.read(txn)
        assert at is not None
        assert at.generation == "2x1"
        env.close()


async def test_a_generation_whose_end_was_refused_is_no_part_of_the_log(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    cluster = Cluster(db, tmp_path)
    db.workspace()
    await cluster.begin()
    other = Log(cluster.raw, FIRST, Chain(seq=cluster.log.chain.seq, epoch=1), cluster.life, 1)
    await other.append(Kind.GROUP, pack_rows([]))

    with pytest.raises(Fenced):
        await cluster.turn()

    assert Generation(2, 1) in cluster.servers.streams
    assert await cluster.raw.oldest() == FIRST


async def test_a_generation_that_is_gone_and_a_damaged_entry_are_errors(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    cluster = Cluster(db, tmp_path)
    db.workspace()
    await cluster.begin()
    env = await cluster.joined("copy")
    assert env is not None
    await cluster.accept("m1")
    follower = cluster.follower(env)
    before = dump(env)

    cluster.servers.streams[FIRST][-1].body = b"damaged"
    with pytest.raises(CorruptRecord, match="checksum is wrong"):
        await follower.catch_up()
    follower.start_again()
    del cluster.servers.streams[FIRST]
    with pytest.raises(CorruptRecord, match="generation 1x1 is gone"):
        await follower.catch_up()

    assert dump(env) == before
    env.close()


async def test_a_database_that_is_no_copy_of_a_log_is_not_followed(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    with pytest.raises(CorruptRecord, match="no position in a log"):
        Cluster(db, tmp_path).follower(db.env)

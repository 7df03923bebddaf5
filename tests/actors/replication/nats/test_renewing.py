"""A log on real servers goes on in a new generation, and no server has a byte of the old one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic

import pytest

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import at_once, begin, join, position_of
from hookbundle.actors.replication.log import Life, Log
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import Records
from hookbundle.actors.replication.renewal import Renewal
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import Claim, Generation, Kind, in_order, pack_rows
from hookbundle.engine.replication.names import Names
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.rows import Collected
from hookbundle.tests.actors.replication.nats.parts import connection_to
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.storage import deleting
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming

FIRST, NEXT = Generation(1, 0), Generation(2, 1)
CANARY = "a text that was deleted"
WITHIN_S = 20.0


@pytest.fixture
async def connection(nats3: LogServers) -> AsyncIterator[Connection]:
    connection = await connection_to(nats3)
    yield connection
    await connection.close()


class Owner:
    """Of a partition whose Store is the test."""

    def __init__(self, db: ScratchDatabase, raw: NatsLog) -> None:
        self.db = db
        self.raw = raw
        self.life = Life("owner", 2, lambda: 1)
        self.using = asyncio.Lock()
        self.waited_s: list[float] = []

    async def begin(self) -> None:
        seq = await begin(self.raw, self.db.env, FIRST, self.life, Chain(seq=0, epoch=0))
        await self.raw.begin_with(FIRST)
        self.log = Log(self.raw, FIRST, Chain(seq=seq, epoch=0), self.life)
        assert await self.log.claim(Claim("owner", "1", 2))
        self._stand()

    async def accept(self, id_: str, text: str = "short") -> None:
        await self.group(lambda: self.db.accept(incoming(id_, text=text)))

    async def group(self, work: Callable[[], object]) -> None:
        rows: Collected = {}
        self.db.collected = rows
        work()
        self.db.collected = None
        began_s = monotonic()
        async with self.using:
            await self.log.append(Kind.GROUP, pack_rows(in_order(rows)))
            self._stand()
        self.waited_s.append(monotonic() - began_s)

    async def renew(self) -> Renewal:
        renewal = Renewal(self.log, self.db.env, NEXT, at_once, self.using)
        await renewal.prepare()
        await renewal.finish()
        return renewal

    def _stand(self) -> None:
        with self.db.env.write() as txn:
            position.write(txn, position_of(self.log.generation, self.log.chain))


def dump(env: Environment) -> dict[bytes, bytes]:
    with env.read() as txn:
        return {bytes(k): bytes(v) for k, v in txn.cursor() if k != keyspace.POSITION}


async def joined(raw: NatsLog, folder: Path) -> Environment:
    assert await join(raw, lambda: NewCopy(folder), at_once) is not None
    env = open_environment(folder, 1)
    await Follower(raw, env, Life("follower", 2, lambda: 1), at_once).catch_up()
    return env


def with_canary(servers: LogServers) -> list[Path]:
    files = [file for file in servers.folder.rglob("*") if file.is_file()]
    return [file for file in files if CANARY.encode() in file.read_bytes()]


async def test_a_log_is_renewed_under_traffic_and_with_its_old_generation_deleted_texts_are_gone(
    nats3: LogServers, connection: Connection, db: ScratchDatabase, tmp_path: Path
) -> None:
    names = Names(nats3.new_cluster())
    await Records(connection, names).make(nats3.replicas)
    owner = Owner(db, NatsLog(connection, names, 0, nats3.replicas))
    db.workspace()
    db.accept(*(incoming(f"base{n}", text="x" * 4_000) for n in range(1_500)), chat="other")
    await owner.begin()
    for n in range(10):
        await owner.accept(f"m{n}", CANARY * 10)
    await owner.group(lambda: deleting.delete_chat(db))
    early = await joined(owner.raw, tmp_path / "early")
    assert with_canary(nats3)

    began_s = monotonic()
    renewing = asyncio.create_task(owner.renew())
    during = 0
    while not renewing.done():
        await owner.accept(f"during{during}")
        during += 1
    renewal = renewing.result()
    print(
        f"base of {len(dump(db.env))} records renewed in {monotonic() - began_s:.2f} s, "
        f"{during} groups meanwhile, which waited {max(owner.waited_s) * 1e3:.0f} ms at most, "
        f"for the turn {renewal.stood_s * 1e3:.0f} ms"
    )
    await owner.accept("after")
    follower = Follower(owner.raw, early, Life("early", 2, lambda: 1), at_once)
    await follower.catch_up()
    await owner.raw.delete(FIRST)
    late = await joined(owner.raw, tmp_path / "late")

    assert during > 0
    assert await owner.raw.generations() == [NEXT]
    assert follower.log.generation == NEXT
    assert dump(late) == dump(db.env)
    async with asyncio.timeout(WITHIN_S):
        while with_canary(nats3):
            await asyncio.sleep(0.1)
    early.close()
    late.close()

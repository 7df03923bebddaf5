"""Appending while servers and networks fail: what was acked stands there once, all else is certain.

Over three servers that sync each entry, but for what one server can show.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from hookbundle.actors.replication.log import Log
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.engine.errors import Fenced
from hookbundle.engine.replication.chain import Chain, Counts
from hookbundle.engine.replication.entries import Claim, Kind
from hookbundle.engine.replication.names import Names
from hookbundle.tests.actors.replication.logs import GENERATION, log_of
from hookbundle.tests.actors.replication.nats.parts import WITHIN_S, begun, connection_to
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.relay import Relay

GROUP = b"\x90"
ENOUGH = 8
DUEL_WITHIN_S = 120.0  # each fences the other, so that nobody knows how many tries it takes


@asynccontextmanager
async def partition(servers: LogServers) -> AsyncIterator[tuple[NatsLog, Connection]]:
    connection = await connection_to(servers)
    try:
        yield await begun(servers, connection, servers.new_cluster()), connection
    finally:
        await connection.close()


class Writer:
    """Appends numbered groups one after another, and knows which were acked."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.acked: list[bytes] = []
        self.news = asyncio.Event()
        self.task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        for number in itertools.count():
            body = b"%s %d" % (self.log.life.name.encode(), number)
            await self.log.append(Kind.GROUP, body)
            self.acked.append(body)
            self.news.set()
            await asyncio.sleep(0)  # an ack that is none may have come without a server

    async def until(self, more: int) -> None:
        """So many more are acked."""
        wanted = len(self.acked) + more
        async with asyncio.timeout(WITHIN_S * 2):
            while len(self.acked) < wanted:
                self.news.clear()
                await self.news.wait()

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def counting(raw: NatsLog) -> list[bytes]:
    """The groups that count, for who reads all of the log."""
    chain, bodies = Chain(seq=0, epoch=1), []
    while entries := await raw.read(GENERATION, chain.seq, 256):
        verdicts = [chain.feed(entry) for entry in entries]
        bodies += [
            each.body
            for each in verdicts
            if isinstance(each, Counts) and each.header.kind is Kind.GROUP
        ]
    return bodies


async def has_all(raw: NatsLog, acked: list[bytes]) -> None:
    """What was acked counts, once and in order; behind it at most one whose ack did not come."""
    found: list[bytes] = []
    async with asyncio.timeout(WITHIN_S):
        while len(found) < len(acked):
            found = await counting(raw)
    assert found[: len(acked)] == acked
    assert len(found) <= len(acked) + 1


async def test_an_ack_that_is_lost_is_found_by_reading(nats: LogServers) -> None:
    async with partition(nats) as (raw, _), Relay(nats.servers[0].port) as relay:
        connection = await connection_to(nats, relay.url)
        writer = Writer(log_of(NatsLog(connection, raw._names, 0, 1)))
        await writer.until(10)
        relay.swallow_answers()
        async with asyncio.timeout(WITHIN_S):
            while not relay.swallowed:
                await asyncio.sleep(0)
        relay.cut()
        relay.mend()
        await writer.until(10)
        await writer.stop()
        await connection.close()

        await has_all(raw, writer.acked)


@pytest.mark.parametrize("checks", [True, False])
async def test_of_two_that_claim_from_each_other_each_entry_has_one_owner(
    nats: LogServers, monkeypatch: pytest.MonkeyPatch, checks: bool
) -> None:
    """`checks` off: the servers store whatever comes, and the chain rule alone decides."""
    async with partition(nats) as (raw, connection):
        if not checks:
            monkeypatch.setattr(connection, "ask", unchecked(connection))
        acked: dict[str, list[bytes]] = {"a1": [], "b1": []}
        async with asyncio.timeout(DUEL_WITHIN_S):
            await asyncio.gather(*(duelling(raw, life, acked) for life in acked))

        found = await counting(raw)

    for of_one in acked.values():
        assert [body for body in found if body in of_one] == of_one
    assert len(found) == len(set(found))


def unchecked(connection: Connection) -> object:
    ask = connection.ask

    async def asking(subject: str, body: bytes, headers: dict[str, str], within_s: float = 2.0):  # type: ignore[no-untyped-def]
        headers.pop("Nats-Expected-Last-Sequence", None)
        return await ask(subject, body, headers, within_s)

    def either(*args: object, **kwargs: object) -> object:
        return asking(*args, **kwargs) if len(args) > 2 else ask(*args, **kwargs)  # type: ignore[arg-type]

    return either


async def duelling(raw: NatsLog, life: str, acked: dict[str, list[bytes]]) -> None:
    """Claims the partition and writes until it is fenced, until both have written enough."""
    log = log_of(raw, epoch=None, life=life)
    while min(map(len, acked.values())) < ENOUGH:
        while await log.read():
            pass
        if not await log.claim(Claim(life[0], "1", 2)):
            continue
        with suppress(Fenced):
            for _ in range(ENOUGH):
                body = f"{life} {len(acked[life])}".encode()
                await log.append(Kind.GROUP, body)
                acked[life].append(body)


async def test_when_the_leader_is_killed_writing_goes_on_at_another(nats3: LogServers) -> None:
    async with partition(nats3) as (raw, connection):
        stream = raw._names.stream(0, GENERATION)
        writer = Writer(log_of(raw))
        await writer.until(20)
        leader = await nats3.leader_of(connection, stream)
        leader.kill()
        await writer.until(20)
        await writer.stop()

        await has_all(raw, writer.acked)


async def test_without_a_quorum_nothing_is_acked_and_all_is_there_when_it_is_back(
    nats3: LogServers,
) -> None:
    async with partition(nats3) as (raw, _):
        writer = Writer(log_of(raw))
        await writer.until(20)
        for server in nats3.servers[1:]:
            server.kill()
        before = len(writer.acked)
        # One may be under way; then a whole wait for an ack passes without one.
        writer.news.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(until_quiet(writer), 4.0)
        assert len(writer.acked) <= before + 1
        for server in nats3.servers[1:]:
            server.start()
        await writer.until(20)
        await writer.stop()

        await has_all(raw, writer.acked)


async def until_quiet(writer: Writer) -> None:
    while True:
        await writer.news.wait()
        writer.news.clear()


async def test_what_was_acked_survives_the_death_of_all_servers(nats3: LogServers) -> None:
    async with partition(nats3) as (raw, _):
        writer = Writer(log_of(raw))
        await writer.until(20)
        for server in nats3.servers:
            server.kill()
        for server in nats3.servers:
            server.start()
        await writer.until(20)
        await writer.stop()

        await has_all(raw, writer.acked)
        assert await NatsLog(raw._connection, Names(raw._names.cluster), 0, 3).generations()


async def test_a_leader_that_is_frozen_is_left_and_does_no_harm_when_it_wakes(
    nats3: LogServers,
) -> None:
    async with partition(nats3) as (raw, connection):
        writer = Writer(log_of(raw))
        await writer.until(20)
        leader = await nats3.leader_of(connection, raw._names.stream(0, GENERATION))
        leader.freeze()
        await writer.until(20)
        leader.thaw()
        await writer.until(20)
        await writer.stop()

        await has_all(raw, writer.acked)

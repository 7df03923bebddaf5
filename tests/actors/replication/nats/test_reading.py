"""What is read of a log on a real server, whatever stands there, and what is kept beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from hookbundle.actors.replication.log import Acked, Taken, Unknown
from hookbundle.actors.replication.nats import api
from hookbundle.actors.replication.nats import log as nats_log
from hookbundle.actors.replication.nats.connection import LARGE_AT_ONCE, Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.chain import Counts, Void
from hookbundle.engine.replication.entries import Generation, Kind
from hookbundle.engine.replication.names import Names
from hookbundle.tests.actors.replication.logs import GENERATION, log_of
from hookbundle.tests.actors.replication.nats.parts import WITHIN_S, begun, connection_to
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.raw import GARBAGE, publish_raw

GROUP = b"\x90"
NEXT = Generation(2, 1)


@pytest.fixture
async def connection(nats: LogServers) -> AsyncIterator[Connection]:
    connection = await connection_to(nats)
    yield connection
    await connection.close()


@pytest.fixture
async def raw(nats: LogServers, connection: Connection) -> NatsLog:
    return await begun(nats, connection, nats.new_cluster())


async def store(raw: NatsLog, headers: dict[str, str], body: bytes) -> None:
    subject = raw._names.subject(0, GENERATION)
    assert api.read((await raw._connection.ask(subject, body, headers)).body).seq


async def test_a_group_larger_than_a_message_is_read_as_it_was_appended(raw: NatsLog) -> None:
    body = bytes(range(256)) * 20_000  # 5 MB, in five or six parts and several reads

    seq = await log_of(raw).append(Kind.GROUP, body)
    reader, counted = log_of(raw), []
    while verdicts := await reader.read():
        counted += [each for each in verdicts if isinstance(each, Counts)]

    assert [each.body for each in counted] == [body]
    assert counted[0].seq == seq > 4


async def test_an_answer_holds_no_more_bytes_than_it_may(
    raw: NatsLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_log, "READ_BYTES", 1_000)
    log = log_of(raw)
    for _ in range(4):
        await log.append(Kind.GROUP, bytes(400))

    read = [await raw.read(GENERATION, after, 9) for after in (0, 3, 4)]

    assert [(len(entries), entries.left) for entries in read] == [(2, 2), (1, 0), (0, 0)]


async def test_much_is_read_of_few_logs_at_a_time_and_a_little_of_any(
    raw: NatsLog, connection: Connection
) -> None:
    """A node that joins reads all its logs: what waits for it must not cut off its beats."""
    log, at_its_end = log_of(raw), NatsLog(connection, raw._names, 0, 1)
    for _ in range(3):
        await log.append(Kind.GROUP, bytes(300_000))

    assert len(await raw.read(GENERATION, 0, 9)) == 1
    async with AsyncExitStack() as held:
        for _ in range(LARGE_AT_ONCE):
            await held.enter_async_context(connection.large)
        waiting = asyncio.create_task(raw.read(GENERATION, 1, 9))
        assert len(await at_its_end.read(GENERATION, 2, 9)) == 1
        assert not waiting.done()
    async with asyncio.timeout(WITHIN_S):
        assert len(await waiting) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Hb-Kind": "group", "Hb-Epoch": "1"},
        {"Hb-Kind": "gr\tup", "Hb-Id": "\u0661", "Hb-Prev": "-1", "Status": "503"},
        {"Status": "404", "Nats-Sequence": "9", "Hb-Part": "0/0"},
    ],
)
async def test_what_hookbundle_did_not_write_is_void(raw: NatsLog, headers: dict[str, str]) -> None:
    await store(raw, headers, b"")
    log = log_of(raw)

    assert [type(each) for each in await log.read()] == [Void]
    assert await log.append(Kind.GROUP, GROUP) == 2


@pytest.mark.parametrize("headers", GARBAGE)
async def test_headers_that_are_none_are_void_too(
    nats: LogServers, raw: NatsLog, headers: bytes
) -> None:
    port, subject = nats.servers[0].port, raw._names.subject(0, GENERATION)
    await publish_raw(port, subject, headers)

    assert await log_of(raw).append(Kind.GROUP, GROUP) == 2
    assert [type(each) for each in await log_of(raw).read()] == [Void, Counts]
    assert raw._connection.state.lost == 0


async def test_an_entry_whose_bytes_were_changed_is_not_believed(raw: NatsLog) -> None:
    headers = {"Hb-Kind": "group", "Hb-Epoch": "1", "Hb-Prev": "0", "Hb-Id": "a1.1"}
    await store(raw, headers | {"Hb-At": "0", "Hb-Schema": "2", "Hb-Sum": "1"}, GROUP)

    with pytest.raises(CorruptRecord, match="checksum is wrong"):
        await log_of(raw).read()


async def test_a_log_with_a_hole_is_not_read_past_it(raw: NatsLog) -> None:
    stream = raw._names.stream(0, NEXT)
    with_holes = {"name": stream, "subjects": [raw._names.subject(0, NEXT)], "allow_direct": True}
    await api.call(raw._connection, f"STREAM.CREATE.{stream}", with_holes)
    for prev in range(3):
        assert await raw.publish(NEXT, {"Hb-Prev": str(prev)}, b"?") == Acked(prev + 1)
    await api.call(raw._connection, f"STREAM.MSG.DELETE.{stream}", {"seq": 2})

    assert [entry.seq for entry in await raw.read(NEXT, 0, 9)] == [1]
    with pytest.raises(CorruptRecord, match="no entry 2, and later ones"):
        await raw.read(NEXT, 1, 9)


async def test_entries_can_be_neither_deleted_nor_purged(raw: NatsLog) -> None:
    await log_of(raw).append(Kind.GROUP, GROUP)
    stream = raw._names.stream(0, GENERATION)

    deleted = await api.call(raw._connection, f"STREAM.MSG.DELETE.{stream}", {"seq": 1})
    purged = await api.call(raw._connection, f"STREAM.PURGE.{stream}")

    assert deleted.why == "message delete not permitted"
    assert purged.why == "stream purge not permitted"


async def test_a_log_that_lost_what_was_read_of_it_is_found_to_be_shorter(
    raw: NatsLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_log, "LENGTH_EVERY_S", 0.0)
    await log_of(raw).append(Kind.GROUP, GROUP)

    assert await raw.read(GENERATION, 1, 9) == []
    assert await raw.read(GENERATION, 7, 9) == []
    assert await raw.read(GENERATION, 7, 9) == []
    with pytest.raises(CorruptRecord, match=r"entry 7 .* was read, and the last one is 1"):
        await raw.read(GENERATION, 7, 9)


async def test_a_generation_that_was_deleted_is_gone_for_readers_and_writers(
    raw: NatsLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_log, "SURE_PAUSE_S", 0.0)
    log = log_of(raw)
    await log.append(Kind.GROUP, GROUP)
    await raw.make(NEXT)
    assert await raw.generations() == [GENERATION, NEXT]

    await raw.delete(GENERATION)
    await raw.delete(GENERATION)

    assert await raw.generations() == [NEXT]
    with pytest.raises(CorruptRecord, match="generation 1x0 is gone"):
        await log.read()
    with pytest.raises(CorruptRecord, match="generation 1x0 is gone"):
        await log.append(Kind.GROUP, GROUP)


async def test_a_generation_that_is_there_with_other_settings_is_not_taken(raw: NatsLog) -> None:
    other = NatsLog(raw._connection, raw._names, 0, 1)
    stream = raw._names.stream(0, NEXT)
    subject = raw._names.subject(0, NEXT)
    await api.call(
        raw._connection, f"STREAM.CREATE.{stream}", {"name": stream, "subjects": [subject]}
    )

    with pytest.raises(CorruptRecord, match="with other settings"):
        await other.make(NEXT)


async def test_the_oldest_generation_only_moves_on_whoever_says_so(raw: NatsLog) -> None:
    other = NatsLog(raw._connection, raw._names, 0, 1)
    of_other_partition = NatsLog(raw._connection, raw._names, 1, 1)
    assert await raw.oldest() is None

    await asyncio.gather(
        *(each.begin_with(Generation(n, n)) for n in (3, 2, 5, 1, 4) for each in (raw, other))
    )
    await raw.begin_with(Generation(4, 9))

    assert await raw.oldest() == Generation(5, 5)
    assert await of_other_partition.oldest() is None


async def test_without_servers_nothing_is_known_and_nobody_waits_for_it(raw: NatsLog) -> None:
    await raw.begin_with(NEXT)
    await raw._connection.close()

    assert await raw.oldest() is None
    nothing = await raw.read(GENERATION, 0, 9)
    assert (list(nothing), nothing.left) == ([], None)
    assert isinstance(await raw.publish(GENERATION, {"Hb-Prev": "0"}, b"?"), Unknown)


async def test_a_publication_that_expects_another_number_is_refused(raw: NatsLog) -> None:
    assert await raw.publish(GENERATION, {"Hb-Prev": "0"}, b"?") == Acked(1)

    answers = [await raw.publish(GENERATION, {"Hb-Prev": prev}, b"?") for prev in ("0", "2")]

    assert [type(each) for each in answers] == [Taken, Taken]


async def test_who_watches_is_told_of_what_can_be_read_once_for_many(
    raw: NatsLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_log, "NEWS_AFTER_S", 0.2)
    told, calls = asyncio.Event(), []

    def news() -> None:
        calls.append(1)
        told.set()

    await raw.watch(news)
    log = log_of(raw)

    await log.append(Kind.GROUP, GROUP)
    await log.append(Kind.GROUP, bytes(3 << 20))
    await asyncio.wait_for(told.wait(), WITHIN_S)

    found = await raw.read(GENERATION, 0, 9)
    assert len(found + await raw.read(GENERATION, len(found), 9)) == 5
    assert len(calls) == 1


async def test_what_a_generation_takes_is_known_while_it_is_there(raw: NatsLog) -> None:
    await log_of(raw).append(Kind.GROUP, bytes(5_000))

    taken = await raw.bytes_of(GENERATION)

    assert taken is not None
    assert 5_000 < taken < 6_000
    assert await raw.bytes_of(NEXT) is None


def test_a_stream_of_another_partition_or_cluster_is_not_a_generation() -> None:
    names = Names("c1")

    assert names.generation(7, names.stream(7, Generation(3, 12))) == Generation(3, 12)
    for stream in (names.stream(8, GENERATION), Names("c").stream(7, GENERATION), "HB_c1_007_3x"):
        assert names.generation(7, stream) is None

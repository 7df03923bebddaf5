"""The connection to the log servers, over real ones."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from hookbundle.actors.replication.nats import connection as connection_module
from hookbundle.actors.replication.nats.client import Message, NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.ports import free_port
from hookbundle.tests.log_servers.raw import GARBAGE, publish_raw
from hookbundle.tests.log_servers.relay import Relay

WITHIN_S = 30.0


@asynccontextmanager
async def connected(*urls: str) -> AsyncIterator[Connection]:
    connection = Connection(Servers(urls=urls), "tests")
    await connection.open(WITHIN_S)
    try:
        yield connection
    finally:
        await connection.close()


async def until_up(connection: Connection, *, is_up: bool) -> None:
    async with asyncio.timeout(WITHIN_S):
        while connection.is_up is not is_up:
            await asyncio.sleep(0.01)


async def test_what_is_asked_is_answered_by_who_hears_it(nats: LogServers) -> None:
    async with connected(*nats.urls) as asker, connected(*nats.urls) as answerer:

        def heard(message: Message) -> None:
            answers.append(
                asyncio.create_task(answerer.publish(message.reply_to, b"<" + message.body + b">"))
            )

        answers: list[asyncio.Task[None]] = []
        await answerer.subscribe("hb.tests.one", heard)
        found = [await asker.ask("hb.tests.one", b"%d" % n) for n in range(3)]
        with pytest.raises(Unreachable, match="nobody is there"):
            await asker.ask("hb.tests.none", b"")

    assert [message.body for message in found] == [b"<0>", b"<1>", b"<2>"]


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param((1, 2, 3), id="small"),
        pytest.param((1, 2, 3, 100_000, 4, 5, 200_000, 6), id="some that wait for room"),
    ],
)
async def test_what_is_published_in_one_turn_arrives_whole_and_in_its_order(
    nats: LogServers, sizes: tuple[int, ...]
) -> None:
    async with connected(*nats.urls) as hearer, connected(*nats.urls) as sender:
        found, all_came = list[int](), asyncio.Event()

        def heard(message: Message) -> None:
            found.append(len(message.body))
            if len(found) == len(sizes):
                all_came.set()

        await hearer.subscribe("hb.tests.turn", heard)
        publishing = [sender.publish("hb.tests.turn", bytes(size)) for size in sizes]
        await asyncio.gather(*publishing)
        await asyncio.wait_for(all_came.wait(), WITHIN_S)

    assert found == list(sizes)


async def test_what_was_asked_on_a_connection_that_was_lost_ends_without_an_answer(
    nats: LogServers,
) -> None:
    async with Relay(nats.servers[0].port) as relay, connected(*nats.urls) as other:
        got = asyncio.Event()
        await other.subscribe("hb.tests.two", lambda message: got.set())
        async with connected(relay.url) as connection:
            asked = asyncio.create_task(connection.ask("hb.tests.two", b"", within_s=WITHIN_S))
            await asyncio.wait_for(got.wait(), WITHIN_S)
            relay.cut()
            with pytest.raises(NoAnswer, match="lost"):
                await asked
            with pytest.raises(Unreachable):
                await connection.ask("hb.tests.two", b"")


async def test_it_comes_back_and_hears_what_it_heard_before(nats: LogServers) -> None:
    async with (
        Relay(nats.servers[0].port) as relay,
        connected(*nats.urls) as other,
        connected(relay.url) as connection,
    ):
        heard = asyncio.Event()
        await connection.subscribe("hb.tests.three", lambda message: heard.set())
        relay.cut()
        await until_up(connection, is_up=False)
        relay.mend()
        await until_up(connection, is_up=True)
        async with asyncio.timeout(WITHIN_S):
            while not heard.is_set():
                await other.publish("hb.tests.three", b"")
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("without_gc")
async def test_a_server_that_says_nothing_has_one_connection_at_a_time(nats: LogServers) -> None:
    """As one that is frozen: it is tried again and again."""
    async with Relay(nats.servers[0].port) as relay, connected(relay.url) as connection:
        connection._client.options["connect_timeout"] = 0.1
        relay.cut()
        relay.mend()
        relay.swallow_answers()
        async with asyncio.timeout(WITHIN_S):
            while len(relay.clients) < 5:
                await asyncio.sleep(0.01)
            while sum(not each.done() for each in relay.clients) > 1:
                await asyncio.sleep(0.01)
        relay.mend()
        await until_up(connection, is_up=True)


@pytest.fixture
def without_gc() -> Iterator[None]:
    """What is forgotten stays open."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("headers", GARBAGE)
async def test_garbage_in_headers_costs_nobody_the_connection(
    nats: LogServers, headers: bytes
) -> None:
    async with connected(*nats.urls) as connection:
        heard: asyncio.Queue[Message] = asyncio.Queue()
        await connection.subscribe("hb.tests.garbage", heard.put_nowait)
        await publish_raw(nats.servers[0].port, "hb.tests.garbage", headers)
        await connection.publish("hb.tests.garbage", b"sound")

        async with asyncio.timeout(WITHIN_S):
            while (await heard.get()).body != b"sound":
                pass
        assert connection.state.lost == 0


async def test_a_server_that_closes_for_good_is_connected_to_again(nats: LogServers) -> None:
    async with connected(*nats.urls) as connection:
        before = connection.state.client
        assert before is not None
        await before._process_err("'maximum connections exceeded'")
        await until_up(connection, is_up=False)
        await until_up(connection, is_up=True)

        assert connection.state.client is not before


async def test_servers_that_are_not_there_are_named_within_the_time() -> None:
    connection = Connection(Servers(urls=(f"nats://127.0.0.1:{free_port()}",)), "tests")

    with pytest.raises(Unreachable, match=r"no log server could be reached: .*[Cc]onnect"):
        await connection.open(0.5)


async def test_a_server_without_tls_is_told_nothing_if_tls_was_wanted(nats: LogServers) -> None:
    url = nats.servers[0].url.replace("nats://", "tls://")
    connection = Connection(Servers(urls=(url,), user="me", password="secret"), "tests")

    opening = asyncio.create_task(connection.open())
    async with asyncio.timeout(WITHIN_S):
        while not connection.state.why:
            await asyncio.sleep(0.01)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    await connection.close()

    assert "secure connection not available" in connection.state.why[0]


async def test_a_client_that_can_not_be_made_for_whatever_reason_is_tried_again(
    nats: LogServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "AGAIN_S", 0.01)
    async with connected(*nats.urls) as connection:
        before, open_ = connection.state.client, connection._open
        assert before is not None
        tried = list[int]()

        async def fails_once() -> None:
            tried.append(1)
            if len(tried) == 1:
                raise ValueError("what came is none of a log server")
            await open_()

        monkeypatch.setattr(connection, "_open", fails_once)
        await before.close()
        async with asyncio.timeout(WITHIN_S):
            while connection.state.client is before or not connection.is_up:
                await asyncio.sleep(0.01)

    assert len(tried) == 2

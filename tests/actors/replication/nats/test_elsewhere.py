"""A log server that runs, and is cut off from the others: who is connected to it goes elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Srv
from structlog.testing import capture_logs

from hookbundle.actors.replication.nats import membership
from hookbundle.actors.replication.nats.client import NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.elsewhere import Elsewhere
from hookbundle.actors.replication.nats.records import Records
from hookbundle.engine.replication.names import Names
from hookbundle.tests.actors.replication.nats.parts import WITHIN_S
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.instead import init
from hookbundle.tests.log_servers.ports import free_port
from hookbundle.tests.log_servers.server import LogServer


@pytest.fixture
async def cut_off(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of one of two servers, of which the other does not run."""
    server = LogServer(tmp_path / "cut", "n9", [free_port()], free_port())
    server.start()
    up = Connection(Servers(urls=(server.url,)), "tests")
    try:
        await up.open(WITHIN_S)
        await up.close()
        yield server.url
    finally:
        server.kill()


@asynccontextmanager
async def connected_first(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Connection]:
    monkeypatch.setattr("nats.aio.client.shuffle", lambda pool: pool.sort(key=first))

    def first(server: Srv) -> bool:
        return not servers.urls[0].endswith(server.uri.netloc)

    connection = Connection(servers, "tests")
    await connection.open(WITHIN_S)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_server_that_is_cut_off_is_left_for_one_that_knows_the_cluster(
    nats: LogServers, cut_off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(nats.new_cluster())
    await asyncio.to_thread(init, nats, names.cluster, 1)
    servers = Servers(urls=(cut_off, *nats.urls))
    async with connected_first(servers, monkeypatch) as connection:
        records = Records(connection, names)
        with pytest.raises((NoAnswer, Unreachable)):
            await membership.cluster(records)
        with capture_logs() as logs:
            await Elsewhere(connection, servers, names).look()
        async with asyncio.timeout(WITHIN_S):
            while not (connection.is_up and nats.urls[0].endswith(connection.tried)):
                await asyncio.sleep(0.01)
        assert await membership.cluster(records) is not None

    here = cut_off.removeprefix("nats://")
    assert (logs[0]["server"], logs[0].get("other")) == (here, nats.urls[0])


async def test_where_no_server_knows_the_cluster_a_node_stays_and_asks_the_others_seldom(
    nats: LogServers, cut_off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, servers = Names(nats.new_cluster()), Servers(urls=(cut_off, *nats.urls))
    async with connected_first(servers, monkeypatch) as connection:
        elsewhere = Elsewhere(connection, servers, names)
        await elsewhere.look()
        await asyncio.to_thread(init, nats, names.cluster, 1)
        await elsewhere.look()  # too soon after the first look

        assert connection.is_up
        assert cut_off.endswith(connection.tried)

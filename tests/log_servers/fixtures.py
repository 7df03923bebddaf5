"""Log servers for tests: `nats`, one server, for nearly all; `nats3`, three, for what happens when
one is lost. Each is started by the first test that wants it, and is running again after each test.
"""

from collections.abc import Iterator

import pytest

from hookbundle.tests.log_servers.cluster import LogServers


@pytest.fixture(scope="session")
def one_log_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogServers]:
    yield from _running(LogServers(tmp_path_factory.mktemp("nats"), 1))


@pytest.fixture(scope="session")
def three_log_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogServers]:
    yield from _running(LogServers(tmp_path_factory.mktemp("nats3"), 3))


@pytest.fixture
def nats(one_log_server: LogServers) -> Iterator[LogServers]:
    yield one_log_server
    _restored(one_log_server)


@pytest.fixture
def nats3(three_log_servers: LogServers) -> Iterator[LogServers]:
    yield three_log_servers
    _restored(three_log_servers)


def _running(servers: LogServers) -> Iterator[LogServers]:
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


def _restored(servers: LogServers) -> None:
    for server in servers.servers:
        if server.is_running:
            server.thaw()
    if not all(server.is_running for server in servers.servers):
        servers.start()

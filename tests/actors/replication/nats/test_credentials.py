"""Who logs in to a log server: by keys with a JWT, by a key alone, by a certificate."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hookbundle.actors.replication.nats.client import Servers, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.commands.cluster import settings
from hookbundle.commands.configuration.loading import load
from hookbundle.engine.errors import ConfigError
from hookbundle.tests.actors.replication.nats.parts import WITHIN_S
from hookbundle.tests.log_servers import certificate
from hookbundle.tests.log_servers.keys import Keys, user_key
from hookbundle.tests.log_servers.server import LogServer


@contextmanager
def running(folder: Path, more: str) -> Iterator[LogServer]:
    server = LogServer(folder / "server", more=more)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def servers_of(**given: str) -> Servers:
    return settings.servers(load({f"cluster.{name}": each for name, each in given.items()}, {}, []))


async def connects(servers: Servers, within_s: float = WITHIN_S) -> None:
    connection = Connection(servers, "tests")
    await connection.open(within_s)
    await connection.close()


async def test_a_creds_file_lets_its_user_in_and_nobody_else(tmp_path: Path) -> None:
    keys, path = Keys.made(), tmp_path / "user.creds"
    with running(tmp_path, keys.server()) as server:
        path.write_text(keys.creds())
        await connects(servers_of(servers=server.url, credentials=str(path)))
        path.write_text(keys.creds(user_key()))
        with pytest.raises(Unreachable, match="uthorization"):
            await connects(servers_of(servers=server.url, credentials=str(path)), 1.0)


async def test_a_key_alone_lets_its_user_in(tmp_path: Path) -> None:
    key = user_key()
    users = f"authorization {{ users: [ {{ nkey: {key.public} }} ] }}"
    with running(tmp_path, users) as server:
        await connects(servers_of(servers=server.url, credentials=key.seed.decode()))
        with pytest.raises(Unreachable, match="uthorization"):
            await connects(servers_of(servers=server.url), 1.0)


async def test_a_server_that_wants_a_certificate_is_shown_one(tmp_path: Path) -> None:
    ca, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    ca.write_text(certificate.CERTIFICATE)
    key.write_text(certificate.KEY)
    tls = f'tls {{ cert_file: "{ca}", key_file: "{key}", ca_file: "{ca}", verify: true }}'
    with running(tmp_path, tls) as server:
        url = server.url.replace("nats://", "tls://")
        await connects(servers_of(servers=url, tls_ca=str(ca), tls_cert=str(ca), tls_key=str(key)))
        with pytest.raises(Unreachable):
            await connects(servers_of(servers=url, tls_ca=str(ca)), 1.0)


@asynccontextmanager
async def without_sound_tls() -> AsyncIterator[str]:
    """The URL of a log server that wants TLS, and can't do it."""

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"tls_required": true, "headers": true, "max_payload": 1048576}\r\n')
        await reader.read(1)
        writer.write(b"no TLS\r\n")
        writer.close()

    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_server_whose_certificate_is_bad_keeps_nobody_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nats.aio.client.shuffle", lambda servers: None)  # the bad one first
    ca, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    ca.write_text(certificate.CERTIFICATE)
    key.write_text(certificate.KEY)
    tls = f'tls {{ cert_file: "{ca}", key_file: "{key}" }}'
    with running(tmp_path, tls) as server, capture_logs() as logs:
        async with without_sound_tls() as bad:
            good = server.url.replace("nats://", "tls://")
            await connects(servers_of(servers=f"tls://{bad},{good}", tls_ca=str(ca)))

    said = [(each["event"], each["server"]) for each in logs]
    assert ("a log server could not be used", bad) in said


async def test_a_client_ends_while_only_servers_with_bad_certificates_are_left() -> None:
    async with without_sound_tls() as bad:
        connection = Connection(servers_of(servers=f"tls://{bad}"), "tests")
        opening = asyncio.create_task(connection.open())
        async with asyncio.timeout(WITHIN_S):
            while not connection.state.why:
                await asyncio.sleep(0.01)
            opening.cancel()
            await connection.close()
            await asyncio.gather(opening, return_exceptions=True)

    assert connection.state.why[0].startswith(f"{bad}: [SSL")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"credentials": "me"}, "USER:PASSWORD"),
        ({"credentials": "/nowhere/user.creds"}, "can't be read"),
        ({"credentials": "{without_seed}"}, "no seed"),
        ({"tls_cert": "/nowhere.pem"}, r"tls_cert: there is no file"),
        ({"tls_key": "{ca}"}, r"no cluster\.tls_cert"),
        ({"tls_cert": "{ca}"}, "with its key"),
    ],
)
def test_what_can_not_be_used_is_refused_before_a_server_is_asked(
    tmp_path: Path, given: dict[str, str], words: str
) -> None:
    (tmp_path / "ca.pem").write_text(certificate.CERTIFICATE)
    (tmp_path / "without_seed").write_text(Keys.made().creds().partition("-----BEGIN USER")[0])
    places = {"ca": str(tmp_path / "ca.pem"), "without_seed": str(tmp_path / "without_seed")}
    filled = {name: each.format(**places) for name, each in given.items()}

    with pytest.raises(ConfigError, match=words) as refused:
        servers_of(servers="nats://n1:4222", **filled)

    assert "BEGIN" not in str(refused.value)


def test_keys_need_a_package_and_its_absence_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"cluster-keys"):
        servers_of(servers="nats://n1:4222", credentials=user_key().seed.decode())

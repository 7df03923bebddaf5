"""What `cluster check --monitor` makes of log servers, and of what is none."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hookbundle.commands.cluster import monitors
from hookbundle.commands.cluster.monitors import Monitored, looked_at
from hookbundle.commands.terminal.failures import USAGE, CommandFailure
from hookbundle.engine.replication.names import Names
from hookbundle.tests.actors.replication.nats.parts import begun, connection_to
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.ports import free_port
from hookbundle.tests.log_servers.server import LogServer

NAMES = Names("c1")
SOUND: dict[str, Any] = {
    "server_name": "n1",
    "version": "2.14.2",
    "max_payload": 1 << 20,
    "tls_required": True,
    "auth_required": True,
    "jetstream": {"config": {"sync_always": True}},
}
Answering = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def stream(name: str = "HB_c1_000_1x0", **changes: Any) -> dict[str, Any]:
    others = [{"name": each, "current": True} for each in ("n2", "n3")]
    cluster = {"leader": "n1", "replicas": others, **changes}
    return {"name": name, "cluster": cluster, "config": {"num_replicas": 3}}


@asynccontextmanager
async def answering(answer: Answering) -> AsyncIterator[str]:
    """The URL of what answers each request as it is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        try:
            await answer(line.split()[1].decode(), writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def with_documents(settings: object, streams: object) -> Answering:
    async def answer(path: str, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(settings if path == monitors.SETTINGS else streams).encode()
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        await writer.drain()

    return answer


async def looked(url: str) -> Monitored:
    return await asyncio.to_thread(looked_at, url, NAMES, "")


async def faults(settings: object, *streams: dict[str, Any]) -> list[str]:
    details = {"account_details": [{"stream_detail": list(streams)}]}
    async with answering(with_documents(settings, details)) as url:
        return (await looked(url)).faults


async def test_a_server_as_it_should_be_needs_nobody() -> None:
    others = stream("KV_OTHER", leader="", replicas=[{"name": "n3", "current": False}])
    async with answering(
        with_documents(SOUND, {"account_details": [{"stream_detail": [stream(), others]}]})
    ) as url:
        found = await looked(url)

    assert found == Monitored(url, "n1", "2.14.2", 1, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"jetstream": {"config": {"sync_always": False}}}, "does not sync each entry"),
        ({"jetstream": {}}, "has no JetStream"),
        ({"version": "2.11.9"}, "must be 2.12 or newer"),
        ({"max_payload": 1000}, "max_payload is 1000"),
        ({"tls_required": False}, "does not want TLS"),
        ({"auth_required": False}, "lets everybody in"),
    ],
)
async def test_a_setting_that_needs_a_person_is_named(change: dict[str, Any], said: str) -> None:
    (found,) = await faults({**SOUND, **change})

    assert said in found


async def test_a_stream_that_is_not_on_three_current_servers_is_named() -> None:
    late = stream(replicas=[{"name": "n2", "current": True}, {"name": "n3", "current": False}])
    few = {**stream("KV_HB_c1"), "config": {"num_replicas": 1}}
    headless = stream("HB_c1_001_1x0", leader="", replicas=[])
    of_another = stream("HB_c1_002_1x0", leader="n2", replicas=[{"name": "n1"}])

    found = await faults(SOUND, late, few, headless, of_another, stream("HB_other_000_1x0"))

    assert found == [
        "HB_c1_000_1x0 is not current on n3",
        "KV_HB_c1 is on 1 server, and should be on 3: the loss of one stops the cluster or loses "
        "data",
        "HB_c1_001_1x0 has no leader: nothing can be stored in it now",
    ]


async def test_what_is_no_log_server_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitors, "WITHIN_S", 1.0)
    monkeypatch.setattr(monitors, "ANSWER_BYTES_MAX", 1 << 20)

    async def endless(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(1 << 16))
            await writer.drain()

    async def drops(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n{")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def rubbish(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff" * 100)

    async def moved(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n")

    async def deep(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + b'{"jetstream":' + b"[" * 100_000)
        await writer.drain()

    async def silent(path: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    said = {}
    for name, answer in {
        "endless": endless,
        "drops": drops,
        "rubbish": rubbish,
        "moved": moved,
        "silent": silent,
        "other": with_documents({"name": "prometheus"}, {}),
        "list": with_documents([1], {}),
        "deep": deep,
        "null": with_documents({**SOUND, "jetstream": None}, {}),
    }.items():
        async with answering(answer) as url, asyncio.timeout(20):
            (said[name],) = (await looked(url)).faults
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        (said["nobody"],) = (await looked(f"http://127.0.0.1:{sock.getsockname()[1]}")).faults
    (said["no name"],) = (await looked("http://nowhere.invalid:8222")).faults

    assert "more than 1 MiB" in said["endless"]
    assert said["drops"] == said["silent"] == "it has not answered in time"
    assert "can't be asked" in said["rubbish"]
    assert said["moved"] == "it answers with status 302"
    for name in ("other", "list", "deep", "null"):
        assert said[name] == "what answers there is no log server"
    assert "refused" in said["nobody"]
    assert "can't be asked" in said["no name"]


@pytest.mark.parametrize(
    "url",
    [
        "n1:8222",
        "ftp://n1:8222",
        "http://",
        "http://n1:port",
        "http://u:p@n1:8222",
        "http://n1:8222/varz",
        "http://[n1",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(CommandFailure, match="must be such as") as refused:
        looked_at(url, NAMES, "")

    assert refused.value.exit_code == USAGE


async def test_a_real_server_is_read(tmp_path: Path) -> None:
    port = free_port()
    servers = LogServers(tmp_path, 1)
    server = servers.servers[0]
    server.more = f'http: "127.0.0.1:{port}"'
    server.start()
    try:
        await servers.until_ready()
        connection = await connection_to(servers)
        await begun(servers, connection, "c1")
        await connection.close()
        found = await looked(f"http://127.0.0.1:{port}")
        loose = LogServer(tmp_path / "loose", "n2", more=f'http: "127.0.0.1:{free_port()}"')
        loose.sync = "2m"
        loose.start()
        try:
            url = "http://" + loose.more.partition('"')[2].rstrip('"')
            async with asyncio.timeout(20):
                while not (not_synced := await looked(url)).server:
                    await asyncio.sleep(0.1)
        finally:
            loose.kill()
    finally:
        server.kill()

    assert (found.server, found.leads) == ("n0", 2)
    alone = {each.split(" is on ")[0] for each in found.faults if " is on " in each}
    assert alone == {"HB_c1_000_1x0", "KV_HB_c1"}, found.faults
    assert any("lets everybody in" in each for each in found.faults)
    assert not any("sync" in each for each in found.faults)
    assert any("does not sync each entry" in each for each in not_synced.faults)

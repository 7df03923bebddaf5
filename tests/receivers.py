"""Misbehaving receivers: a raw asyncio server that follows a script, and scripted resolvers.

A script is called once per connection; it reads requests and writes any bytes.
"""

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

# A self-signed certificate for receiver.example, valid until 2126. The key is for tests only.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1pz/25LX3TAOtUJB
9M2opJwTiRadfA6mhaVrZ+2g5QehRANCAATPlU3bbwc+4IKKrIFMmm+HH65BEXTU
HlxEGsV2+MATZ/k1ceadpSB4ROFYe5s9XZsw59pmQiX16HRW0WMaxOV2
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBqzCCAVCgAwIBAgIUc9PZGZt8m001JYB0DUCm8iaNU7YwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQcmVjZWl2ZXIuZXhhbXBsZTAgFw0yNjExMjIyMDE5NTdaGA8y
MTI2MTAyOTIwMTk1N1owGzEZMBcGA1UEAwwQcmVjZWl2ZXIuZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABM+VTdtvBz7ggoqsgUyab4cfrkERdNQeXEQa
xXb4wBNn+TVx5p2lIHhE4Vh7mz1dmzDn2mZCJfXodFbRYxrE5XajcDBuMB0GA1Ud
DgQWBBTnTEVY2E7vecFhcdIiIwcTKftxjzAfBgNVHSMEGDAWgBTnTEVY2E7vecFh
cdIiIwcTKftxjzAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCEHJlY2VpdmVy
LmV4YW1wbGUwCgYIKoZIzj0EAwIDSQAwRgIhAIygB+dMigvRYnzvQvIL+br/d0XG
JO4GGPx8ro+JjdvwAiEA3OTlDspD1wXBQwzonG+6sVCmaDQOAdjG21u6FdTPVYE=
-----END CERTIFICATE-----
"""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class FixedResolver(AbstractResolver):
    """Answers each look-up with the next list of addresses, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in answer
        ]

    async def close(self) -> None:
        pass


class HungResolver(FixedResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        await asyncio.Event().wait()
        raise AssertionError


@dataclass(frozen=True, slots=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    # Set once a whole request has come, and once the script has written something.
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    # Set by the test; a script may wait for it.
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@dataclass(slots=True)
class Wire:
    """One connection as a script sees it."""

    receiver: Receiver
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> Request | None:
        """The next request; None once the client has closed the connection."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(line, headers, body)
        self.receiver.requests.append(request)
        self.receiver.asked.set()
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.receiver.answered.set()

    async def flood(self, data: bytes) -> None:
        while True:
            await self.send(data)

    async def until_closed(self) -> None:
        await self.reader.read()

    def reset(self) -> None:
        """The connection ends with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script: TypeAlias = Callable[[Wire], Awaitable[None]]


@asynccontextmanager
async def receiving(
    script: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Receiver]:
    """A receiver, by default on a free port; connections still open at the end are dropped."""
    receiver = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
                await script(Wire(receiver, reader, writer))
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await server.wait_closed()


def self_signed(folder: Path) -> ssl.SSLContext:
    path = folder / "receiver.pem"
    path.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def answering(answer: bytes) -> Script:
    """The same bytes to each request of a connection."""

    async def script(wire: Wire) -> None:
        while await wire.request() is not None:
            await wire.send(answer)

    return script


def closing_after(answer: bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(answer)

    return script


def stalling_after(answer: bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(answer)
        await wire.until_closed()

    return script


def breaking(start: bytes, broken: bytes) -> Script:
    """An answer that breaks once the test opens the gate: with wrong bytes, or with a reset."""

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(start)
        await wire.receiver.gate.wait()
        if broken:
            await wire.send(broken)
            await wire.until_closed()
        wire.reset()

    return script


def flooding(start: bytes, again: bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(start)
        await wire.flood(again)

    return script


async def speaks_first(wire: Wire) -> None:
    await wire.send(OK)
    await wire.until_closed()


async def reset_at_once(wire: Wire) -> None:
    wire.reset()


async def reset_in_the_request(wire: Wire) -> None:
    await wire.reader.readuntil(b"\r\n\r\n")
    wire.reset()


async def reset_after_the_request(wire: Wire) -> None:
    await wire.request()
    wire.reset()


async def answers_then_resets_the_next(wire: Wire) -> None:
    """The kept-alive connection is reset by the second request."""
    await wire.request()
    await wire.send(OK)
    await wire.request()
    wire.reset()


async def speaks_out_of_turn(wire: Wire) -> None:
    """A second answer, to a request that was never made, while the connection is idle."""
    await wire.request()
    await wire.send(OK)
    await wire.receiver.gate.wait()
    wire.receiver.answered.clear()
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled")
    while await wire.request() is not None:
        await wire.send(OK)


def gzip_bomb() -> bytes:
    packed = gzip.compress(bytes(16 * 1024 * 1024))
    return (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
        + packed
    )

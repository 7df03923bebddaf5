"""A forward proxy for tests: CONNECT and whole URLs. It leads every name to this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class ProxyServer:
    """`status`: how it answers if not by doing what it is asked. `heads`: what it was asked."""

    port: int = 0
    status: int = 200
    heads: list[str] = field(default_factory=list)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            if self.status != 200:
                writer.write(f"HTTP/1.1 {self.status} No\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
            else:
                await self._pass_on(head, reader, writer)
        writer.transport.abort()

    async def _pass_on(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        method, named, _ = head.partition("\r\n")[0].split(" ")
        is_tunnel = method == "CONNECT"
        port = int(named.rpartition(":")[2]) if is_tunnel else urlsplit(named).port
        back, out = await asyncio.open_connection("127.0.0.1", port)
        if is_tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            out.write(head.encode())
        ways = [asyncio.create_task(_copy(*way)) for way in ((reader, out), (back, writer))]
        self.tasks |= set(ways)
        await asyncio.wait(ways)
        out.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def proxy_server(status: int = 200) -> AsyncIterator[ProxyServer]:
    proxy = ProxyServer(status=status)
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in proxy.tasks:
            task.cancel()
        await asyncio.gather(*proxy.tasks, return_exceptions=True)

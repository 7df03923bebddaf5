"""What stands between a client and a server: it can cut the connection, or swallow what is said.

async with Relay(server.port) as relay:
    relay.swallow_answers()
"""

import asyncio
from contextlib import suppress
from typing import Self

PIECE_BYTES = 1 << 16


class Relay:
    """`port`: where clients connect to. `swallowed`: bytes of answers. `clients`: what has come
    from each connection; done when that has ended."""

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self.swallowed = 0
        self._to_port = to_port
        self._is_open = True
        self._swallows = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.clients: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Connections end, and new ones do, too."""
        self._is_open = False
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._is_open, self._swallows = True, False

    def swallow_answers(self) -> None:
        """What the client says arrives; what the server says does not."""
        self._swallows = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_open:
            writer.transport.abort()
            return
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._writers |= {writer, to_writer}
        self.clients.append(asyncio.create_task(self._pass(reader, to_writer)))
        answers = asyncio.create_task(self._pass(to_reader, writer, is_answer=True))
        self._tasks |= {self.clients[-1], answers}

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_answer: bool = False,
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                if is_answer and self._swallows:
                    self.swallowed += len(piece)
                    continue
                writer.write(piece)
                await writer.drain()
        writer.close()

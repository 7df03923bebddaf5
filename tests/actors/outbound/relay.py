"""A receiver that is far away: a relay on loopback that passes on all it gets a moment later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

ONE_WAY_S = 0.04


@asynccontextmanager
async def far_away(port: int) -> AsyncIterator[int]:
    """The port of the relay to `port`."""
    loop = asyncio.get_running_loop()
    ends: list[asyncio.StreamWriter] = []
    tasks: set[asyncio.Task[None]] = set()

    async def one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                loop.call_later(ONE_WAY_S, writer.write, data)
        loop.call_later(ONE_WAY_S, writer.close)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ends.extend([back, writer])
        tasks.add(asyncio.create_task(one_way(reader, back)))
        tasks.add(asyncio.create_task(one_way(there, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            end.transport.abort()
        await server.wait_closed()

"""The receiver: takes requests on loopback, at most so many at once and each for so long.

each connection:  read (within REQUEST_S) → take, which says how to answer → answer → close
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

from hookbundle.commands.listening import wire
from hookbundle.commands.listening.wire import Refused, Request

HOST = "127.0.0.1"
CONNECTIONS_MAX = 32
REQUEST_S = 30.0  # for a request to come whole; and for its answer to be taken
READ_ON_S = 2.0
PIECE_BYTES = 64 * 1024

Take = Callable[[Request], Awaitable[int]]


class Receiver:
    """`take`: the status of the answer. `answered` is called after it, `refused` with the reason
    why a request was not taken."""

    def __init__(
        self, take: Take, answered: Callable[[], None], refused: Callable[[str], None]
    ) -> None:
        self._take = take
        self._answered = answered
        self._refused = refused
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> int:
        """Returns the port, which is a free one for 0. Raises: OSError."""
        self._server = await asyncio.start_server(
            self._connected, HOST, port, limit=wire.HEAD_BYTES_MAX
        )
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        """No connection is open any more; what was taken and not answered is cut off."""
        if self._server is not None:
            self._server.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._tasks) >= CONNECTIONS_MAX:
                self._refused(f"more than {CONNECTIONS_MAX} connections at once")
                return
            self._tasks.add(task)
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the other side has left, or this one closes
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_S):
                request = await wire.read_request(reader, writer)
        except Refused as exc:
            self._refused(str(exc))
            await _answer(writer, exc.status)
            await _read_on(reader, writer)
            return
        except TimeoutError:
            self._refused(f"a request that did not come whole within {REQUEST_S:.0f} s")
            await _answer(writer, HTTPStatus.REQUEST_TIMEOUT)
            return
        if request is not None:
            await _answer(writer, await self._take(request))
            self._answered()


async def _answer(writer: StreamWriter, status: int) -> None:
    writer.write(wire.answer_bytes(status))
    with suppress(TimeoutError):
        async with asyncio.timeout(REQUEST_S):
            await writer.drain()


async def _read_on(reader: StreamReader, writer: StreamWriter) -> None:
    """What is not read when a socket is closed resets it, and the answer would be lost."""
    writer.write_eof()
    with suppress(TimeoutError):
        async with asyncio.timeout(READ_ON_S):
            while await reader.read(PIECE_BYTES):
                pass

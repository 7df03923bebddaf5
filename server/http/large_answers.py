"""Large answers: sent in pieces, no faster than the reader takes them, each reader with a share.

What stays in memory of an answer is bounded by its readers, not by what there is to read:

    streamed   the answer is made part by part, each when the one before has been taken
    whole      one that was made as a whole and is large; there are as many at once as there may be

A place among the readers is held until the answer is taken. A reader that takes nothing for a while
is cut off. Its client notices: by the length that was announced, or by the missing last chunk.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeGuard

import structlog
from aiohttp import web

from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.http.authentication import CALLER
from hookbundle.server.http.problems import shown_path
from hookbundle.server.http.responses import add_common_headers

LARGE_BYTES = 64 * 1024  # answers of more take a place among the readers
PIECE_BYTES = 64 * 1024  # of a write, that has to get through in time by itself
UNKNOWN = "(unknown)"  # owner of what callers without a token read
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LargeAnswers:
    """`taken_s`: how long a reader may take for a piece of an answer."""

    readers: FairLimit[str]
    taken_s: float

    async def streamed(
        self, request: web.Request, response: web.StreamResponse, parts: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        """The parts were sent, or the reader was cut off, or left.

        Raises: TooManyRequests; Overloaded. What `parts` raises, after the connection was cut: so
            that what was sent is not taken for all of it.
        """
        with self.readers.holding(owner_of(request)):
            try:
                await self._begin(request, response)
                async for part in parts:
                    await self._write(response, part)
                await self._end(response)
            except (ConnectionError, TimeoutError) as exc:
                _cut(request, exc)
            except BaseException:
                _abort(request)
                raise
        return response

    async def whole(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        """The response was sent in pieces, or the reader was cut off, or left.

        Raises: TooManyRequests; Overloaded.
        """
        body = response.body
        assert isinstance(body, bytes)
        in_pieces = web.StreamResponse(status=response.status, headers=response.headers)
        in_pieces.content_length = len(body)
        in_pieces.cookies.update(response.cookies)
        with self.readers.holding(owner_of(request)):
            try:
                await self._begin(request, in_pieces)
                await self._write(in_pieces, body)
                await self._end(in_pieces)
            except (ConnectionError, TimeoutError) as exc:
                _cut(request, exc)
        return in_pieces

    async def _begin(self, request: web.Request, response: web.StreamResponse) -> None:
        add_common_headers(response)
        async with asyncio.timeout(self.taken_s):
            await response.prepare(request)

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        """Raises: TimeoutError, ConnectionError."""
        view = memoryview(data)
        for at in range(0, len(view), PIECE_BYTES):
            async with asyncio.timeout(self.taken_s):
                await response.write(view[at : at + PIECE_BYTES])

    async def _end(self, response: web.StreamResponse) -> None:
        async with asyncio.timeout(self.taken_s):
            await response.write_eof()


LARGE_ANSWERS = web.AppKey("large_answers", LargeAnswers)


def is_large(response: web.StreamResponse) -> TypeGuard[web.Response]:
    """Whether the response is to be sent by `whole`. One that was sent already is not."""
    return (
        isinstance(response, web.Response)
        and isinstance(body := response.body, bytes)
        and len(body) > LARGE_BYTES
        and not response.prepared
    )


def owner_of(request: web.Request) -> str:
    """Whose share the reader takes: that of the workspace of its token; empty for operators."""
    caller = request.get(CALLER)
    return UNKNOWN if caller is None else caller.workspace_id


def _cut(request: web.Request, error: Exception) -> None:
    if isinstance(error, TimeoutError):
        log.warning("reader cut off: it took nothing of a large answer", path=shown_path(request))
        _abort(request)


def _abort(request: web.Request) -> None:
    """The connection is reset: also a client without chunks sees that this was not the end."""
    if request.transport is None:
        return
    sock = request.transport.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    request.transport.abort()

"""Long answers at the node that makes them: each part is made when the one before was taken.

    GET     /cluster/rest/ID/N   the part N of an answer, 1 being the first after its beginning
    DELETE  /cluster/rest/ID     nobody will ask for more of it

What a handler writes is kept until it is a part; then its next write waits until the node that
asked has taken that. So of an answer there is never more than a part in memory, however long it is,
and a handler is no faster than the client at the other node. One who takes nothing for too long is
cut off by the handler's own rules (server/http/large_answers.py).
"""

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from hookbundle.server.cluster.asked import Answered, Asked, answered_of, passed_on
from hookbundle.server.http.large_answers import PIECE_BYTES, is_large
from hookbundle.server.http.requests import number_of

REST = "/cluster/rest/"
PART_BYTES = 4 * PIECE_BYTES
WHOLE_BYTES_MAX = 4 * 1024 * 1024  # of a body that was made as a whole
KEPT_S = 10.0  # for which the last part may be asked for again
NAME_BYTES = 16
STATUS_MAX = 599
GONE = Answered(404, (), b"")
DROPPED = Answered(204, (), b"")
BROKEN = Answered(500, (), b"")


class InParts(AbstractStreamWriter):
    """Takes what a handler writes, and gives it away part by part."""

    def __init__(self) -> None:
        self.buffer_size = self.output_size = 0
        self.length = None
        self.begun: Answered | None = None
        """Status and headers, once they are known."""
        self.is_whole = False
        """Whether the handler has written all of it."""
        self._kept = bytearray()
        self._has_part = asyncio.Event()
        self._is_taken = asyncio.Event()

    async def write(self, chunk: Any, *_: Any) -> None:
        self._kept += chunk
        if len(self._kept) >= PART_BYTES:
            await self._until_taken()

    async def write_eof(self, chunk: bytes = b"") -> None:
        self._kept += chunk
        self.is_whole = True
        await self._until_taken()

    async def write_headers(self, status_line: str, headers: Any) -> None:
        status = number_of(status_line.split(" ")[1], STATUS_MAX)
        assert status is not None, f"{status_line!r} has no status"
        self.begun = Answered(status, passed_on(headers.items()), b"")

    async def part(self) -> bytes:
        """The next part; less than one if the handler has ended, or has failed."""
        await self._has_part.wait()
        part = bytes(self._kept)
        self._kept.clear()
        self._has_part.clear()
        self._is_taken.set()
        return part

    def end(self) -> None:
        """The handler will write no more."""
        self._has_part.set()

    async def _until_taken(self) -> None:
        self._is_taken.clear()
        self._has_part.set()
        await self._is_taken.wait()

    async def drain(self) -> None:
        pass

    def enable_compression(self, *_: Any) -> None:
        pass

    def enable_chunking(self) -> None:
        pass


def is_long(response: web.StreamResponse, request: web.Request) -> TypeGuard[web.Response]:
    """Whether an answer that was made as a whole is to go in parts, to one who takes it so."""
    return (
        isinstance(request._payload_writer, InParts)
        and is_large(response)
        and isinstance(body := response.body, bytes)
        and len(body) > WHOLE_BYTES_MAX
    )


@dataclass(slots=True)
class Held:
    """An answer of which more is to come. `number`: of the part that was given last; `last`: it.
    `turn`: held by who asks for a part; one that was asked for twice is made once."""

    writer: InParts
    task: "asyncio.Task[web.StreamResponse]"
    number: int = 0
    last: Answered = GONE
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class HeldAnswers:
    """Of one node, by their names."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    async def begin(
        self, handling: Coroutine[Any, Any, web.StreamResponse], writer: InParts
    ) -> Answered:
        """What a handler answers; the beginning of it, if a rest is named."""
        task = asyncio.get_running_loop().create_task(handling)
        task.add_done_callback(lambda _: writer.end())
        try:
            part = await writer.part()
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done() and not writer.is_whole:  # what it has written is not used, if it failed
            response = task.result()
            if response.prepared or not isinstance(response, web.Response):
                return BROKEN
            return answered_of(response)
        assert writer.begun is not None, "what has been written has headers"
        answered = replace(writer.begun, body=part)
        if writer.is_whole:
            return answered
        name = secrets.token_hex(NAME_BYTES)
        self._held[name] = Held(writer, task)
        # Also if nobody asks for more of it: the handler has cut that one off then.
        task.add_done_callback(lambda _: self._forget(name))
        return replace(answered, rest=name)

    async def asked(self, asked: Asked) -> Answered:
        """What another node asks for of an answer that was begun here."""
        name, _, number = asked.target.removeprefix(REST).partition("/")
        held = self._held.get(name)
        if held is None:
            return GONE
        if asked.method == "DELETE":
            del self._held[name]
            held.task.cancel()
            return DROPPED
        async with held.turn:
            if number == str(held.number + 1):
                held.last = await self._next(name, held)
                held.number += 1
            elif number != str(held.number):  # else its answer was lost
                return GONE
            return held.last

    async def _next(self, name: str, held: Held) -> Answered:
        part = await held.writer.part()
        if held.writer.is_whole:
            return Answered(200, (), part)
        if held.task.done():
            self._held.pop(name, None)
            return BROKEN
        return Answered(200, (), part, name)

    def _forget(self, name: str) -> None:
        """The last part may be asked for again for a while."""
        asyncio.get_running_loop().call_later(KEPT_S, self._held.pop, name, None)

    def close(self) -> None:
        for held in self._held.values():
            held.task.cancel()
        self._held.clear()

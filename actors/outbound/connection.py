"""One connection to a receiver, and one request at a time over it.

Whatever the receiver does, the exchange ends within its limits: how much is sent ahead of what the
receiver takes, how much of its answer is read (answer.py), and for how long the rest of a body is
waited for once the status is known. The time limit of the attempt is the caller's.
"""

import asyncio
import os
import select
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from hookbundle.actors.outbound.answer import Answer

# The body of an answer is only for the log. A receiver that stops within it must not hold up its
# queue until the time limit of the attempt, each time.
BODY_S_MAX = 2.0
# So much is handed to the connection at once; the next piece once the receiver has taken it.
PIECE_BYTES = 64 * 1024
RECEIVED_AT_ONCE_BYTES = 16 * 1024
# Below the 5 s after which Node.js, Apache and uvicorn close an idle connection, without a word.
IDLE_S_MAX = 4.0
# What a receiver announces is counted from when it sent it, and ends when it gets the next request:
# both ways are part of it.
IDLE_MARGIN_S = 0.5
# Of the loop, in which it reads what is there: the first of them begins before it has looked.
READING_PASSES = 3
# Then the name is looked up again, because it may have moved, whatever the traffic.
AGE_S_MAX = 60.0


class ReceiverConnection(asyncio.Protocol):
    """`transport`, `closed`, `should_close`, `is_connected`, `close`, `abort`: aiohttp's connector
    asks for these. `uses`: requests that were begun. `ended_by`: None if it ended in good order.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, now_s: Callable[[], float]) -> None:
        self.transport: asyncio.Transport | None = None
        self.should_close = False
        self.uses = 0
        self.ended_by: BaseException | None = None
        self._loop = loop
        self._now_s = now_s
        self._made_s = now_s()
        self._usable_until_s = self._made_s + AGE_S_MAX
        self._answer: Answer | None = None
        self._is_paused = False
        # Of who waits for room to send, or for the answer: any news ends the wait.
        self._news: asyncio.Future[None] | None = None
        self._is_late = False
        self._body_limit: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] | None = None

    @property
    def is_fit(self) -> bool:
        """Whether a request may go over it now."""
        return self.is_connected() and self._now_s() < self._usable_until_s

    async def exchange(self, head: bytes, body: bytes, answer: Answer) -> None:
        """The answer is done, or the connection has ended, or it is too late for the body.

        If another request may follow, `should_close` is false after it.
        """
        assert self._answer is None
        self._answer = answer
        self._is_late = False
        self.should_close = True
        self.uses += 1
        if self.uses == 1:
            await self._read_what_came()
        if self.transport is None:  # it ended before its first request
            self._answer = None
            answer.end()
            return
        try:
            self.transport.write(head + body[:PIECE_BYTES])
            sent = min(PIECE_BYTES, len(body))
            while not (answer.is_done or self._is_late):
                if sent < len(body) and not self._is_paused:
                    sent = self._send_more(body, sent)
                else:
                    await self._next_news()
        finally:
            self._answer = None
            if self._body_limit is not None:
                self._body_limit.cancel()
                self._body_limit = None
        is_sent = sent >= len(body) and not self._is_paused
        self.should_close = not (answer.may_follow and is_sent)
        self._rest_until(answer)

    # ---- what asyncio says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if hasattr(transport, "max_size"):  # of asyncio's own transports, sixteen times as much
            transport.max_size = RECEIVED_AT_ONCE_BYTES
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.is_done:
            # Nobody asked for it, and it must not be taken for the answer to the next request.
            self.should_close = True
            self.abort()
            return
        answer.feed(data)
        if answer.is_done:
            self._tell()
        elif answer.head is not None and self._body_limit is None:
            self._body_limit = self._loop.call_later(BODY_S_MAX, self._too_late)

    def eof_received(self) -> None:
        """Told at once: a receiver that reads nothing would keep what is not sent yet for long."""
        self._end(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError):
            self._read_what_is_left()
        self.transport = None
        self._end(exc)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._tell()

    # ---- what aiohttp's connector asks

    @property
    def closed(self) -> "asyncio.Future[None] | None":
        if self._closed is None and self.transport is not None:
            self._closed = self._loop.create_future()
        return self._closed

    def is_connected(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def close(self) -> None:
        """At once. Neither what is unsent is waited for, nor the receiver's word that TLS ends."""
        self.abort()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    # ---- beneath

    async def _read_what_came(self) -> None:
        """In TLS 1.3 a receiver may refuse after the handshake has ended here, and then reset.

        To write is then an error, which would hide the refusal that has come before it.
        """
        transport = self.transport
        if transport is None or transport.get_extra_info("sslcontext") is None:
            return
        waiting = select.poll()
        waiting.register(transport.get_extra_info("socket"), select.POLLIN)
        for _ in range(READING_PASSES):
            if transport.is_closing() or not waiting.poll(0):
                return
            await asyncio.sleep(0)

    def _send_more(self, body: bytes, sent: int) -> int:
        """How much of the body was sent after it."""
        assert self.transport is not None
        piece = memoryview(body)[sent : sent + PIECE_BYTES]
        self.transport.write(piece)
        return sent + len(piece)

    async def _next_news(self) -> None:
        self._news = self._loop.create_future()
        try:
            await self._news
        finally:
            self._news = None

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _too_late(self) -> None:
        self._is_late = True
        self._tell()

    def _end(self, exc: BaseException | None) -> None:
        if self.ended_by is None:
            self.ended_by = exc
        if self._answer is not None and not self._answer.is_done:
            self._answer.end()
        self.should_close = True
        self._tell()

    def _read_what_is_left(self) -> None:
        """A receiver that refuses a body while it is sent answers, and closes without reading it.

        To go on sending is then an error, which ends the connection before the answer is read.
        """
        transport, answer = self.transport, self._answer
        if transport is None or answer is None or answer.head is not None:
            return
        sock = transport.get_extra_info("socket")
        if sock is None or transport.get_extra_info("sslcontext") is not None:
            return
        with suppress(OSError):
            while not answer.is_done and (data := os.read(sock.fileno(), RECEIVED_AT_ONCE_BYTES)):
                answer.feed(data)

    def _rest_until(self, answer: Answer) -> None:
        idle_s = IDLE_S_MAX
        if answer.head is not None and answer.head.idle_s is not None:
            idle_s = min(idle_s, answer.head.idle_s - IDLE_MARGIN_S)
        self._usable_until_s = min(self._now_s() + idle_s, self._made_s + AGE_S_MAX)

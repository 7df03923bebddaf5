"""The receiver of `listen` on a real socket: what it reads, and where its bounds are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from hookbundle.commands.listening import receiver as receivers
from hookbundle.commands.listening import wire
from hookbundle.commands.listening.receiver import CONNECTIONS_MAX, HOST, Receiver
from hookbundle.commands.listening.wire import Request

TIMEOUT_S = 20.0
POST = b"POST /in HTTP/1.1\r\nHost: x\r\n"


@dataclass(slots=True)
class Kept:
    """What the receiver took and what it refused; `held` keeps its answers back."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> int:
        self.requests.append(request)
        await self.held.wait()
        return 201

    async def ask(self, data: bytes) -> bytes:
        """All that is answered to these bytes, until the connection is closed."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        writer.write(data)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def receiving(*, holds: bool = False) -> AsyncIterator[Kept]:
    kept = Kept()
    if not holds:
        kept.held.set()
    receiver = Receiver(kept.take, lambda: None, kept.refusals.append)
    kept.port = await receiver.open(0)
    try:
        yield kept
    finally:
        await receiver.close()


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"X-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nhello",
        POST + b"x-a: 1, 2\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n"
        b"Trailer: t\r\n\r\n",
    ],
)
async def test_a_request_is_read_and_answered_as_told(sent: bytes) -> None:
    async with receiving() as kept:
        answer = await kept.ask(sent)

    (request,) = kept.requests
    assert (request.method, request.target, request.body) == ("POST", "/in", b"hello")
    assert request.headers["x-a"] == "1, 2"
    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")


async def test_a_sender_that_waits_for_it_is_told_to_go_on() -> None:
    async with receiving() as kept:
        answer = await kept.ask(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"Content-Length: %d\r\n\r\n" % (wire.BODY_BYTES_MAX + 1), 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (wire.BODY_BYTES_MAX + 1), 413),
        (POST + b"X: " + b"x" * (wire.HEAD_BYTES_MAX + 1) + b"\r\n\r\n", 431),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"no colon\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\r\n\r\n", 400),
    ],
    ids=str,
)
async def test_what_it_does_not_read_is_refused_with_a_status(sent: bytes, status: int) -> None:
    async with receiving() as kept:
        answer = await kept.ask(sent)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert not kept.requests
    assert len(kept.refusals) == 1


async def test_a_body_that_is_too_large_is_sent_on_and_still_gets_its_answer() -> None:
    size = wire.BODY_BYTES_MAX + 1

    async with receiving() as kept:
        answer = await kept.ask(POST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_request_that_does_not_come_whole_in_time_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receivers, "REQUEST_S", 0.05)

    async with receiving() as kept:
        answer = await kept.ask(POST + b"Content-Length: 9\r\n\r\nslow")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert not kept.requests


async def test_connections_over_the_bound_are_refused_and_those_within_it_answered() -> None:
    async with receiving(holds=True) as kept:
        whole = POST + b"Content-Length: 0\r\n\r\n"
        within = [asyncio.ensure_future(kept.ask(whole)) for _ in range(CONNECTIONS_MAX)]
        await _until(lambda: len(kept.requests) == CONNECTIONS_MAX)
        with suppress(ConnectionResetError):
            assert await kept.ask(whole) == b""
        kept.held.set()
        answers = await asyncio.gather(*within)

    assert kept.refusals == [f"more than {CONNECTIONS_MAX} connections at once"]
    assert len(kept.requests) == CONNECTIONS_MAX
    assert {answer[:13] for answer in answers} == {b"HTTP/1.1 201 "}


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():
            await asyncio.sleep(0)

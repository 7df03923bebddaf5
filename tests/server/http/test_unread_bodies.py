"""Requests that are answered before their body is read: the client hears it, and harms nobody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Term
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.http import wire
from hookbundle.server.http.bodies import BODY_LIMITS, BodyLimits, body_bytes
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.sockets.framing import RECEIVED_AT_ONCE_BYTES
from hookbundle.server.http.wire import Connection
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import event
from hookbundle.tests.server.http.lines import Line, Street, street

PATH = "/v1/workspaces/acme/messages"
REFUSED = 3 * 1024 * 1024
GOOD = msgspec.json.encode([event(f"m{number}") for number in range(400)])
PIECE = b"x" * 50_000
CHUNKED = "Transfer-Encoding: chunked"


@pytest_asyncio.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path, GuardLimits()) as outside:
        await outside.system.ask("PUT", "/v1/workspaces/acme", {})
        outside.bodies.total = 2 * 1024 * 1024
        yield outside


def head(token: str, *more: str) -> bytes:
    lines = (f"POST {PATH} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *more)
    return "\r\n".join((*lines, "\r\n")).encode()


def sized(token: str, body: bytes, *more: str) -> bytes:
    return head(token, f"Content-Length: {len(body)}", *more) + body


def in_chunks(body: bytes, size: int, extension: bytes = b"") -> bytes:
    parts = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)


def is_error(line: object) -> bool:
    return isinstance(line, dict) and line["log_level"] in ("error", "critical")


async def status_of(line: Line) -> bytes:
    return (await line.answer()).split()[1]


async def test_a_connection_is_as_good_as_before_after_a_large_body_was_refused(
    outside: Street,
) -> None:
    """The next request comes in one piece with the end of what was refused."""
    assert len(GOOD) > 2 * RECEIVED_AT_ONCE_BYTES
    token, line = await outside.token("acme"), await outside.line()

    line.writer.write((sized(token, b"x" * REFUSED) + sized(token, GOOD)) * 3)

    assert [await status_of(line) for _ in range(6)] == [b"429", b"202"] * 3
    assert not outside.cuts


async def test_the_body_behind_a_request_that_wants_another_protocol_is_no_head(
    outside: Street,
) -> None:
    token, line = await outside.token("acme"), await outside.line()
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x")

    line.writer.write(sized(token, b"[]", *upgrade) + sized(token, GOOD))

    assert [await status_of(line) for _ in range(2)] == [b"202", b"202"]
    assert not outside.cuts


ENDLESS = {
    "chunks": (CHUNKED, in_chunks(PIECE, len(PIECE))),
    "more than is read away": (f"Content-Length: {10 * limits.REQUEST_BYTES_MAX}", PIECE),
    "no chunks": (CHUNKED, PIECE),
    "chunks of a byte": (CHUNKED, in_chunks(PIECE, 1)),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_who_is_still_sending_hears_the_last_answer_and_is_not_reset(
    outside: Street, name: str
) -> None:
    header, piece = ENDLESS[name]
    line = await outside.line()
    line.writer.write(head(await outside.token("acme"), header))

    heard = asyncio.create_task(line.reader.read())
    async with asyncio.timeout(TIMEOUT_S):
        while not heard.done():
            line.writer.write(piece)
            await line.writer.drain()
            await asyncio.sleep(0)
    for _ in range(50):  # the answer is read, and what was to be sent is sent nevertheless
        line.writer.write(piece)
        await line.writer.drain()

    answer = heard.result()
    assert answer.split()[1] in (b"400", b"413", b"429")
    assert answer.startswith(b"HTTP/1.0") or b"connection: close" in answer.lower()
    assert answer.count(b"Server: ") == 1
    line.hang_up()
    await outside.until(lambda: outside.system.daemon.guard.connections == 0)


async def test_who_does_not_stop_sending_is_hung_up_on(
    outside: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "READ_AWAY_S", 0.05)
    line = await outside.line()
    line.writer.write(head("guessed", CHUNKED))

    assert await status_of(line) == b"401"

    await outside.until(lambda: outside.system.daemon.guard.connections == 0)


# ---- chunks


SMALL = {
    "of one byte": (1, b""),
    "of sixteen bytes": (16, b""),
    "of a hundred bytes, with more said of each": (100, b";x=" + b"y" * 90),
}


@pytest.mark.parametrize("name", SMALL)
async def test_small_chunks_are_refused_before_they_have_cost_much(
    outside: Street, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, extension = SMALL[name]
    parsed, together = 0, list[int]()
    feed_data, data_received = StreamReader.feed_data, Connection.data_received

    def received(connection: Connection, data: bytes) -> None:
        before = parsed
        data_received(connection, data)
        together.append(parsed - before)

    def counted(body: StreamReader, data: bytes, length: int = 0) -> bool:
        nonlocal parsed
        parsed += 1
        return feed_data(body, data, length)

    monkeypatch.setattr(StreamReader, "feed_data", counted)
    monkeypatch.setattr(Connection, "data_received", received)
    line = await outside.line()
    body = in_chunks(b" " * (500_000 * size // 16 + 500_000), size, extension)

    line.writer.write(head(await outside.token("acme"), CHUNKED))
    await outside.until(lambda: bool(together))
    answer = await line.ask(body)

    assert answer.split()[1] == b"400"
    assert b"chunks that are too small" in answer
    assert parsed < 15_000
    assert max(together) < 1_000  # between two passes of the loop, of each connection
    assert sum(count > 250 for count in together) <= 2


async def test_a_message_may_be_a_chunk(outside: Street) -> None:
    lines = b"".join(msgspec.json.encode(event(f"m{n}")) + b"\n" for n in range(500))
    size = lines.index(b"\n")
    begin = head(await outside.token("acme"), CHUNKED, "Content-Type: application/x-ndjson")
    line = await outside.line()

    assert b" 202 " in await line.ask(begin + in_chunks(lines, size) + b"0\r\n\r\n")


# ---- hung up on


HALF = {
    "as it is": ("Content-Length: 900000", PIECE),
    "in chunks": (CHUNKED, in_chunks(PIECE, 500)),
    "gzip": ("Content-Length: 900000\r\nContent-Encoding: gzip", b"\x1f\x8b\x08" + bytes(20_000)),
    "deflate": ("Content-Length: 900000\r\nContent-Encoding: deflate", b"\x78\x9c"),
    "refused": (f"Content-Length: {REFUSED}", b"x" * (REFUSED - 1)),
    "not to be read": (f"Content-Length: {REFUSED}\r\nContent-Encoding: br", PIECE),
    "no chunks, after it was refused": (
        f"{CHUNKED}\r\nContent-Encoding: br",
        in_chunks(PIECE, 500) + b"zz\r\n",
    ),
}


@pytest.mark.parametrize("name", HALF)
async def test_a_body_that_is_hung_up_on_is_nobodys_fault(
    outside: Street, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    token, (header, piece) = await outside.token("acme"), HALF[name]
    guard, before = outside.system.daemon.guard, served()
    with capture_logs() as logs:
        for waits in (False, True):
            line = await outside.line()
            line.writer.write(head(token, header) + piece)
            await line.writer.drain()
            if waits:
                await outside.until(lambda: guard.connections == 1)
                for _ in range(100):
                    await asyncio.sleep(0)
            line.hang_up()
            await outside.until(lambda: guard.connections == 0)
        await outside.until(lambda: outside.bodies.used == 0)
        await outside.until(lambda: served() == before)

    assert not list(filter(is_error, logs))
    assert not caplog.records


async def test_who_leaves_while_a_body_is_read_away_is_nobodys_fault(
    outside: Street, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begin = head(await outside.token("acme"), "Content-Length: 900000", "Content-Encoding: br")
    before, line = served(), await outside.line()
    readany, pieces = StreamReader.readany, []

    async def reading(body: StreamReader) -> bytes:
        pieces.append(await readany(body))
        line.hang_up()
        await outside.until(lambda: outside.system.daemon.guard.connections == 0)
        return pieces[-1]

    monkeypatch.setattr(StreamReader, "readany", reading)

    assert await line.ask(begin)
    line.writer.write(PIECE)
    await outside.until(lambda: bool(pieces))
    await outside.until(lambda: served() == before)

    assert not caplog.records


def served() -> int:
    """How many connections are still served, read away, or waiting for a request."""
    return sum("RequestHandler.start" in repr(task) for task in asyncio.all_tasks())


class Closed(BaseProtocol):
    """A connection that was closed before anybody read what came."""


async def test_a_body_of_a_closed_connection_is_a_lost_connection_and_no_fault() -> None:
    loop = asyncio.get_running_loop()
    app = web.Application()
    app[BODY_LIMITS] = BodyLimits(30.0, FairLimit("body_bytes", Term.CONNECTIONS, 1))
    body = StreamReader(Closed(loop), 1_000, loop=loop)
    request = make_mocked_request("POST", PATH, app=app, payload=body)
    request._protocol.transport = None

    with pytest.raises(ConnectionResetError):
        await body_bytes(request, 100)


@pytest.mark.parametrize("error", [OSError(113, "no route to host"), TimeoutError(110, "gone")])
async def test_a_connection_that_the_network_lost_is_told_from_an_error_of_ours(
    outside: Street, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    found: list[Connection] = []
    made = Connection.connection_made

    def kept(self: Connection, transport: asyncio.BaseTransport) -> None:
        found.append(self)
        made(self, transport)

    monkeypatch.setattr(Connection, "connection_made", kept)
    line = await outside.line()
    line.writer.write(head(await outside.token("acme"), "Content-Length: 900000") + PIECE)
    await outside.until(lambda: bool(outside.bodies.used))
    (connection,) = [one for one in found if one.is_in_body]
    with capture_logs() as logs:
        connection.connection_lost(error)
        await outside.until(lambda: outside.bodies.used == 0)

    assert not list(filter(is_error, logs))

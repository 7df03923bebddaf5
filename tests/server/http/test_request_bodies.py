"""Bodies of requests: in pieces, under a deadline, within a budget that has a share for each."""

import asyncio
import gzip
import threading
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from hookbundle.actors.chat import Collect
from hookbundle.engine import limits
from hookbundle.engine.fairness.loop_share import Pace
from hookbundle.engine.messages import slices
from hookbundle.server.http.bodies import BYTES_HELD_FOR_ONE, MEMBERS_MAX, UNCOUNTED_BYTES
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.resources import messages
from hookbundle.server.http.sockets.framing import RECEIVED_AT_ONCE_BYTES
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import event
from hookbundle.tests.server.http.lines import Line, Street, street

BUDGET = 1024 * 1024
PIECE = b" " * (200 * 1024)
MESSAGES = "/v1/workspaces/{ws}/messages"


@pytest_asyncio.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path, GuardLimits()) as outside:
        for ws in ("acme", "globex"):
            await outside.system.ask("PUT", f"/v1/workspaces/{ws}", {})
        outside.bodies.total = BUDGET
        yield outside


def head(token: str, path: str, length: int, *more: str, method: str = "POST") -> bytes:
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        f"Content-Length: {length}",
        *more,
    )
    return "\r\n".join((*lines, "\r\n")).encode()


async def ask(
    outside: Street, token: str, body: bytes, *more: str, ws: str = "acme", method: str = "POST"
) -> bytes:
    path = MESSAGES.format(ws=ws) if method == "POST" else f"/v1/workspaces/{ws}"
    line = await outside.line()
    return await line.ask(head(token, path, len(body), *more, method=method) + body)


async def unfinished(outside: Street, token: str, ws: str = "acme") -> Line:
    """A body of which the last byte is missing."""
    line = await outside.line()
    line.writer.write(head(token, MESSAGES.format(ws=ws), len(PIECE) + 1) + PIECE)
    return line


async def test_a_caller_who_sends_much_has_to_keep_a_pace_and_no_other_has(
    outside: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = {"acme": 0, "globex": 0}

    def rest_s(pace: Pace, owner: str, size: int) -> float:
        came[owner] += size
        return TIMEOUT_S if owner == "acme" else 0.0

    acme, globex = await outside.token("acme"), await outside.token("globex")
    monkeypatch.setattr(Pace, "rest_s", rest_s)
    line = await outside.line()
    line.writer.write(head(acme, MESSAGES.format(ws="acme"), len(PIECE)) + PIECE)
    await outside.until(lambda: bool(came["acme"]))
    at_once = came["acme"]
    answer = await ask(outside, globex, b"[%b]" % PIECE, ws="globex")

    assert b" 202 " in answer
    assert came["globex"] + 2 * RECEIVED_AT_ONCE_BYTES >= len(PIECE)
    assert came["acme"] == at_once < len(PIECE)


async def test_unfinished_bodies_of_one_caller_leave_room_for_the_others(outside: Street) -> None:
    acme, globex = await outside.token("acme"), await outside.token("globex")
    lines = [await unfinished(outside, acme) for _ in range(20)]

    refused = [answer for answer in await outside.first_answers(lines, 18) if b" 429 " in answer]

    large = msgspec.json.encode([event(f"m{number}") for number in range(100)])
    assert len(refused) == 18
    assert b"retry-after: 1" in refused[0].lower()
    assert outside.bodies.used <= BUDGET // 2
    assert b" 202 " in await ask(outside, globex, large, ws="globex")
    assert b" 202 " in await ask(outside, acme, msgspec.json.encode(event("m1")))
    for line in lines:
        line.hang_up()
    await outside.until(lambda: outside.bodies.used == 0)


async def test_the_callers_of_all_workspaces_have_the_budget_between_them(outside: Street) -> None:
    token = await outside.token()
    spaces = [f"ws{number}" for number in range(6)]
    for ws in spaces:
        await outside.system.ask("PUT", f"/v1/workspaces/{ws}", {})
    lines = [await unfinished(outside, token, ws) for ws in spaces]

    answers = await outside.first_answers(lines, 3)

    assert {answer.split()[1] for answer in answers} <= {b"429", b"503"}
    assert all(b"Retry-After: 1" in answer for answer in answers)
    assert outside.bodies.used <= BUDGET


async def test_who_announces_much_and_sends_little_holds_little(outside: Street) -> None:
    token = await outside.token("acme")
    lines = []
    for _ in range(20):
        line = await outside.line()
        line.writer.write(head(token, MESSAGES.format(ws="acme"), limits.REQUEST_BYTES_MAX) + b"[")
        lines.append(line)

    assert b" 202 " in await ask(outside, token, msgspec.json.encode(event("m1")))
    assert outside.bodies.used == 0


@pytest.mark.parametrize("fault", [b"x", b"[]x", b"[1]"])
async def test_what_a_body_holds_is_given_back_whatever_became_of_it(
    outside: Street, fault: bytes
) -> None:
    token = await outside.token("acme")
    large = msgspec.json.encode([event(f"m{number}") for number in range(200)])
    assert len(large) > UNCOUNTED_BYTES

    statuses = [
        (await ask(outside, token, body)).split()[1]
        for body in (large, fault * 20_000, large + fault, b" " * 100_000)
    ]

    assert statuses == [b"202", b"422", b"422", b"422"]
    assert outside.bodies.used == 0


async def test_a_body_is_held_until_its_request_is_answered(
    outside: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The messages made of it are about as large as it was."""
    held: list[int] = []

    def collect(*parts: Any) -> Collect:
        held.append(outside.bodies.used)
        return Collect(*parts)

    monkeypatch.setattr(messages, "Collect", collect)
    large = msgspec.json.encode([event(f"m{number}") for number in range(200)])

    assert b" 202 " in await ask(outside, await outside.token("acme"), large)
    assert held == [len(large) * BYTES_HELD_FOR_ONE]


async def test_settings_are_small(outside: Street) -> None:
    body = msgspec.json.encode({"name": "x" * limits.SETTINGS_BYTES_MAX})

    answer = await ask(outside, await outside.token(), body, method="PATCH")

    assert b" 413 " in answer
    assert outside.bodies.used == 0


ONE = msgspec.json.encode(event("m1"))
BARE = zlib.compressobj(wbits=-15)
PACKED = {
    "gzip": (gzip.compress(ONE), "gzip", b"202"),
    "gzip in capitals": (gzip.compress(ONE), "GZIP", b"202"),
    "gzip in two parts": (gzip.compress(ONE[:99]) + gzip.compress(ONE[99:]), "gzip", b"202"),
    "zlib": (zlib.compress(ONE), "deflate", b"202"),
    "bare deflate": (BARE.compress(ONE) + BARE.flush(), "deflate", b"202"),
    "as it is": (ONE, "identity", b"202"),
    "cut off": (gzip.compress(ONE)[:-9], "gzip", b"400"),
    "cut off in the check sum": (gzip.compress(ONE)[:-1], "gzip", b"400"),
    "of another kind": (ONE, "gzip", b"400"),
    "with more behind it": (gzip.compress(ONE) + ONE, "gzip", b"400"),
    "with more behind zlib": (zlib.compress(ONE) + zlib.compress(b" "), "deflate", b"400"),
    "in empty parts": (gzip.compress(b"") * (MEMBERS_MAX + 1) + gzip.compress(ONE), "gzip", b"400"),
    "many times larger": (gzip.compress(bytes(limits.REQUEST_BYTES_MAX + 1)), "gzip", b"413"),
    "twice": (gzip.compress(gzip.compress(ONE)), "gzip, gzip", b"415"),
    "unknown": (ONE, "br", b"415"),
}


@pytest.mark.parametrize("name", PACKED)
async def test_a_packed_body_is_unpacked_or_refused(outside: Street, name: str) -> None:
    outside.bodies.total = 8 * limits.REQUEST_BYTES_MAX
    body, packing, status = PACKED[name]

    answer = await ask(outside, await outside.token("acme"), body, f"Content-Encoding: {packing}")

    assert answer.split()[1] == status, answer
    assert outside.bodies.used == 0


async def test_nothing_is_unpacked_for_somebody_unknown(
    outside: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    monkeypatch.setattr(zlib, "decompressobj", lambda *given: begun.append(1))

    answer = await ask(outside, "guessed", gzip.compress(bytes(10**6)), "Content-Encoding: gzip")

    assert b" 401 " in answer
    assert not begun


async def test_who_asks_before_sending_is_told_to_go_on_only_if_known(outside: Street) -> None:
    """Only a client with a good token is asked for its body."""
    for token, wanted in (("guessed", b" 401 "), (await outside.token("acme"), b" 100 Continue")):
        line = await outside.line()
        path = MESSAGES.format(ws="acme")
        line.writer.write(head(token, path, len(ONE), "Expect: 100-Continue"))
        async with asyncio.timeout(TIMEOUT_S):
            assert wanted in await line.reader.readuntil(b"\r\n")
    async with asyncio.timeout(TIMEOUT_S):
        await line.reader.readuntil(b"\r\n")
    assert b" 202 " in await line.ask(ONE)


async def test_chunks_of_one_byte_are_a_body_like_any_other(outside: Street) -> None:
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in ONE) + b"0\r\n\r\n"
    begin = head(await outside.token("acme"), MESSAGES.format(ws="acme"), 0)
    begin = begin.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")

    line = await outside.line()

    assert b" 202 " in await line.ask(begin + chunked)


async def test_a_large_body_is_read_off_the_loop(
    outside: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    read = slices.read

    def reading(body: bytes, *, ndjson: bool, strict: bool) -> Any:
        threads.append(threading.current_thread().name)
        return read(body, ndjson=ndjson, strict=strict)

    monkeypatch.setattr(slices, "read", reading)
    token = await outside.token("acme")
    large = msgspec.json.encode([event(f"m{number}") for number in range(200)])

    assert b" 202 " in await ask(outside, token, large)
    assert b" 202 " in await ask(outside, token, ONE)
    assert len(threads) == 1
    assert threads[0] != threading.main_thread().name

"""Who has how many connections, who has to make room, and that none is held without a deadline."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from hookbundle.engine.error_codes import Term
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.http import connection_guard
from hookbundle.server.http.connection_guard import Guard, GuardedConnection, GuardLimits
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.server.http.lines import Line, Street, street

PATIENT = GuardLimits(header_s=TIMEOUT_S, idle_s=TIMEOUT_S, unread_s=TIMEOUT_S)
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
FORM = (
    b"POST /console/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nCookie: hookbundle_visitor=a\r\n\r\nform"
)
# Every way in which a client without a token can keep a place in the middle of a request.
HELD = {
    "a form": FORM,
    "a form in chunks": FORM.replace(
        b"Content-Length: 1000", b"Transfer-Encoding: chunked"
    ).replace(b"\r\n\r\nform", b"\r\n\r\n4\r\nform\r\n"),
    "a body that nobody wants": FORM.replace(b"/console/sign-in", b"/v1/workspaces"),
    "a body after an answer": ALIVE.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\nx"),
    "a second head": ALIVE + ALIVE[:20],
    "HTTP/1.0": FORM.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "an upgrade": ALIVE.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nxx"),
    "a tunnel": b"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\nxx",
    "a promise": FORM.replace(b"\r\n\r\nform", b"\r\nExpect: 100-continue\r\n\r\n"),
}


@pytest_asyncio.fixture
async def crowded(tmp_path: Path) -> AsyncIterator[Street]:
    """Eight connections, and two workspaces."""
    async with street(tmp_path, replace(PATIENT, connections_max=8)) as outside:
        for ws in ("acme", "globex"):
            await outside.system.ask("PUT", f"/v1/workspaces/{ws}", {})
        yield outside


def status_of(token: str, ws: str = "acme") -> bytes:
    return (
        f"GET /v1/workspaces/{ws} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


async def held_by(outside: Street, request: bytes, count: int) -> list[Line]:
    lines = [await outside.line() for _ in range(count)]
    for line in lines:
        line.writer.write(request)
    return lines


@pytest.mark.parametrize("way", HELD)
async def test_unfinished_requests_of_the_unknown_make_room_for_who_is_known(
    crowded: Street, way: str
) -> None:
    token = await crowded.token("acme")
    lines = await held_by(crowded, HELD[way], 8)
    guard = crowded.system.daemon.guard
    await crowded.until(lambda: guard.connections == 8)

    answers = [await (await crowded.line()).ask(status_of(token)) for _ in range(3)]

    assert all(b" 200 " in answer for answer in answers)
    assert "refused" not in crowded.cuts
    assert len(lines) == guard.limits.connections_max


@pytest.mark.parametrize("way", HELD)
async def test_an_unfinished_request_ends_by_itself(tmp_path: Path, way: str) -> None:
    """Whatever it waits for has a deadline: a body, the next head, or the end of silence."""
    limits = GuardLimits(header_s=0.2, idle_s=0.2, unread_s=TIMEOUT_S)
    async with street(tmp_path, limits, body_s=0.2) as outside:
        (line,) = await held_by(outside, HELD[way], 1)

        await line.ended()

        await outside.until(lambda: outside.system.daemon.guard.connections == 0)


async def test_a_workspace_has_its_share_and_is_told_so(crowded: Street) -> None:
    acme, globex = await crowded.token("acme"), await crowded.token("globex")
    lines = [await crowded.line() for _ in range(5)]

    answers = [await line.ask(status_of(acme)) for line in lines]
    of_globex = await crowded.line()
    other = await of_globex.ask(status_of(globex, "globex"))

    assert [answer.split()[1] for answer in answers] == [b"200"] * 4 + [b"429"]
    assert re.search(rb"(?i)connection: close", answers[-1])
    assert re.search(rb"(?i)retry-after: 1", answers[-1])
    assert await lines[-1].ended() == b""
    assert b" 200 " in other
    lines[0].hang_up()
    of_globex.hang_up()
    shares = crowded.system.daemon.fair_limits.connections
    await crowded.until(lambda: shares.used == 3)
    assert b" 200 " in await (await crowded.line()).ask(status_of(acme))


async def test_a_page_says_that_the_share_is_used_up(crowded: Street) -> None:
    """A session of the console counts for the workspace of its token."""
    token = await crowded.token("acme")
    for _ in range(4):
        await (await crowded.line()).ask(status_of(token))
    name = crowded.system.daemon.sessions.begin(token)

    cookie = f"\r\nCookie: hookbundle_session={name}\r\n\r\n".encode()
    page = ALIVE.replace(b"/healthz", b"/console/w/acme/outbound").replace(b"\r\n\r\n", cookie)
    answer = await (await crowded.line()).ask(page)

    assert b" 429 " in answer
    assert b"text/html" in answer


async def test_without_anybody_unknown_the_owner_of_the_most_makes_room(crowded: Street) -> None:
    acme, globex = await crowded.token("acme"), await crowded.token("globex")
    operator = await crowded.token()
    of_acme = [await crowded.line() for _ in range(4)]
    of_globex = [await crowded.line() for _ in range(2)]
    for line in of_acme:
        await line.ask(status_of(acme))
    for line in of_globex:
        await line.ask(status_of(globex, "globex"))
    await (await crowded.line()).ask(status_of(operator))
    crowded.system.daemon.guard.limits = replace(PATIENT, connections_max=7)

    new = await (await crowded.line()).ask(ALIVE)

    assert b" 200 " in new
    assert await of_acme[0].ended() == b""
    assert b" 200 " in await of_acme[1].ask(status_of(acme))
    assert b" 200 " in await of_globex[0].ask(status_of(globex, "globex"))


async def test_a_connection_counts_for_who_called_last(crowded: Street) -> None:
    acme, globex = await crowded.token("acme"), await crowded.token("globex")
    shares = crowded.system.daemon.fair_limits.connections
    line = await crowded.line()

    await line.ask(status_of(acme))
    assert (shares.held("acme"), shares.held("globex"), shares.used) == (1, 0, 1)
    await line.ask(status_of(globex, "globex"))
    assert (shares.held("acme"), shares.held("globex"), shares.used) == (0, 1, 1)
    line.hang_up()
    await crowded.until(lambda: shares.used == 0)


async def test_the_shares_follow_the_configuration(crowded: Street) -> None:
    daemon = crowded.system.daemon
    listeners = replace(
        daemon.config.listeners, guard=replace(daemon.config.listeners.guard, connections_max=5)
    )

    daemon.reconfigure(replace(daemon.config, listeners=listeners))

    assert daemon.fair_limits.connections.total == 5


async def test_who_takes_nothing_of_an_answer_is_cut_off(tmp_path: Path) -> None:
    async with street(tmp_path, replace(PATIENT, unread_s=0.3)) as outside:
        request = status_of(await outside.token()).replace(b"/v1/workspaces/acme", b"/openapi.json")
        sock = socket.create_connection(outside.address)
        with sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            asking = asyncio.create_task(loop.sock_sendall(sock, request * 2_000))

            await outside.until(lambda: outside.cuts.get("unread", 0) == 1)

            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        await outside.until(lambda: outside.system.daemon.guard.connections == 0)


class Unread(asyncio.Transport):
    """Has always something left to send."""

    def get_write_buffer_size(self) -> int:
        return 70_000


@pytest.mark.parametrize(("taken", "is_cut"), [((0, 0, 0, 0), True), ((0, 1, 2, 3), False)])
async def test_only_who_takes_nothing_at_all_is_cut_off_however_slow(
    monkeypatch: pytest.MonkeyPatch, taken: tuple[int, ...], is_cut: bool
) -> None:
    guard = Guard(replace(PATIENT, unread_s=25.0), FairLimit("connections", Term.CONNECTIONS, 1))
    connection = GuardedConnection(guard, lambda: pytest.fail("not needed"))
    connection.transport = Unread()
    monkeypatch.setattr(connection, "cut", lambda: None)
    guard.enter(connection)
    guard.began(connection)
    for at_s, taken_bytes in zip((100.0, 110.0, 120.0, 130.0), taken, strict=True):
        monkeypatch.setattr(connection_guard, "_now_s", lambda at_s=at_s: at_s)
        monkeypatch.setattr(connection_guard, "_taken_bytes", lambda _, n=taken_bytes: n)
        guard._poll()
        guard.close()

    assert guard.cuts["unread"] == is_cut


HEADER = b"X-Long: " + b"x" * 8_000 + b"\r\n"


@pytest.mark.parametrize(
    "before",
    [b"", ALIVE, FORM.replace(b"1000", b"4"), FORM.replace(b"1000", b"9") + b"12345"],
    ids=["at once", "after a request", "after a body", "after a body that came late"],
)
async def test_a_head_is_bounded_as_a_whole(tmp_path: Path, before: bytes) -> None:
    """Each of its lines is as long as a line may be, and there is no end to them."""
    async with street(tmp_path, PATIENT) as outside:
        line = await outside.line()
        if before:
            await line.ask(before)

        line.writer.write(ALIVE[:-2] + HEADER * 20)

        answer = await line.answer()
        assert answer.startswith(b"HTTP/1.1 431 ")
        document = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert (document["status"], document["code"]) == (431, "head_too_large")
        assert f"X-Request-Id: {document['request_id']}".encode() in answer
        assert outside.cuts == {"large_head": 1}


async def test_a_body_is_not_taken_for_a_head(tmp_path: Path) -> None:
    """Also that of a request which was refused before it had arrived."""
    body = b"x" * 1_000_000
    head = f"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    async with street(tmp_path, PATIENT) as outside:
        line = await outside.line()
        line.writer.write(head.encode())
        assert b" 401 " in await line.answer()

        line.writer.write(body + ALIVE)

        assert b" 200 " in await line.answer()
        assert outside.cuts == {}

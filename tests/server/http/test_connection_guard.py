"""The TCP listener and its clients: silent ones, slow ones, and those that ask for another host.

The time limits are short here, and what is waited for is the end of a connection.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.hosts import host_of
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import daemon_in
from hookbundle.tests.server.http.lines import Line, Street, street

PATIENT = GuardLimits(header_s=TIMEOUT_S, idle_s=TIMEOUT_S)
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = ALIVE[:30]


async def first_of(outside: Street, *, is_warm: bool) -> Line:
    """A connection, new or one on which the lane has taken a message."""
    if not is_warm:
        return await outside.line()
    await outside.system.ask("PUT", "/v1/workspaces/acme", {})
    return await outside.warm_line(await outside.token("acme"), "acme")


async def test_who_says_nothing_is_cut_off(tmp_path: Path) -> None:
    async with street(tmp_path, GuardLimits(header_s=0.2)) as outside:
        silent = await outside.line()

        assert await silent.ended() == b""
        assert outside.cuts == {"slow_head": 1}


async def test_a_head_that_trickles_in_is_cut_off(tmp_path: Path) -> None:
    async with street(tmp_path, GuardLimits(header_s=0.2)) as outside:
        slow = await outside.line()
        slow.writer.write(HALF + b"\r\nX-Slow: ")

        await slow.trickle()
        assert outside.cuts == {"slow_head": 1}


@pytest.mark.parametrize("is_warm", [False, True], ids=["in use", "in the lane"])
async def test_the_second_head_has_to_hurry_as_well(tmp_path: Path, is_warm: bool) -> None:
    async with street(tmp_path, GuardLimits(header_s=0.2, idle_s=TIMEOUT_S)) as outside:
        line = await first_of(outside, is_warm=is_warm)
        if not is_warm:
            await line.ask(ALIVE)

        line.writer.write(HALF)
        assert await line.ended() == b""
        assert outside.cuts == {"slow_head": 1}


@pytest.mark.parametrize("is_warm", [False, True], ids=["new", "in the lane"])
async def test_an_idle_connection_is_kept_for_a_while_and_no_longer(
    tmp_path: Path, is_warm: bool
) -> None:
    async with street(tmp_path, GuardLimits(header_s=TIMEOUT_S, idle_s=0.3)) as outside:
        line = await first_of(outside, is_warm=is_warm)

        first, second = await line.ask(ALIVE), await line.ask(ALIVE)
        assert first.startswith(b"HTTP/1.1 200")
        assert second.startswith(b"HTTP/1.1 200")
        assert await line.ended() == b""


async def test_a_body_that_trickles_in_is_answered_with_408(tmp_path: Path) -> None:
    async with street(tmp_path, PATIENT, body_s=0.3) as outside:
        token = await outside.token()
        line = await outside.line()
        head = "PUT /v1/workspaces/acme HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        line.writer.write(f"{head}Authorization: Bearer {token}\r\n\r\n".encode() + b"{")

        assert (await line.answer()).startswith(b"HTTP/1.1 408")


async def test_thousands_that_say_nothing_leave_room_for_who_is_honest(tmp_path: Path) -> None:
    async with street(tmp_path, replace(PATIENT, connections_max=50)) as outside:
        for _ in range(20):
            crowd = await asyncio.gather(*(outside.line() for _ in range(100)))
            for line in crowd:
                line.writer.write(HALF)
            honest = await outside.line()

            assert (await honest.ask(ALIVE)).startswith(b"HTTP/1.1 200")

        assert outside.system.daemon.guard.connections <= 50
        assert outside.cuts["crowded_out"] >= 20 * 100 - 50


async def test_a_crowd_of_clients_does_not_push_out_a_known_caller(tmp_path: Path) -> None:
    async with street(tmp_path, replace(PATIENT, connections_max=2)) as outside:
        head = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        request = head + (await outside.token()).encode() + b"\r\n\r\n"
        known = await outside.line()
        await known.ask(request)

        clients = [await outside.line() for _ in range(3)]
        assert (await clients[-1].ask(ALIVE)).startswith(b"HTTP/1.1 200")
        assert (await known.ask(request)).startswith(b"HTTP/1.1 200")


async def test_when_every_place_serves_somebody_the_next_is_told_to_come_back(
    tmp_path: Path,
) -> None:
    async with street(tmp_path, replace(PATIENT, connections_max=1)) as outside:
        token = await outside.token()
        busy = await outside.line()
        head = "PUT /v1/workspaces/acme HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
        await_body = "Expect: 100-continue\r\n"
        busy.writer.write(f"{head}{await_body}Authorization: Bearer {token}\r\n\r\n".encode())
        await busy.reader.readuntil(b"100 Continue\r\n\r\n")  # now it is being served

        late = await (await outside.line()).ended()
        assert late.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 1" in late
        assert (await busy.ask(b"{}")).startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8470", 200),
        ("127.0.0.1:8470", 200),
        ("[::1]:8470", 200),
        ("hooks.example", 200),
        ("hooks.example:443", 200),
        ("evil.example", 421),
        ("hooks.example.evil.example", 421),
        ("localhost\r\nHost: evil.example", 400),
    ],
)
async def test_only_who_asks_for_us_is_answered(tmp_path: Path, host: str, status: int) -> None:
    limits = replace(PATIENT, hosts=("hooks.example",))
    async with street(tmp_path, limits) as outside:
        line = await outside.line()

        answer = await line.ask(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    assert answer.split()[1] == str(status).encode()


async def test_the_control_socket_does_not_mind_the_host(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("GET", "/healthz", headers={"Host": "evil.example"})

    assert answer.status == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/workspaces/nobody", "/nowhere", "/metrics"])
async def test_no_answer_is_stored_or_guessed_at(tmp_path: Path, path: str) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("GET", path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["server"] == "hookbundle"


def test_a_host_is_read_without_its_port() -> None:
    assert host_of("Example.COM.:80") == "example.com"
    assert host_of("[2001:DB8::1]:80") == "2001:db8::1"

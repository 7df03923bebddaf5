"""How a connection ends, or does not, while the lane has its request."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.listeners import SHUTDOWN_S
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import until
from hookbundle.tests.server.http.lane.taught import (
    ACCEPTED,
    Taught,
    connections,
    plain,
    taught,
    turns,
)
from hookbundle.tests.server.http.lane.twins import (
    server_of,
)
from hookbundle.tests.server.http.lines import street


async def test_who_hangs_up_meanwhile_is_counted_and_leaves_nothing(daemon: Taught) -> None:
    line, other = await daemon.line(), await daemon.line()
    before, guard = daemon.requests, daemon.system.daemon.guard
    await daemon.held(line, plain(daemon))
    line.hang_up()
    await until(lambda: guard.connections == 1)

    daemon.chats.go_on()

    await until(lambda: daemon.requests == before + 1)
    places = daemon.system.daemon.partition.store_queue.places
    await until(lambda: places.used == 0)
    assert ACCEPTED in await other.ask(plain(daemon))


async def test_who_hangs_up_in_a_body_leaves_nothing(daemon: Taught) -> None:
    line, guard = await daemon.line(), daemon.system.daemon.guard
    line.writer.write(plain(daemon)[:-9])
    await until(lambda: any(each._alarm is not None for each in connections(daemon)))
    line.hang_up()

    await until(lambda: guard.connections == 0)

    await until(lambda: connections(daemon) == [])
    assert daemon.requests == 1


async def test_a_request_under_way_is_answered_when_the_daemon_stops(daemon: Taught) -> None:
    line = await daemon.line()
    await daemon.held(line, plain(daemon))
    closing = asyncio.create_task(daemon.system.daemon.listeners._runner.cleanup())
    await turns()
    assert not closing.done()

    daemon.chats.go_on()

    assert ACCEPTED in await line.answer()
    async with asyncio.timeout(SHUTDOWN_S / 2):  # nobody has to wait for it any longer
        assert await line.ended() == b""
    async with asyncio.timeout(TIMEOUT_S):
        await closing


async def test_a_request_that_has_begun_is_answered_when_the_daemon_stops(daemon: Taught) -> None:
    """As all others: aiohttp receives no more of a body then, so it is one that did not come."""
    line = await daemon.line()
    line.writer.write(plain(daemon)[:-9])
    await until(lambda: any(each._alarm is not None for each in connections(daemon)))
    closing = asyncio.create_task(daemon.system.daemon.listeners._runner.cleanup())

    assert b" 408 " in await line.answer()
    assert await line.ended() == b""
    await closing


async def test_the_last_answer_says_so_where_a_socket_outlives_the_daemon(daemon: Taught) -> None:
    line, other = await daemon.line(), await daemon.line()
    await daemon.held(line, plain(daemon))
    server_of(daemon.system).is_ending = True
    daemon.chats.go_on()

    for answer in (await line.answer(), await other.ask(plain(daemon))):
        assert b"\r\nConnection: close\r\n" in answer
    assert await line.ended() == b""
    assert await other.ended() == b""
    assert daemon.taken == ["acme"]


async def test_a_connection_is_not_idle_while_its_request_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with street(tmp_path, GuardLimits(idle_s=0.3)) as outside:
        daemon = await taught(outside, monkeypatch)
        line = await daemon.line()
        await daemon.held(line, plain(daemon))
        await asyncio.sleep(0.7)

        daemon.chats.go_on()

        assert ACCEPTED in await line.answer()
        assert await line.ended() == b""  # for being idle


async def test_who_takes_no_answer_is_not_served_any_further(daemon: Taught) -> None:
    line = await daemon.line()
    (ours,) = connections(daemon)
    ours.pause_writing()

    line.writer.write(plain(daemon))
    await turns()

    assert daemon.taken == []
    ours.resume_writing()
    assert ACCEPTED in await line.answer()

"""Bodies that come after their heads, slowly, or not at all: their time is that of all."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.server.http import bodies
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import until
from hookbundle.tests.server.http.lane.taught import (
    ACCEPTED,
    Taught,
    connections,
    hold_for,
    plain,
    taught,
    turns,
)
from hookbundle.tests.server.http.lines import street

ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_a_body_may_come_after_its_head(daemon: Taught) -> None:
    line, whole = await daemon.line(), plain(daemon, text="x" * 9_000)
    at = whole.index(b"\r\n\r\n") + 4
    line.writer.write(whole[:at])
    await turns()

    assert ACCEPTED in await line.ask(whole[at:])
    assert daemon.taken == ["acme"]
    assert [each for each in connections(daemon) if each._alarm is not None] == []


async def test_a_body_that_does_not_come_has_the_deadline_of_all(daemon: Taught) -> None:
    line = await daemon.line()

    answer = await line.ask(plain(daemon)[:-9])

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert daemon.taken == []
    assert await line.ended() == b""


async def test_a_body_that_is_slow_is_taken_by_aiohttp(daemon: Taught) -> None:
    hold_for(daemon, 0.01)
    line, whole = await daemon.line(), plain(daemon)
    line.writer.write(whole[:-9])
    await until(lambda: all(each._put_away is None for each in connections(daemon)))
    await asyncio.sleep(0.02)

    assert ACCEPTED in await line.ask(whole[-9:])
    assert daemon.taken == []
    assert ACCEPTED in await line.ask(plain(daemon))
    assert daemon.taken == ["acme"]


async def test_how_long_the_lane_has_waited_counts_for_aiohttp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with street(tmp_path, GuardLimits(), body_s=100 * TIMEOUT_S) as outside:
        daemon = await taught(outside, monkeypatch)
        hold_for(daemon, 0.05)
        line, whole = await daemon.line(), plain(daemon)
        (ours,) = connections(daemon)
        line.writer.write(whole[:-9])
        await until(lambda: ours.waited_s >= 0.05)
        assert ACCEPTED in await line.ask(whole[-9:])
        assert b" 200 " in await line.ask(ALIVE)
        assert ours.waited_s == 0.0  # of another request

        monkeypatch.setattr(bodies, "waited_s", lambda _: 100 * TIMEOUT_S)
        line.writer.write(whole[:-9])

        assert b" 408 " in await line.answer()
        assert daemon.system.daemon.meters.lane.handed_over == 2

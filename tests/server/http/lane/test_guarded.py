"""The guard's bounds hold for connections whose requests the lane takes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio

from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.server.http.lines import Street, post, street

PATIENT = GuardLimits(header_s=TIMEOUT_S, idle_s=TIMEOUT_S, unread_s=TIMEOUT_S)
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEADER = b"X-Long: " + b"x" * 8_000 + b"\r\n"


@pytest_asyncio.fixture
async def crowded(tmp_path: Path) -> AsyncIterator[Street]:
    """Eight connections, and two workspaces."""
    async with street(tmp_path, replace(PATIENT, connections_max=8)) as outside:
        for ws in ("acme", "globex"):
            await outside.system.ask("PUT", f"/v1/workspaces/{ws}", {})
        yield outside


async def test_connections_have_their_share_and_the_one_idle_longest_makes_room(
    crowded: Street,
) -> None:
    acme, globex = await crowded.token("acme"), await crowded.token("globex")
    of_acme = [await crowded.warm_line(acme, "acme") for _ in range(4)]
    fifth = await (await crowded.line()).ask(post(acme, "acme"))
    of_globex = [await crowded.warm_line(globex, "globex") for _ in range(2)]
    assert fifth.split()[1] == b"429"
    guard = crowded.system.daemon.guard
    guard.limits = replace(PATIENT, connections_max=guard.connections)
    assert b" 202 " in await of_acme[0].ask(post(acme, "acme"))  # it is not the first any more

    new = await (await crowded.line()).ask(ALIVE)

    assert b" 200 " in new
    assert await of_acme[1].ended() == b""
    for line in (of_acme[0], of_acme[2], of_acme[3]):
        assert b" 202 " in await line.ask(post(acme, "acme"))
    for line in of_globex:
        assert b" 202 " in await line.ask(post(globex, "globex"))


async def test_who_has_half_a_message_in_the_lane_is_served(crowded: Street) -> None:
    """Its connection is not idle, and has the deadline of a body."""
    acme = await crowded.token("acme")
    busy = await crowded.warm_line(acme, "acme")
    wanted = post(acme, "acme")
    busy.writer.write(wanted[:-9])
    guard = crowded.system.daemon.guard
    (watched,) = guard._all
    inner = watched._inner
    assert inner is not None
    await crowded.until(lambda: inner.is_in_body)
    assert guard._of_the_most() is None
    guard.limits = replace(PATIENT, connections_max=1)

    late = await (await crowded.line()).ended()

    assert late.startswith(b"HTTP/1.1 503")
    assert b" 202 " in await busy.ask(wanted[-9:])


async def test_a_head_behind_a_message_is_bounded(crowded: Street) -> None:
    line = await crowded.warm_line(await crowded.token("acme"), "acme")

    line.writer.write(ALIVE[:-2] + HEADER * 20)

    assert (await line.answer()).startswith(b"HTTP/1.1 431 ")
    assert crowded.cuts == {"large_head": 1}


async def test_bodies_in_pieces_are_not_taken_for_heads(crowded: Street) -> None:
    """More in sum than a head may have."""
    acme = await crowded.token("acme")
    line = await crowded.warm_line(acme, "acme")
    lane = crowded.system.daemon.meters.lane
    before = lane.answered

    for _ in range(16):
        wanted = post(acme, "acme", "x" * 12_000)
        line.writer.write(wanted[:6_000])
        assert b" 202 " in await line.ask(wanted[6_000:])

    assert lane.answered == before + 16
    assert crowded.cuts == {}

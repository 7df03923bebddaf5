"""What is kept of requests until it is written: bounded, and written for who asks."""

import asyncio

import pytest

from hookbundle.server.http.resources.sources import observing
from hookbundle.tests.actors.writing import Writing, waiting
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import System
from hookbundle.tests.server.http.resources.sources.posting import ACK, make, waha

ROOM = 4_096
PADDING = "x" * ROOM


@pytest.mark.parametrize("where", ["headers", "tail", "settings"])
async def test_all_that_a_request_holds_is_counted(
    system: System, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(observing, "BYTES_OF_ONE_MAX", ROOM)
    accounts: dict[str, object] = {f"{number:0128}": {} for number in range(ROOM // 128)}
    source = await make(system, numbers=accounts if where == "settings" else {})
    tail = f"/{PADDING}" if where == "tail" else ""
    headers = {"X-Padding": PADDING} if where == "headers" else {}

    await source.post(ACK, tail, **headers)

    assert (await source.shown())["counts"] == {"ignored.ack": 1}
    assert await source.requests() == []


async def test_a_request_for_which_there_is_no_room_pushes_out_none(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "BYTES_OF_ONE_MAX", ROOM)
    source = await make(system)

    await source.post(ACK)
    await source.post({**ACK, "padding": PADDING})

    (request,) = await source.requests()
    assert "padding" not in request["body"]


async def test_a_request_takes_the_room_of_the_one_that_it_pushes_out(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "BYTES_OF_ONE_MAX", ROOM)
    source = await make(system)

    await source.post({**ACK, "padding": PADDING[: ROOM // 2]})
    await source.post({**ACK, "padding": PADDING[: ROOM // 2], "last": True})

    (request,) = await source.requests()
    assert "last" in request["body"]


async def test_requests_of_one_second_are_written_in_the_order_in_which_they_came(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "WRITTEN_EVERY_S", 3_600.0)
    source = await make(system)

    await source.post(waha("m1"))
    system.clock.move(5)
    await source.post(ACK)
    system.clock.move(5)
    await source.post(waha("m2"))

    found = [request["outcomes"] for request in await source.requests()]
    assert found == [{"accepted": 1}, {"ignored.ack": 1}, {"accepted": 1}]


async def test_who_asks_waits_for_what_was_noted_of_the_own_sources_and_of_no_others(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "WRITTEN_EVERY_S", 0.0)
    await system.ask("PUT", "/v1/workspaces/other", {})
    source, observations = await make(system), system.daemon.observations
    acme, other = (
        system.daemon.partition.reads.workspace_number(ws) for ws in (source.ws, "other")
    )
    writing = Writing(system)
    await writing.begin()
    try:
        await source.post(ACK)
        await waiting(system, 1)

        async with asyncio.timeout(TIMEOUT_S / 2):
            await observations.write(other)
        asking = [asyncio.ensure_future(observations.write(acme)) for _ in range(2)]
        done, _ = await asyncio.wait(asking, timeout=0.05)
        assert not done
    finally:
        writing.end()

    await asyncio.gather(*asking)
    assert source.id in str(await source.shown())
    assert (await source.shown())["counts"] == {"ignored.ack": 1}

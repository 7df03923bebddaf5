"""What a receiver can make the client spend: time after its status, descriptors, old policies."""

import asyncio
import os
from pathlib import Path

import pytest

from hookbundle.actors.outbound import connection
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoResponse, Response
from hookbundle.tests.actors.outbound.calling import (
    BODY,
    HEAD,
    LOOPBACK,
    SHORT_LIMITS,
    calling,
    turn_the_loop,
)
from hookbundle.tests.actors.outbound.certificates import receiver_tls, trusting
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.receivers import (
    OK,
    FixedResolver,
    Receiver,
    Script,
    Wire,
    answering,
    closing_after,
    flooding,
    receiving,
    reset_after_the_request,
    stalling_after,
)

HOURS = AttemptLimits(connect_timeout_ms=2_000, total_timeout_ms=3_600_000)
HOSTILE: list[Script] = [
    answering(OK),
    answering(OK + OK),
    answering(b"SSH-2.0-x\r\n"),
    closing_after(b""),
    closing_after(OK),
    reset_after_the_request,
    stalling_after(b""),
    stalling_after(HEAD + b"Content-Length: 10\r\n\r\nok"),
]
# Not over TLS, where asyncio's own servers go on writing to a connection that is gone.
FLOODS: list[Script] = [
    flooding(HEAD, b"X-Endless: yes\r\n"),
    flooding(HEAD + b"\r\n", bytes(1_024)),
]


async def drips(wire: Wire) -> None:
    """A byte of the body each millisecond."""
    await wire.request()
    await wire.send(HEAD + b"Content-Length: 10000\r\n\r\n")
    while True:
        await wire.send(b"x")
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "script",
    [
        stalling_after(HEAD),
        stalling_after(HEAD + b"X-Slow: "),
        stalling_after(HEAD + b"Content-Length: 10\r\n\r\nok"),
        stalling_after(HEAD + b"\r\nok"),
        stalling_after(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
        stalling_after(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
    ],
)
async def test_a_queue_waits_two_seconds_for_a_body_and_not_for_the_time_limit(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.BODY_S_MAX == 2.0
    monkeypatch.setattr(connection, "BODY_S_MAX", 0.05)

    async with (
        asyncio.timeout(TIMEOUT_S),
        receiving(script) as receiver,
        calling(limits=HOURS) as client,
    ):
        results = [await client.post(receiver.url, BODY, {}) for _ in range(2)]

    for result in results:
        assert isinstance(result, Response)
        assert (result.status, result.truncated) == (200, True)
    assert receiver.connections == 2


async def test_a_body_that_drips_gets_no_more_time_with_each_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "BODY_S_MAX", 0.02)

    async with (
        asyncio.timeout(TIMEOUT_S),
        receiving(drips) as receiver,
        calling(limits=HOURS) as client,
    ):
        result = await client.post(receiver.url, BODY, {})

    assert isinstance(result, Response)
    assert result.status == 200


async def test_no_time_counts_before_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow receiver has the whole time limit for its answer."""
    monkeypatch.setattr(connection, "BODY_S_MAX", 0.0)

    async def slow(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        await wire.receiver.gate.wait()
        await wire.send(OK)
        await wire.until_closed()

    async with receiving(slow) as receiver, calling(limits=HOURS) as client:
        call = asyncio.create_task(client.post(receiver.url, BODY, {}))
        await receiver.answered.wait()
        await turn_the_loop(client)
        receiver.gate.set()
        result = await call

    assert isinstance(result, Response)
    assert (result.status, result.body) == (200, b"ok")


@pytest.mark.parametrize("over_tls", [False, True])
async def test_no_descriptor_is_left_however_an_exchange_ended(
    over_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BODY_S_MAX", 0.02)
    tls = receiver_tls(tmp_path) if over_tls else None
    scheme = "https" if over_tls else "http"

    async def one_each(script: Script) -> None:
        resolver = FixedResolver(["127.0.0.1"])
        async with (
            receiving(script, tls) as receiver,
            calling(limits=SHORT_LIMITS, resolver=resolver, tls=trusting()) as client,
        ):
            url = f"{scheme}://receiver.example:{receiver.port}/"
            await asyncio.gather(*(client.post(url, each, {}) for each in (BODY, bytes(2**20))))
            call = asyncio.create_task(client.post(url, BODY, {}))
            client.change(LOOPBACK, SHORT_LIMITS)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            await client.post(url, BODY, {})

    await one_each(HOSTILE[0])
    before = await descriptors()
    for script in HOSTILE if over_tls else HOSTILE + FLOODS:
        await one_each(script)

    assert await descriptors() == before


async def test_an_attempt_under_way_keeps_its_policy_and_the_next_has_the_new_one() -> None:
    """Also for the connection that it makes because the kept one has ended."""

    async def second_waits(wire: Wire) -> None:
        await wire.request()
        if wire.receiver.connections == 1:
            await wire.send(OK)
            await wire.request()
            await wire.receiver.gate.wait()
            return
        await wire.send(OK)
        await wire.until_closed()

    async with receiving(second_waits) as receiver, calling() as client:
        await client.post(receiver.url, BODY, {})
        receiver.asked.clear()
        call = asyncio.create_task(client.post(receiver.url, BODY, {}))
        await receiver.asked.wait()
        client.change(AddressPolicy(), HOURS)
        receiver.gate.set()
        under_way = await call
        following = await client.post(receiver.url, BODY, {})

    assert isinstance(under_way, Response)
    assert isinstance(following, NoResponse)
    assert following.error == ErrorClass.FORBIDDEN_ADDRESS


async def test_closing_ends_attempts_under_way_old_and_new() -> None:
    async with receiving(stalling_after(b"")) as receiver, calling(limits=HOURS) as client:
        old = asyncio.create_task(client.post(receiver.url, BODY, {}))
        await asked(receiver, 1)
        client.change(LOOPBACK, HOURS)
        new = asyncio.create_task(client.post(receiver.url, BODY, {}))
        await asked(receiver, 2)
        await client.close()
        results = await asyncio.gather(old, new)

    assert [result.error for result in results if isinstance(result, NoResponse)] == [
        ErrorClass.RESET
    ] * 2


async def asked(receiver: Receiver, count: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while len(receiver.requests) < count:
            receiver.asked.clear()
            await receiver.asked.wait()


async def descriptors() -> int:
    for _ in range(10):  # transports close their sockets in the next pass of the loop
        await asyncio.sleep(0)
    return len(os.listdir("/proc/self/fd"))

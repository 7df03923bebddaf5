"""For how long a connection is kept, and what happens when the receiver has closed it meanwhile."""

import asyncio

import pytest

from hookbundle.actors.outbound.connection import AGE_S_MAX, IDLE_S_MAX
from hookbundle.actors.outbound.resolvers import ResolverConfig
from hookbundle.engine.delivery.outcomes import ErrorClass, NoResponse, Response
from hookbundle.tests.actors.outbound.calling import (
    BODY,
    HEAD,
    SHORT_LIMITS,
    MovableTime,
    calling,
)
from hookbundle.tests.actors.outbound.relay import far_away
from hookbundle.tests.name_server import Answer, NameServer
from hookbundle.tests.receivers import (
    OK,
    Script,
    Wire,
    answering,
    answers_then_resets_the_next,
    closing_after,
    receiving,
    reset_after_the_request,
)

CLOSES_AFTER_S = 0.02


async def closes_soon(wire: Wire) -> None:
    """As if the connection stayed open, which it does for a moment."""
    await wire.request()
    await wire.send(OK)
    asyncio.get_running_loop().call_later(CLOSES_AFTER_S, wire.writer.close)
    await wire.until_closed()


async def closes_at_the_second(wire: Wire) -> None:
    await wire.request()
    await wire.send(OK)
    await wire.request()


async def test_a_request_that_crosses_a_silent_close_is_sent_again_over_a_new_connection() -> None:
    async with (
        receiving(closes_soon) as receiver,
        far_away(receiver.port) as port,
        calling() as client,
    ):
        results = [await client.post(f"http://127.0.0.1:{port}/hook", BODY, {}) for _ in range(8)]

    assert [result.status for result in results if isinstance(result, Response)] == [200] * 8
    assert [request.body for request in receiver.requests] == [BODY] * 8
    assert receiver.connections == 8


@pytest.mark.parametrize("script", [answers_then_resets_the_next, closes_at_the_second])
async def test_a_kept_connection_that_ends_without_a_byte_costs_one_more_request(
    script: Script,
) -> None:
    async with receiving(script) as receiver, calling() as client:
        results = [await client.post(receiver.url, BODY, {"webhook-id": "dlv_1"}) for _ in range(2)]

    assert [result.status for result in results if isinstance(result, Response)] == [200, 200]
    assert (len(receiver.requests), receiver.connections) == (3, 2)
    assert receiver.requests[1] == receiver.requests[2]
    assert [result.requests for result in results] == [1, 2]


async def test_a_request_that_may_go_out_only_once_gets_a_new_connection() -> None:
    async with receiving(answers_then_resets_the_next) as receiver, calling() as client:
        results = [await client.post(receiver.url, BODY, {}, once=True) for _ in range(2)]

    assert [result.status for result in results if isinstance(result, Response)] == [200, 200]
    assert (len(receiver.requests), receiver.connections) == (2, 2)
    assert [result.requests for result in results] == [1, 1]


async def test_the_new_connection_is_not_another_kept_one() -> None:
    """All that are kept may have ended for the same reason."""
    both_here = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        if len(wire.receiver.requests) == 2:
            both_here.set()
        await both_here.wait()
        await wire.send(OK)
        await wire.request()

    async with receiving(script) as receiver, calling() as client:
        await asyncio.gather(*(client.post(receiver.url, BODY, {}) for _ in range(2)))
        result = await client.post(receiver.url, BODY, {})

    assert isinstance(result, Response)
    assert (len(receiver.requests), receiver.connections) == (4, 3)


async def test_the_connection_that_was_used_last_is_used_first() -> None:
    """So those that fewer attempts at a time need are not used, and end."""
    over: list[int] = []
    may_answer = [asyncio.Event(), asyncio.Event()]

    async def script(wire: Wire) -> None:
        number = wire.receiver.connections
        while await wire.request():
            over.append(number)
            await may_answer[number - 1].wait()
            await wire.send(OK)

    async with receiving(script) as receiver, calling() as client:
        posts = []
        for _ in range(2):
            receiver.asked.clear()
            posts.append(asyncio.ensure_future(client.post(receiver.url, BODY, {})))
            await receiver.asked.wait()
        for event, post in zip(may_answer, posts, strict=True):
            event.set()
            await post
        for _ in range(2):
            await client.post(receiver.url, BODY, {})

    assert over == [1, 2, 2, 2]


async def test_a_request_is_sent_again_once_and_no_more() -> None:
    async def answers_the_first_only(wire: Wire) -> None:
        await wire.request()
        if wire.receiver.connections == 1:
            await wire.send(OK)
            await wire.request()
        wire.reset()

    async with receiving(answers_the_first_only) as receiver, calling() as client:
        await client.post(receiver.url, BODY, {})
        failed = await client.post(receiver.url, BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.RESET, True)
    assert (len(receiver.requests), receiver.connections) == (3, 2)


@pytest.mark.parametrize("script", [reset_after_the_request, closing_after(b"")])
async def test_a_request_over_a_new_connection_is_never_sent_again(script: Script) -> None:
    async with receiving(script) as receiver, calling() as client:
        failed = await client.post(receiver.url, BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, len(receiver.requests)) == (ErrorClass.RESET, 1)


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 20", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_request_is_not_sent_again_once_an_answer_has_begun(begun: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request()
        await wire.send(begun)

    async with receiving(script) as receiver, calling() as client:
        await client.post(receiver.url, BODY, {})
        failed = await client.post(receiver.url, BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, len(receiver.requests)) == (ErrorClass.RESET, 2)


async def test_both_tries_have_one_time_limit_and_a_wait_is_not_repeated() -> None:
    async def hangs_after_a_reset(wire: Wire) -> None:
        await wire.request()
        if wire.receiver.connections == 1:
            await wire.send(OK)
            await wire.request()
            wire.reset()
        else:
            await wire.until_closed()

    async with receiving(hangs_after_a_reset) as receiver, calling(limits=SHORT_LIMITS) as client:
        await client.post(receiver.url, BODY, {})
        failed = await client.post(receiver.url, BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.TIMEOUT_TOTAL, True)
    assert (len(receiver.requests), receiver.connections) == (3, 2)


@pytest.mark.parametrize(
    ("announced", "idle_s", "connections"),
    [
        (b"timeout=1", 0.4, 1),
        (b"timeout=1", 0.6, 2),
        (b"max=100, Timeout = 2", 1.4, 1),
        (b"max=100, Timeout = 2", 1.6, 2),
        (b"timeout=0", 0.0, 2),
        (b"timeout=600", IDLE_S_MAX - 0.1, 1),
        (b"timeout=600", IDLE_S_MAX + 0.1, 2),
        (b"nonsense", IDLE_S_MAX - 0.1, 1),
        (b"nonsense", IDLE_S_MAX + 0.1, 2),
    ],
)
async def test_a_connection_is_not_used_again_when_its_idle_time_is_nearly_over(
    announced: bytes, idle_s: float, connections: int
) -> None:
    time = MovableTime()
    answer = HEAD + b"Keep-Alive: %b\r\nContent-Length: 0\r\n\r\n" % announced

    async with receiving(answering(answer)) as receiver, calling(now_s=time) as client:
        await client.post(receiver.url, BODY, {})
        time.now_s += idle_s
        await client.post(receiver.url, BODY, {})

    assert (len(receiver.requests), receiver.connections) == (2, connections)


async def test_a_connection_in_steady_use_has_an_age_at_which_it_is_made_anew() -> None:
    time = MovableTime()

    async with receiving(answering(OK)) as receiver, calling(now_s=time) as client:
        for _ in range(int(AGE_S_MAX)):
            await client.post(receiver.url, BODY, {})
            time.now_s += 1
        assert receiver.connections == 1
        await client.post(receiver.url, BODY, {})

    assert receiver.connections == 2


async def test_a_name_that_moves_is_followed_under_steady_traffic() -> None:
    """Blue and green: the old one goes on answering 200."""
    time = MovableTime()
    async with (
        NameServer() as names,
        receiving(answering(OK)) as old,
        receiving(answering(OK), host="127.0.0.2", port=old.port) as new,
        calling(resolver=ResolverConfig("dns", names.servers), now_s=time) as client,
    ):
        names["moving.example"] = Answer(("127.0.0.1",))
        await client.post(f"http://moving.example:{old.port}/", BODY, {})
        names["moving.example"] = Answer(("127.0.0.2",))
        moved_s = time.now_s
        while not new.requests and time.now_s < moved_s + 2 * AGE_S_MAX:
            time.now_s += 0.5
            await client.post(f"http://moving.example:{old.port}/", BODY, {})

    assert time.now_s - moved_s <= AGE_S_MAX + 1
    assert len(new.requests) == 1

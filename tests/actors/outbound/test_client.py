"""The guarded client: requests as they are sent, responses as they are stored.

Real sockets on 127.0.0.1. A time limit under test is a fifth of a second; nothing ever sleeps.
"""

import asyncio

import pytest

from hookbundle.actors.outbound.answer import RECEIVED_BYTES_MAX
from hookbundle.actors.outbound.head import HEADERS_STORED_CHARS_MAX, HEADERS_STORED_MAX
from hookbundle.actors.outbound.results import BODY_STORED_BYTES_MAX
from hookbundle.engine.delivery.outcomes import AttemptLimits, Response
from hookbundle.engine.delivery.signing import sign
from hookbundle.tests.actors.outbound.calling import (
    BODY,
    HEAD,
    calling,
    result_of,
    turn_the_loop,
)
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.receivers import (
    OK,
    Wire,
    answering,
    closing_after,
    flooding,
    gzip_bomb,
    receiving,
    speaks_out_of_turn,
    stalling_after,
)


async def test_the_receiver_gets_the_bytes_and_the_headers_and_no_others() -> None:
    signed = sign("dlv_1", 1_614_265_330, BODY, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])

    async with receiving(answering(OK)) as receiver, calling() as client:
        response = await client.post(receiver.url, BODY, signed)

    (request,) = receiver.requests
    assert isinstance(response, Response)
    assert (response.status, response.body, response.truncated) == (200, b"ok", False)
    assert request.line == "POST /hook HTTP/1.1"
    assert request.body == BODY
    assert request.headers == signed | {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "hookbundle/test",
        "content-type": "application/json; charset=utf-8",
        "content-length": str(len(BODY)),
        "accept": "*/*",
        "accept-encoding": "identity",
    }


async def test_a_connection_is_kept_for_the_next_delivery() -> None:
    async with receiving(answering(OK)) as receiver, calling() as client:
        for _ in range(5):
            await client.post(receiver.url, BODY, {})

    assert (len(receiver.requests), receiver.connections) == (5, 1)


async def test_a_receiver_that_closes_keep_alive_gets_a_new_connection() -> None:
    script = closing_after(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    async with receiving(script) as receiver, calling() as client:
        responses = [await client.post(receiver.url, BODY, {}) for _ in range(3)]

    assert [response.status for response in responses if isinstance(response, Response)] == [
        200
    ] * 3
    assert receiver.connections == 3


async def test_a_body_of_more_than_a_mebibyte_goes_out_whole() -> None:
    body = b"[" + b"1," * 700_000 + b"1]"

    async with receiving(answering(OK)) as receiver, calling() as client:
        response = await client.post(receiver.url, body, {})

    assert isinstance(response, Response)
    assert receiver.requests[0].body == body


@pytest.mark.parametrize(
    ("answer", "status", "body", "truncated"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", False),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbody", 204, b"", False),
        (HEAD + b"Content-Length: 2\r\n\r\nok and more", 200, b"ok", False),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end", False),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nbad", 500, b"bad", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, b"hi", False),
        (HEAD + b"Content-Length: 100\r\n\r\nonly this", 200, b"only this", True),
        (HEAD + b"Content-Length: 99999999999\r\n\r\nhi", 200, b"hi", True),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + OK, 200, b"ok", False),
    ],
)
async def test_the_status_decides_even_if_reading_the_body_fails(
    answer: bytes, status: int, body: bytes, truncated: bool
) -> None:
    response = await result_of(closing_after(answer))

    assert isinstance(response, Response)
    assert (response.status, response.body, response.truncated) == (status, body, truncated)


async def test_a_body_that_drips_ends_at_the_time_limit_and_the_status_decides() -> None:
    # The head has to come within the time, on a busy machine too.
    limits = AttemptLimits(connect_timeout_ms=2_000, total_timeout_ms=2_000)
    response = await result_of(stalling_after(HEAD + b"Content-Length: 9\r\n\r\ndri"), limits)

    assert isinstance(response, Response)
    assert (response.status, response.body, response.truncated) == (200, b"dri", True)
    assert not response.in_time


async def test_a_body_without_end_is_cut_and_its_connection_dropped() -> None:
    script = flooding(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n%b\r\n" % bytes(1024))

    async with receiving(script) as receiver, calling() as client:
        responses = [await client.post(receiver.url, BODY, {}) for _ in range(2)]

    for response in responses:
        assert isinstance(response, Response)
        assert (len(response.body), response.truncated) == (BODY_STORED_BYTES_MAX, True)
    assert receiver.connections == 2


async def test_a_gzip_bomb_stays_packed() -> None:
    response = await result_of(answering(gzip_bomb()))

    assert isinstance(response, Response)
    assert response.header("content-encoding") == "gzip"
    assert response.body.startswith(b"\x1f\x8b")
    assert len(response.body) <= BODY_STORED_BYTES_MAX


async def test_stored_headers_are_few_and_short() -> None:
    lines = b"".join(b"X-%d: %b\r\n" % (n, b"v" * 200) for n in range(100))
    response = await result_of(
        closing_after(HEAD + b"X-Long: %b\r\n" % (b"v" * 4_000) + lines + b"\r\n")
    )

    assert isinstance(response, Response)
    assert 10 < len(response.headers) <= HEADERS_STORED_MAX
    assert (
        sum(len(name) + len(value) for name, value in response.headers) <= HEADERS_STORED_CHARS_MAX
    )


async def test_header_bytes_that_are_no_text_are_stored_as_text() -> None:
    response = await result_of(answering(HEAD + b"X-Odd: \xff\xfe\r\nContent-Length: 0\r\n\r\n"))

    assert isinstance(response, Response)
    assert response.header("x-odd") == "\N{REPLACEMENT CHARACTER}" * 2


async def test_two_answers_to_one_request_never_answer_the_next() -> None:
    async with receiving(answering(OK + OK.replace(b"ok", b"no"))) as receiver, calling() as client:
        responses = [await client.post(receiver.url, BODY, {}) for _ in range(2)]

    assert [response.body for response in responses if isinstance(response, Response)] == [
        b"ok",
        b"ok",
    ]
    assert receiver.connections == 2


async def test_a_receiver_that_answers_on_and_on_is_cut_off() -> None:
    """Nothing of it is wanted, and none of it is counted: the connection is at rest."""
    cut = asyncio.Event()

    async def answers_on(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.receiver.gate.wait()
        try:
            for _ in range(6):  # MiB; the kernel takes some that nobody reads
                await wire.send(OK * (2**20 // len(OK)))
        except ConnectionError:
            cut.set()

    async with receiving(answers_on) as receiver, calling() as client:
        first = await client.post(receiver.url, BODY, {})
        receiver.gate.set()
        async with asyncio.timeout(TIMEOUT_S):
            await cut.wait()

    assert isinstance(first, Response)
    assert first.status == 200


async def test_what_a_receiver_may_send_is_counted_for_each_request() -> None:
    large = b"%bX-Large: %b\r\nContent-Length: 0\r\n\r\n" % (HEAD, b"v" * 8_000)

    async with receiving(answering(large)) as receiver, calling() as client:
        for _ in range(RECEIVED_BYTES_MAX // len(large) + 2):
            assert isinstance(await client.post(receiver.url, BODY, {}), Response)

    assert receiver.connections == 1


async def test_an_answer_sent_while_the_connection_was_idle_answers_nothing() -> None:
    async with receiving(speaks_out_of_turn) as receiver, calling() as client:
        await client.post(receiver.url, BODY, {})
        receiver.answered.clear()
        receiver.gate.set()
        await receiver.answered.wait()
        await turn_the_loop(client)
        second = await client.post(receiver.url, BODY, {})

    assert isinstance(second, Response)
    assert (second.body, receiver.connections) == (b"ok", 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_never_followed(status: int) -> None:
    async with receiving(answering(OK)) as canary:
        answer = (
            f"HTTP/1.1 {status} Moved\r\nLocation: {canary.url}\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        response = await result_of(answering(answer))

    assert isinstance(response, Response)
    assert (response.status, response.header("Location")) == (status, canary.url)
    assert canary.connections == 0


async def test_cookies_are_not_kept() -> None:
    answer = HEAD + b"Set-Cookie: id=1; Path=/\r\nContent-Length: 0\r\n\r\n"

    async with receiving(answering(answer)) as receiver, calling() as client:
        for _ in range(2):
            await client.post(receiver.url.replace("127.0.0.1", "localhost"), BODY, {})

    assert [request.headers.get("cookie") for request in receiver.requests] == [None, None]


async def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(answering(OK)) as proxy, receiving(answering(OK)) as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with calling() as client:
            response = await client.post(receiver.url, BODY, {})

    assert isinstance(response, Response)
    assert (proxy.connections, receiver.connections) == (0, 1)

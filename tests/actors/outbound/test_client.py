"""The guarded client against receivers that misbehave in every known way.

Real sockets on 127.0.0.1. A time limit under test is a fifth of a second; nothing ever sleeps.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver

from hookbundle.actors.outbound.client import (
    BODY_STORED_BYTES_MAX,
    HEADERS_STORED_CHARS_MAX,
    HEADERS_STORED_MAX,
    GuardedClient,
)
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoReply, Reply
from hookbundle.engine.delivery.signing import sign
from hookbundle.engine.errors import ConfigError
from hookbundle.tests.receivers import (
    OK,
    FixedResolver,
    HungResolver,
    Script,
    answering,
    answers_then_resets_the_next,
    breaking,
    closing_after,
    flooding,
    gzip_bomb,
    receiving,
    reset_after_the_request,
    reset_at_once,
    reset_in_the_request,
    self_signed,
    speaks_first,
    speaks_out_of_turn,
    stalling_after,
)

LOOPBACK = AddressPolicy.parse(["127.0.0.0/8"])
PATIENT = AttemptLimits(connect_timeout_ms=2_000, total_timeout_ms=5_000)
HURRIED = AttemptLimits(connect_timeout_ms=200, total_timeout_ms=200)
BODY = '{"text":"\N{SLIGHTLY SMILING FACE}"}'.encode()
HEAD = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def calling(
    policy: AddressPolicy = LOOPBACK,
    limits: AttemptLimits = PATIENT,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[GuardedClient]:
    client = GuardedClient(policy, limits, "hookbundle/test", resolver)
    await client.open()
    try:
        yield client
    finally:
        await client.close()


async def outcome_of(script: Script, limits: AttemptLimits = PATIENT) -> Reply | NoReply:
    async with receiving(script) as receiver, calling(limits=limits) as client:
        return await client.post(receiver.url, BODY, {})


async def turn_the_loop(client: GuardedClient) -> None:
    """A whole exchange with somebody else: what was on the wire before it has been read."""
    async with receiving(answering(OK)) as other:
        await client.post(other.url, b"", {})


async def test_the_receiver_gets_the_bytes_and_the_headers_and_no_others() -> None:
    signed = sign("dlv_1", 1_614_265_330, BODY, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])

    async with receiving(answering(OK)) as receiver, calling() as client:
        reply = await client.post(receiver.url, BODY, signed)

    (request,) = receiver.requests
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.truncated) == (200, b"ok", False)
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
        replies = [await client.post(receiver.url, BODY, {}) for _ in range(3)]

    assert [reply.status for reply in replies if isinstance(reply, Reply)] == [200] * 3
    assert receiver.connections == 3


async def test_a_body_of_more_than_a_mebibyte_goes_out_whole() -> None:
    body = b"[" + b"1," * 700_000 + b"1]"

    async with receiving(answering(OK)) as receiver, calling() as client:
        reply = await client.post(receiver.url, body, {})

    assert isinstance(reply, Reply)
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
async def test_the_status_decides_whatever_becomes_of_the_body(
    answer: bytes, status: int, body: bytes, truncated: bool
) -> None:
    reply = await outcome_of(closing_after(answer))

    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.truncated) == (status, body, truncated)


async def test_a_body_that_drips_ends_at_the_time_limit_and_the_status_decides() -> None:
    reply = await outcome_of(stalling_after(HEAD + b"Content-Length: 9\r\n\r\ndri"), HURRIED)

    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.truncated) == (200, b"dri", True)


async def test_a_body_without_end_is_cut_and_its_connection_dropped() -> None:
    script = flooding(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n%b\r\n" % bytes(1024))

    async with receiving(script) as receiver, calling() as client:
        replies = [await client.post(receiver.url, BODY, {}) for _ in range(2)]

    for reply in replies:
        assert isinstance(reply, Reply)
        assert (len(reply.body), reply.truncated) == (BODY_STORED_BYTES_MAX, True)
    assert receiver.connections == 2


async def test_a_gzip_bomb_stays_packed() -> None:
    reply = await outcome_of(answering(gzip_bomb()))

    assert isinstance(reply, Reply)
    assert reply.header("content-encoding") == "gzip"
    assert reply.body.startswith(b"\x1f\x8b")
    assert len(reply.body) <= BODY_STORED_BYTES_MAX


async def test_stored_headers_are_few_and_short() -> None:
    lines = b"".join(b"X-%d: %b\r\n" % (n, b"v" * 200) for n in range(100))
    reply = await outcome_of(
        closing_after(HEAD + b"X-Long: %b\r\n" % (b"v" * 4_000) + lines + b"\r\n")
    )

    assert isinstance(reply, Reply)
    assert 10 < len(reply.headers) <= HEADERS_STORED_MAX
    assert sum(len(name) + len(value) for name, value in reply.headers) <= HEADERS_STORED_CHARS_MAX


async def test_header_bytes_that_are_no_text_are_stored_as_text() -> None:
    reply = await outcome_of(answering(HEAD + b"X-Odd: \xff\xfe\r\nContent-Length: 0\r\n\r\n"))

    assert isinstance(reply, Reply)
    assert reply.header("x-odd") == "\N{REPLACEMENT CHARACTER}" * 2


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (stalling_after(b""), ErrorClass.TIMEOUT_TOTAL),
        (stalling_after(b"HTTP/1.1 200"), ErrorClass.TIMEOUT_TOTAL),
        (stalling_after(HEAD + b"X-Slow: "), ErrorClass.TIMEOUT_TOTAL),
        (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), ErrorClass.TIMEOUT_TOTAL),
    ],
)
async def test_no_status_line_in_time_is_a_timeout_that_may_have_been_seen(
    script: Script, error: ErrorClass
) -> None:
    async with asyncio.timeout(2):
        failed = await outcome_of(script, HURRIED)

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (error, True)
    assert 150 <= failed.duration_ms <= 1_200


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (closing_after(b""), ErrorClass.RESET),
        (closing_after(b"HTTP/1.1 20"), ErrorClass.RESET),
        (reset_after_the_request, ErrorClass.RESET),
        (reset_at_once, ErrorClass.RESET),
        (reset_in_the_request, ErrorClass.RESET),
        (answering(b"SSH-2.0-Secret_Banner_9\r\n"), ErrorClass.PROTOCOL),
        (answering(b"<html>HTTP/0.9 has no status line</html>\r\n"), ErrorClass.PROTOCOL),
        (answering(bytes(range(256))), ErrorClass.PROTOCOL),
        (answering(b"HTTP/1.1 abc Secret\r\n\r\n"), ErrorClass.PROTOCOL),
        (answering(HEAD + b"Content-Length: -1\r\n\r\n"), ErrorClass.PROTOCOL),
        (answering(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), ErrorClass.PROTOCOL),
        (flooding(HEAD, b"X-Endless: yes\r\n"), ErrorClass.PROTOCOL),
        (flooding(HEAD + b"X-Endless: ", b"y" * 1024), ErrorClass.PROTOCOL),
    ],
)
async def test_an_answer_that_is_none_is_classed_without_quoting_it(
    script: Script, error: ErrorClass
) -> None:
    async with asyncio.timeout(3):
        failed = await outcome_of(script)

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (error, True)
    assert "Secret" not in failed.detail
    assert "127.0.0.1" not in failed.detail


@pytest.mark.parametrize("broken", [b"", b"ZZ is no length of a chunk\r\n"])
async def test_a_body_that_breaks_off_after_the_status_line_leaves_the_status(
    broken: bytes,
) -> None:
    start = HEAD + b"Transfer-Encoding: chunked\r\n\r\n7\r\npartial\r\n"

    # After a bad chunk aiohttp lets its reader wait for the deadline, hence the short one.
    script = breaking(start, broken)
    async with receiving(script) as receiver, calling(limits=HURRIED) as client:
        call = asyncio.create_task(client.post(receiver.url, BODY, {}))
        await receiver.answered.wait()
        await turn_the_loop(client)
        receiver.gate.set()
        reply = await call

    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.truncated) == (200, b"partial", True)


async def test_a_kept_connection_that_dies_under_a_request_is_not_tried_again_behind_our_back() -> (
    None
):
    async with receiving(answers_then_resets_the_next) as receiver, calling() as client:
        first = await client.post(receiver.url, BODY, {})
        second = await client.post(receiver.url, BODY, {})

    assert isinstance(first, Reply)
    assert isinstance(second, NoReply)
    assert (second.error, second.sent) == (ErrorClass.RESET, True)
    assert (len(receiver.requests), receiver.connections) == (2, 1)


async def test_two_answers_to_one_request_never_answer_the_next() -> None:
    async with receiving(answering(OK + OK.replace(b"ok", b"no"))) as receiver, calling() as client:
        replies = [await client.post(receiver.url, BODY, {}) for _ in range(2)]

    assert [reply.body for reply in replies if isinstance(reply, Reply)] == [b"ok", b"ok"]
    assert receiver.connections == 2


async def test_an_answer_sent_while_the_connection_was_idle_answers_nothing() -> None:
    async with receiving(speaks_out_of_turn) as receiver, calling() as client:
        await client.post(receiver.url, BODY, {})
        receiver.answered.clear()
        receiver.gate.set()
        await receiver.answered.wait()
        await turn_the_loop(client)
        second = await client.post(receiver.url, BODY, {})

    assert isinstance(second, Reply)
    assert (second.body, receiver.connections) == (b"ok", 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_never_followed(status: int) -> None:
    async with receiving(answering(OK)) as canary:
        answer = (
            f"HTTP/1.1 {status} Moved\r\nLocation: {canary.url}\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        reply = await outcome_of(answering(answer))

    assert isinstance(reply, Reply)
    assert (reply.status, reply.header("Location")) == (status, canary.url)
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
            reply = await client.post(receiver.url, BODY, {})

    assert isinstance(reply, Reply)
    assert (proxy.connections, receiver.connections) == (0, 1)


async def test_a_closed_port_refuses() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with calling() as client:
            failed = await client.post(f"http://127.0.0.1:{taken.getsockname()[1]}/", BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.CONNECT_REFUSED, False)


async def test_a_receiver_without_tls_fails_an_https_url() -> None:
    async with receiving(speaks_first) as receiver, calling() as client:
        failed = await client.post(receiver.url.replace("http:", "https:"), BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.TLS, False)
    assert receiver.requests == []


async def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    resolver = FixedResolver(["127.0.0.1"])

    async with (
        receiving(answering(OK), self_signed(tmp_path)) as receiver,
        calling(resolver=resolver) as client,
    ):
        failed = await client.post(f"https://receiver.example:{receiver.port}/", BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.TLS, False)
    assert "self-signed" in failed.detail.replace("self signed", "self-signed")
    assert receiver.requests == []


@pytest.mark.parametrize("resolver", [None, HungResolver([])])
async def test_a_handshake_or_look_up_that_hangs_is_a_connect_timeout(
    resolver: AbstractResolver | None,
) -> None:
    limits = AttemptLimits(connect_timeout_ms=200, total_timeout_ms=3_000)

    async with (
        receiving(stalling_after(b"")) as receiver,
        calling(limits=limits, resolver=resolver) as client,
    ):
        host = "receiver.example" if resolver else "127.0.0.1"
        failed = await client.post(f"https://{host}:{receiver.port}/", BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.TIMEOUT_CONNECT, False)
    assert failed.duration_ms < 1_500


async def test_a_name_that_does_not_exist_is_a_dns_error() -> None:
    async with calling(resolver=FixedResolver([])) as client:
        failed = await client.post("http://nowhere.example/", BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.DNS, False)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENETUNREACH, errno.ENFILE])
async def test_a_fault_of_this_machine_is_not_blamed_on_the_receiver(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_socket(**_: object) -> socket.socket:
        raise OSError(code, "not now")

    async with receiving(answering(OK)) as receiver, calling() as client:
        with monkeypatch.context() as patch:
            patch.setattr("hookbundle.actors.outbound.client.socket.socket", no_socket)
            failed = await client.post(receiver.url, BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.LOCAL, False)
    assert errno.errorcode[code] in failed.detail


async def test_cancelling_passes_through_and_leaves_the_client_usable() -> None:
    async with receiving(stalling_after(b"")) as mute, calling() as client:
        call = asyncio.create_task(client.post(mute.url, BODY, {}))
        await mute.asked.wait()
        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call
        async with receiving(answering(OK)) as receiver:
            assert isinstance(await client.post(receiver.url, BODY, {}), Reply)


FORBIDDEN_HOSTS = [
    "127.0.0.1",
    "0.0.0.0",
    "localhost",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::1]",
    "[::]",
]
MISSPELT_HOSTS = [
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.0.0.1",
    "127\u30020\u30020\u30021",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0",
    "127.0.0.1.",
    "me@127.0.0.1",
    "[::1%25lo]",
]


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
async def test_by_default_nothing_inside_is_ever_connected_to(host: str) -> None:
    async with receiving(answering(OK)) as canary, calling(policy=AddressPolicy()) as client:
        failed = await client.post(f"http://{host}:{canary.port}/", BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.FORBIDDEN_ADDRESS, False)
    assert canary.connections == 0


@pytest.mark.parametrize("host", MISSPELT_HOSTS)
@pytest.mark.parametrize("policy", [AddressPolicy(), LOOPBACK])
async def test_an_address_in_disguise_is_an_invalid_url_even_where_it_is_allowed(
    host: str, policy: AddressPolicy
) -> None:
    async with receiving(answering(OK)) as canary, calling(policy=policy) as client:
        failed = await client.post(f"http://{host}:{canary.port}/", BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.INVALID_URL, False)
    assert canary.connections == 0


async def test_a_name_with_one_allowed_answer_never_reaches_the_others() -> None:
    resolver = FixedResolver(["127.0.0.2", "127.0.0.1"])
    policy = AddressPolicy.parse(["127.0.0.1/32"])

    async with receiving(answering(OK)) as receiver, calling(policy, resolver=resolver) as client:
        reply = await client.post(f"http://mixed.example:{receiver.port}/", BODY, {})

    assert isinstance(reply, Reply)


async def test_a_forbidden_answer_beside_a_dead_one_is_not_dialled() -> None:
    # 127.0.0.2 is allowed and refuses, because the canary listens on 127.0.0.1 only.
    resolver = FixedResolver(["127.0.0.2", "127.0.0.1"])
    policy = AddressPolicy.parse(["127.0.0.2/32"])

    async with receiving(answering(OK)) as canary, calling(policy, resolver=resolver) as client:
        failed = await client.post(f"http://mixed.example:{canary.port}/", BODY, {})

    assert isinstance(failed, NoReply)
    assert failed.error in (ErrorClass.CONNECT, ErrorClass.CONNECT_REFUSED)
    assert canary.connections == 0


async def test_a_name_that_is_bound_anew_is_judged_anew() -> None:
    resolver = FixedResolver(["127.0.0.2"], ["127.0.0.1"])
    policy = AddressPolicy.parse(["127.0.0.2/32"])
    script = closing_after(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    async with receiving(script) as canary, calling(policy, resolver=resolver) as client:
        outside = await client.post(f"http://a.example:{canary.port}/", BODY, {})
        inside = await client.post(f"http://b.example:{canary.port}/", BODY, {})

    assert isinstance(outside, NoReply)
    assert isinstance(inside, NoReply)
    assert (outside.error, inside.error) == (
        ErrorClass.CONNECT_REFUSED,
        ErrorClass.FORBIDDEN_ADDRESS,
    )
    assert "127.0.0" not in inside.detail
    assert canary.connections == 0


async def test_a_look_up_is_remembered_for_a_moment() -> None:
    resolver = FixedResolver(["127.0.0.1"])
    script = closing_after(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    async with receiving(script) as receiver, calling(resolver=resolver) as client:
        for _ in range(3):
            await client.post(f"http://name.example:{receiver.port}/", BODY, {})

    assert (receiver.connections, resolver.asked) == (3, 1)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1:22/", "http://a@b/", "", "http://[::1"]
)
async def test_a_url_that_got_past_the_settings_is_still_not_called(url: str) -> None:
    async with calling() as client:
        failed = await client.post(url, BODY, {})

    assert isinstance(failed, NoReply)
    assert (failed.error, failed.sent) == (ErrorClass.INVALID_URL, False)


def test_a_connect_limit_beyond_the_total_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"delivery\.connect_timeout"):
        AttemptLimits(connect_timeout_ms=2, total_timeout_ms=1)

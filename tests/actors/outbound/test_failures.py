"""The guarded client against receivers that misbehave, and a machine in trouble."""

import asyncio
import errno
import socket
from pathlib import Path

import pytest

from hookbundle.actors.outbound.resolvers import ResolverConfig
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoResponse, Response
from hookbundle.tests.actors.outbound.calling import (
    BODY,
    HEAD,
    SHORT_LIMITS,
    calling,
    result_of,
    turn_the_loop,
)
from hookbundle.tests.receivers import (
    OK,
    FixedResolver,
    HungResolver,
    Script,
    answering,
    breaking,
    closing_after,
    flooding,
    receiving,
    reset_after_the_request,
    reset_at_once,
    reset_in_the_request,
    self_signed,
    speaks_first,
    stalling_after,
)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (stalling_after(b""), ErrorClass.TIMEOUT_TOTAL),
        (stalling_after(b"HTTP/1.1 200"), ErrorClass.TIMEOUT_TOTAL),
        (stalling_after(b"HTTP/1.1 100 Continue\r\n\r\n"), ErrorClass.TIMEOUT_TOTAL),
    ],
)
async def test_no_status_line_in_time_is_a_timeout_after_sending(
    script: Script, error: ErrorClass
) -> None:
    async with asyncio.timeout(2):
        failed = await result_of(script, SHORT_LIMITS)

    assert isinstance(failed, NoResponse)
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
        (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), ErrorClass.PROTOCOL),
        (flooding(b"HTTP/1.1 100 Continue\r\nX-Endless: ", b"y" * 1024), ErrorClass.PROTOCOL),
        (flooding(b"", b"\r\n" * 512), ErrorClass.PROTOCOL),
    ],
)
async def test_a_malformed_response_is_classified_without_quoting_it(
    script: Script, error: ErrorClass
) -> None:
    async with asyncio.timeout(3):
        failed = await result_of(script)

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (error, True)
    assert "Secret" not in failed.detail
    assert "127.0.0.1" not in failed.detail


@pytest.mark.parametrize("broken", [b"", b"ZZ is no length of a chunk\r\n"])
async def test_a_body_that_breaks_off_after_the_status_line_leaves_the_status(
    broken: bytes,
) -> None:
    start = HEAD + b"Transfer-Encoding: chunked\r\n\r\n7\r\npartial\r\n"

    async with receiving(breaking(start, broken)) as receiver, calling() as client:
        call = asyncio.create_task(client.post(receiver.url, BODY, {}))
        await receiver.answered.wait()
        await turn_the_loop(client)
        receiver.gate.set()
        response = await call

    assert isinstance(response, Response)
    assert (response.status, response.body, response.truncated) == (200, b"partial", True)


async def test_a_closed_port_refuses() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with calling() as client:
            failed = await client.post(f"http://127.0.0.1:{taken.getsockname()[1]}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.CONNECT_REFUSED, False)


async def test_a_receiver_without_tls_fails_an_https_url() -> None:
    async with receiving(speaks_first) as receiver, calling() as client:
        failed = await client.post(receiver.url.replace("http:", "https:"), BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.TLS, False)
    assert receiver.requests == []


async def test_a_self_signed_certificate_is_refused_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    resolver = FixedResolver(["127.0.0.1"])

    async with (
        receiving(answering(OK), self_signed(tmp_path)) as receiver,
        calling(resolver=resolver) as client,
    ):
        failed = await client.post(f"https://receiver.example:{receiver.port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.TLS, False)
    assert "self-signed" in failed.detail.replace("self signed", "self-signed")
    assert receiver.requests == []


@pytest.mark.parametrize("resolver", [ResolverConfig(), HungResolver([])])
async def test_a_handshake_or_look_up_that_hangs_is_a_connect_timeout(
    resolver: ResolverConfig | HungResolver,
) -> None:
    limits = AttemptLimits(connect_timeout_ms=200, total_timeout_ms=3_000)

    async with (
        receiving(stalling_after(b"")) as receiver,
        calling(limits=limits, resolver=resolver) as client,
    ):
        host = "receiver.example" if isinstance(resolver, HungResolver) else "127.0.0.1"
        failed = await client.post(f"https://{host}:{receiver.port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.TIMEOUT_CONNECT, False)
    assert failed.duration_ms < 1_500


async def test_a_name_that_does_not_exist_is_a_dns_error() -> None:
    async with calling(resolver=FixedResolver([])) as client:
        failed = await client.post("http://nowhere.example/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.DNS, False)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EMFILE, ErrorClass.LOCAL),
        (errno.ENFILE, ErrorClass.LOCAL),
        (errno.ENOBUFS, ErrorClass.LOCAL),
        (errno.EADDRNOTAVAIL, ErrorClass.LOCAL),
        (errno.ENETUNREACH, ErrorClass.NO_ROUTE),
        (errno.EHOSTUNREACH, ErrorClass.NO_ROUTE),
        (errno.ENETDOWN, ErrorClass.NO_ROUTE),
    ],
)
async def test_what_this_machine_lacks_is_told_from_a_way_that_there_is_not(
    code: int, error: ErrorClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_socket(**_: object) -> socket.socket:
        raise OSError(code, "not now")

    async with receiving(answering(OK)) as receiver, calling() as client:
        with monkeypatch.context() as patch:
            patch.setattr("hookbundle.actors.outbound.client.socket.socket", no_socket)
            failed = await client.post(receiver.url, BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (error, False)
    assert errno.errorcode[code] in failed.detail


async def test_cancelling_passes_through_and_leaves_the_client_usable() -> None:
    async with receiving(stalling_after(b"")) as mute, calling() as client:
        call = asyncio.create_task(client.post(mute.url, BODY, {}))
        await mute.asked.wait()
        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call
        async with receiving(answering(OK)) as receiver:
            assert isinstance(await client.post(receiver.url, BODY, {}), Response)

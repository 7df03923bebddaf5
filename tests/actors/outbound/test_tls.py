"""Requests over TLS, to real receivers with a certificate of an authority of the tests."""

import asyncio
import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hookbundle.actors.outbound.answer import Answer
from hookbundle.actors.outbound.connection import ReceiverConnection
from hookbundle.engine.delivery.outcomes import ErrorClass, NoResponse, Response
from hookbundle.tests.actors.outbound.calling import BODY, HEAD, calling
from hookbundle.tests.actors.outbound.certificates import AUTHORITY, receiver_tls, trusting
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.receivers import (
    OK,
    FixedResolver,
    Script,
    Wire,
    answering,
    answers_then_resets_the_next,
    receiving,
    stalling_after,
)

HERE = FixedResolver(["127.0.0.1"])
REQUEST_BYTES = 200  # fewer than one has, more than the end of a handshake


@contextmanager
def shaking_hands(tls: ssl.SSLContext) -> Iterator[int]:
    """The port of a receiver that shakes hands and no more.

    In a thread, because asyncio's own servers close without the alert that says why.
    """

    def serve() -> None:
        with suppress(OSError):
            while True:
                conn, _ = listener.accept()
                conn.settimeout(TIMEOUT_S)
                wrapped = tls.wrap_socket(conn, server_side=True, do_handshake_on_connect=False)
                with wrapped, suppress(OSError):
                    try:
                        wrapped.do_handshake()
                    finally:  # far away: the request is on its way before the refusal comes
                        wrapped.setblocking(True)
                        had = 0
                        while had < REQUEST_BYTES and (data := os.read(wrapped.fileno(), 65_536)):
                            had += len(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(TIMEOUT_S)


@contextmanager
def refusing(tls: ssl.SSLContext, refused: threading.Event) -> Iterator[int]:
    """The port of a receiver whose handshake fails, and which then resets the connection."""

    def serve() -> None:
        conn, _ = listener.accept()
        conn.settimeout(TIMEOUT_S)
        wrapped = tls.wrap_socket(conn, server_side=True, do_handshake_on_connect=False)
        with suppress(OSError):
            wrapped.do_handshake()
        wrapped.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wrapped.close()
        refused.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(TIMEOUT_S)


async def closes_at_the_second(wire: Wire) -> None:
    await wire.request()
    await wire.send(OK)
    await wire.request()


@pytest.mark.parametrize("host", ["receiver.example", "Receiver.Example", "receiver.example."])
async def test_the_receiver_is_asked_for_by_name_and_its_certificate_checked(
    tmp_path: Path, host: str
) -> None:
    names: list[str | None] = []
    tls = receiver_tls(tmp_path)
    tls.sni_callback = lambda _, name, __: names.append(name)
    body = bytes(3 * 2**20)

    async with (
        receiving(answering(OK), tls) as receiver,
        calling(resolver=HERE, tls=trusting()) as client,
    ):
        url = f"https://{host}:{receiver.port}/in?a=%2F"
        results = [await client.post(url, each, {}) for each in (BODY, body)]

    assert [result.status for result in results if isinstance(result, Response)] == [200, 200]
    assert names == ["receiver.example"]
    assert [request.body for request in receiver.requests] == [BODY, body]
    assert receiver.requests[0].line == "POST /in?a=%2F HTTP/1.1"
    assert receiver.connections == 1


@pytest.mark.parametrize(
    ("host", "tls", "words"),
    [
        ("other.example", trusting(), "certificate refused"),
        ("127.0.0.1", trusting(), "certificate refused"),
        ("receiver.example", None, "certificate refused"),
    ],
)
async def test_a_certificate_of_another_or_of_nobody_known_is_refused_before_anything_is_sent(
    tmp_path: Path, host: str, tls: ssl.SSLContext | None, words: str
) -> None:
    async with (
        receiving(answering(OK), receiver_tls(tmp_path)) as receiver,
        calling(resolver=HERE, tls=tls) as client,
    ):
        failed = await client.post(f"https://{host}:{receiver.port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.TLS, False)
    assert words in failed.detail
    assert receiver.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_receiver_that_wants_a_client_certificate_is_an_error_of_tls(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """In TLS 1.3 it says so only after the request has left."""
    tls = receiver_tls(tmp_path)
    tls.minimum_version = tls.maximum_version = version
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(cadata=AUTHORITY)

    with shaking_hands(tls) as port:
        async with calling(resolver=HERE, tls=trusting()) as client:
            failed = await client.post(f"https://receiver.example:{port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert failed.error == ErrorClass.TLS
    assert "client certificate" in failed.detail


async def test_a_refusal_that_came_and_ended_the_connection_before_the_first_write_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver is near, or this loop was busy: writing is then an error of its own."""
    tls = receiver_tls(tmp_path)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(cadata=AUTHORITY)
    refused, exchange = threading.Event(), ReceiverConnection.exchange

    async def busy_first(
        connection: ReceiverConnection, head: bytes, body: bytes, answer: Answer
    ) -> None:
        assert refused.wait(TIMEOUT_S)  # the loop stands still for so long
        await exchange(connection, head, body, answer)

    monkeypatch.setattr(ReceiverConnection, "exchange", busy_first)
    with refusing(tls, refused) as port:
        async with calling(resolver=HERE, tls=trusting()) as client:
            failed = await client.post(f"https://receiver.example:{port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert failed.error == ErrorClass.TLS
    assert "client certificate" in failed.detail


async def test_a_receiver_with_no_version_in_common_is_an_error_of_tls(tmp_path: Path) -> None:
    tls, ours = receiver_tls(tmp_path), trusting()
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    ours.minimum_version = ssl.TLSVersion.TLSv1_3

    with shaking_hands(tls) as port:
        async with calling(resolver=HERE, tls=ours) as client:
            failed = await client.post(f"https://receiver.example:{port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.TLS, False)


@pytest.mark.parametrize(
    ("ends", "error"), [("closes", ErrorClass.TLS), ("resets", ErrorClass.RESET)]
)
async def test_a_handshake_that_is_broken_off_is_told_from_a_connection_that_was(
    ends: str, error: ErrorClass
) -> None:
    async def breaks_off(wire: Wire) -> None:
        await wire.reader.read(1)
        if ends == "resets":
            wire.reset()

    async with receiving(breaks_off) as receiver, calling(resolver=HERE) as client:
        failed = await client.post(f"https://receiver.example:{receiver.port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (error, False)


@pytest.mark.parametrize("script", [answers_then_resets_the_next, closes_at_the_second])
async def test_a_kept_connection_that_ended_is_replaced_over_tls_too(
    tmp_path: Path, script: Script
) -> None:
    async with (
        receiving(script, receiver_tls(tmp_path)) as receiver,
        calling(resolver=HERE, tls=trusting()) as client,
    ):
        url = f"https://receiver.example:{receiver.port}/"
        results = [await client.post(url, BODY, {}) for _ in range(2)]

    assert [result.status for result in results if isinstance(result, Response)] == [200, 200]
    assert (len(receiver.requests), receiver.connections) == (3, 2)


async def test_an_early_refusal_of_a_large_body_is_heard_over_tls(tmp_path: Path) -> None:
    async def early(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n")
        await wire.receiver.gate.wait()

    async with (
        receiving(early, receiver_tls(tmp_path)) as receiver,
        calling(resolver=HERE, tls=trusting()) as client,
    ):
        url = f"https://receiver.example:{receiver.port}/"
        result = await client.post(url, bytes(32 * 2**20), {})

    assert isinstance(result, Response)
    assert result.status == 413


async def test_a_body_that_stalls_over_tls_leaves_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookbundle.actors.outbound.connection.BODY_S_MAX", 0.05)
    script = stalling_after(HEAD + b"Content-Length: 10\r\n\r\nok")

    async with (
        receiving(script, receiver_tls(tmp_path)) as receiver,
        calling(resolver=HERE, tls=trusting()) as client,
    ):
        result = await client.post(f"https://receiver.example:{receiver.port}/", BODY, {})

    assert isinstance(result, Response)
    assert (result.status, result.body, result.truncated) == (200, b"ok", True)


async def test_a_connection_that_ended_before_its_first_request_is_no_error_of_ours() -> None:
    """The alert may be read before the request is written."""
    made = ReceiverConnection(asyncio.get_running_loop(), lambda: 0.0)
    alert = ssl.SSLError(1, "[SSL] alert")
    made.connection_lost(alert)
    answer = Answer()

    await made.exchange(b"POST / HTTP/1.1\r\n\r\n", b"", answer)

    assert (answer.is_done, answer.head, made.ended_by) == (True, None, alert)
    assert made.should_close

"""Requests as they leave: the bytes of the URL, the head, and bodies of any size."""

import asyncio
import re
import socket
import struct

import pytest

from hookbundle.actors.outbound.answer import Answer
from hookbundle.actors.outbound.connection import PIECE_BYTES, ReceiverConnection
from hookbundle.actors.outbound.request import UnsendableError, fields, is_value, route_to
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoResponse, Response
from hookbundle.engine.delivery.targets import Target
from hookbundle.engine.requests.request import Bearer, HeaderAuth, Request
from hookbundle.tests.actors.outbound.calling import BODY, HEAD, SHORT_LIMITS, calling
from hookbundle.tests.engine.delivery.test_targets import AS_SET
from hookbundle.tests.receivers import OK, FixedResolver, Wire, answering, receiving

MEBIBYTE = 2**20
REFUSAL = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
SMALL_BUFFER_BYTES = 4_096


@pytest.mark.parametrize("rest", AS_SET)
async def test_the_request_line_is_the_url_to_the_byte(rest: str) -> None:
    async with receiving(answering(OK)) as receiver, calling() as client:
        await client.post(f"http://127.0.0.1:{receiver.port}{rest}", BODY, {})

    assert receiver.requests[0].line == f"POST {rest} HTTP/1.1"


async def test_a_host_in_letters_is_looked_up_and_named_in_ascii() -> None:
    asked: list[str] = []

    class Hearing(FixedResolver):
        async def resolve(self, host: str, *more: object, **rest: object) -> list:  # type: ignore
            asked.append(host)
            return await super().resolve(host, 0)

    async with (
        receiving(answering(OK)) as receiver,
        calling(resolver=Hearing(["127.0.0.1"])) as client,
    ):
        await client.post(f"http://B\u00fccher.example:{receiver.port}/\u00e9", BODY, {})

    (request,) = receiver.requests
    assert asked == ["xn--bcher-kva.example"]
    assert request.line == "POST /%C3%A9 HTTP/1.1"
    assert request.headers["host"] == f"xn--bcher-kva.example:{receiver.port}"


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-id": "a\r\nX-Injected: 1"},
        {"webhook-id": "a\nb"},
        {"webhook-id": "a\rb"},
        {"webhook-id": "a\x00b"},
        {"webhook-id": "\u00e9"},
        {"webhook-id": "a\u2028b"},
        {"webhook-id": " padded"},
        {"webhook-id": ""},
        {"web hook": "a"},
        {"webhook-id:": "a"},
        {"webhook-id\r\nX-Injected": "a"},
        {"": "a"},
    ],
)
async def test_nothing_but_a_header_gets_into_the_head(headers: dict[str, str]) -> None:
    async with receiving(answering(OK)) as receiver, calling() as client:
        failed = await client.post(receiver.url, BODY, headers)

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.LOCAL, False)
    assert receiver.connections == 0
    with pytest.raises(UnsendableError):
        fields(headers)


@pytest.mark.parametrize("odd", ["/a b", "/a\r\nX: 1", "/\u00e9", "", "/\x7f"])
def test_a_target_that_was_not_read_from_a_url_is_not_written_into_a_request(odd: str) -> None:
    good = {"is_tls": False, "host": "a.example", "port": 80, "authority": "a.example"}
    with pytest.raises(UnsendableError):
        route_to(Target(**good, path=odd), {})  # type: ignore[arg-type]
    with pytest.raises(UnsendableError):
        route_to(Target(**{**good, "authority": odd}, path="/"), {})  # type: ignore[arg-type]


def test_a_value_is_visible_ascii_with_spaces_inside() -> None:
    wanted = re.compile(r"[!-~](?:[ -~]*[!-~])?")
    letters = [chr(code) for code in range(0x180)] + ["\u2028", "\ud800", "\U0001f600"]
    for value in [*letters, *(f"a{each}b" for each in letters), *(f"a{each}" for each in letters)]:
        assert is_value(value) == bool(wanted.fullmatch(value)), repr(value)


@pytest.mark.parametrize(
    "size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * MEBIBYTE + 7]
)
async def test_a_body_of_any_size_goes_out_whole_and_the_connection_is_kept(size: int) -> None:
    body = bytes(range(251)) * (size // 251 + 1)

    async with receiving(answering(OK)) as receiver, calling() as client:
        results = [await client.post(receiver.url, body[:size], {}) for _ in range(2)]

    assert all(isinstance(result, Response) for result in results)
    assert receiver.requests[1].body == body[:size]
    assert receiver.requests[1].headers["content-length"] == str(size)
    assert receiver.connections == 1


async def test_no_more_is_sent_than_the_receiver_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 64 MiB little leaves, and little is copied, until the receiver reads."""
    pieces: list[int] = []
    send_more = ReceiverConnection._send_more

    def counted(self: ReceiverConnection, body: bytes, sent: int) -> int:
        pieces.append(sent)
        return send_more(self, body, sent)

    async def takes_the_head_only(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        wire.reset()

    monkeypatch.setattr(ReceiverConnection, "_send_more", counted)
    async with receiving(takes_the_head_only) as receiver, calling() as client:
        failed = await client.post(receiver.url, bytes(64 * MEBIBYTE), {})

    assert isinstance(failed, NoResponse)
    assert failed.error == ErrorClass.RESET
    assert len(pieces) * PIECE_BYTES < 16 * MEBIBYTE  # what the kernel takes


async def test_a_receiver_that_reads_nothing_ends_at_the_time_limit() -> None:
    async def deaf(wire: Wire) -> None:
        sock = wire.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await wire.receiver.gate.wait()

    async with receiving(deaf) as receiver, calling(limits=SHORT_LIMITS) as client:
        failed = await client.post(receiver.url, bytes(32 * MEBIBYTE), {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.TIMEOUT_TOTAL, True)


@pytest.mark.parametrize("goes", ["closes", "resets", "stays", "reads on"])
async def test_an_answer_before_the_body_was_sent_is_heard(goes: str) -> None:
    async def early(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(REFUSAL)
        if goes == "stays":
            await wire.receiver.gate.wait()
        if goes == "reads on":
            await wire.until_closed()
        if goes == "resets":
            wire.reset()

    limits = AttemptLimits(connect_timeout_ms=2_000, total_timeout_ms=10_000)
    async with receiving(early) as receiver, calling(limits=limits) as client:
        results = [
            await client.post(receiver.url, bytes(size), {}) for size in (MEBIBYTE, 32 * MEBIBYTE)
        ]

    assert [result.status for result in results if isinstance(result, Response)] == [413, 413]
    assert receiver.connections == 2


async def test_a_refusal_that_waits_to_be_read_is_heard_when_sending_fails() -> None:
    """The receiver has answered and reset the connection before the next piece is sent."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _, made = await loop.create_connection(
            lambda: ReceiverConnection(loop, loop.time), *listener.getsockname()
        )
        receiver, _ = listener.accept()
        receiver.send(REFUSAL)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        receiver.close()
        answer = Answer()

        await made.exchange(b"POST / HTTP/1.1\r\n\r\n", bytes(MEBIBYTE), answer)

    assert answer.head is not None
    assert answer.head.status == 413


async def test_a_connection_on_which_a_body_was_cut_short_is_not_used_again() -> None:
    async def early(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(HEAD + b"Content-Length: 0\r\n\r\n")
        await wire.receiver.gate.wait()

    async with receiving(early) as receiver, calling() as client:
        first = await client.post(receiver.url, bytes(32 * MEBIBYTE), {})
        second = await client.post(receiver.url, b"", {})

    assert isinstance(first, Response)
    assert isinstance(second, Response)
    assert receiver.connections == 2


@pytest.mark.parametrize(
    "stored",
    [
        Request(headers=(("X-A", "a\r\nX-Evil: 1"),)),
        Request(headers=(("X-A: b\r\nX-Evil", "1"),)),
        Request(headers=(("X-A", "caf\u00e9"),)),
        Request(auth=Bearer(token="a\r\nX-Evil: 1")),
        Request(auth=HeaderAuth(name="X-Key", value="a\nb")),
        Request(method="POST / HTTP/1.1\r\nX-Evil:"),  # type: ignore[arg-type]
    ],
)
async def test_a_stored_value_that_no_head_may_hold_is_not_sent(stored: Request) -> None:
    async with receiving(answering(OK)) as receiver, calling() as client:
        result = await client.post(receiver.url, BODY, {}, request=stored)

    assert isinstance(result, NoResponse)
    assert result.error is ErrorClass.LOCAL
    assert receiver.requests == []

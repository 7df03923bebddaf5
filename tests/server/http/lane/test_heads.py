"""A head that is known again says what aiohttp's parser would have read: every time, or nothing."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.server.http.lane.heads import KnownHead, known_of, length_of, size_of
from hookbundle.server.http.wire import LINE_BYTES_MAX
from hookbundle.tests.server.http.lane.smuggling import BETWEEN, FRAMINGS, LINES
from hookbundle.tests.server.http.lane.twins import head, message, request

BODY = message(1)
PLAIN = request("acme", BODY)
AGENT = b"User-Agent: python-requests/2.32.3\r\nAccept: */*\r\nConnection: keep-alive"


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def parsed(loop: asyncio.AbstractEventLoop, data: bytes) -> list[tuple[RawRequestMessage, Any]]:
    """What aiohttp's parser, in its first state, makes of the bytes; nothing of what it refuses."""
    parser = HttpRequestParser(
        BaseProtocol(loop),
        loop,
        2**16,
        max_line_size=LINE_BYTES_MAX,
        max_field_size=LINE_BYTES_MAX,
        payload_exception=web.RequestPayloadError,
        auto_decompress=False,
    )
    try:
        return list(parser.feed_data(data)[0])
    except HttpProcessingError:
        return []


def known(loop: asyncio.AbstractEventLoop, data: bytes) -> KnownHead:
    ((message, _),) = parsed(loop, data)
    assert size_of(message, data)
    found = known_of(message)
    assert found is not None
    return found


def check(loop: asyncio.AbstractEventLoop, known: KnownHead, data: bytes) -> bool:
    """Whether the head is known; then the parser reads the same, and nothing is left over."""
    asked = known.read(data)
    if asked is None:
        return False
    size = asked.head + asked.length
    whole = data[:size] + b"x" * (size - len(data))
    ((message, payload),) = parsed(loop, whole)
    assert payload.is_eof()
    assert payload.read_nowait() == whole[asked.head :]
    assert message.path == f"/v1/workspaces/{asked.workspace_id}/messages"
    assert (size_of(message, whole), length_of(message)) == (asked.head, asked.length)
    assert known_of(message) == known
    return True


@pytest.mark.parametrize("more", [(), (AGENT,), (b"X-Forwarded-For: 10.0.0.1", AGENT)])
def test_another_workspace_and_another_length_are_known(
    loop: asyncio.AbstractEventLoop, more: tuple[bytes, ...]
) -> None:
    found = known(loop, request("acme", BODY, *more))

    for workspace, body in (("b", b"{}"), ("c" * 64, b"x" * 16_384), ("d_-9", b"1")):
        asked = found.read(request(workspace, body, *more))
        assert asked is not None
        assert (asked.workspace_id, asked.length) == (workspace, len(body))
        assert check(loop, found, request(workspace, body, *more))


def test_a_length_that_stands_before_other_headers_is_known(
    loop: asyncio.AbstractEventLoop,
) -> None:
    data = head("acme", b"content-length: %d" % len(BODY), AGENT) + b"\r\n" + BODY

    assert check(loop, known(loop, data), data.replace(b"acme", b"other"))


def test_a_body_that_counts_in_a_share_is_not_known(loop: asyncio.AbstractEventLoop) -> None:
    assert known(loop, PLAIN).read(request("acme", b"x" * 16_385)) is None


@pytest.mark.parametrize("odd", FRAMINGS)
def test_a_length_that_could_be_read_in_two_ways_is_not_known(
    loop: asyncio.AbstractEventLoop, odd: str
) -> None:
    framing, behind = FRAMINGS[odd]
    lines = framing.replace(b"%d", b"%d" % len(BODY))
    data = head("acme") + lines + b"\r\n\r\n" + behind.replace(b"%b", BODY)

    is_known = check(loop, known(loop, PLAIN), data)

    assert is_known == (odd in ("too short a length", "an empty head behind"))
    for message_, _ in parsed(loop, data):
        if size_of(message_, data) and (found := known_of(message_)) is not None:
            assert check(loop, found, data)


@pytest.mark.parametrize("odd", LINES)
def test_a_head_about_which_there_is_something_to_say_is_neither_known_nor_learnt(
    loop: asyncio.AbstractEventLoop, odd: str
) -> None:
    data = PLAIN.replace(*LINES[odd], 1)

    assert not check(loop, known(loop, PLAIN), data)
    for message_, _ in parsed(loop, data):
        found = known_of(message_) if size_of(message_, data) else None
        # Host and token are judged each time anew, and the type is one of those.
        may_be_learnt = odd in (
            "another host",
            "an address",
            "no token",
            "a wrong token",
            "small bearer",
            "lines",
            "a charset",
        )
        assert found is None or may_be_learnt


@pytest.mark.parametrize("odd", BETWEEN)
def test_nothing_before_a_head_is_known(loop: asyncio.AbstractEventLoop, odd: str) -> None:
    assert known(loop, PLAIN).read(BETWEEN[odd] + PLAIN) is None


BYTES = st.sampled_from([*(bytes((n,)) for n in range(256)), b"\r\n", b"\r\n\r\n", b": ", b"0"])
CHANGES = st.lists(
    st.tuples(st.integers(0, len(PLAIN) + 8), st.integers(0, 3), BYTES), min_size=1, max_size=3
)


@settings(max_examples=400, deadline=None)
@given(changes=CHANGES, near=st.booleans())
def test_whatever_is_known_is_what_the_parser_reads(
    loop: asyncio.AbstractEventLoop, changes: list[tuple[int, int, bytes]], near: bool
) -> None:
    """`near`: the changes are near the two gaps, where nearly all that is known differs."""
    data = PLAIN
    gaps = PLAIN.index(b"acme") - 2, PLAIN.index(b"Content-Length") + 12
    for at, size, put in changes:
        if near:
            at = gaps[at % 2] + at // 2 % 10
        data = data[:at] + put + data[at + size :]

    check(loop, known(loop, PLAIN), data)


@settings(max_examples=200, deadline=None)
@given(changes=CHANGES)
def test_whatever_is_learnt_is_known_again_as_it_was_read(
    loop: asyncio.AbstractEventLoop, changes: list[tuple[int, int, bytes]]
) -> None:
    data = PLAIN
    for at, size, put in changes:
        data = data[:at] + put + data[at + size :]
    for found, _ in parsed(loop, data)[:1]:
        learnt = known_of(found) if size_of(found, data) else None
        if learnt is not None and length_of(found) <= 16_384:
            assert check(loop, learnt, data)


@pytest.mark.parametrize("length", [b":%d", b":  %d", b": %d ", b":\t%d"])
def test_where_an_oddly_written_head_ends_is_not_known(
    loop: asyncio.AbstractEventLoop, length: bytes
) -> None:
    data = head("acme") + b"Content-Length" + length % len(BODY) + b"\r\n\r\n" + BODY
    ((found, _),) = parsed(loop, data)

    assert size_of(found, data) == 0

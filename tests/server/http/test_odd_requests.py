"""Requests that no client would send on purpose, to every route there is: each gets a plain answer.

No answer is the daemon's fault (5xx), each refusal is a problem document or a page, and nothing is
logged as an error. The routes are the daemon's own list, so a new one is tried as well.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import System, daemon_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARAMETER = re.compile(r"\{(\w+)[^}]*\}+")
DIGITS = b"1" * 5_000
STREAMS = ("/v1/events", "/console/w/{ws}/news")  # there are only so many places for readers
FORM = b"application/x-www-form-urlencoded"

# Each is put among the headers of a request that is in order otherwise.
HEADERS = {
    "token of bytes": b"Authorization: Bearer \xff\xfe",
    "token of a surrogate": b"Authorization: Bearer \xed\xa0\x80",
    "token in latin-1": "Authorization: Bearer caf\xe9".encode("latin-1"),
    "token without a scheme": b"Authorization: \xff",
    "basic": b"Authorization: Basic \xff\xff",
    "long token": b"Authorization: Bearer " + b"x" * 8_000,
    "cookie of bytes": b"Cookie: hookbundle_session=\xff\xfe; hookbundle_visitor=\xff",
    "cookie of a language": b"Cookie: hookbundle_language=\xff; hookbundle_visitor=a",
    "cookies": b"Cookie: " + b"; ".join(b"a%d=1" % number for number in range(800)),
    "cookie without a name": b'Cookie: =; ;; hookbundle_session="\\377\\000"; x',
    "charset punycode": b"Content-Type: application/x-www-form-urlencoded; charset=punycode",
    "charset unknown": b"Content-Type: application/x-www-form-urlencoded; charset=none-such",
    "charset of bytes": b"Content-Type: application/x-www-form-urlencoded; charset=\xff",
    "charset utf-7": b"Content-Type: application/json; charset=utf-7",
    "type of bytes": b"Content-Type: \xff/\xff",
    "type of parts": b"Content-Type: multipart/form-data; boundary=" + b"b" * 4_000,
    "type of parameters": b"Content-Type: a/b" + b";a=b" * 1_900,
    "encoding unknown": b"Content-Encoding: br",
    "encoding of bytes": b"Content-Encoding: \xff",
    "encodings": b"Content-Encoding: gzip, gzip",
    "gzip that is none": b"Content-Encoding: gzip",
    "deflate that is none": b"Content-Encoding: deflate",
    "If-Match of digits": b"If-Match: " + DIGITS,
    "If-Match of bytes": b'If-Match: "\xff"',
    "If-Match of digits elsewhere": "If-Match: \u0661\u0662".encode(),
    "If-Match negative": b'If-Match: "-1"',
    "If-None-Match": b"If-None-Match: \xff",
    "Last-Event-ID of bytes": b"Last-Event-ID: \xff",
    "Last-Event-ID of digits": b"Last-Event-ID: cur_0_" + DIGITS,
    "Last-Event-ID far back": b"Last-Event-ID: -999999999d",
    "idempotency of bytes": b"Idempotency-Key: \xff",
    "two idempotency keys": b"Idempotency-Key: a\r\nIdempotency-Key: b",
    "languages": b"Accept-Language: " + b"xx-\xff;q=0.1, " * 500,
    "accept of bytes": b"Accept: \xff/ndjson",
    "origin of bytes": b"Origin: http://\xff",
    "site of bytes": b"Sec-Fetch-Site: \xff",
    "partial of bytes": b"HX-Request: \xff",
    "range": b"Range: bytes=" + DIGITS,
    "date": b"If-Modified-Since: \xff",
    "expect nonsense": b"Expect: nonsense",
    "expect of bytes": b"Expect: \xff",
    "upgrade": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: \xff",
    "forwarded": b"X-Forwarded-For: \xff\r\nForwarded: for=\xff",
    "host of bytes": b"Host: \xff",
    "name of bytes": b"X-\xff: 1",
}
QUERIES = (
    b"limit=" + DIGITS,
    b"limit=0000019999",
    b"limit=-1",
    b"limit=%D9%A1",
    b"limit=1e3",
    b"cursor=" + b"A" * 7_000,
    b"cursor=%FF&cursor=%00",
    b"cursor=\xff",
    b"since=cur_" + b"1" * 16 + b"_" + b"f" * 16,
    b"since=-" + DIGITS + b"d",
    b"since=-999999999d",
    b"since=%ED%A0%80",
    b"due_within=" + DIGITS + b"d",
    b"due_within=999999999d",
    b"state=%FF&format=%FF&reason=%00%FF&was=%FF&next=%FF%0d%0a",
    b"type=" + b"%00" * 2_000,
    b"workspace=%ED%A0%80&type=*.*&workspace=" + b"x" * 3_000,
    b"&".join(b"type=a" for _ in range(900)),
    b"%" * 3_000,
    b"next=//evil.example/&next=/console/%5c%00",
)
IDS = (
    b"%FF",
    b"\xff",
    b"%00",
    b"a%00b",
    b"%ED%A0%80",
    b"%F0%9F%98%80" * 60,
    b"x" * 7_000,
    b"..%2F..%2Fetc",
    b"%2e%2e",
    b"{}",
    DIGITS,
    b"dlv_" + b"f" * 300,
    b"%E2%80%AE",
    b"%0d%0aSet-Cookie:%20a=b",
)
BODIES = (
    b"\xff\xfe{}",
    b'{"name":"\\ud800"}',
    b'{"name":"\xed\xa0\x80"}',
    b"[" * 60_000,
    b'{"a":' * 20_000,
    b"1" * 5_000,
    b'{"webhook":{"accept_after":' + DIGITS + b"}}",
    b'{"name":1e999,"keep":1e999,"limit":' + DIGITS + b"}",
    b"null",
    b"[]",
    b'{"' + b"k" * 60_000 + b'":1}',
    b"{" + b",".join(b'"%d":1' % number for number in range(6_000)) + b"}",
    b'{"name":"a","name":' + b"[]" + b"}",
    b'{"scope":"\\u0000","workspace":"\\u0000","path":"\\u0000","keep":"\\u0000"}',
    b"token=%FF&form_token=%FF",
    b"&".join(b"a%d=1" % number for number in range(5_000)),
    b"form_token=%F0%9F",
)


@dataclass(frozen=True, slots=True)
class Served:
    system: System
    token: bytes
    routes: tuple[tuple[str, str], ...]

    def session(self) -> tuple[bytes, bytes]:
        """The name of a new session of the console, and what its forms have to bring back."""
        sessions = self.system.daemon.console.sessions
        name = sessions.begin(self.token.decode())
        assert name is not None
        session = sessions.find(name)
        assert session is not None
        return name.encode(), session.form.encode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder: Path = tmp_path_factory.mktemp("served")
    listeners = ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0")
    async with daemon_in(folder, listeners=listeners) as system:
        made = await system.ask("POST", "/v1/tokens", {"scope": "admin"})
        await system.ask("PUT", "/v1/workspaces/acme", {})
        routes = tuple(
            (route.method, route.resource.canonical)
            for route in system.daemon.listeners.routes
            if route.resource is not None and route.method != "HEAD"
        )
        yield Served(system, made.document["token"].encode(), routes)


def target_of(path: str, each: bytes = b"acme") -> bytes:
    return PARAMETER.sub("\0", path).encode().replace(b"\0", each)


def request_of(
    served: Served,
    method: str,
    target: bytes,
    *,
    more: bytes = b"",
    body: bytes = b"",
    kind: bytes = b"",
) -> bytes:
    """By a caller who may do everything; `more` takes the place of a header of the same name."""
    kind = kind or (FORM if target.startswith(b"/console") else b"application/json")
    headers = {
        b"Host": b"localhost",
        b"Authorization": b"Bearer " + served.token,
        b"Content-Type": kind,
    }
    if target.startswith(b"/console"):
        session, form = served.session()
        headers[b"Cookie"] = b"hookbundle_session=" + session
        body += b"&form_token=" + form if kind == FORM else b""
    name = more.partition(b":")[0]
    lines = [b"%b: %b" % each for each in headers.items() if each[0] != name] + [more] * bool(more)
    if body or method not in ("GET", "DELETE"):
        lines.append(b"Content-Length: %d" % len(body))
    head = b"%b %b HTTP/1.1\r\n" % (method.encode(), target)
    return head + b"\r\n".join(lines) + b"\r\n\r\n" + body


async def answer_to(served: Served, request: bytes) -> tuple[int, str, bytes]:
    """Status, media type and body; of a stream only its head."""
    assert served.system.daemon.listeners.tcp is not None
    reader, writer = await asyncio.open_connection(*served.system.daemon.listeners.tcp)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = re.search(r"content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
    finally:
        writer.transport.abort()
    media = re.search(r"content-type: ([^;\r]+)", head)
    return int(head.split()[1]), media[1] if media else "", body


def is_plain(path: str, status: int, media: str) -> bool:
    if status < 400:
        return True
    known = {"application/problem+json"} | ({"text/html"} if path.startswith("/console") else set())
    return (status < 500 or (status == 503 and path in STREAMS)) and media in known


async def wrong_answers(served: Served, asked: Iterator[tuple[str, str, bytes]]) -> list[str]:
    """Those that are not as they should be; `asked`: a name, the route, and the request."""
    wrong = []
    with capture_logs() as logs:
        for name, path, request in asked:
            status, media, body = await answer_to(served, request)
            documented = name.split()[0], target_of(path).decode(), status
            try:
                served.system.contract.check(*documented)
            except AssertionError as exc:
                wrong.append(str(exc))
            if not is_plain(path, status, media) or b"aiohttp" in body or b"Python" in body:
                wrong.append(f"{name}: {status} {media} {body[:200]!r}")
    wrong += [str(line) for line in logs if line["log_level"] in ("error", "critical")]
    return wrong


@pytest.mark.parametrize("odd", HEADERS)
async def test_an_odd_header_is_refused_or_ignored(served: Served, odd: str) -> None:
    asked = (
        (f"{method} {path}", path, request_of(served, method, target_of(path), more=HEADERS[odd]))
        for method, path in served.routes
    )
    assert await wrong_answers(served, asked) == []


async def test_an_odd_query_is_refused_or_ignored(served: Served) -> None:
    asked = (
        (
            f"{method} {path} {query[:30]!r}",
            path,
            request_of(served, method, target_of(path) + b"?" + query),
        )
        for method, path in served.routes
        for query in QUERIES
        if method == "GET" or query.startswith(b"limit")
    )
    assert await wrong_answers(served, asked) == []


async def test_an_odd_id_is_refused_or_not_found(served: Served) -> None:
    asked = (
        (f"{method} {path} {odd[:30]!r}", path, request_of(served, method, target_of(path, odd)))
        for method, path in served.routes
        if "{" in path
        for odd in IDS
    )
    assert await wrong_answers(served, asked) == []


@pytest.mark.parametrize("kind", [b"application/json", b"application/x-ndjson", FORM])
async def test_an_odd_body_is_refused_or_ignored(served: Served, kind: bytes) -> None:
    asked = (
        (
            f"{method} {path} {body[:30]!r}",
            path,
            request_of(served, method, target_of(path), body=body, kind=kind),
        )
        for method, path in served.routes
        if method != "GET"
        for body in BODIES
    )
    assert await wrong_answers(served, asked) == []


GARBLED = {
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no version": b"GET /\r\n\r\n",
    "version 3": b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "method of bytes": b"\xff\xff / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
    "colon after a space": b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n",
    "length of digits": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %b\r\n\r\n"
    % DIGITS,
    "length negative": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    "coding unknown": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\n\r\n",
    "long line": b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * 10_000),
    "long header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"x" * 10_000),
    "many headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "authority": b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "url": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost:x\r\n\r\n",
    "url of no host": b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "url of a port": b"GET http://a:%b/ HTTP/1.1\r\nHost: localhost\r\n\r\n" % DIGITS,
    "path of nothing": b"GET x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "method unknown": b"BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "expect elsewhere": b"GET /none HTTP/1.1\r\nHost: localhost\r\nExpect: nonsense\r\n\r\n",
    "expect with a host": b"GET / HTTP/1.1\r\nHost: evil.example\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.mark.parametrize("odd", GARBLED)
async def test_what_is_no_request_is_refused_in_our_own_words_and_counted(
    served: Served, odd: str
) -> None:
    meters = served.system.daemon.meters
    before = meters.requests.total()
    with capture_logs() as logs:
        status, media, body = await answer_to(served, GARBLED[odd])

    assert 300 <= status < 500
    assert (media == "application/problem+json" and b'"detail"' in body) or status == 303
    assert b"aiohttp" not in body
    assert b"Python" not in body
    assert meters.requests.total() == before + 1
    assert not [line for line in logs if line["log_level"] in ("error", "critical")]

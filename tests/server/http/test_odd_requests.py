"""Requests that no client would send on purpose, to every route there is: each gets a plain answer.

No answer is the daemon's fault (5xx), each refusal is a problem document or a page, and nothing is
logged as an error. The routes are the daemon's own list, so a new one is tried as well. What is odd
is tried on a third of them, each on another one; BATTERY=full tries it on all.
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
from hookbundle.tests.reliability.harness.battery import part
from hookbundle.tests.server.http.odd import BODIES, GARBLED, HEADERS, IDS, QUERIES

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARAMETER = re.compile(r"\{(\w+)[^}]*\}+")
STREAMS = ("/v1/events", "/console/w/{ws}/news")  # there are only so many places for readers
THIRDS = 3
FORM = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Served:
    system: System
    token: bytes
    routes: tuple[tuple[str, str], ...]

    def session(self) -> tuple[bytes, bytes]:
        """The name of a new session of the console, and what its forms have to bring back."""
        sessions = self.system.daemon.sessions
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
        for method, path in part(served.routes, THIRDS, list(HEADERS).index(odd))
    )
    assert await wrong_answers(served, asked) == []


async def test_an_odd_query_is_refused_or_ignored(served: Served) -> None:
    asked = (
        (
            f"{method} {path} {query[:30]!r}",
            path,
            request_of(served, method, target_of(path) + b"?" + query),
        )
        for number, query in enumerate(QUERIES)
        for method, path in part(served.routes, THIRDS, number)
        if method == "GET" or query.startswith(b"limit")
    )
    assert await wrong_answers(served, asked) == []


async def test_an_odd_id_is_refused_or_not_found(served: Served) -> None:
    routes = [each for each in served.routes if "{" in each[1]]
    asked = (
        (f"{method} {path} {odd[:30]!r}", path, request_of(served, method, target_of(path, odd)))
        for number, odd in enumerate(IDS)
        for method, path in part(routes, THIRDS, number)
    )
    assert await wrong_answers(served, asked) == []


@pytest.mark.parametrize("kind", [b"application/json", b"application/x-ndjson", FORM])
async def test_an_odd_body_is_refused_or_ignored(served: Served, kind: bytes) -> None:
    routes = [each for each in served.routes if each[0] != "GET"]
    asked = (
        (
            f"{method} {path} {body[:30]!r}",
            path,
            request_of(served, method, target_of(path), body=body, kind=kind),
        )
        for number, body in enumerate(BODIES)
        for method, path in part(routes, THIRDS, number)
    )
    assert await wrong_answers(served, asked) == []


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

"""The page at /docs: open to everybody, complete, and made once."""

import asyncio
import gzip
import re
import threading
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from hookbundle.server.http.contract.page import prose
from hookbundle.server.http.contract.serving import Once, contract
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.routes import Route
from hookbundle.tests.in_process import daemon_in


async def test_the_page_needs_no_token_and_no_other_host(tmp_path: Path) -> None:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", "127.0.0.1:0")
    async with (
        daemon_in(tmp_path, listeners=listeners) as system,
        aiohttp.ClientSession() as session,
    ):
        assert system.daemon.listeners.tcp is not None
        host, port = system.daemon.listeners.tcp
        shown = await session.get(f"http://{host}:{port}/docs")
        page = await shown.text()

    assert shown.status == 200
    assert shown.content_type == "text/html"
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.findall(r"<script|<img|<link|\bsrc=|\bstyle=|\bon\w+=", page)
    assert not [link for link in re.findall(r'href="([^"]*)"', page) if "//" in link]


async def test_the_page_has_every_operation_and_each_of_its_links_leads_somewhere(
    tmp_path: Path,
) -> None:
    async with daemon_in(tmp_path) as system:
        document = await system.get("/openapi.json")
        page = (await system.ask("GET", "/docs")).body.decode()

    anchors = re.findall(r' id="([^"]+)"', page)
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert set(names) <= set(anchors)
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)
    assert page.count("curl ") == len(names)


async def test_who_has_the_page_already_is_told_so(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        first = await system.ask("GET", "/docs")
        same = await system.ask("GET", "/docs", headers={"If-None-Match": first.headers["etag"]})
        other = await system.ask("GET", "/docs", headers={"If-None-Match": '"another"'})

    assert (same.status, same.body) == (304, b"")
    assert other.status == 200
    assert other.body == first.body


async def test_what_is_asked_for_by_many_at_once_is_made_once() -> None:
    made: list[str] = []

    def make() -> bytes:
        made.append(threading.current_thread().name)
        return b"the page"

    once, request = Once(make), make_mocked_request("GET", "/docs")
    answers = await asyncio.gather(*(once.answer(request, "text/html", {}) for _ in range(5)))

    assert [answer.body for answer in answers] == [b"the page"] * 5
    assert len(made) == 1
    assert made != [threading.current_thread().name]


async def test_the_document_is_not_made_before_somebody_asks() -> None:
    async def never(_: web.Request) -> web.Response:
        raise AssertionError

    beyond_description = Route(
        method="GET", path="/v1/odd", handler=never, summary="Odd", name="get_odd", answer=complex
    )
    own, _ = contract([beyond_description], "1.0")

    with pytest.raises(TypeError, match="complex"):
        await own.handler(make_mocked_request("GET", "/openapi.json"))


def test_a_text_is_shown_as_it_is() -> None:
    assert prose("`a<b` & <i>, [all](/docs/errors)") == (
        '<code>a&lt;b</code> &amp; &lt;i&gt;, <a href="/docs/errors">all</a>'
    )


async def test_what_could_not_be_made_is_tried_again() -> None:
    tries: list[int] = []

    def make() -> bytes:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no descriptor is left")
        return b"the page"

    once, request = Once(make), make_mocked_request("GET", "/docs")
    first = await asyncio.gather(once.answer(request, "text/html", {}), return_exceptions=True)
    second = await once.answer(request, "text/html", {})

    assert isinstance(first[0], OSError)
    assert second.body == b"the page"


async def test_the_compressed_answer_is_the_same() -> None:
    headers = {"Accept-Encoding": "gzip"}
    once = Once(lambda: b"the page")
    answer = await once.answer(make_mocked_request("GET", "/docs", headers), "text/html", {})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert isinstance(answer.body, bytes)
    assert gzip.decompress(answer.body) == b"the page"

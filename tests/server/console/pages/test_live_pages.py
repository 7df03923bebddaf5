"""Live pages: a session has a few, a workspace its share, and operators what is theirs."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.server.console.pages.recent import news as activity
from hookbundle.server.console.pages.recent.news import LIVE_MAX
from hookbundle.server.console.security import SESSION
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.server.http.fair_limits import STREAMS_MAX
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.resources.chats import Chats
from hookbundle.server.http.resources.deliveries import Deliveries
from hookbundle.server.http.resources.histories import Histories
from hookbundle.server.http.resources.replays import Replays
from hookbundle.storage.reads.feed import FeedPage, FeedReader
from hookbundle.tests.in_process import System, daemon_in, event, facts_of, receiving, until
from hookbundle.tests.tokens import bearer

SHARE = STREAMS_MAX // 2
SSE = re.compile(r'sse-connect="([^"]+)"')


@asynccontextmanager
async def consoles(folder: Path, feed: FeedConfig | None = None) -> AsyncIterator[System]:
    listeners = ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0")
    async with (
        receiving() as receiver,
        daemon_in(folder, listeners=listeners, feed=feed or FeedConfig()) as system,
    ):
        for ws in ("acme", "blue"):
            await system.make(ws, receiver)
        yield system


@asynccontextmanager
async def browsing(system: System) -> AsyncIterator[aiohttp.ClientSession]:
    assert system.daemon.listeners.tcp
    host, port = system.daemon.listeners.tcp
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://{host}:{port}", connector=connector) as session:
        yield session


def signed_in(system: System, token: str) -> dict[str, str]:
    """The headers of a new session."""
    name = system.daemon.sessions.begin(token)
    return {"Cookie": f"{SESSION}={name}"}


async def test_one_workspace_takes_its_share_and_leaves_others_theirs(tmp_path: Path) -> None:
    async with consoles(tmp_path) as system, browsing(system) as http, AsyncExitStack() as open_:
        token = await bearer(system, "acme")
        statuses = []
        for _ in range(SHARE // LIVE_MAX + 2):
            session = signed_in(system, token)
            for _ in range(LIVE_MAX):
                news = await open_.enter_async_context(
                    http.get("/console/w/acme/news", headers=session)
                )
                statuses.append(news.status)
        other = signed_in(system, await bearer(system, "blue"))
        of_another = await open_.enter_async_context(
            http.get("/console/w/blue/news", headers=other)
        )
        page = await http.get("/console/w/acme/outbound", headers=session)
        of_the_operator = await open_.enter_async_context(
            system.session.get("http://hookbundle/v1/events")
        )

    assert statuses == [200] * SHARE + [429] * 2 * LIVE_MAX
    assert of_another.status == 200
    assert page.status == 200
    assert of_the_operator.status == 200


async def test_all_workspaces_together_leave_the_feed_to_operators(tmp_path: Path) -> None:
    async with consoles(tmp_path) as system:
        system.daemon.fair_limits.streams.take("all of them", STREAMS_MAX)

        async with facts_of(system.daemon.config.listeners.socket_path) as facts:
            await facts.until("daemon.started")
        session = signed_in(system, await bearer(system))
        async with (
            browsing(system) as http,
            http.get("/console/w/acme/news", headers=session) as news,
        ):
            status = news.status

    assert status == 200


async def test_one_more_page_of_a_session_is_shown_but_not_live(tmp_path: Path) -> None:
    async with consoles(tmp_path) as system, browsing(system) as http, AsyncExitStack() as open_:
        session = signed_in(system, await bearer(system))
        path = "/console/w/acme/news"
        live = [
            await open_.enter_async_context(http.get(path, headers=session))
            for _ in range(LIVE_MAX)
        ]
        page = await http.get("/console/w/acme/outbound", headers=session)
        refused = await http.get(path, headers=session)
        live[0].close()
        await until(lambda: system.daemon.fair_limits.feed.used == LIVE_MAX)
        again = await open_.enter_async_context(http.get(path, headers=session))

    assert [news.status for news in live] == [200] * LIVE_MAX
    assert page.status == 200
    assert refused.status == 429
    assert again.status == 200


async def test_a_page_that_is_closed_leaves_its_place_at_once(tmp_path: Path) -> None:
    """Nothing happens that could be written to it."""
    async with consoles(tmp_path, FeedConfig(ping_s=3_600)) as system, browsing(system) as http:
        streams = system.daemon.fair_limits.streams
        session = signed_in(system, await bearer(system, "acme"))
        for _ in range(LIVE_MAX + 1):
            page = await http.get("/console/w/acme/news", headers=session)
            assert page.status == 200
            page.close()
            await until(lambda: streams.used == 0)


async def test_a_live_page_that_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    async with consoles(tmp_path, FeedConfig(ping_s=0.0001, blocked_s=0.1)) as system:
        streams, token = system.daemon.fair_limits.streams, await bearer(system, "acme")
        head = (
            "GET /console/w/acme/news HTTP/1.1\r\nHost: localhost\r\n"
            f"Cookie: {signed_in(system, token)['Cookie']}\r\n\r\n"
        )
        with socket.socket(socket.AF_UNIX) as sock:
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, str(system.daemon.config.listeners.socket_path))
            await loop.sock_sendall(sock, head.encode())
            await until(lambda: streams.held("acme") == 1)
            await until(lambda: streams.used == 0)


async def test_a_machine_that_is_gone_is_noticed_by_its_silence(tmp_path: Path) -> None:
    async with consoles(tmp_path) as system, browsing(system) as http:
        session = signed_in(system, await bearer(system, "acme"))
        async with http.get("/console/w/acme/news", headers=session):
            waits_ms = [
                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                for each in system.daemon.partition.feed._readers.connected
                if each.transport is not None
                and (sock := each.transport.get_extra_info("socket")).family == socket.AF_INET
            ]

    assert waits_ms == [60_000]


async def test_a_page_that_comes_from_long_ago_reads_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told at once that there is news: the page asks for what it shows. What others did is
    not read for it, however long the feed is."""
    async with consoles(tmp_path) as system, browsing(system) as http:
        session = signed_in(system, await bearer(system, "acme"))
        for number in range(20):
            await system.ask("PATCH", "/v1/workspaces/blue", {"name": f"Blue {number}"})
        await system.facts.until("workspace.changed", 20)  # the other reader is done
        monkeypatch.setattr(activity, "BACK_MOST", 10)
        read, pages = FeedReader.read, list[int]()

        def counted(self: FeedReader, after: int, *more: Any) -> FeedPage:
            pages.append(after)
            return read(self, after, *more)

        first = []
        for since in ("oldest", "-1h", system.daemon.partition.feed.reader.cursor(1)):
            newest = system.daemon.partition.feed.next - 1
            with monkeypatch.context() as patch:
                patch.setattr(FeedReader, "read", counted)
                async with http.get(
                    "/console/w/acme/news", params={"since": since}, headers=session
                ) as news:
                    await news.content.readuntil(b"\n\n")
                    first.append(await news.content.readuntil(b"\n\n"))

    assert [each.startswith(b"event: changed") for each in first] == [True] * 3
    assert all(after >= newest - 10 for after in pages), pages


@pytest.mark.parametrize(
    ("resource", "read", "path"),
    [
        (Deliveries, "found", "deliveries"),
        (Deliveries, "show", "deliveries/{id}"),
        (Histories, "of_chat", "chats/c"),
        (Histories, "of_message", "messages/m1?chat=c"),
        (Chats, "by_due", "windows"),
        (Replays, "show", "replay/1"),
    ],
)
async def test_what_happens_while_a_page_is_made_is_news_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resource: type[Any], read: str, path: str
) -> None:
    original = getattr(resource, read)

    async with consoles(tmp_path) as system, browsing(system) as http:
        session = signed_in(system, await bearer(system, "acme"))
        await system.accept("acme", event("m0", "c"))
        await system.facts.until("delivery.delivered")
        await system.switch("acme", "disable")
        await system.accept("acme", event("m1", "c"))
        waiting = await system.facts.until("delivery.sealed", 2)
        await system.ask(
            "POST", "/v1/workspaces/acme/replay", {"states": ["delivered"], "dry_run": False}
        )
        await system.facts.until("replay.queued")

        async def slow(*given: Any, **more: Any) -> Any:
            found = await original(*given, **more)
            await system.ask("PATCH", "/v1/workspaces/acme", {"name": "Changed meanwhile"})
            await system.facts.until("workspace.changed")
            return found

        monkeypatch.setattr(resource, read, slow)
        where = path.format(id=waiting[-1]["data"]["delivery"])
        async with http.get(f"/console/w/acme/{where}", headers=session) as page:
            connect = SSE.search(await page.text())
        assert connect
        async with http.get(unescape(connect[1]), headers=session) as news, asyncio.timeout(5):
            await news.content.readuntil(b"\n\n")
            first = await news.content.readuntil(b"\n\n")

    assert first.startswith(b"event: changed")


async def test_a_page_that_comes_back_soon_misses_nothing(tmp_path: Path) -> None:
    async with consoles(tmp_path) as system, browsing(system) as http:
        session = signed_in(system, await bearer(system, "acme"))
        since = system.daemon.partition.feed.reader.cursor(system.daemon.partition.feed.next - 1)
        await system.switch("acme", "disable")
        async with http.get(
            "/console/w/acme/news", params={"since": since}, headers=session
        ) as news:
            await news.content.readuntil(b"\n\n")
            first = await news.content.readuntil(b"\n\n")

    assert first.startswith(b"event: changed")

"""The feed over HTTP, as a browser hears it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.actors.store import StoreConfig
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.transitions.tokens import CreateToken, digest_of
from hookbundle.tests.feed_readers import BRISK, LONG, Home, home
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import until

URL = "http://hookbundle/v1/events"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines up to an empty one: an event for the page if it has data."""

    comment: str = ""
    id: str = ""
    event: str = ""
    data: str = ""

    @property
    def document(self) -> Any:
        return json.loads(self.data)


@dataclass(slots=True)
class Stream:
    answer: aiohttp.ClientResponse

    async def block(self) -> Block | None:
        """The next one, read as a browser reads it; None at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(TIMEOUT_S):
            while (line := await self.answer.content.readline()) != b"\n":
                if not line:
                    return None
                name, _, value = line.decode().rstrip("\n").partition(": ")
                fields[name or "comment"] = value
        fields.pop("retry", None)
        return Block(**fields)

    async def event(self) -> Block:
        while (block := await self.block()) is not None:
            if block.data:
                return block
        raise AssertionError("the stream has ended")


@asynccontextmanager
async def streaming(
    at: Home, headers: dict[str, str] | None = None, **query: Any
) -> AsyncIterator[Stream]:
    async with at.session.get(URL, params=query, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield Stream(answer)


async def test_an_event_comes_with_its_cursor_its_type_and_its_json(tmp_path: Path) -> None:
    async with home(tmp_path) as at, streaming(at) as stream:
        await stream.block()
        await at.note("one\n\nevent: forged\ndata: {}\n")
        heard = await stream.event()

    assert heard.id == at.cursor(2)
    assert heard.event == "test.noted"
    assert heard.document["data"] == {"detail": "one\n\nevent: forged\ndata: {}\n"}


async def test_a_browser_that_comes_back_goes_on_where_it_was(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        async with streaming(at, since="oldest") as stream:
            first = await stream.event()
        await at.note("meanwhile")
        async with streaming(at, {"Last-Event-ID": first.id}, since="oldest") as stream:
            second = await stream.event()

    assert (first.event, second.event) == ("daemon.started", "test.noted")


async def test_only_what_was_asked_for_comes(tmp_path: Path) -> None:
    wanted = {"workspace": "blue", "type": "message.*"}
    async with home(tmp_path) as at:
        for ws in ("acme", "blue"):
            await at.set_up(ws, aggregation="1h")
        async with streaming(at, None, **wanted) as stream:
            for ws in ("acme", "blue"):
                await at.send(ws, "chat", "m1")
            heard = await stream.event()

    assert (heard.event, heard.document["workspace"]) == ("message.received", "blue")


async def test_a_ping_is_no_event_but_moves_the_cursor_on(tmp_path: Path) -> None:
    config = FeedConfig(ping_s=0.02, pace_s=0.0)
    async with home(tmp_path, feed=config) as at, streaming(at, type="actor.*") as stream:
        await at.note("not asked for")
        block = await stream.block()
        while block is not None and block.id != at.cursor(at.last_seq):
            block = await stream.block()

    assert block
    assert (block.comment, block.data) == ("ping", "")


async def test_a_gap_is_an_event_of_its_own(tmp_path: Path) -> None:
    store = StoreConfig(reserve_bytes=0, floor_bytes=0, retention=Retention(feed_events=2))
    async with home(tmp_path, store=store) as at:
        for number in range(9):
            await at.note(str(number))
        async with streaming(at, since=at.cursor(1)) as stream:
            gap, following = await stream.event(), await stream.event()

    assert (gap.event, gap.document["from"]) == ("gap", 2)
    assert following.document["seq"] == gap.document["to"] + 1


@pytest.mark.parametrize("query", ["since=yesterday", "&".join(["type=x"] * 300)])
async def test_a_faulty_wish_is_a_problem_document(tmp_path: Path, query: str) -> None:
    async with home(tmp_path) as at:
        answer = await at.ask("GET", f"/v1/events?{query}")

    assert answer.status == 422
    assert answer.document["errors"]


async def test_a_full_feed_says_so(tmp_path: Path) -> None:
    async with home(tmp_path, feed=FeedConfig(subscribers_max=1)) as at, streaming(at) as stream:
        await stream.block()
        answer = await at.ask("GET", "/v1/events")

    assert answer.status == 503
    assert answer.headers["retry-after"]


async def test_stopping_ends_the_stream_soon(tmp_path: Path) -> None:
    async with home(tmp_path) as at, streaming(at) as stream:
        await stream.block()
        async with asyncio.timeout(4.0):
            await at.daemon.stop()
            rest = await stream.block()

    assert rest is None


async def test_a_browser_that_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    config = FeedConfig(pace_s=0.0, blocked_s=0.1)
    async with home(tmp_path, feed=config) as at:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, str(at.daemon.config.listeners.socket_path))
            await loop.sock_sendall(sock, b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until(lambda: at.daemon.partition.feed.subscribers == 1)
            for _ in range(20):
                await at.note(*(LONG for _ in range(100)))
            await until(lambda: at.daemon.partition.feed.subscribers == 0)


@pytest.mark.parametrize(("scope", "status"), [("intake", 403), ("admin", 200), (None, 401)])
async def test_over_tcp_it_takes_an_admin_s_token(tmp_path: Path, scope: Any, status: int) -> None:
    listeners = ListenersConfig(socket_path=tmp_path / "run" / "control.sock", listen="127.0.0.1:0")
    async with home(tmp_path, listeners=listeners) as at, aiohttp.ClientSession() as session:
        token = CreateToken(
            digest=digest_of("secret"),
            scope=scope or "admin",
            workspace_id="",
            now_ms=at.daemon.clock.now_ms(),
            caller="test",
        )
        await at.daemon.partition.store_queue.done(token)
        assert at.daemon.listeners.tcp
        host, port = at.daemon.listeners.tcp
        headers = {"Authorization": "Bearer secret"} if scope else {}
        async with session.get(f"http://{host}:{port}/v1/events", headers=headers) as answer:
            got = answer.status

    assert got == status


async def test_a_reader_that_hangs_up_leaves_its_place_at_once(tmp_path: Path) -> None:
    """Nothing happens that could be written to it."""
    async with home(tmp_path, feed=replace(BRISK, ping_s=3_600)) as at:
        places = at.daemon.fair_limits.feed
        answer = await at.session.get("http://hookbundle/v1/events")
        assert (answer.status, places.used) == (200, 1)

        answer.close()

        await until(lambda: places.used == 0)
        assert at.daemon.partition.feed.subscribers == 0

"""A stream that is open ends with the token of its reader: the feed, and the console's pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.server.console.security import SESSION
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.schemas.times import iso
from hookbundle.tests.feed_readers import BRISK
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS, System, daemon_in, event

FEED, NEWS = "/v1/events", "/console/w/acme/news"
ONLY_NEWS = FeedConfig(pace_s=0.0, ping_s=3_600)
SOON = FeedConfig(pace_s=0.0, ping_s=0.02)


@asynccontextmanager
async def running(folder: Path, feed: FeedConfig) -> AsyncIterator[System]:
    listeners = ListenersConfig(folder / "run" / "control.sock", listen="127.0.0.1:0")
    async with daemon_in(folder, listeners=listeners, feed=feed) as system:
        await system.ask("POST", "/v1/workspaces", {"id": "acme"})
        yield system


async def made(system: System, **wanted: Any) -> Any:
    answer = await system.ask("POST", "/v1/tokens", {"scope": "admin", **wanted})
    assert answer.status == 201, answer
    return answer.document


@asynccontextmanager
async def streaming(system: System, path: str, token: str) -> AsyncIterator[aiohttp.ClientResponse]:
    assert system.daemon.listeners.tcp
    host, port = system.daemon.listeners.tcp
    headers = {"Authorization": f"Bearer {token}"}
    if path == NEWS:
        headers = {"Cookie": f"{SESSION}={system.daemon.sessions.begin(token)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{host}:{port}{path}", headers=headers) as answer,
    ):
        assert answer.status == 200, answer
        await answer.content.readuntil(b"\n\n")
        yield answer


async def rest_of(answer: aiohttp.ClientResponse) -> bytes:
    async with asyncio.timeout(TIMEOUT_S):
        return await answer.content.read()


@pytest.mark.parametrize("path", [FEED, NEWS])
async def test_it_ends_as_soon_as_the_token_is_revoked(tmp_path: Path, path: str) -> None:
    """Without a ping: that it was revoked is news itself. Nothing that came after it is sent."""
    async with running(tmp_path, ONLY_NEWS) as system:
        token = await made(system)
        async with streaming(system, path, token["token"]) as stream:
            await system.ask("DELETE", f"/v1/tokens/{token['id']}")
            await system.accept("acme", event("m1"))
            rest = await rest_of(stream)

    assert b"message.received" not in rest
    assert b"changed" not in rest


@pytest.mark.parametrize("path", [FEED, NEWS])
async def test_it_ends_with_the_next_ping_when_the_token_has_expired(
    tmp_path: Path, path: str
) -> None:
    """Nothing happens that could be told."""
    async with running(tmp_path, SOON) as system:
        expires = iso(system.clock.now_ms() + HOUR_MS)
        token = await made(system, expires_at=expires)
        async with streaming(system, path, token["token"]) as stream:
            system.clock.move(HOUR_MS - MINUTE_MS)
            await stream.content.readuntil(b"\n\n")
            system.clock.move(MINUTE_MS)
            await rest_of(stream)


@pytest.mark.parametrize("path", [FEED, NEWS])
async def test_it_ends_before_what_happens_after_the_token_s_end(tmp_path: Path, path: str) -> None:
    async with running(tmp_path, ONLY_NEWS) as system:
        expires = iso(system.clock.now_ms() + HOUR_MS)
        token = await made(system, expires_at=expires)
        async with streaming(system, path, token["token"]) as stream:
            system.clock.move(HOUR_MS)
            await system.accept("acme", event("m1"))
            rest = await rest_of(stream)

    assert b"message.received" not in rest
    assert b"changed" not in rest


@pytest.mark.parametrize("path", [FEED, NEWS])
async def test_the_end_of_another_token_ends_nothing(tmp_path: Path, path: str) -> None:
    async with running(tmp_path, BRISK) as system:
        token, other = await made(system), await made(system)
        async with streaming(system, path, token["token"]) as stream:
            await system.ask("DELETE", f"/v1/tokens/{other['id']}")
            await system.ask("PATCH", "/v1/workspaces/acme", {"name": "New"})
            async with asyncio.timeout(TIMEOUT_S):
                while b"changed" not in await stream.content.readuntil(b"\n\n"):
                    pass


async def test_the_place_of_a_stream_that_has_ended_is_free(tmp_path: Path) -> None:
    async with running(tmp_path, ONLY_NEWS) as system:
        token = await made(system)
        places = system.daemon.fair_limits.feed
        before = places.used
        async with streaming(system, FEED, token["token"]) as stream:
            during = places.used
            await system.ask("DELETE", f"/v1/tokens/{token['id']}")
            await rest_of(stream)
        after = places.used

    assert (during, after) == (before + 1, before)

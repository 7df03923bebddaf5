"""What a source has taught is known to its next request, after a restart too."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from hookbundle.server.http import bodies
from hookbundle.server.http.resources.sources import intake
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.actors.writing import Writing, waiting
from hookbundle.tests.engine.sources.posting import body_of
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import daemon_in, receiving
from hookbundle.tests.server.http.resources.sources.posting import make

LEARNED, THEN_MISSING = (
    body_of("waha", "07-noweb-lid-learned-then-missing.seq", at) for at in (0, 1)
)
CREATED, FIRST = (
    body_of("timelinesai", "07-chat-created-then-first-message.seq", n) for n in (0, 1)
)
PHONE = "15550102222"


async def test_a_restart_keeps_what_was_taught(tmp_path: Path) -> None:
    async with receiving() as receiver:
        async with daemon_in(tmp_path) as system:
            await system.make("acme", receiver)
            source = await make(system)
            await source.post(LEARNED)
        async with daemon_in(tmp_path) as system:
            source.system = system

            await source.post(THEN_MISSING)

            posts = await receiver.until(2)
            assert {post.document["chat"]["chat_id"] for post in posts} == {PHONE}
            assert (await source.shown())["remembers"] > 0


async def test_a_request_is_not_read_before_what_the_one_before_it_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = asyncio.Event()

    async def body_bytes(request: web.Request, bytes_max: int) -> bytes:
        body = await bodies.body_bytes(request, bytes_max)
        arrived.set()
        return body

    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        source = await make(system)
        writing = Writing(system)
        await writing.begin()
        try:
            first = asyncio.ensure_future(source.post(LEARNED))
            await waiting(system, 2)  # its message, and what it taught
            monkeypatch.setattr(intake, "body_bytes", body_bytes)
            second = asyncio.ensure_future(source.post(THEN_MISSING))
            async with asyncio.timeout(TIMEOUT_S):
                await arrived.wait()
        finally:
            writing.end()

        assert [(await each).status for each in (first, second)] == [200, 200]
        posts = await receiver.until(2)
        assert {post.document["chat"]["chat_id"] for post in posts} == {PHONE}


async def test_a_chat_stays_new_until_its_first_message_is_taken(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path, quota=Quota(messages_max=0)) as system:
        await system.make("acme", receiver)
        await system.switch("acme", "disable")
        source = await make(system, "timelinesai")
        await source.post(CREATED)

        refused = await source.post(FIRST)
        await system.switch("acme", "enable", {})
        taken = await source.post(FIRST)

        assert (refused.status, taken.status) == (429, 200)
        assert refused.headers["retry-after"]
        (post,) = await receiver.until(1)
        assert post.document["chat"]["is_new_chat"] is True
        assert (await source.shown())["counts"] == {
            "accepted": 1,
            "ignored.chat": 1,
            "not_taken.429": 1,
        }


async def test_a_deleted_chat_is_forgotten(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        source = await make(system)
        await source.post(LEARNED)
        await receiver.until(1)

        assert (await system.ask("DELETE", f"/v1/workspaces/acme/chats/{PHONE}")).status == 200
        await source.post(THEN_MISSING)

        post = (await receiver.until(2))[1]
        assert post.document["chat"]["chat_id"].endswith("@lid")

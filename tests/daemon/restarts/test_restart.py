"""A client posts every 20 ms while the daemon is restarted; its sockets are held by a parent."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import msgspec
import pytest

from hookbundle.tests.daemon.restarts.holding import PATIENT, held, listening
from hookbundle.tests.in_process import event, facts_of, receiving
from hookbundle.tests.program import TIMEOUT_S, program_in
from hookbundle.tests.running import Running

EVERY_S = 0.02
POSTS_AROUND = 25


@dataclass(slots=True)
class Sender:
    """Posts a message every 20 ms, whatever became of those before, and counts the results.

    A post whose connection broke is sent again, as every sender of webhooks does.
    """

    session: aiohttp.ClientSession
    url: str
    token: str
    ws: str = "acme"
    posted: int = 0
    results: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    under_way: list["asyncio.Task[None]"] = field(default_factory=list)
    ended: bool = False

    async def post_until_ended(self) -> None:
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while not self.ended:
            self.posted += 1
            task = asyncio.ensure_future(self._post(f"{self.ws}-{self.posted}"))
            self.under_way.append(task)
            next_s += EVERY_S
            await asyncio.sleep(max(next_s - loop.time(), 0))

    async def until_posted(self, more: int) -> None:
        wanted = self.posted + more
        while self.posted < wanted:
            await asyncio.sleep(EVERY_S)

    async def finish(self) -> None:
        """It posts no more, and all it has posted is accepted."""
        self.ended = True
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.gather(*self.under_way)

    async def _post(self, message_id: str) -> None:
        url = f"{self.url}/v1/workspaces/{self.ws}/messages"
        data = msgspec.json.encode([event(message_id)])
        headers = {"Authorization": f"Bearer {self.token}"}
        while message_id not in self.accepted:
            try:
                async with self.session.post(url, data=data, headers=headers) as answer:
                    self.results[str(answer.status)] += 1
                    assert answer.status == 202, await answer.text()
                    self.accepted.add(message_id)
            except aiohttp.ClientConnectorError:
                self.results["refused"] += 1
            except (aiohttp.ClientError, ConnectionError):
                self.results["broken"] += 1


@asynccontextmanager
async def sending(daemon: Running, url: str, *, keeps_alive: bool = False) -> AsyncIterator[Sender]:
    made = await daemon.ask("POST", "/v1/tokens", {"scope": "intake"})
    connector = aiohttp.TCPConnector(force_close=not keeps_alive, limit=1 if keeps_alive else 0)
    async with aiohttp.ClientSession(connector=connector) as session:
        sender = Sender(session, url, made.document["token"])
        posting = asyncio.ensure_future(sender.post_until_ended())
        try:
            yield sender
        finally:
            for task in (posting, *sender.under_way):
                task.cancel()


async def ended_by(daemon: Running, number: signal.Signals) -> int:
    daemon.process.send_signal(number)
    return await daemon.ended()


@pytest.mark.parametrize("keeps_alive", [False, True], ids=["connections", "one connection"])
async def test_a_restart_refuses_and_breaks_nothing(tmp_path: Path, keeps_alive: bool) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver, AsyncExitStack() as open_now:
        sockets = open_now.enter_context(held(http=listening()))
        async with sockets.daemon(program, *PATIENT) as daemon:
            daemon.session.headers["Connection"] = "close"  # or it would be waited for at the end
            await daemon.make("acme", receiver)
            sender = await open_now.enter_async_context(
                sending(daemon, sockets.url, keeps_alive=keeps_alive)
            )
            await sender.until_posted(POSTS_AROUND)
            codes = [await ended_by(daemon, signal.SIGTERM)]
        async with sockets.daemon(program) as again:
            await sender.until_posted(POSTS_AROUND)
            await sender.finish()
            posts = await receiver.until(sender.posted)
            codes.append(await ended_by(again, signal.SIGTERM))

    assert codes == [0, 0]
    assert sender.results == {"202": sender.posted}
    assert sorted(id for post in posts for id in post.message_ids) == sorted(sender.accepted)


async def test_over_a_kill_nobody_is_refused_and_a_repeat_is_enough(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver, AsyncExitStack() as open_now:
        sockets = open_now.enter_context(held(http=listening()))
        async with sockets.daemon(program) as daemon:
            await daemon.make("acme", receiver)
            sender = await open_now.enter_async_context(sending(daemon, sockets.url))
            await sender.until_posted(POSTS_AROUND)
            await ended_by(daemon, signal.SIGKILL)
        async with sockets.daemon(program) as again, facts_of(program.socket_path) as facts:
            await sender.until_posted(POSTS_AROUND)
            await sender.finish()
            await facts.until("delivery.delivered", sender.posted)
            await ended_by(again, signal.SIGTERM)

    taken = {post.id: post.message_ids for post in receiver.posts}
    assert sender.results.keys() <= {"202", "broken"}
    assert sender.results["202"] == sender.posted
    assert sorted(id for ids in taken.values() for id in ids) == sorted(sender.accepted)

"""The receiver and the mail server of the crash tests answer as planned and record everything.

A workspace's receiver is the path with its name. The name decides the answers: `flaky` answers at
random, `down` with errors until its webhook is disabled, `gone` always with errors, and all others
with 200. When `honest` is set, all answer 200.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from aiohttp import web

from hookbundle.tests.hook_receiver import HookReceiver, Post, verified
from hookbundle.tests.mail_server import MailServer
from hookbundle.tests.reliability.harness.seen import Mailed, Posted, Seen

GOOD_ANSWERS = 3  # of a receiver that is down, after its webhook was enabled


@dataclass(slots=True)
class RecordingReceiver(HookReceiver):
    """Records each request in `seen`. `held`: the request chosen by `hold` is here."""

    seen: Seen = field(default_factory=Seen)
    rng: Random = field(default_factory=Random)
    arrived: Counter[str] = field(default_factory=Counter)  # workspace -> messages arrived
    held: asyncio.Event = field(default_factory=asyncio.Event)
    honest: bool = False
    _hold_in: int = 0
    _good_left: Counter[str] = field(default_factory=Counter)
    _here: set[tuple[str, str, str]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/{path}", self._take)
        # Without cancellation the handler of a killed daemon would go on, and its request would
        # overlap with the first one of the next life.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    def hold(self, nth: int) -> None:
        """The n-th request from now gets no answer; `held` is set when it arrives."""
        self._hold_in = nth

    def is_good_again(self, ws: str) -> None:
        """The next GOOD_ANSWERS answers to the workspace are 200."""
        self._good_left[ws] = GOOD_ANSWERS

    async def news(self) -> None:
        """Everyone in `wait_for` looks again at the condition."""
        async with self._news:
            self._news.notify_all()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        async with self._news:
            await self._news.wait_for(condition)

    async def _take(self, request: web.Request) -> web.Response:
        ws = request.match_info["path"]
        self.seen.cut_short += 1  # until the whole body is read
        headers = {name.lower(): value for name, value in request.headers.items()}
        post = Post(ws, headers, await request.read())
        self.seen.cut_short -= 1
        posted = self._noted(post)
        if not verified(post, self.secrets.get(ws, [])):
            self.seen.unsigned.append(posted.id)
        await self.news()
        self._hold_in -= 1
        try:
            if self._hold_in == 0:
                self.held.set()
                await asyncio.Event().wait()
            posted.status = self._status(ws)
        finally:
            posted.ended = self.seen.tick()
        return web.Response(status=posted.status)

    def _noted(self, post: Post) -> Posted:
        chat, messages = contents(post.document)
        posted = Posted(post.path, post.id, post.body, chat, messages, self.seen.tick())
        self.seen.posted.append(posted)
        for message_id, _ in messages:
            key = post.path, chat, message_id
            if key not in self._here:
                self._here.add(key)
                self.arrived[post.path] += 1
        return posted

    def _status(self, ws: str) -> int:
        if self.honest:
            return 200
        if ws.startswith("gone"):
            return 503
        if ws.startswith("flaky"):
            return self.rng.choice((200, 200, 200, 500, 503, 404))
        if ws.startswith("down") and not self._good_left[ws]:
            return 500
        self._good_left[ws] -= 1
        return 200


def contents(document: Any) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The chat id, and the (id, text) of each message, of a delivery's body."""
    members = document["messages"] if "messages" in document else [document["message"]]
    messages = tuple((member["message_id"], member["text"]) for member in members)
    return document["chat"]["chat_id"], messages


@dataclass(slots=True)
class RecordingMailServer(MailServer):
    """Records each mail in `seen`."""

    seen: Seen = field(default_factory=Seen)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = await MailServer.handle_DATA(self, server, session, envelope)
        mail = self.tries[-1].mail
        message_id, to = str(mail["Message-ID"]), str(mail["To"])
        self.seen.mailed.append(Mailed(message_id, to, len(self.seen.killed)))
        return answer

"""The receiver and the mail server of the battery: they answer as planned, and remember it all.

A workspace's receiver is the path of its name. What it answers goes by that name: `flaky` by
chance, `down` with errors until its webhook was disabled, `gone` with errors while it lasts, all
others with 200. In the end all are honest.
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

GOOD_ANSWERS = 3  # of a receiver that was down, before it is down again


@dataclass(slots=True)
class Witness(HookReceiver):
    seen: Seen = field(default_factory=Seen)
    chance: Random = field(default_factory=Random)
    arrived: Counter[str] = field(default_factory=Counter)  # messages by workspace, each time
    held: asyncio.Event = field(default_factory=asyncio.Event)
    honest: bool = False
    _hold_in: int = 0
    _good_left: Counter[str] = field(default_factory=Counter)
    _here: set[tuple[str, str, str]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/{path}", self._take)
        # A sender that is gone has no request open any more, whatever we were about to answer.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    def hold(self, nth: int) -> None:
        """The n-th request from now gets no answer; `held` is set when it is there."""
        self._hold_in = nth

    def is_good_again(self, ws: str) -> None:
        """For some answers."""
        self._good_left[ws] = GOOD_ANSWERS

    async def news(self) -> None:
        """Something new is to be seen."""
        async with self._news:
            self._news.notify_all()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        async with self._news:
            await self._news.wait_for(condition)

    async def _take(self, request: web.Request) -> web.Response:
        ws = request.match_info["path"]
        self.seen.cut_short += 1  # until it is whole
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
            place = post.path, chat, message_id
            if place not in self._here:
                self._here.add(place)
                self.arrived[post.path] += 1
        return posted

    def _status(self, ws: str) -> int:
        if self.honest:
            return 200
        if ws.startswith("gone"):
            return 503
        if ws.startswith("flaky"):
            return self.chance.choice((200, 200, 200, 500, 503, 404))
        if ws.startswith("down") and not self._good_left[ws]:
            return 500
        self._good_left[ws] -= 1
        return 200


def contents(document: Any) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Of a delivery's body: the chat, and the ids and texts of its messages."""
    members = document["messages"] if "messages" in document else [document["message"]]
    messages = tuple((member["message_id"], member["text"]) for member in members)
    return document["chat"]["chat_id"], messages


@dataclass(slots=True)
class PostOffice(MailServer):
    seen: Seen = field(default_factory=Seen)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = await MailServer.handle_DATA(self, server, session, envelope)
        mail = self.tries[-1].mail
        message_id, to = str(mail["Message-ID"]), str(mail["To"])
        self.seen.mailed.append(Mailed(message_id, to, len(self.seen.killed)))
        return answer

"""What the demo sends to: a webhook receiver and a mail server on local ports."""

import asyncio
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any, Self

import msgspec
from aiohttp import web

from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery import signing

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Post:
    delivery_id: str
    body: dict[str, Any]
    verified: bool


@dataclass(slots=True)
class Receiver:
    """Accepts POSTs, checks their signatures, and answers with `status`."""

    status: int = 200
    secret: str = ""
    url: str = ""
    posts: asyncio.Queue[Post] = field(default_factory=asyncio.Queue)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{HOST}:{port}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def next(self, timeout_s: float) -> Post:
        return await asyncio.wait_for(self.posts.get(), timeout_s)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamped_s = int(request.headers["webhook-timestamp"])
        now_s = SystemClock().wall_ms() // 1_000
        # The demo moves its daemon's clock on: the stamp may be hours ahead of the machine's.
        verdict = signing.verify(request.headers, body, [self.secret], max(now_s, stamped_s))
        post = Post(
            request.headers["webhook-id"],
            msgspec.json.decode(body),
            isinstance(verdict, signing.Authentic),
        )
        self.posts.put_nowait(post)
        return web.Response(status=self.status)


@dataclass(slots=True)
class MailSink:
    """An SMTP server that accepts every mail; it knows only what the daemon's client uses."""

    port: int = 0
    mails: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def next(self, timeout_s: float) -> str:
        return await asyncio.wait_for(self.mails.get(), timeout_s)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 demo\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 send the mail\r\n")
                data = await reader.readuntil(b"\r\n.\r\n")
                self.mails.put_nowait(_readable(data.removesuffix(b".\r\n")))
            writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                break
        await writer.drain()
        writer.close()


def _readable(data: bytes) -> str:
    mail = message_from_bytes(data, policy=policy.default)
    body = mail.get_body()
    text = body.get_content() if body is not None else ""
    return f"From: {mail['From']}\nTo: {mail['To']}\nSubject: {mail['Subject']}\n\n{text}"

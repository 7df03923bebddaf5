"""A webhook's receiver: follows a script, keeps every request, and checks every signature.

The check uses `standardwebhooks`, the library that receivers use. The library compares the
timestamp with the machine's clock. Where a test has moved the engine's clock further than the
library tolerates, the signature is compared with the one that the library makes for the same
timestamp.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from hookbundle.engine.clock import SystemClock
from hookbundle.engine.messages.timestamps import utc

TIMEOUT_S = 20.0
TOLERANCE_S = 240


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request, given once `after` is set."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    after: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A request that the receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def message_ids(self) -> list[str]:
        document = self.document
        members = document["messages"] if "messages" in document else [document["message"]]
        return [member["message_id"] for member in members]


@dataclass(slots=True)
class HookReceiver:
    """Answers the n-th request with the n-th step of its script, and later ones with the last."""

    secrets: dict[str, list[str]] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    open_now: int = 0
    open_at_most: int = 0
    _script: list[Answer] = field(default_factory=lambda: [Answer()])
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _port: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{path}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        if failure[0] is None:
            assert not self.refused, f"signatures that don't verify: {self.refused}"

    def url(self, path: str = "hook") -> str:
        return f"http://127.0.0.1:{self._port}/{path}"

    def answers(self, *steps: int | Answer) -> None:
        """These are the answers from now on."""
        self._script = [Answer(step) if isinstance(step, int) else step for step in steps]

    def trust(self, secret: str, path: str = "hook") -> None:
        """Requests to the path may be signed with this secret, besides those trusted before."""
        self.secrets.setdefault(path, []).append(secret)

    def at(self, path: str) -> list[Post]:
        return [post for post in self.posts if post.path == path]

    async def until(self, count: int, path: str = "") -> list[Post]:
        """The first `count` requests (to the path, if given), as soon as there are that many."""
        async with asyncio.timeout(TIMEOUT_S), self._news:
            await self._news.wait_for(lambda: len(self._of(path)) >= count)
        return self._of(path)[:count]

    def _of(self, path: str) -> list[Post]:
        return self.at(path) if path else self.posts

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        post = Post(request.match_info["path"], headers, await request.read(), request.method)
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if not verified(post, self.secrets.get(post.path, [])):
            self.refused.append(f"{post.path} {post.id}")
        self.open_now += 1
        self.open_at_most = max(self.open_at_most, self.open_now)
        try:
            async with self._news:
                self.posts.append(post)
                self._news.notify_all()
            if answer.after is not None:
                await answer.after.wait()
        finally:
            self.open_now -= 1
        return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)


def verified(post: Post, secrets: Sequence[str]) -> bool:
    """Whether `standardwebhooks` verifies the request with one of the secrets."""
    return any(_verified(post, Webhook(secret)) for secret in secrets)


def _verified(post: Post, webhook: Webhook) -> bool:
    stamp_s = int(post.headers["webhook-timestamp"])
    if abs(SystemClock().wall_ms() // 1_000 - stamp_s) > TOLERANCE_S:
        signature = webhook.sign(post.id, utc(stamp_s * 1_000), post.body.decode())
        return signature in post.headers["webhook-signature"].split()
    try:
        webhook.verify(post.body, post.headers)
    except Exception:  # noqa: BLE001 - any error of the library means "not verified"
        return False
    return True

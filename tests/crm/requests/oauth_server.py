"""A token endpoint for tests: gives tokens for client credentials, and fails as it is told."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from aiohttp import web

SECRET = "oauth-canary/secret+1"
BODY_CANARY = "canary-of-the-token-endpoint"


@dataclass(slots=True)
class OAuthServer:
    """`status`: 200, or how it fails. `after`: it answers only once this is set. `fields`: of its
    answer, in place of the usual ones; None takes one away."""

    url: str = ""
    client_id: str = "hooks"
    secret: str = SECRET
    lasts_s: Any = 3_600
    status: int = 200
    fields: dict[str, Any] = field(default_factory=dict)
    after: asyncio.Event | None = None
    given: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            form |= {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}
        self.asked.append({**form, "style": "basic" if kind == "Basic" else "body"})
        if self.after is not None:
            await self.after.wait()
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.secret):
            said = {"error": "invalid_client", "error_description": BODY_CANARY}
            return web.json_response(said, status=401)
        if self.status != 200:
            return web.json_response({"error": BODY_CANARY}, status=self.status)
        token = f"access-canary-{len(self.given) + 1}"
        self.given.append(token)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts_s}
        answer |= self.fields
        return web.json_response({name: each for name, each in answer.items() if each is not None})

    def auth(self, **changes: Any) -> dict[str, Any]:
        """The credentials as the API takes them."""
        return {
            "type": "oauth2",
            "token_url": self.url,
            "client_id": self.client_id,
            "client_secret": self.secret,
            **changes,
        }


@asynccontextmanager
async def oauth_server(**given: Any) -> AsyncIterator[OAuthServer]:
    server = OAuthServer(**given)
    app = web.Application()
    app.router.add_post("/token", server.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    try:
        yield server
    finally:
        if server.after is not None:
            server.after.set()
        await runner.cleanup()

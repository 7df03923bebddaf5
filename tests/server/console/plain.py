"""A visitor without a browser: plain HTTP, with cookies, that fills in forms as they are served."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from hookbundle.tests.server.console.stage import Stage

FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Seen:
    status: int
    headers: dict[str, str]
    text: str
    cookies: tuple[str, ...]

    @property
    def form_token(self) -> str:
        found = FORM_TOKEN.search(self.text)
        assert found, self
        return found[1]


@dataclass(slots=True)
class Visitor:
    session: aiohttp.ClientSession
    url: str
    form_token: str = field(default="")

    async def get(self, path: str, **options: Any) -> Seen:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, form: dict[str, str] | None = None, **options: Any) -> Seen:
        data = {"form_token": self.form_token, **(form or {})}
        return await self.ask("POST", path, data=data, **options)

    async def ask(self, method: str, path: str, **options: Any) -> Seen:
        async with self.session.request(
            method, f"{self.url}{path}", allow_redirects=False, **options
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            cookies = tuple(answer.headers.getall("Set-Cookie", []))
            return Seen(answer.status, headers, await answer.text(), cookies)

    async def sign_in(self, token: str) -> Seen:
        self.form_token = (await self.get("/console/sign-in")).form_token
        seen = await self.post("/console/sign-in", {"token": token})
        if seen.status == 303:
            self.form_token = (await self.get("/console/workspaces")).form_token
        return seen


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Visitor(session, url)


@asynccontextmanager
async def signed_in(stage: Stage, token: str = "") -> AsyncIterator[Visitor]:
    async with visitor(stage.url) as owner:
        await owner.sign_in(token or await stage.token())
        yield owner

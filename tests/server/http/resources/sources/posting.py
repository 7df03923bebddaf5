"""A source of a running daemon, and the other system that posts to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.tests.hook_receiver import HookReceiver, Post
from hookbundle.tests.in_process import Answer, Api, System, daemon_in, receiving

SOURCES = "/v1/workspaces/acme/sources"


@dataclass(slots=True)
class OtherSystem:
    """Posts to a source. `path`: of its address, with the token."""

    system: Api
    id: str
    token: str
    ws: str = "acme"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/v1/sources/{self.token}"

    async def post(self, body: bytes | dict[str, Any], tail: str = "", **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.system.ask(
            "POST", f"{self.path}{tail}", data=data, headers={**self.headers, **headers}
        )

    async def shown(self) -> dict[str, Any]:
        document: dict[str, Any] = await self.system.get(
            f"/v1/workspaces/{self.ws}/sources/{self.id}"
        )
        return document

    async def requests(self) -> list[dict[str, Any]]:
        page = await self.system.get(
            f"/v1/workspaces/{self.ws}/sources/{self.id}/requests?limit=50"
        )
        found: list[dict[str, Any]] = page["requests"]
        return found


async def make(system: Api, kind: str = "waha", ws: str = "acme", **settings: Any) -> OtherSystem:
    made = await system.ask(
        "POST", f"/v1/workspaces/{ws}/sources", {"kind": kind, "settings": settings}
    )
    assert made.status == 201, made
    return OtherSystem(system, made.document["id"], made.document["token"], ws)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace of a daemon that other tests use as well, and what it sends."""

    system: System
    receiver: HookReceiver
    ws: str

    @property
    def sources(self) -> str:
        """The path of its sources."""
        return f"/v1/workspaces/{self.ws}/sources"

    async def ask(
        self, method: str, tail: str = "", document: object = None, **options: Any
    ) -> Answer:
        """`tail`: of the path, after that of its sources."""
        return await self.system.ask(method, f"{self.sources}{tail}", document, **options)

    async def get(self, tail: str = "") -> Any:
        return await self.system.get(f"{self.sources}{tail}")

    async def source(self, kind: str = "waha", **settings: Any) -> OtherSystem:
        return await make(self.system, kind, self.ws, **settings)

    async def sent(self, count: int) -> list[Post]:
        return await self.receiver.until(count, self.ws)

    async def texts(self, count: int) -> list[str]:
        return [post.document["message"]["text"] for post in await self.sent(count)]


@dataclass(slots=True)
class Tenants:
    """A daemon and a receiver, which each have a path and a workspace for each test."""

    system: System
    receiver: HookReceiver
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def another(self, **hook: Any) -> Tenant:
        ws = f"w{next(self._numbers)}"
        await self.system.make(ws, self.receiver, ws, **hook)
        return Tenant(self.system, self.receiver, ws)


@asynccontextmanager
async def tenants_in(folder: Path, *args: Any, **config: Any) -> AsyncIterator[Tenants]:
    """What else is given is as `daemon_in` takes it."""
    async with receiving() as receiver, daemon_in(folder, *args, **config) as system:
        yield Tenants(system, receiver)


def waha(message_id: str = "AAA", text: str = "hello", **payload: Any) -> dict[str, Any]:
    """A message as WAHA posts it."""
    return {
        "event": "message.any",
        "session": "default",
        "me": {"id": "447900000000@c.us", "pushName": "Us"},
        "engine": "WEBJS",
        "payload": {
            "id": f"false_447911111111@c.us_{message_id}",
            "timestamp": 1_764_300_000,
            "from": "447911111111@c.us",
            "to": "447900000000@c.us",
            "fromMe": False,
            "body": text,
            "hasMedia": False,
            "_data": {"notifyName": "Ahmad"},
            **payload,
        },
    }


ACK = {"event": "message.ack", "session": "default", "payload": {"id": "x", "ack": 2}}

"""A daemon with its console on a TCP port, a receiver that answers as told, and how to fill both.

The browser tests and the screenshots play on the same stage. Everything on it is real; only the
clock can be moved on.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from hookbundle.commands.demo import sample
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.transitions.tokens import (
    CreateToken,
    RevokeToken,
    Scope,
    digest_of,
    token_id,
)
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in

ERRORS_UNTIL_DISABLED = 11
# The clock of the stage goes on by itself. Without this a webhook would try again within seconds,
# and what a page shows of it would hang on how fast the machine is.
LATE_RETRY = {"Retry-After": "3600"}
# Of all stages of this process, one after the other: a browser may keep a page for the next one.
# The system gives ports of that range to nobody by itself.
PORT = 10_000 + os.getpid() % 20_000


@dataclass(slots=True)
class Answering:
    """Each path answers with the status last set for it, else with 200."""

    statuses: dict[str, int] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    answer: str = '{"ok": true}'
    url: str = ""
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.asked.set()
        await self.may_answer.wait()
        status = self.statuses.get(request.path, 200)
        return web.Response(
            status=status,
            text=self.answer,
            content_type="application/json",
            headers=LATE_RETRY if status >= 500 else None,
        )


@dataclass(slots=True)
class Stage:
    system: System
    receiver: Answering
    url: str

    async def token(self, workspace_id: str = "", scope: Scope = "admin") -> str:
        token = secrets.token_urlsafe(32)
        transition = CreateToken(
            digest=digest_of(token),
            scope=scope,
            workspace_id=workspace_id,
            now_ms=self.system.clock.now_ms(),
            caller="test",
        )
        await self.system.daemon.partition.store_queue.done(transition)
        return token

    @asynccontextmanager
    async def receiver_holding(self) -> AsyncIterator[None]:
        """The receiver keeps what it gets waiting for an answer until the end."""
        self.receiver.may_answer.clear()
        try:
            yield
        finally:
            self.receiver.may_answer.set()

    async def revoke(self, token: str) -> None:
        now_ms = self.system.clock.now_ms()
        transition = RevokeToken(token_id=token_id(digest_of(token)), now_ms=now_ms, caller="test")
        await self.system.daemon.partition.store_queue.done(transition)

    async def workspace(
        self,
        workspace_id: str,
        name: str = "",
        *,
        aggregation: str = "1h",
        path: str = "/hook",
        owner: str = "owner@acme.example",
    ) -> None:
        """A workspace whose webhook goes to the path of the receiver."""
        url = f"{self.receiver.url}{path}" if path else ""
        settings = {
            "name": name,
            "owner_email": owner,
            "webhook": {"url": url, "aggregation": aggregation},
        }
        made = await self.system.ask("PUT", f"/v1/workspaces/{workspace_id}", settings)
        assert made.status == 201, made

    async def until(self, workspace_id: str, **wanted: Any) -> Any:
        """The workspace, once its webhook and its counts are as wanted."""
        facts = self.system.facts
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                shown = await self.system.show(workspace_id)
                if {**shown["webhook"], **shown["counts"]}.items() >= wanted.items():
                    return shown
                frame = msgspec.json.decode(await facts.reader.readline())
                facts.seen += [frame] if "seq" in frame else []

    async def disabled(self, workspace_id: str) -> None:
        """Its webhook has failed until it was disabled; the hours between passed at once."""
        for errors in range(1, ERRORS_UNTIL_DISABLED):
            await self.until(workspace_id, consecutive_errors=errors)
            self.system.clock.move(9 * HOUR_MS)
        await self.until(workspace_id, enabled=False)


@asynccontextmanager
async def on_stage(scratch: Path, **changes: Any) -> AsyncIterator[Stage]:
    """`changes` are of the daemon's configuration."""
    receiver = Answering()
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/{path}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    where = f"127.0.0.1:{PORT if _is_free(PORT) else 0}"
    listeners = ListenersConfig(scratch / "run" / "control.sock", where)
    try:
        async with daemon_in(
            scratch, listeners=listeners, product_name="Acme Inbox", **changes
        ) as system:
            tcp = system.daemon.listeners.tcp
            assert tcp is not None
            yield Stage(system, receiver, f"http://127.0.0.1:{tcp[1]}")
    finally:
        await runner.cleanup()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def talk(
    text: str, number: int = 0, *, chat: str = "", name: str = "", **more: Any
) -> dict[str, Any]:
    """A message of the direct chat of the sample, or of another one, with another text."""
    made = deepcopy(sample.CONVERSATION[0])
    made["chat"] |= {"chat_id": chat or made["chat"]["chat_id"]}
    made["chat"] |= {"full_name": name or made["chat"]["full_name"]}
    made["message"] |= {"text": text, "message_id": f"wamid.{made['chat']['chat_id']}.{number}"}
    made["message"] |= more
    return made

"""Who may do what: the operator on the socket, and bearers of tokens on TCP."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.transitions.tokens import (
    CreateToken,
    RevokeToken,
    Scope,
    digest_of,
    token_id,
)
from hookbundle.tests.in_process import Api, System, daemon_in, event


@dataclass(slots=True)
class Tcp:
    system: System
    session: aiohttp.ClientSession
    base: str

    async def token(self, token: str, scope: Scope, ws: str = "") -> None:
        """The token is good for the scope, in one workspace or in all."""
        await self.system.daemon.partition.store_queue.done(
            CreateToken(
                digest=digest_of(token),
                scope=scope,
                workspace_id=ws,
                now_ms=self.system.clock.now_ms(),
                caller="test",
            )
        )

    async def status(self, method: str, path: str, authorization: str) -> int:
        headers = {"Authorization": authorization}
        async with self.session.request(
            method, self.base + path, headers=headers, json=event("m1")
        ) as answer:
            return answer.status


@asynccontextmanager
async def calling(folder: Path) -> AsyncIterator[Tcp]:
    listeners = ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0")
    async with daemon_in(folder, listeners=listeners) as system, aiohttp.ClientSession() as session:
        for ws in ("acme", "other"):
            await system.ask("PUT", f"/v1/workspaces/{ws}", {"webhook": {"aggregation": "1h"}})
        assert system.daemon.listeners.tcp is not None
        host, port = system.daemon.listeners.tcp
        yield Tcp(system, session, f"http://{host}:{port}")


async def test_on_the_socket_the_caller_is_the_operator_under_their_uid(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        api: Api = system

        made = await api.ask("PUT", "/v1/workspaces/acme", {})
        (fact,) = await system.facts.until("workspace.created")

        assert made.status == 201
        assert fact["data"]["caller"] == f"uid {os.getuid()}"


async def test_a_token_for_intake_takes_messages_and_opens_nothing_else(tmp_path: Path) -> None:
    async with calling(tmp_path) as tcp:
        await tcp.token("tok", "intake", "acme")

        asked = {
            "its messages": await tcp.status("POST", "/v1/workspaces/acme/messages", "Bearer tok"),
            "case": await tcp.status("POST", "/v1/workspaces/acme/messages", "bearer  tok "),
            "others": await tcp.status("POST", "/v1/workspaces/other/messages", "Bearer tok"),
            "settings": await tcp.status("GET", "/v1/workspaces/acme", "Bearer tok"),
            "status": await tcp.status("GET", "/v1/status", "Bearer tok"),
            "nothing": await tcp.status("GET", "/v1/nothing", "Bearer tok"),
        }

        assert asked == {
            "its messages": 202,
            "case": 202,
            "others": 403,
            "settings": 403,
            "status": 403,
            "nothing": 403,
        }


async def test_an_admin_of_one_workspace_sees_no_other(tmp_path: Path) -> None:
    async with calling(tmp_path) as tcp:
        await tcp.token("one", "admin", "acme")
        await tcp.token("all", "admin")

        answers = [
            await tcp.status("GET", path, f"Bearer {token}")
            for token in ("one", "all")
            for path in ("/v1/workspaces/acme", "/v1/workspaces/other", "/v1/workspaces")
        ]

        assert answers == [200, 403, 403, 200, 200, 200]


async def test_only_an_operator_deletes_a_workspace(tmp_path: Path) -> None:
    """A workspace's own token empties a chat of it, but does not destroy all of it."""
    path = "/v1/workspaces/acme"
    async with calling(tmp_path) as tcp:
        await tcp.token("one", "admin", "acme")
        await tcp.token("all", "admin")

        own = await tcp.status("DELETE", path, "Bearer one")
        chat = await tcp.status("DELETE", f"{path}/chats/c", "Bearer one")
        shown = await tcp.status("GET", path, "Bearer one")
        operator = await tcp.status("DELETE", path, "Bearer all")

        assert (own, chat, shown, operator) == (403, 200, 200, 200)


async def test_a_revoked_token_is_as_good_as_none(tmp_path: Path) -> None:
    async with calling(tmp_path) as tcp:
        await tcp.token("tok", "admin")
        before = await tcp.status("GET", "/v1/status", "Bearer tok")

        await tcp.system.daemon.partition.store_queue.done(
            RevokeToken(
                token_id=token_id(digest_of("tok")),
                now_ms=tcp.system.clock.now_ms(),
                caller="test",
            )
        )

        assert (before, await tcp.status("GET", "/v1/status", "Bearer tok")) == (200, 401)


async def test_no_token_stands_in_the_database(tmp_path: Path) -> None:
    async with calling(tmp_path) as tcp:
        await tcp.token("a-token-nobody-should-find", "admin")

        stored = (tmp_path / "data" / "data.mdb").read_bytes()

        assert b"a-token-nobody-should-find" not in stored
        assert digest_of("a-token-nobody-should-find") in stored

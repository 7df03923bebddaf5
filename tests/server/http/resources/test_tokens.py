"""Tokens made over the socket, and what they open on TCP: until the moment they are revoked."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, daemon_in, event

ACME = "/v1/workspaces/acme"


@pytest.fixture
async def system(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", listen="127.0.0.1:0")
    async with daemon_in(tmp_path, listeners=listeners) as system:
        await system.make("acme", receiver)
        await system.make("other", receiver, "other")
        yield system


async def made(system: System, scope: str, workspace: str | None = None) -> Any:
    answer = await system.ask("POST", "/v1/tokens", {"scope": scope, "workspace": workspace})
    assert answer.status == 201, answer
    return answer.document


async def over_tcp(
    system: System, token: str, method: str, path: str, document: object = None
) -> int:
    """The status that a caller with this token gets."""
    assert system.daemon.listeners.tcp is not None
    host, port = system.daemon.listeners.tcp
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(f"http://{host}:{port}", headers=headers) as session,
        session.request(method, path, json=document) as answer,
    ):
        return answer.status


async def test_a_token_has_256_random_bits_and_is_shown_once(system: System) -> None:
    token = await made(system, "admin")
    system.clock.move(1)  # tokens of one millisecond have no order
    another = await made(system, "admin")

    head, _, bits = token["token"].partition("_")
    assert (head, len(base64.urlsafe_b64decode(bits + "="))) == ("hbt", 32)
    assert token["token"] != another["token"]
    listed = await system.ask("GET", "/v1/tokens")
    assert token["token"].encode() not in listed.body
    assert [one["id"] for one in listed.document["tokens"]] == [token["id"], another["id"]]


async def test_without_a_token_tcp_is_closed(system: System) -> None:
    assert await over_tcp(system, "", "GET", ACME) == 401
    assert await over_tcp(system, "hbt_guessed", "GET", ACME) == 401


async def test_a_token_for_intake_takes_messages_in_and_opens_nothing_else(system: System) -> None:
    token = (await made(system, "intake"))["token"]

    assert await over_tcp(system, token, "POST", f"{ACME}/messages", event("m1")) == 202
    for path in (ACME, f"{ACME}/chats", f"{ACME}/deliveries", "/v1/tokens", "/v1/status"):
        assert await over_tcp(system, token, "GET", path) == 403


async def test_a_token_of_a_workspace_opens_this_one_alone(system: System) -> None:
    token = (await made(system, "admin", "acme"))["token"]

    assert await over_tcp(system, token, "GET", ACME) == 200
    assert await over_tcp(system, token, "GET", f"{ACME}/deliveries") == 200
    for path in ("/v1/workspaces/other", "/v1/workspaces", "/v1/chats", "/v1/deliveries/x"):
        assert await over_tcp(system, token, "GET", path) == 403


async def test_only_a_token_for_everything_makes_or_revokes_tokens(system: System) -> None:
    of_all = (await made(system, "admin"))["token"]
    of_one = (await made(system, "admin", "acme"))["token"]
    wanted = {"scope": "admin"}

    assert await over_tcp(system, of_all, "POST", "/v1/tokens", wanted) == 201
    assert await over_tcp(system, of_one, "POST", "/v1/tokens", wanted) == 403
    assert await over_tcp(system, of_one, "GET", "/v1/tokens") == 403
    assert await over_tcp(system, of_one, "DELETE", "/v1/tokens/tok_x") == 403


async def test_a_revoked_token_opens_nothing_from_the_next_request_on(system: System) -> None:
    token = await made(system, "admin")
    assert await over_tcp(system, token["token"], "GET", ACME) == 200

    revoked = await system.ask("DELETE", f"/v1/tokens/{token['id']}")

    assert (revoked.status, revoked.body) == (204, b"")
    assert await over_tcp(system, token["token"], "GET", ACME) == 401
    assert (await system.get("/v1/tokens"))["tokens"] == []


async def test_a_token_is_good_after_a_restart(tmp_path: Path, receiver: HookReceiver) -> None:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", listen="127.0.0.1:0")
    async with daemon_in(tmp_path, listeners=listeners) as system:
        token = (await made(system, "admin"))["token"]

    async with daemon_in(tmp_path, listeners=listeners) as system:
        assert await over_tcp(system, token, "GET", "/v1/status") == 200


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 422),
        ({"scope": "root"}, 422),
        ({"scope": "admin", "workspace": ""}, 422),
        ({"scope": "admin", "workspaces": "acme"}, 422),
        ({"scope": "admin", "workspace": "nobody"}, 404),
    ],
)
async def test_a_token_for_nothing_is_not_made(
    system: System, document: dict[str, str], status: int
) -> None:
    assert (await system.ask("POST", "/v1/tokens", document)).status == status
    assert (await system.get("/v1/tokens"))["tokens"] == []


async def test_a_token_that_is_not_there_is_not_revoked(system: System) -> None:
    assert (await system.ask("DELETE", "/v1/tokens/tok_0")).status == 404


async def test_pages_of_tokens_miss_nothing_and_repeat_nothing(system: System) -> None:
    ids = [(await made(system, "intake"))["id"] for _ in range(5)]
    found: list[str] = []

    cursor: str | None = ""
    while cursor is not None:
        page = await system.get(f"/v1/tokens?limit=2&cursor={cursor}")
        found += [token["id"] for token in page["tokens"]]
        cursor = page["cursor"]

    assert sorted(found) == sorted(ids)


async def test_the_maker_of_a_token_is_on_record(system: System) -> None:
    token = await made(system, "intake", "acme")

    (fact,) = await system.facts.until("token.created")

    assert fact["workspace"] == "acme"
    assert fact["data"]["token"] == token["id"]
    assert fact["data"]["caller"].startswith("uid ")

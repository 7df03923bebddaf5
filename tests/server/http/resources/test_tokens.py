"""Tokens made over the socket, and what they open on TCP: until the moment they are revoked."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.server.http.listeners import DoorsConfig
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import House, event, living, receiving

ACME = "/v1/workspaces/acme"


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def house(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[House]:
    doors = DoorsConfig(tmp_path / "run" / "control.sock", listen="127.0.0.1:0")
    async with living(tmp_path, doors=doors) as house:
        await house.make("acme", receiver)
        await house.make("other", receiver, "other")
        yield house


async def made(house: House, scope: str, workspace: str | None = None) -> Any:
    answer = await house.ask("POST", "/v1/tokens", {"scope": scope, "workspace": workspace})
    assert answer.status == 201, answer
    return answer.document


async def over_tcp(
    house: House, token: str, method: str, path: str, document: object = None
) -> int:
    """The status that a caller with this token gets."""
    assert house.daemon.doors.tcp is not None
    host, port = house.daemon.doors.tcp
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(f"http://{host}:{port}", headers=headers) as session,
        session.request(method, path, json=document) as answer,
    ):
        return answer.status


async def test_a_token_has_256_random_bits_and_is_shown_once(house: House) -> None:
    token = await made(house, "admin")
    house.clock.move(1)  # tokens of one millisecond have no order
    another = await made(house, "admin")

    head, _, bits = token["token"].partition("_")
    assert (head, len(base64.urlsafe_b64decode(bits + "="))) == ("hbt", 32)
    assert token["token"] != another["token"]
    listed = await house.ask("GET", "/v1/tokens")
    assert token["token"].encode() not in listed.body
    assert [one["id"] for one in listed.document["tokens"]] == [token["id"], another["id"]]


async def test_without_a_token_tcp_is_closed(house: House) -> None:
    assert await over_tcp(house, "", "GET", ACME) == 401
    assert await over_tcp(house, "hbt_guessed", "GET", ACME) == 401


async def test_a_token_for_intake_takes_messages_in_and_opens_nothing_else(house: House) -> None:
    token = (await made(house, "intake"))["token"]

    assert await over_tcp(house, token, "POST", f"{ACME}/messages", event("m1")) == 202
    for path in (ACME, f"{ACME}/chats", f"{ACME}/deliveries", "/v1/tokens", "/v1/status"):
        assert await over_tcp(house, token, "GET", path) == 403


async def test_a_token_of_a_workspace_opens_this_one_alone(house: House) -> None:
    token = (await made(house, "admin", "acme"))["token"]

    assert await over_tcp(house, token, "GET", ACME) == 200
    assert await over_tcp(house, token, "GET", f"{ACME}/deliveries") == 200
    for path in ("/v1/workspaces/other", "/v1/workspaces", "/v1/chats", "/v1/deliveries/x"):
        assert await over_tcp(house, token, "GET", path) == 403


async def test_only_a_token_for_everything_makes_or_revokes_tokens(house: House) -> None:
    of_all = (await made(house, "admin"))["token"]
    of_one = (await made(house, "admin", "acme"))["token"]
    wanted = {"scope": "admin"}

    assert await over_tcp(house, of_all, "POST", "/v1/tokens", wanted) == 201
    assert await over_tcp(house, of_one, "POST", "/v1/tokens", wanted) == 403
    assert await over_tcp(house, of_one, "GET", "/v1/tokens") == 403
    assert await over_tcp(house, of_one, "DELETE", "/v1/tokens/tok_x") == 403


async def test_a_revoked_token_opens_nothing_from_the_next_request_on(house: House) -> None:
    token = await made(house, "admin")
    assert await over_tcp(house, token["token"], "GET", ACME) == 200

    revoked = await house.ask("DELETE", f"/v1/tokens/{token['id']}")

    assert (revoked.status, revoked.body) == (204, b"")
    assert await over_tcp(house, token["token"], "GET", ACME) == 401
    assert (await house.get("/v1/tokens"))["tokens"] == []


async def test_a_token_is_good_after_a_restart(tmp_path: Path, receiver: HookReceiver) -> None:
    doors = DoorsConfig(tmp_path / "run" / "control.sock", listen="127.0.0.1:0")
    async with living(tmp_path, doors=doors) as house:
        token = (await made(house, "admin"))["token"]

    async with living(tmp_path, doors=doors) as house:
        assert await over_tcp(house, token, "GET", "/v1/status") == 200


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
    house: House, document: dict[str, str], status: int
) -> None:
    assert (await house.ask("POST", "/v1/tokens", document)).status == status
    assert (await house.get("/v1/tokens"))["tokens"] == []


async def test_a_token_that_is_not_there_is_not_revoked(house: House) -> None:
    assert (await house.ask("DELETE", "/v1/tokens/tok_0")).status == 404


async def test_pages_of_tokens_miss_nothing_and_repeat_nothing(house: House) -> None:
    ids = [(await made(house, "intake"))["id"] for _ in range(5)]
    found: list[str] = []

    cursor: str | None = ""
    while cursor is not None:
        page = await house.get(f"/v1/tokens?limit=2&cursor={cursor}")
        found += [token["id"] for token in page["tokens"]]
        cursor = page["cursor"]

    assert sorted(found) == sorted(ids)


async def test_the_maker_of_a_token_is_on_record(house: House) -> None:
    token = await made(house, "intake", "acme")

    (fact,) = await house.facts.until("token.created")

    assert fact["workspace"] == "acme"
    assert fact["data"]["token"] == token["id"]
    assert fact["data"]["caller"].startswith("uid ")

"""Tokens have a name, an end, and a last use."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from hookbundle.engine.errors import StoreFull
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.schemas.times import iso, ms_of
from hookbundle.storage.transitions.tokens import NoteTokenUses
from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS, System, daemon_in
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.tokens import bearer

HALF_AN_HOUR_MS = 30 * MINUTE_MS
FAR = "2036-01-31T12:00:00+02:00"


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", listen="127.0.0.1:0")
    async with daemon_in(tmp_path, listeners=listeners) as system:
        yield system


async def made(system: System, **wanted: Any) -> Any:
    answer = await system.ask("POST", "/v1/tokens", {"scope": "admin", **wanted})
    assert answer.status == 201, answer
    return answer.document


async def got(system: System, token: str, path: str = "/v1/workspaces") -> tuple[int, Any, str]:
    """Status, document and challenge that a caller with this token gets on TCP."""
    url = f"{address_of(system)}{path}"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        challenge = answer.headers.get("WWW-Authenticate", "")
        return answer.status, msgspec.json.decode(await answer.read()), challenge


def address_of(system: System) -> str:
    assert system.daemon.listeners.tcp is not None
    host, port = system.daemon.listeners.tcp
    return f"http://{host}:{port}"


async def last_use(system: System, token: Any) -> str | None:
    """The last use that is written, once nothing is left to write."""
    await system.daemon.token_uses.close()
    used: str | None = (await system.get(f"/v1/tokens/{token['id']}"))["last_used_at"]
    return used


async def test_it_has_a_name_and_an_end_that_are_shown_and_told(system: System) -> None:
    token = await made(system, name=" Zapier ", expires_at=FAR)
    system.clock.move(1)
    other = await made(system)

    listed = (await system.get("/v1/tokens"))["tokens"]
    told = await system.facts.until("token.created", 2)

    end = "2036-01-31T10:00:00.000Z"
    assert [(each["name"], each["expires_at"]) for each in listed] == [("Zapier", end), ("", None)]
    assert listed[0] == {key: value for key, value in token.items() if key != "token"}
    assert [each["data"]["name"] for each in told] == ["Zapier", ""]
    assert [each["data"]["expires"] for each in told] == [end, None]
    assert other["last_used_at"] is None


async def test_it_is_good_until_its_end_and_not_one_moment_longer(system: System) -> None:
    now = (await system.get("/v1/status"))["now"]
    await system.ask("PUT", "/v1/workspaces/acme", {})
    token = await made(system, expires_at=later(now))
    before = await got(system, token["token"])
    system.clock.move(HALF_AN_HOUR_MS)

    status, document, challenge = await got(system, token["token"])
    unknown = await got(system, "hbt_unknown")

    assert before[0] == 200
    assert (status, document["code"]) == (401, "token_expired")
    assert token["id"] in document["detail"]
    assert token["expires_at"] in document["detail"]
    assert 'error="invalid_token"' in challenge
    assert unknown[1].get("code") != "token_expired"
    # It is still listed, so that people see why a program is refused.
    assert [each["id"] for each in (await system.get("/v1/tokens"))["tokens"]] == [token["id"]]


def later(now: str) -> str:
    """Half an hour after it: no session in the console ends of itself so soon."""
    now_ms = ms_of(now)
    assert now_ms is not None
    return iso(now_ms + HALF_AN_HOUR_MS)


async def test_its_end_ends_its_sessions_in_the_console(system: System) -> None:
    now = (await system.get("/v1/status"))["now"]
    token = await made(system, expires_at=later(now))
    async with visitor(address_of(system)) as person:
        await person.sign_in(token["token"])
        before = await person.get("/console/workspaces")
        system.clock.move(HALF_AN_HOUR_MS)
        after = await person.get("/console/workspaces")

    assert (before.status, after.status) == (200, 303)
    assert after.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ("2096-01-31", "must be a time like"),
        ("2096-01-31T12:00:00", "must be a time like"),
        ("tomorrow", "must be a time like"),
        ("9" * 5_000, "must be a time like"),
        ("9999-12-31T23:59:59-12:00", "must be a time like"),
        ("2001-01-31T12:00:00Z", "is in the past"),
        ("1969-01-31T12:00:00Z", "must be a time like"),
        ("2096-01-31T12:00:00Z", "is more than 3653 days from now"),
        ("9999-12-31T23:59:59Z", "is more than 3653 days from now"),
    ],
)
async def test_what_is_no_time_to_come_is_refused(system: System, given: str, detail: str) -> None:
    answer = await system.ask("POST", "/v1/tokens", {"scope": "admin", "expires_at": given})

    (fault,) = answer.document["errors"]
    assert (answer.status, fault["path"]) == (422, "expires_at")
    assert detail in fault["detail"]
    assert len(fault["detail"]) < 300


async def test_ten_years_are_the_longest_life(system: System) -> None:
    most = system.clock.now_ms() + 3_653 * 24 * HOUR_MS

    token = await made(system, expires_at=iso(most))
    later = {"scope": "admin", "expires_at": iso(most + HOUR_MS)}

    assert token["expires_at"] == iso(most)
    assert (await system.ask("POST", "/v1/tokens", later)).status == 422


@pytest.mark.parametrize(
    "name",
    ["two\nlines", "a\rb", "a\u0000b", "a\tb", "a\u2028b", "a\u0085b", "a\u202eb", "\x1b[2J"],
)
async def test_a_name_is_one_line_that_shows_what_it_is(system: System, name: str) -> None:
    answer = await system.ask("POST", "/v1/tokens", {"scope": "admin", "name": name})

    (fault,) = answer.document["errors"]
    assert (answer.status, fault["path"], fault["code"]) == (422, "name", "not_one_line")
    assert (await system.get("/v1/tokens"))["tokens"] == []


@pytest.mark.parametrize(
    "name", ["زابير", "Zapier (prod): n°2", "\U0001f469\u200d\U0001f467 CRM", " Zapier\n"]
)
async def test_a_name_may_be_of_any_language(system: System, name: str) -> None:
    assert (await made(system, name=name))["name"] == name.strip()


async def test_its_last_use_is_written_once_an_hour(system: System) -> None:
    token = await made(system)
    written = count_writes(system)
    uses = []
    for _ in range(3):
        for _ in range(5):
            assert (await got(system, token["token"]))[0] == 200
            uses.append(await last_use(system, token))
        system.clock.move(HOUR_MS)

    assert written == [1, 1, 1]
    assert len(set(uses)) == 3
    assert uses == sorted(uses, key=str)


async def test_many_tokens_are_written_together(system: System) -> None:
    tokens = [await bearer(system) for _ in range(20)]
    written = count_writes(system)

    answers = await asyncio.gather(*(got(system, token) for token in tokens))
    await system.daemon.token_uses.close()

    assert {status for status, *_ in answers} == {200}
    assert sum(written) == 20
    assert len(written) < 20


async def test_what_can_t_be_written_is_not_tried_again_at_once(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await made(system)
    tried = []

    async def full(transition: object) -> None:
        tried.append(transition)
        raise StoreFull("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(system.daemon.partition.store_queue, "done", full)
        for _ in range(5):
            assert (await got(system, token["token"]))[0] == 200
            await system.daemon.token_uses.close()
    system.clock.move(2 * MINUTE_MS)
    await got(system, token["token"])

    assert len(tried) == 1
    assert await last_use(system, token) is not None


async def test_an_expired_token_is_not_used(system: System) -> None:
    now = (await system.get("/v1/status"))["now"]
    token = await made(system, expires_at=later(now))
    system.clock.move(HALF_AN_HOUR_MS)

    await got(system, token["token"])

    assert await last_use(system, token) is None


def count_writes(system: System) -> list[int]:
    """How many tokens each write names, from now on."""
    written: list[int] = []
    store = system.daemon.partition.store_queue
    done = store.done

    async def counted(transition: Any) -> None:
        if isinstance(transition, NoteTokenUses):
            written.append(len(transition.uses))
        await done(transition)

    store.done = counted  # type: ignore[method-assign]
    return written

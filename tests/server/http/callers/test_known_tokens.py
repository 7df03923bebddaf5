"""A token is read once and remembered, until any token changes: then at once, and by everybody."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.server.http.callers import token_check
from hookbundle.server.http.callers.token_check import KnownTokens
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.database.settings import Token, TokenChanges
from hookbundle.storage.maintenance import backups
from hookbundle.storage.transitions.tokens import NoteTokenUses, TokenUse, digest_of
from hookbundle.tests.in_process import System, daemon_in

DIGEST = digest_of("a token")
TOKEN = Token(id="tok_1", scope="admin", workspace_id="", created_ms=1)


def listeners_in(folder: Path) -> ListenersConfig:
    return ListenersConfig(folder / "run" / "control.sock", listen="127.0.0.1:0")


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with daemon_in(tmp_path, listeners=listeners_in(tmp_path)) as system:
        await system.ask("PUT", "/v1/workspaces/acme", {})
        yield system


@pytest.fixture
async def lines(system: System) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Each is a connection of its own."""
    sessions = [lined(system) for _ in range(2)]
    yield sessions
    for session in sessions:
        await session.close()


def lined(system: System) -> aiohttp.ClientSession:
    assert system.daemon.listeners.tcp is not None
    host, port = system.daemon.listeners.tcp
    connector = aiohttp.TCPConnector(limit=1)
    return aiohttp.ClientSession(f"http://{host}:{port}", connector=connector)


async def status_of(session: aiohttp.ClientSession, token: Any, path: str = "acme") -> int:
    headers = {"Authorization": f"Bearer {token['token']}"}
    async with session.get(f"/v1/workspaces/{path}", headers=headers) as answer:
        await answer.read()
        return answer.status


async def made(system: System, workspace: str | None = None) -> Any:
    wanted = {"scope": "admin", "workspace": workspace}
    return (await system.ask("POST", "/v1/tokens", wanted)).document


def reads_of(system: System, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The look-ups in the database, from now on."""
    reads, seen = system.daemon.partition.reads, list[bytes]()
    token = reads.token

    def counted(digest: bytes) -> Token | None:
        seen.append(digest)
        return token(digest)

    monkeypatch.setattr(reads, "token", counted)
    return seen


async def test_a_token_is_read_once(
    system: System, lines: list[aiohttp.ClientSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await made(system)
    await status_of(lines[0], token)
    await system.daemon.token_uses.close()
    seen = reads_of(system, monkeypatch)

    assert [await status_of(line, token) for line in lines * 3] == [200] * 6

    assert len(seen) == 1


async def test_a_revoked_token_is_refused_from_the_answer_on_on_every_connection(
    system: System, lines: list[aiohttp.ClientSession]
) -> None:
    token, other = await made(system), await made(system)
    await status_of(lines[0], token)
    await system.daemon.token_uses.close()  # which is a change of tokens too
    assert [await status_of(line, token) for line in lines] == [200, 200]

    await system.ask("DELETE", f"/v1/tokens/{token['id']}")

    assert [await status_of(line, token) for line in lines] == [401, 401]
    assert [await status_of(line, other) for line in lines] == [200, 200]


async def test_the_tokens_of_a_deleted_workspace_are_refused_at_once(
    system: System, lines: list[aiohttp.ClientSession]
) -> None:
    token = await made(system, "acme")
    await status_of(lines[0], token)
    await system.daemon.token_uses.close()  # which is a change of tokens too
    assert [await status_of(line, token) for line in lines] == [200, 200]

    await system.ask("DELETE", "/v1/workspaces/acme")
    await system.ask("PUT", "/v1/workspaces/acme", {})

    assert [await status_of(line, token) for line in lines] == [401, 401]


async def test_a_revoked_token_stays_refused_in_a_restored_database(
    system: System, lines: list[aiohttp.ClientSession], tmp_path: Path
) -> None:
    token, other = await made(system), await made(system)
    assert await status_of(lines[0], token) == 200
    await system.ask("DELETE", f"/v1/tokens/{token['id']}")
    answer = await system.ask("POST", "/v1/backup", {"directory": str(tmp_path / "backup")})
    assert answer.status == 200, answer
    into = tmp_path / "restored"
    backups.restore(tmp_path / "backup", into / "data", system.clock.now_ms(), lambda: None)

    async with (
        daemon_in(into, listeners=listeners_in(into)) as restored,
        lined(restored) as line,
    ):
        assert await status_of(line, other) == 200
        assert await status_of(line, token) == 401


async def test_a_use_that_was_written_is_known(
    system: System, lines: list[aiohttp.ClientSession]
) -> None:
    """Else the token would be written with every request from then on."""
    token = await made(system)
    await status_of(lines[0], token)
    await system.daemon.token_uses.close()
    digest = digest_of(token["token"])
    now_ms = system.clock.now_ms() + 5
    uses = (TokenUse(digest, now_ms),)
    await system.daemon.partition.store_queue.done(NoteTokenUses(uses=uses, now_ms=now_ms))

    known = system.daemon.tokens.known.find(digest)

    assert known is not None
    assert known.used_ms == now_ms


# ---- what the Store does between two steps of a look-up


@dataclass
class Stored:
    """The database: what is stored, and what happens while somebody reads it."""

    tokens: dict[bytes, Token] = field(default_factory=lambda: {DIGEST: TOKEN})
    reads: int = 0
    meanwhile: Callable[[], None] = lambda: None

    def token(self, digest: bytes) -> Token | None:
        found = self.tokens.get(digest)
        self.reads += 1
        self.meanwhile()
        return found


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
def changes() -> TokenChanges:
    return TokenChanges()


@pytest.fixture
def known(stored: Stored, changes: TokenChanges) -> KnownTokens:
    return KnownTokens(stored, changes)  # type: ignore[arg-type]


def test_what_is_read_just_before_a_change_is_not_believed_after_it(
    stored: Stored, changes: TokenChanges, known: KnownTokens
) -> None:
    def revoked() -> None:
        with changes:
            changes.begin()
            stored.tokens.clear()
        stored.meanwhile = lambda: None

    stored.meanwhile = revoked
    assert known.find(DIGEST) == TOKEN

    assert known.find(DIGEST) is None


def test_while_a_change_is_under_way_everybody_reads(
    stored: Stored, changes: TokenChanges, known: KnownTokens
) -> None:
    known.find(DIGEST)

    with changes:
        changes.begin()
        before = known.find(DIGEST)
        stored.tokens.clear()  # the moment of the commit, after which it can be read
        after = known.find(DIGEST)

    assert (before, after) == (TOKEN, None)
    assert known.find(DIGEST) is None


def test_a_change_that_failed_leaves_nothing_under_way(
    stored: Stored, changes: TokenChanges, known: KnownTokens
) -> None:
    with suppress(RuntimeError), changes:
        changes.begin()
        raise RuntimeError

    assert [known.find(DIGEST) for _ in range(3)] == [TOKEN] * 3
    assert stored.reads == 1


def test_what_was_not_found_is_looked_for_again(stored: Stored, known: KnownTokens) -> None:
    stored.tokens.clear()
    assert known.find(DIGEST) is None
    stored.tokens[DIGEST] = TOKEN

    assert known.find(DIGEST) == TOKEN


def test_only_so_many_are_remembered(
    stored: Stored, known: KnownTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_check, "REMEMBERED_MAX", 3)
    digests = [digest_of(str(number)) for number in range(10)]
    stored.tokens = dict.fromkeys(digests, TOKEN)

    assert [known.find(digest) for digest in digests] == [TOKEN] * 10

    assert len(known._known) <= 3

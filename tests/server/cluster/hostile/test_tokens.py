"""Tokens that a node does not know: what they can make it ask, and what a revoked one is."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.server.http.callers.token_check import KnownTokens
from hookbundle.storage.database.settings import Token
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.hostile.apart import PARTITIONS, apart, request

ADDRESS = "127.0.0.1"


def messages(workspace: str, token: str) -> str:
    return f"POST /v1/workspaces/{workspace}/messages HTTP/1.1\nAuthorization: Bearer {token}"


async def test_a_slow_request_keeps_no_revoked_token_good(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace = made.theirs[0]
        token, token_id = await made.token(workspace)
        slow = await made.line()
        slow.writer.write(
            request(f"{messages(workspace, token)}\nContent-Length: 9\nExpect: 100-continue")
        )
        assert b"100 Continue" in await slow.reader.readuntil(b"\r\n\r\n")
        await until(lambda: bool(made.nodes[0].unknown_tokens.tokens._asked))
        before = await made.status(messages(workspace, token), b"[]")
        await made.api.ask("DELETE", f"/v1/tokens/{token_id}")
        after = await made.status(messages(workspace, token), b"[]")
        slow.hang_up()

    assert before == 202
    assert after == 401


async def test_a_token_of_which_its_owner_can_not_say_anything_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = KnownTokens.find

    def fail(known: KnownTokens, digest: bytes) -> Token | None:
        if known is owner.tokens:
            raise Overloaded.of(Code.DATABASE_GROWING)
        return find(known, digest)

    async with apart(tmp_path) as made:
        workspace = made.theirs[0]
        owner = made.nodes[1].owned[of_workspace(workspace, PARTITIONS)]
        token, _ = await made.token(workspace)
        with monkeypatch.context() as patch:
            patch.setattr(KnownTokens, "find", fail)
            before = await made.status(messages(workspace, token), b"[]")
        after = await made.status(messages(workspace, token), b"[]")

    assert (before, after) == (503, 202)


async def test_a_client_has_a_share_of_what_is_asked_for_unknown_tokens(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace, node = made.theirs[0], made.nodes[0]
        known, _ = await made.token(workspace)
        assert await made.status(messages(workspace, known), b"[]") == 202
        limit = node.unknown_tokens.limit
        while limit.has_taken(ADDRESS):
            pass
        guessed = await made.status(messages(workspace, "hb_guessed"), b"[]")
        good = await made.status(messages(workspace, known), b"[]")
        limit.give_back(ADDRESS, limit.held(ADDRESS))
        free = await made.status(messages(workspace, "hb_guessed"), b"[]")

        assert limit.used == 0
        assert limit.refused_owner == 1
    assert (guessed, good, free) == (429, 202, 401)


async def test_a_token_that_is_good_no_more_takes_a_place_again(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace, limit = made.theirs[0], made.nodes[0].unknown_tokens.limit
        token, token_id = await made.token(workspace)
        good = await made.status(messages(workspace, token), b"[]")
        await made.api.ask("DELETE", f"/v1/tokens/{token_id}")
        revoked = await made.status(messages(workspace, token), b"[]")
        while limit.has_taken(ADDRESS):
            pass
        again = await made.status(messages(workspace, token), b"[]")
        limit.give_back(ADDRESS, limit.held(ADDRESS))

    assert (good, revoked, again) == (202, 401, 429)


async def test_where_no_token_is_wanted_none_is_asked_for(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        limit = made.nodes[0].unknown_tokens.limit
        while limit.has_taken(ADDRESS):
            pass
        found = [
            await made.status(f"GET {path} HTTP/1.1\nAuthorization: Bearer of-another-system")
            for path in ("/healthz", "/console/sign-in", "/openapi.json")
        ]
        limit.give_back(ADDRESS, limit.held(ADDRESS))

    assert found == [200, 200, 200]


async def test_a_token_that_another_node_has_asked_for_has_been_used(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace = made.theirs[0]
        token, token_id = await made.token(workspace)

        async def used_at() -> str | None:
            listed = (await made.api.get("/v1/tokens"))["tokens"]
            found: list[str | None] = [
                each["last_used_at"] for each in listed if each["id"] == token_id
            ]
            return found[0]

        before = await used_at()
        assert await made.status(messages(workspace, token), b"[]") == 202
        async with asyncio.timeout(20):
            while await used_at() is None:
                pass

    assert before is None


async def test_a_token_is_not_looked_for_where_the_request_may_not_go(tmp_path: Path) -> None:
    """One of a workspace, at another's path: it is unknown there, and that is all that is said."""
    async with apart(tmp_path) as made:
        token, _ = await made.token(made.theirs[0])
        others = [name for name in made.theirs if name != made.theirs[0]]
        await until(lambda: made.nodes[0].unknown_tokens.limit.used == 0)
        found = [await made.status(messages(name, token), b"[]") for name in others]

    assert set(found) <= {401, 403}

"""Tokens: stored as a hash, good for what they were made for, gone when they are revoked."""

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.transitions.tokens import (
    CreateToken,
    RevokeToken,
    Scope,
    digest_of,
    token_id,
)
from hookbundle.tests.storage.scratch import House

TEXT = "hbt_a-token-of-256-random-bits-would-be-here"


def create(house: House, text: str = TEXT, *, scope: Scope = "intake", ws: str = "") -> str:
    digest = digest_of(text)
    house.done(
        CreateToken(
            digest=digest, scope=scope, workspace_id=ws, now_ms=house.now_ms, caller="uid 0"
        )
    )
    return token_id(digest)


def revoke(house: House, token: str) -> None:
    house.done(RevokeToken(token_id=token, now_ms=house.now_ms, caller="uid 0"))


def test_a_token_is_found_by_its_text(house: House) -> None:
    house.workspace()

    made = create(house, scope="admin", ws="acme")

    found = house.reads.token(digest_of(TEXT))
    assert found is not None
    assert (found.id, found.scope, found.workspace_id) == (made, "admin", "acme")
    assert found.created_ms == house.now_ms


def test_the_text_of_a_token_is_nowhere_in_the_database(house: House) -> None:
    create(house)

    stored = b"".join(key + value for key, value in house.dump().items())

    assert TEXT.encode() not in stored
    assert TEXT.removeprefix("hbt_").encode() not in stored


def test_another_text_finds_no_token(house: House) -> None:
    create(house)

    assert house.reads.token(digest_of(TEXT + "x")) is None


def test_a_token_for_a_workspace_that_is_not_there_is_not_made(house: House) -> None:
    with pytest.raises(NotFound):
        create(house, ws="nobody")

    assert house.reads.tokens() == []


def test_a_revoked_token_is_gone_and_the_others_stay(house: House) -> None:
    first, second = create(house, "hbt_1"), create(house, "hbt_2")

    revoke(house, first)

    assert [token.id for token in house.reads.tokens()] == [second]
    assert house.reads.token(digest_of("hbt_1")) is None


def test_a_token_that_is_not_there_is_not_revoked(house: House) -> None:
    revoke(house, create(house))

    with pytest.raises(NotFound):
        revoke(house, token_id(digest_of(TEXT)))


def test_making_and_revoking_are_told_without_the_token(house: House) -> None:
    made = create(house)
    revoke(house, made)

    created, revoked = house.told("token.created", "token.revoked")

    assert created["data"] == {"token": made, "scope": "intake", "caller": "uid 0"}
    assert revoked["data"] == {"token": made, "caller": "uid 0"}

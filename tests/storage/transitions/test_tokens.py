"""Tokens: stored as a hash, good for what they were made for, gone when they are revoked."""

from collections.abc import Iterator
from typing import Any

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions.tokens import (
    CreateToken,
    NoteTokenUses,
    RevokeToken,
    Scope,
    TokenUse,
    digest_of,
    index_key,
    key_of,
    token_id,
)
from hookbundle.tests.storage.deleting import delete
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import ScratchDatabase

TEXT = "hbt_a-token-of-256-random-bits-would-be-here"


def create(db: ScratchDatabase, text: str = TEXT, *, scope: Scope = "intake", ws: str = "") -> str:
    digest = digest_of(text)
    db.done(
        CreateToken(digest=digest, scope=scope, workspace_id=ws, now_ms=db.now_ms, caller="uid 0")
    )
    return token_id(digest)


def revoke(db: ScratchDatabase, token: str) -> None:
    db.done(RevokeToken(token_id=token, now_ms=db.now_ms, caller="uid 0"))


def test_a_token_is_found_by_its_text(db: ScratchDatabase) -> None:
    db.workspace()

    made = create(db, scope="admin", ws="acme")

    found = db.reads.token(digest_of(TEXT))
    assert found is not None
    assert (found.id, found.scope, found.workspace_id) == (made, "admin", "acme")
    assert found.created_ms == db.now_ms


def test_the_text_of_a_token_is_nowhere_in_the_database(db: ScratchDatabase) -> None:
    create(db)

    stored = b"".join(key + value for key, value in db.dump().items())

    assert TEXT.encode() not in stored
    assert TEXT.removeprefix("hbt_").encode() not in stored


def test_another_text_finds_no_token(db: ScratchDatabase) -> None:
    create(db)

    assert db.reads.token(digest_of(TEXT + "x")) is None


def test_a_token_for_a_workspace_that_is_not_there_is_not_made(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        create(db, ws="nobody")

    assert db.reads.tokens(10).found == []


def test_a_revoked_token_is_gone_and_the_others_stay(db: ScratchDatabase) -> None:
    first, second = create(db, "hbt_1"), create(db, "hbt_2")

    revoke(db, first)

    assert [token.id for token in db.reads.tokens(10).found] == [second]
    assert db.reads.token(digest_of("hbt_1")) is None


def test_a_token_that_is_not_there_is_not_revoked(db: ScratchDatabase) -> None:
    revoke(db, create(db))

    with pytest.raises(NotFound):
        revoke(db, token_id(digest_of(TEXT)))


@pytest.mark.parametrize("name", ["", "tok_", "tok_00", "tok_zz", "nobody", "tok_" + "0" * 64])
def test_a_name_that_is_none_revokes_nothing_and_looks_at_no_token(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    create(db)
    monkeypatch.setattr(Unit, "rows", lambda *_: pytest.fail("tokens were looked at"))

    with pytest.raises(NotFound):
        revoke(db, name)


def test_a_revocation_looks_at_no_other_token(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [create(db, f"hbt_{number}") for number in range(20)]
    looked_at: list[bytes] = []

    def unpacked(key: bytes, value: bytes, kind: type[Any]) -> Any:
        looked_at.append(key)
        return unpack(key, value, kind)

    unpack = codec.unpack
    monkeypatch.setattr(codec, "unpack", unpacked)
    revoke(db, names[7])

    assert [key for key in looked_at if key.startswith(keyspace.TOKENS)] == [
        keyspace.TOKENS + digest_of("hbt_7")
    ]


def test_making_and_revoking_are_told_without_the_token(db: ScratchDatabase) -> None:
    made = create(db)
    revoke(db, made)

    created, revoked = db.events("token.created", "token.revoked")

    told = {"token": made, "scope": "intake", "caller": "uid 0", "name": "", "expires": 0}
    assert created["data"] == told
    assert revoked["data"] == {"token": made, "caller": "uid 0"}


def test_the_last_use_of_many_is_noted_at_once(db: ScratchDatabase) -> None:
    for number in range(3):
        create(db, f"hbt_{number}")
    revoke(db, token_id(digest_of("hbt_1")))
    told = len(db.feed())
    uses = tuple(TokenUse(digest_of(f"hbt_{number}"), db.now_ms + number) for number in range(4))

    db.done(NoteTokenUses(uses=uses, now_ms=db.now_ms + 5))

    used = [db.reads.token(digest_of(f"hbt_{number}")) for number in range(4)]
    assert [token and token.used_ms - db.now_ms for token in used] == [0, None, 2, None]
    assert len(db.feed()) == told
    assert db.reads.meta().last_ms == db.now_ms + 5


def test_a_use_of_before_does_not_take_the_place_of_a_later_one(db: ScratchDatabase) -> None:
    create(db)
    digest = digest_of(TEXT)

    for used_ms in (9_000, 8_000):
        db.done(NoteTokenUses(uses=(TokenUse(digest, used_ms),), now_ms=db.now_ms))

    token = db.reads.token(digest)
    assert token is not None
    assert token.used_ms == 9_000


# ---- deleting a workspace with its tokens, without a look at those of others, damaged or not

OWN, OTHER, ALL = "hbt_own", "hbt_other", "hbt_all"


@pytest.fixture
def shared(db: ScratchDatabase) -> ScratchDatabase:
    """Two workspaces, each with a token, and one token for all."""
    for ws, text in (("acme", OWN), ("other", OTHER)):
        db.workspace(ws)
        create(db, text, ws=ws)
    create(db, ALL)
    return db


def from_before_the_index(db: ScratchDatabase) -> None:
    with db.unit() as unit:
        unit.meta.tokens_indexed = False
        for key in [key for key, _ in unit.rows(keyspace.WORKSPACE_TOKENS)]:
            unit.delete(key)
        unit.flush()


def damage(db: ScratchDatabase, text: str) -> None:
    key = key_of(digest_of(text))
    with db.env.write() as txn:
        value = bytearray(db.dump()[key])
        value[-1] ^= 1
        txn.put(key, bytes(value))


def left(db: ScratchDatabase) -> set[str]:
    texts = {token_id(digest_of(text)): text for text in (OWN, OTHER, ALL)}
    return {texts[token.id] for token in db.reads.tokens(10).found}


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The prefixes under which rows are read, from now on."""
    found: list[bytes] = []
    rows = Unit.rows

    def noted(self: Unit, prefix: bytes, *more: Any) -> Iterator[tuple[bytes, bytes]]:
        found.append(prefix)
        return rows(self, prefix, *more)

    monkeypatch.setattr(Unit, "rows", noted)
    return found


def test_only_its_own_tokens_are_looked_at(shared: ScratchDatabase, walks: list[bytes]) -> None:
    delete(shared)

    assert left(shared) == {OTHER, ALL}
    assert not [prefix for prefix in walks if prefix.startswith(keyspace.TOKENS)]
    assert [each["data"]["token"] for each in shared.events("token.revoked")] == [
        token_id(digest_of(OWN))
    ]
    assert findings(shared) == []


def test_a_database_from_before_the_index_is_walked_through_once(
    shared: ScratchDatabase, walks: list[bytes]
) -> None:
    from_before_the_index(shared)
    assert findings(shared) == []

    delete(shared)
    first = walks.count(keyspace.TOKENS)
    delete(shared, "other")

    assert (first, walks.count(keyspace.TOKENS)) == (1, 1)
    assert left(shared) == {ALL}
    assert findings(shared) == []


def test_one_that_is_made_meanwhile_in_such_a_database_goes_too(shared: ScratchDatabase) -> None:
    from_before_the_index(shared)
    create(shared, "hbt_new", ws="acme")
    revoke(shared, token_id(digest_of(OWN)))

    delete(shared)

    assert left(shared) == {OTHER, ALL}
    assert findings(shared) == []


@pytest.mark.parametrize("text", [OWN, OTHER, ALL])
@pytest.mark.parametrize("is_old", [False, True])
def test_a_damaged_token_does_not_keep_it(shared: ScratchDatabase, text: str, is_old: bool) -> None:
    if is_old:
        from_before_the_index(shared)
    damage(shared, text)

    delete(shared)

    assert left(shared) == {OTHER, ALL} - {text}
    damaged = [finding for finding in findings(shared) if token_id(digest_of(text)) in str(finding)]
    is_gone = text == OWN and not is_old
    assert bool(damaged) is not is_gone
    assert len(findings(shared)) == len(damaged)


def test_a_revoked_token_leaves_the_index(shared: ScratchDatabase) -> None:
    revoke(shared, token_id(digest_of(OWN)))

    assert index_key(1, digest_of(OWN)) not in shared.dump()
    assert findings(shared) == []


def test_a_later_workspace_of_its_id_has_none_of_its_tokens(shared: ScratchDatabase) -> None:
    delete(shared)
    shared.workspace("acme")

    assert left(shared) == {OTHER, ALL}
    assert findings(shared) == []

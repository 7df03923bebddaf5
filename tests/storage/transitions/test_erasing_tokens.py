"""A workspace is deleted with its tokens, without a look at those of others, damaged or not."""

from collections.abc import Iterator
from typing import Any

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions.tokens import digest_of, index_key, key_of, token_id
from hookbundle.tests.storage.deleting import delete
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.test_tokens import create, revoke

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

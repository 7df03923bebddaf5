"""Sources are made, changed and deleted; a token leads to one as long as it is good."""

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import Changed, Conflict, InvalidInput, NotFound
from hookbundle.engine.preconditions import at_version
from hookbundle.engine.sources.memory import ChatName
from hookbundle.storage.database.sources.records import Source
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.storage.transitions.sources.lifetime import (
    ChangeSource,
    DeleteSource,
    RotateSourceToken,
    SourceKept,
)
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase
from hookbundle.tests.storage.transitions.sources.steps import (
    create,
    digest,
    learn,
    learning,
    note,
    remembered,
    rows_of_sources,
    seen,
    step,
)


def change(
    db: ScratchDatabase,
    settings: bytes | None = None,
    name: str | None = None,
    version: int | None = None,
) -> Source:
    transition = ChangeSource(
        workspace_id="acme",
        source_id="waha-1",
        name=name,
        settings=settings,
        precondition=at_version(version),
        now_ms=db.now_ms,
        caller="test",
    )
    return db.do(transition, SourceKept).source


def rotate(db: ScratchDatabase, token: str, keep_ms: int = 0) -> Source:
    transition = RotateSourceToken(
        workspace_id="acme",
        source_id="waha-1",
        digest=digest(token),
        keep_until_ms=db.now_ms + keep_ms,
        precondition=None,
        now_ms=db.now_ms,
        caller="test",
    )
    return db.do(transition, SourceKept).source


def delete(db: ScratchDatabase, source_id: str = "waha-1") -> None:
    transition = DeleteSource(
        workspace_id="acme",
        source_id=source_id,
        precondition=None,
        now_ms=db.now_ms,
        caller="test",
    )
    db.do(transition, SourceKept)


def is_good(db: ScratchDatabase, token: str) -> bool:
    return SourceReads(db.env).addressed(digest(token), db.now_ms) is not None


def test_a_token_leads_to_its_source_and_no_other_one_does(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, token="one")
    create(db, token="two", kind="meta")

    found = SourceReads(db.env).addressed(digest("two"), db.now_ms)

    assert found is not None
    assert (found.workspace_id, found.source.id) == ("acme", "meta-2")
    assert not is_good(db, "three")
    assert_sound(db)


def test_a_workspace_has_no_more_sources_than_it_may(db: ScratchDatabase) -> None:
    db.workspace()
    for number in range(limits.SOURCES_MAX):
        create(db, token=f"t{number}")

    with pytest.raises(Conflict, match="20 sources"):
        create(db, token="more")
    db.workspace("other")
    create(db, "other", token="of another")


def test_a_change_names_what_changed_and_no_value_of_it(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, hmac_key="old secret")

    changed = change(db, b'{"hmac_key": "new secret", "chat_url": ""}', name="WAHA of sales")

    (fact,) = db.events("source.changed")
    assert fact["data"]["changes"] == {"name": "WAHA of sales", "settings": ["hmac_key"]}
    assert changed.version == 2
    assert b"secret" not in b"".join(value for key, value in db.dump().items() if key[:1] == b"F")


def test_a_change_that_changes_nothing_writes_nothing(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, hmac_key="secret")
    before = db.dump()

    assert change(db, b'{"hmac_key": "secret"}', name="Inbox").version == 1

    changed = {key[:1] for key, value in db.dump().items() if before.get(key) != value}
    assert changed <= {b"M"}


def test_a_change_is_refused_whole(db: ScratchDatabase) -> None:
    db.workspace()
    create(db)

    with pytest.raises(InvalidInput) as caught:
        change(db, b'{"hmac_key": 7, "app_secret": "x"}', name="new")
    with pytest.raises(Changed):
        change(db, name="new", version=2)

    paths = [fault.path for fault in caught.value.faults]
    assert paths == ["settings.app_secret", "settings.hmac_key"]
    assert SourceReads(db.env).named("acme", "waha-1").source.name == "Inbox"


def test_a_rotated_token_is_good_for_as_long_as_it_is_kept(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, token="old")

    rotate(db, "new", HOUR_MS)

    assert is_good(db, "old")
    assert is_good(db, "new")
    assert_sound(db)
    db.now_ms += HOUR_MS
    assert not is_good(db, "old")
    assert step(db)
    assert is_good(db, "new")
    assert len(SourceReads(db.env).named("acme", "waha-1").source.tokens) == 1
    assert_sound(db)


def test_a_token_that_is_not_kept_ends_at_once(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, token="old")
    rotate(db, "newer", HOUR_MS)

    rotate(db, "new")

    assert [is_good(db, each) for each in ("old", "newer", "new")] == [False, False, True]
    assert_sound(db)


def test_no_more_tokens_are_good_than_may_be(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, token="t0")
    for number in range(1, limits.SOURCE_TOKENS_MAX):
        rotate(db, f"t{number}", HOUR_MS)

    with pytest.raises(Conflict):
        rotate(db, "more", HOUR_MS)
    rotate(db, "more")


def test_a_deleted_source_is_gone_at_once_and_erased_in_steps(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, token="gone", hmac_key="secret of gone")
    create(db, token="stays")
    learn(db, *(ChatName(f"c{i}", "n") for i in range(9)))
    learn(db, ChatName("c1", "kept"), source=2)
    note(db, seen(db, "c1"), seen(db))

    delete(db)

    assert not is_good(db, "gone")
    assert not any(b"secret of gone" in value for value in db.dump().values())
    with pytest.raises(NotFound):
        SourceReads(db.env).named("acme", "waha-1")
    steps = 0
    while not step(db, most=4):
        steps += 1
        assert_sound(db)
    assert steps >= 2
    assert_sound(db)
    assert remembered(db, "name_of", "c1", source=2) == "kept"
    assert not [key for key in rows_of_sources(db) if key[5:9] == b"\0\0\0\1" and key[:1] != b"x"]


def test_what_a_deleted_source_still_teaches_is_not_learned(db: ScratchDatabase) -> None:
    db.workspace()
    create(db)
    delete(db)
    before = rows_of_sources(db)

    learn(db, ChatName("c", "late"))
    note(db, seen(db, "c"))

    assert rows_of_sources(db) == before


def test_a_number_is_never_given_again(db: ScratchDatabase) -> None:
    db.workspace()
    create(db, token="a")
    delete(db)
    assert step(db)

    assert create(db, token="b").id == "waha-2"


def test_of_a_workspace_that_is_gone_nothing_is_learned(db: ScratchDatabase) -> None:
    db.workspace()
    create(db)

    with pytest.raises(NotFound):
        db.done(learning(db, ChatName("c", "n"), ws=9))

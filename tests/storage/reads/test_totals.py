"""Figures of the whole database, also when a record of it is damaged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from hookbundle.storage.database import keyspace
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.totals import WaitingTotals, waiting
from hookbundle.storage.tables import history
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, START_MS, ScratchDatabase, failed


@pytest.fixture
def db(tmp_path: Path) -> Iterator[ScratchDatabase]:
    """Two workspaces with a delivery each, of which the second one's is a second younger."""
    db = ScratchDatabase(tmp_path / "data")
    for number, name in enumerate(("acme", "blue"), 1):
        db.workspace(name, aggregation_ms=0)
        db.accept(f"m{number}", ws=number)
        db.now_ms += 1_000
    yield db
    db.close()


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EventDict]]:
    """What the daemon's log says."""
    monkeypatch.setattr(damaged, "_named", set())
    with capture_logs() as lines:
        yield lines


def damage(db: ScratchDatabase, key: bytes) -> None:
    with db.env.write() as txn:
        assert txn.replace(key, b"no record") is not None


@pytest.mark.parametrize("what", [keyspace.workspace("acme"), keyspace.owned(keyspace.STATES, 1)])
def test_a_damaged_workspace_is_named_and_hides_no_other(
    db: ScratchDatabase, what: bytes, named: list[EventDict]
) -> None:
    damage(db, what)
    reads = Reads(db.env)

    pages = [reads.workspaces(10), reads.workspaces(1)]

    assert [[view.settings.id for view in page.found] for page in pages] == [["blue"], ["blue"]]
    assert [repr(what) in line["error"] for line in named] == [True]


def test_a_damaged_chat_is_named_and_hides_no_other(
    db: ScratchDatabase, named: list[EventDict]
) -> None:
    number = db.workspace("collecting", aggregation_ms=1_000)
    for chat in ("a", "b", "c"):
        db.accept(f"m-{chat}", ws=number, chat=chat)
    damage(db, keyspace.owned(keyspace.CHATS, number, b"b"))
    listing = Listing(db.env)

    pages = [listing.windows("collecting", 10), listing.windows_by_due(10)]

    assert [[window.chat_id for window in page.found] for page in pages] == [["a", "c"]] * 2
    assert [
        repr(keyspace.owned(keyspace.CHATS, number, b"b")) in each["error"] for each in named
    ] == [True]


def test_the_oldest_delivery_is_that_of_any_webhook(db: ScratchDatabase) -> None:
    assert waiting(db.env) == WaitingTotals(START_MS, 0, 0)


def test_a_damaged_delivery_hides_no_other(db: ScratchDatabase) -> None:
    damage(db, history.key_of(1, 1))

    assert waiting(db.env) == WaitingTotals(START_MS + 1_000, 0, 0)


def test_nothing_is_the_oldest_when_nothing_can_be_read(db: ScratchDatabase) -> None:
    damage(db, history.key_of(1, 1))
    damage(db, history.key_of(2, 2))

    assert waiting(db.env) == WaitingTotals(None, 0, 0)


def test_a_damaged_webhook_hides_no_other_that_is_disabled(db: ScratchDatabase) -> None:
    db.disable("acme")
    db.disable("blue")
    damage(db, keyspace.owned(keyspace.STATES, 1))

    assert db.reads.disabled(10) == ["blue"]


def test_a_damaged_webhook_on_the_move_hides_no_other(db: ScratchDatabase) -> None:
    for _ in range(3):
        db.attempt(NO)
    db.enable("acme")
    assert db.view("acme").state.moving is not None
    damage(db, keyspace.owned(keyspace.STATES, 1))

    assert waiting(db.env) == WaitingTotals(START_MS + 1_000, 0, 0)


def test_what_waits_for_rate_or_budget_waits_by_intention(db: ScratchDatabase) -> None:
    db.change("acme", rate_count=1, rate_ms=HOUR_MS)
    db.accept("m3")
    db.finish(db.begun(), OK)
    db.begin()
    db.attempt(failed(), ws=2)

    assert waiting(db.env) == WaitingTotals(START_MS + 1_000, 0, 1)

"""The rows of a group show whether something was deleted that must leave the log."""

from collections.abc import Callable

import pytest

from hookbundle.engine.replication.entries import Row, in_order
from hookbundle.storage.database.replication.erasures import erases
from hookbundle.storage.transitions.sources.lifetime import DeleteSource, SourceKept
from hookbundle.tests.storage import deleting
from hookbundle.tests.storage.populated import named
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.changing import changes
from hookbundle.tests.storage.transitions.sources import steps
from hookbundle.tests.storage.transitions.webhooks import leaving


def rows_of(db: ScratchDatabase, work: Callable[[], object]) -> list[Row]:
    db.collected = {}
    work()
    rows, db.collected = db.collected, None
    return in_order(rows)


@pytest.fixture
def full(db: ScratchDatabase) -> ScratchDatabase:
    db.workspace()
    leaving.put(db, "crm")
    db.accept("m1", "m2", "m3")
    return db


def test_deleting_a_message_a_chat_a_webhook_a_source_or_a_workspace_is_seen_in_its_rows(
    full: ScratchDatabase,
) -> None:
    source = steps.create(full)
    drop = DeleteSource(**named(full), source_id=source.id, precondition=None)
    works: list[Callable[[], object]] = [
        lambda: changes.change(full, changes.delete("m1")),
        lambda: deleting.delete_chat(full),
        lambda: leaving.drop(full),
        lambda: full.do(drop, SourceKept),
        lambda: deleting.delete(full),
    ]

    assert [erases(rows_of(full, work)) for work in works] == [True] * 5


def test_all_else_that_takes_rows_away_is_not_taken_for_a_deletion(full: ScratchDatabase) -> None:
    works: list[Callable[[], object]] = [
        lambda: full.accept("m4"),
        lambda: changes.change(full, changes.edit("m4", "deleted")),
        full.seal,
        full.begun,
        full.disable,
    ]

    assert [erases(rows_of(full, work)) for work in works] == [False] * 5
    assert not erases([])


def test_facts_of_before_that_retention_leaves_in_a_row_say_nothing(full: ScratchDatabase) -> None:
    deleted = rows_of(full, lambda: changes.change(full, changes.delete("m1")))
    later = rows_of(full, lambda: full.accept("m4"))

    assert not erases(in_order(dict([*deleted, *later])))

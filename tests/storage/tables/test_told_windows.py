"""The window that `message.received` tells of: with its webhook, where there are several."""

from typing import Any

from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook, leave, seal_only


def told(db: ScratchDatabase) -> tuple[int, int, Any]:
    data = db.events("message.received")[-1]["data"]
    return data["due"], data["buffered"], data.get("window_of")


def test_in_a_workspace_with_one_webhook_no_webhook_is_named(db: ScratchDatabase) -> None:
    db.workspace()
    accepted = db.accept("m1")

    assert told(db) == (accepted.due_ms, 1, None)
    assert accepted.due_ms == db.now_ms + HOUR_MS


def test_of_several_windows_the_one_that_ends_first_is_told_with_its_webhook(
    db: ScratchDatabase,
) -> None:
    began_ms = db.now_ms
    db.workspace(aggregation_ms=3 * HOUR_MS)
    add_webhook(db, "acme", "crm", aggregation_ms=2 * HOUR_MS)
    db.accept("m1")
    first = told(db)
    seal_only(db, "crm")
    db.now_ms += 2 * HOUR_MS
    db.accept("m2")

    assert first == (began_ms + 2 * HOUR_MS, 1, "crm")
    assert told(db) == (began_ms + 3 * HOUR_MS, 2, "outbound")


def test_without_a_window_none_is_told(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m1")

    assert told(db) == (0, 0, None)


def test_the_window_of_a_deleted_webhook_is_not_told(db: ScratchDatabase) -> None:
    """It is still there until it is erased, and will never end."""
    db.workspace(aggregation_ms=3 * HOUR_MS)
    add_webhook(db, "acme", "crm", aggregation_ms=2 * HOUR_MS)
    add_webhook(db, "acme", "phone", aggregation_ms=4 * HOUR_MS)
    db.accept("m1")
    leave(db, "acme", "crm")
    accepted = db.accept("m2")

    assert told(db) == (db.now_ms + 3 * HOUR_MS, 2, "outbound")
    assert accepted.due_ms == db.now_ms + 3 * HOUR_MS

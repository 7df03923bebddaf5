"""Edits and deletions that come before their message."""

import pytest

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables.changing import early
from hookbundle.storage.transitions.erasing import ChatDeleted, DeleteChat
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, ScratchDatabase
from hookbundle.tests.storage.tables.routing.webhooks import is_sound, webhook
from hookbundle.tests.storage.transitions.changing.changes import (
    change,
    delete,
    drop_due,
    edit,
    texts,
    told,
)

MINUTE_MS = 60_000


@pytest.fixture
def acme(db: ScratchDatabase) -> ScratchDatabase:
    db.workspace()
    return db


def kept(db: ScratchDatabase) -> int:
    return sum(key.startswith(keyspace.EARLY_CHANGES) for key in db.dump())


def test_a_message_enters_its_window_with_the_text_of_the_edit_before_it(
    acme: ScratchDatabase,
) -> None:
    assert change(acme, edit("m1", "edited")).waiting == 1
    assert acme.chat() is None

    accepted = acme.accept("m0", "m1")

    assert accepted.accepted == 2
    assert texts(acme) == ["text of m0", "edited"]
    assert told(acme, "message.edited") == [{"waiting": ["m1"]}, {"early": ["m1"]}]
    assert (kept(acme), acme.view().usage.changes, acme.view().usage.change_bytes) == (0, 0, 0)
    assert acme.dues(DueKind.CHANGE) == []
    assert is_sound(acme)


def test_without_a_window_it_leaves_edited(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    change(db, edit("m1", "edited"))

    db.accept("m1")

    assert '"text":"edited"' in db.queued()[0].body.decode()


def test_a_message_deleted_before_it_came_is_known_and_goes_nowhere(db: ScratchDatabase) -> None:
    db.workspace()
    webhook(db, "crm", aggregation_ms=0)
    change(db, delete("m1"))

    accepted = db.accept("m1", "m2")

    assert (accepted.accepted, accepted.unrouted) == (2, 0)
    assert texts(db) == ["text of m2"]
    assert db.accept("m1").duplicate == 1
    assert [each.messages for each in db.queued(webhook_id="crm")] == [1]
    assert told(db, "message.deleted")[-1] == {"early": ["m1"]}
    assert is_sound(db)


def test_a_chat_of_which_all_was_deleted_before_has_no_window_and_is_forgotten(
    acme: ScratchDatabase,
) -> None:
    change(acme, delete("m1"))

    acme.accept("m1")

    assert acme.window() is None
    assert [row.kind for row in acme.dues()] == [DueKind.FORGET]
    assert is_sound(acme)


def test_of_several_changes_that_stands_which_would_have_stood(acme: ScratchDatabase) -> None:
    change(acme, edit("m1", "second", START_MS - 1), edit("m1", "first", START_MS - 2))
    change(acme, delete("m2"), edit("m2", "too late"))

    acme.accept("m1", "m2")

    assert texts(acme) == ["second"]


def test_an_older_edit_after_the_message_does_not_undo_the_one_before_it(
    acme: ScratchDatabase,
) -> None:
    change(acme, edit("m1", "second", START_MS - 1))
    acme.accept("m1")

    change(acme, edit("m1", "first", START_MS - 2))

    assert texts(acme) == ["second"]


def test_a_minute_later_it_is_dropped_counted_and_told(acme: ScratchDatabase) -> None:
    change(acme, edit("m1", "x" * 1_000), delete("m2"))
    acme.now_ms += MINUTE_MS - 1
    drop_due(acme)
    assert kept(acme) == 2

    acme.reopen()
    acme.now_ms += 1
    drop_due(acme)

    assert told(acme, "message.unmatched") == [{"edits": ["m1"], "deletions": ["m2"]}]
    assert acme.reads.meta().totals.unmatched == 2
    assert (kept(acme), acme.view().usage.changes, acme.view().usage.change_bytes) == (0, 0, 0)
    assert acme.dues() == []
    assert is_sound(acme)
    acme.accept("m1")
    assert texts(acme) == ["text of m1"]


def test_a_skipped_message_is_not_known_and_its_edit_finds_nothing(acme: ScratchDatabase) -> None:
    acme.accept(skipped=("m1",))

    assert change(acme, edit("m1")).waiting == 1


def test_a_chat_has_sixteen_at_most(acme: ScratchDatabase) -> None:
    changed = change(acme, *(edit(f"m{n}") for n in range(20)))

    assert changed.waiting == kept(acme) == limits.EARLY_CHANGES_OF_CHAT
    assert told(acme, "message.edited")[0]["not_kept"] == ["m16", "m17", "m18", "m19"]
    assert acme.reads.meta().totals.unmatched == 4


@pytest.mark.parametrize("limit", ["EARLY_CHANGES_MAX", "EARLY_CHANGES_BYTES_MAX"])
def test_a_workspace_has_a_bound_whatever_chats_it_names(
    acme: ScratchDatabase, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    size = early.FLAT_BYTES if limit.endswith("BYTES_MAX") else 1
    monkeypatch.setattr(limits, limit, 10 * size)
    acme.workspace("other")

    waiting = [change(acme, edit("m"), chat=f"c{n}").waiting for n in range(30)]

    assert 0 < sum(waiting) <= 10
    assert change(acme, edit("m"), ws=2).waiting == 1
    assert is_sound(acme)


def test_a_deleted_chat_keeps_none(acme: ScratchDatabase) -> None:
    change(acme, edit("m1"))

    acme.do(
        DeleteChat(workspace_id="acme", chat_id="c", now_ms=acme.now_ms, caller="test"), ChatDeleted
    )

    assert (kept(acme), acme.dues(DueKind.CHANGE)) == (0, [])
    assert acme.view().usage.changes == 0
    assert is_sound(acme)


def test_what_waits_is_not_read_for_messages_of_other_workspaces(acme: ScratchDatabase) -> None:
    acme.workspace("other", aggregation_ms=HOUR_MS)
    change(acme, edit("m1"), ws=2)

    acme.accept("m1")

    assert texts(acme) == ["text of m1"]
    assert kept(acme) == 1

"""A workspace deleted: gone at once, erased step by step, nothing of anybody else's touched."""

import msgspec
import pytest

from hookbundle.engine.errors import Changed, NotFound
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun
from hookbundle.storage.transitions.erasing import DeleteWorkspace, WorkspaceDeleted
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.tests.storage.deleting import assert_sound, busy, delete, erase, keys_of, step
from hookbundle.tests.storage.scratch import OK, PRODUCT, ScratchDatabase, failed


def test_a_deleted_workspace_is_found_by_nobody(db: ScratchDatabase) -> None:
    number = busy(db)

    deleted = delete(db)

    assert deleted == WorkspaceDeleted(windows=1, deliveries=3, messages=22 + 4)
    with pytest.raises(NotFound):
        db.view()
    with pytest.raises(NotFound):
        db.accept("m9", ws=number)
    with pytest.raises(NotFound):
        db.do(BeginAttempt(number, db.now_ms), Begun)
    assert db.reads.ready(0, 10) == []
    assert db.reads.tokens(10).found == []
    assert_sound(db)


def test_it_is_erased_in_steps_until_nothing_but_the_feed_knows_of_it(db: ScratchDatabase) -> None:
    other = busy(db, "other")
    before = db.dump()
    number = busy(db)
    delete(db)

    steps = erase(db)

    assert steps > 5
    assert keys_of(db, number) == []
    assert {key: before[key] for key in keys_of(db, other)} == {
        key: db.dump()[key] for key in keys_of(db, other)
    }
    assert [fact["type"] for fact in db.events("workspace.deleted", "workspace.erased")] == [
        "workspace.deleted",
        "workspace.erased",
    ]


def test_counters_are_those_of_the_workspaces_that_are_there(db: ScratchDatabase) -> None:
    busy(db, "other")
    before = msgspec.structs.asdict(db.reads.meta())
    busy(db)

    delete(db)

    meta = db.reads.meta()
    for name in ("windows", "queued", "dead_letters", "mails"):
        assert getattr(meta, name) == before[name]
    assert meta.totals.discarded == 3


def test_the_steps_go_on_after_a_crash_between_them(db: ScratchDatabase) -> None:
    number = busy(db)
    delete(db)
    step(db)
    left = len(keys_of(db, number))

    db.reopen()
    erase(db)

    assert left > 0
    assert keys_of(db, number) == []


def test_an_attempt_under_way_ends_in_not_found(db: ScratchDatabase) -> None:
    number = db.workspace(aggregation_ms=0)
    db.accept("m1")
    begun = db.begun()
    delete(db)

    with pytest.raises(NotFound):
        db.finish(begun, OK)

    erase(db)
    assert keys_of(db, number) == []


def test_mails_about_it_are_dropped_from_the_outbox(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    for _ in range(11):
        db.attempt(failed())
    mails = db.reads.meta().mails

    delete(db)

    assert (mails, db.reads.meta().mails) == (2, 0)
    assert db.dues(DueKind.MAIL) == []
    assert_sound(db)


def test_what_the_clock_asks_for_meanwhile_is_given_up_quietly(db: ScratchDatabase) -> None:
    number = busy(db)
    db.change("acme", aggregation_ms=2 * 3_600_000)
    (window,) = db.dues(DueKind.WINDOW)
    (retry,) = db.dues(DueKind.RETRY)
    delete(db)

    sealed = db.seal("c0", ws=number, due_ms=window.at_ms)
    db.group(EndWaits((retry,), db.now_ms))
    with pytest.raises(NotFound):
        db.done(RetimeWindows(number, 10, db.now_ms, PRODUCT))

    assert sealed.messages == 0
    assert db.dues(DueKind.WINDOW) == db.dues(DueKind.RETRY) == []
    erase(db)


def test_in_the_commit_in_which_a_chat_began_it_is_erased_all_the_same(db: ScratchDatabase) -> None:
    number = db.workspace()
    deletion = DeleteWorkspace(workspace_id="acme", precondition=None, now_ms=0, caller="test")

    db.group(db.accepting("m1"), deletion, db.accepting("m2"))

    erase(db)
    assert keys_of(db, number) == []


def test_a_new_workspace_of_that_id_has_nothing_of_the_old_one(db: ScratchDatabase) -> None:
    number = busy(db)
    delete(db)

    again = db.workspace()
    db.accept("m1", ws=again, chat="c0")
    erase(db)

    assert again != number
    assert db.view().state.buffered_messages == 1
    assert keys_of(db, number) == []


def test_another_version_than_the_caller_saw_is_not_deleted(db: ScratchDatabase) -> None:
    db.workspace()

    with pytest.raises(Changed, match="at version 1 by now"):
        delete(db, version=7)

    assert db.view().settings.version == 1

"""A webhook that leaves while something else goes on: an attempt, another deletion, a new clock."""

from pathlib import Path

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import files
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.maintenance import backups
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.tests.storage import deleting
from hookbundle.tests.storage.deleting import assert_sound, delete_chat
from hookbundle.tests.storage.populated import recording
from hookbundle.tests.storage.scratch import NO, OK, PRODUCT, ScratchDatabase, failed, incoming
from hookbundle.tests.storage.transitions.webhooks.leaving import (
    busy,
    chain,
    drop,
    erase,
    put,
    rows_of,
    step,
)
from hookbundle.tests.storage.webhooks import add_webhook, seal_only


@pytest.mark.parametrize("outcome", [OK, NO, failed()])
def test_an_attempt_under_way_ends_in_not_found_and_changes_nothing_of_others(
    db: ScratchDatabase, outcome: object
) -> None:
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m1", "m2")
    db.attempt(failed())
    begun = db.begun(crm)
    drop(db)
    before = db.dump()

    with pytest.raises(NotFound):
        db.finish(begun, outcome, ws=crm)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        db.done(recording(db, crm))

    assert db.dump() == before
    erase(db)
    with pytest.raises(NotFound):
        db.finish(begun, outcome, ws=crm)  # type: ignore[arg-type]
    assert db.view().state.consecutive_errors == 1
    assert [held.number for held in db.queued()] == [1, 2]


def test_its_windows_that_are_due_meanwhile_are_erased_and_not_sealed(db: ScratchDatabase) -> None:
    crm = busy(db)
    rows = tuple(row for row in db.dues(DueKind.WINDOW) if row.number == crm)
    sealed = db.reads.meta().totals.sealed
    drop(db)
    db.now_ms = max(row.at_ms for row in rows)

    done = db.do(SealDue(rows, db.now_ms, PRODUCT), DueSealed)

    assert (len(rows), done.messages, db.reads.meta().totals.sealed) == (3, 0, sealed)
    assert_sound(db)
    erase(db)
    again = db.do(SealDue(rows, db.now_ms, PRODUCT), DueSealed)
    assert again.messages == 0
    assert rows_of(db, crm) == []


def test_somebody_who_flushes_a_chat_seals_the_windows_of_the_others(db: ScratchDatabase) -> None:
    crm = busy(db)
    drop(db)

    sealed = db.seal("c0")

    assert sealed.messages == 20
    assert db.view().state.windows == 2
    assert_sound(db)
    erase(db)
    assert rows_of(db, crm) == []


@pytest.mark.parametrize("steps", [0, 2, 4])
def test_a_chat_deleted_meanwhile_is_erased_with_it_and_told_of_once(
    db: ScratchDatabase, steps: int
) -> None:
    crm = busy(db)
    discarded = db.reads.meta().totals.discarded
    drop(db)
    for _ in range(steps):
        step(db, chain(db)[0])

    for chat in ("c0", "c1", "c2"):
        delete_chat(db, chat)
        assert_sound(db)
    deleting.erase(db)
    erase(db)

    assert rows_of(db, crm) == []
    told = db.events("delivery.discarded", "delivery.resend_ended")
    assert "crm" not in [fact["webhook"] for fact in told]
    of_outbound = sum(fact["data"]["deliveries"] for fact in told if "was" in fact["data"])
    assert db.reads.meta().totals.discarded == discarded + 4 + of_outbound


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_a_workspace_deleted_meanwhile_is_erased_with_all_that_is_left_of_it(
    db: ScratchDatabase, steps: int
) -> None:
    crm = busy(db)
    discarded = db.reads.meta().totals.discarded
    drop(db)
    for _ in range(steps):
        step(db, chain(db)[0])

    deleted = deleting.delete(db)
    deleting.erase(db)

    assert (deleted.windows, deleted.deliveries) == (3, 4)  # those of `outbound`
    assert rows_of(db, crm) == rows_of(db, 1) == []
    assert chain(db) == []
    assert db.reads.meta().totals.discarded == discarded + 8
    assert (db.reads.meta().windows, db.reads.meta().queued) == (0, 0)


def test_a_step_of_what_is_erased_already_is_refused_and_changes_nothing(
    db: ScratchDatabase,
) -> None:
    busy(db)
    drop(db)
    rows = chain(db)
    erase(db)
    before = db.dump()

    for row in (*rows, *db.dues(DueKind.MOVE)):
        with pytest.raises(NotFound):
            step(db, row)

    assert db.dump() == before


def test_its_marks_are_carried_out_between_the_steps(db: ScratchDatabase) -> None:
    """Dead letters that an enabling has put back are still moving when it is deleted."""
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m1", "m2", "m3")
    for _ in range(9):
        db.attempt(NO, crm)
    version = db.view().named("crm").webhook.version
    put(db, url="https://other.example/", precondition=None, must_match=False)
    assert db.view().named("crm").webhook.version > version
    assert [row.number for row in db.dues(DueKind.MOVE)] == [crm]
    drop(db)

    while chain(db):
        step(db, chain(db)[0], 1)
        assert_sound(db)
        if db.dues(DueKind.MOVE):
            db.do(MoveDeliveries(crm, 1, db.now_ms), Moved)
            assert_sound(db)

    assert rows_of(db, crm) == []


@pytest.mark.parametrize("steps", [0, 2, 5])
def test_a_clock_that_was_ahead_holds_up_no_step(db: ScratchDatabase, steps: int) -> None:
    crm = busy(db)
    drop(db)
    for _ in range(steps):
        step(db, chain(db)[0])
    db.now_ms -= 1_000

    db.done(TrustClock(db.now_ms))

    assert_sound(db)
    erase(db)
    assert rows_of(db, crm) == []


def test_a_damaged_delivery_holds_up_no_step_and_leaves_no_text(db: ScratchDatabase) -> None:
    crm = busy(db)
    drop(db)
    keys = [key for key in rows_of(db, crm) if key[:1] == b"H"]
    with db.env.write() as txn:
        for key in keys[1:3]:
            txn.put(key, b"damaged")

    for _ in range(40):
        if chain(db):
            step(db, chain(db)[0])

    assert chain(db) == []
    assert {key[:1] for key in rows_of(db, crm)} <= {b"Y", b"e"}
    for chat in ("c0", "c1", "c2", "c3", "c4"):
        delete_chat(db, chat)
    while db.dues(DueKind.ERASE):
        deleting.step(db)
    assert {key[:1] for key in rows_of(db, crm)} <= {b"e"}


SECRET = "the launch code"


@pytest.mark.parametrize("steps", [0, 2, 4])
def test_compacting_erases_what_is_left_of_it_to_the_last_byte(
    db: ScratchDatabase, steps: int
) -> None:
    db.workspace()
    crm = add_webhook(db, "acme", "crm")
    for number in range(40):
        db.accept(incoming(f"m{number}", text=f"{SECRET} {number} " * 90), chat=f"c{number % 4}")
    seal_only(db, "crm", chat="c1")
    seal_only(db, "crm", chat="c2")
    drop(db, "outbound")  # so nobody else has the text
    put(db, "dwh")
    drop(db)
    for _ in range(steps):
        step(db, chain(db)[0])
    db.close()

    backups.compact(db.path, db.now_ms, lambda: None)

    db.env = open_environment(db.path, db.now_ms)
    assert (chain(db), rows_of(db, crm)) == ([], [])
    assert SECRET.encode() not in (db.path / files.DATA).read_bytes()
    assert_sound(db)


def test_a_backup_made_meanwhile_is_sound_and_erases_the_rest(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    crm = busy(db)
    drop(db)
    for _ in range(4):
        step(db, chain(db)[0])
    backups.back_up(db.env, tmp_path / "backup", lambda: None)
    backups.restore(tmp_path / "backup", tmp_path / "restored", db.now_ms, lambda: None)

    restored = ScratchDatabase(tmp_path / "restored")
    restored.now_ms = db.now_ms
    assert_sound(restored)
    erase(restored)

    assert rows_of(restored, crm) == []
    restored.close()

"""A damaged record costs what it belongs to, and nobody else."""

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.tables import history
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.postponing import Settle
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded
from hookbundle.tests.storage.deleting import delete_chat, step
from hookbundle.tests.storage.scratch import HOUR_MS, OK, PRODUCT, ScratchDatabase, failed


def damage(db: ScratchDatabase, key: bytes) -> None:
    with db.env.write() as txn:
        value = bytes(txn.get(key) or b"")
        txn.put(key, value[:-1] + bytes([value[-1] ^ 1]))


def test_a_damaged_chat_is_postponed_and_the_other_windows_are_sealed(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    for chat in ("a", "broken", "z"):
        db.accept("m1", chat=chat)
    damage(db, keyspace.owned(keyspace.CHATS, 1, b"broken"))
    db.now_ms += HOUR_MS
    rows = tuple(db.dues(DueKind.WINDOW))

    sealed = db.do(SealDue(rows, db.now_ms, PRODUCT), DueSealed)

    assert sealed.messages == 2
    assert db.dues(DueKind.WINDOW) == []
    (postponed,) = db.dues(DueKind.POSTPONED)
    assert key_fields.due(postponed.subject).subject == b"broken"


def test_a_damaged_part_of_a_window_leaves_nothing_half_sealed(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(*(f"m{n} {'x' * 300}" for n in range(10)), chat="broken")
    db.accept("m1", chat="z")
    damage(db, keyspace.part(1, b"broken", 1, 0))
    before = {key: value for key, value in db.dump().items() if b"broken" in key}
    db.now_ms += HOUR_MS

    db.do(SealDue(tuple(db.dues(DueKind.WINDOW)), db.now_ms, PRODUCT), DueSealed)

    after = {key: value for key, value in db.dump().items() if b"broken" in key}
    assert {k: v for k, v in after.items() if k[:1] != keyspace.DUES} == {
        k: v for k, v in before.items() if k[:1] != keyspace.DUES
    }
    assert db.view().state.windows == 1
    assert len(db.queued()) == 1


def test_a_postponed_row_waits_longer_each_time_and_is_gone_when_it_was_done(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept("m1", chat="c")
    key = keyspace.owned(keyspace.CHATS, 1, b"c")
    whole = db.dump()[key]
    damage(db, key)
    db.now_ms += HOUR_MS
    (row,) = db.dues(DueKind.WINDOW)
    waits: list[int] = []
    before: tuple[Due, ...] = ()
    for _ in range(12):
        db.do(SealDue((row,), db.now_ms, PRODUCT), DueSealed)
        db.done(Settle(before, db.now_ms))
        (postponed,) = before = tuple(db.dues(DueKind.POSTPONED))
        waits.append(postponed.at_ms - db.now_ms)
        db.now_ms = postponed.at_ms
    with db.env.write() as txn:
        txn.put(key, whole)

    sealed = db.do(SealDue((row,), db.now_ms, PRODUCT), DueSealed)
    db.done(Settle((postponed,), db.now_ms))

    assert waits[:4] == [1_000, 2_000, 4_000, 8_000]
    assert waits[-1] == 600_000
    assert sealed.messages == 1
    assert db.dues(DueKind.POSTPONED) == []


def test_a_damaged_state_ends_no_wait_and_holds_up_none(db: ScratchDatabase) -> None:
    for ws in ("one", "two"):
        number = db.workspace(ws, aggregation_ms=0)
        db.accept("m1", ws=number)
        db.finish(db.begun(number), failed(), ws=number)
    damage(db, keyspace.owned(keyspace.STATES, 1))
    rows = tuple(db.dues(DueKind.RETRY))

    ended = db.do(EndWaits(rows, rows[-1].at_ms), WaitsEnded)

    assert ended.wake == (2,)
    assert [row.number for row in db.dues(DueKind.POSTPONED)] == [1]


def test_a_damaged_part_of_seen_ids_keeps_no_other_chat_from_being_forgotten(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{n}" for n in range(70)), chat="broken")
    db.accept("m1", chat="z")
    damage(db, keyspace.seen_part(1, b"broken", 0))
    db.now_ms += limits.REMEMBERED_MS + 1

    db.done(Forget(tuple(db.dues(DueKind.FORGET)), db.now_ms))

    assert db.chat("z") is None
    assert db.chat("broken") is not None
    assert len(db.dues(DueKind.POSTPONED)) == 1


def test_a_damaged_row_of_the_feed_goes_with_retention_and_stops_no_commit(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    for number in range(5):
        db.accept(f"m{number}")
    rows = sorted(key for key in db.dump() if key.startswith(keyspace.FEED))
    damage(db, rows[1])
    db.retention = Retention(feed_events=3, feed_ms=2**60)

    for number in range(10):
        db.accept(f"n{number}")

    reader = FeedReader(db.env)
    page = reader.read(reader.ends().oldest - 1, 100)
    assert len(page.events) <= 4
    assert page.after == reader.ends().next - 1


def test_damaged_usage_of_one_workspace_fails_no_commit_of_another(db: ScratchDatabase) -> None:
    db.workspace("one")
    db.workspace("two")
    db.accept("m1", ws=1)
    damage(db, keyspace.owned(keyspace.USAGES, 1))
    db.retention = Retention(feed_events=2, feed_ms=2**60)

    accepted = [db.accept(f"m{number}", ws=2).accepted for number in range(5)]

    assert accepted == [1] * 5
    with pytest.raises(CorruptRecord):
        db.accept("m2", ws=1)


def test_a_damaged_delivery_keeps_nothing_behind_it_from_being_trimmed(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(limits.LOG_ENTRIES + 4):
        db.accept(f"m{number}")
        db.attempt(OK)
    damage(db, history.key_of(1, 1))
    damage(db, min(key for key in db.dump() if key.startswith(keyspace.LOG)))

    trim = TrimHistory(
        workspace_number=1, before_ms=db.now_ms, bytes_max=0, most=500, now_ms=db.now_ms
    )
    assert db.do(trim, Trimmed).finished

    kept = sorted(k for k in db.dump() if k.startswith(keyspace.DELIVERIES))
    bodies = sorted(k for k in db.dump() if k.startswith(keyspace.BODIES))
    assert key_fields.number(kept[0]) == 6  # whose entry was damaged: 5
    assert key_fields.of_delivery(bodies[0])[1] == 6


def test_of_a_deleted_chat_no_text_is_left_though_its_records_are_damaged(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("secret")
    db.attempt(OK)
    damage(db, history.key_of(1, 1))
    delete_chat(db)

    while not step(db).finished:
        pass

    assert not any(b"secret" in value for key, value in db.dump().items() if key[:1] != b"F")
    assert not any(key.startswith((keyspace.BODIES, keyspace.ATTEMPTS)) for key in db.dump())


def test_a_damaged_row_amid_the_feed_takes_nothing_of_others_with_it(db: ScratchDatabase) -> None:
    quiet, loud = db.workspace("quiet"), db.workspace("loud")
    for number in range(5):
        db.accept(f"q{number}", ws=quiet)
    for number in range(20):
        db.accept(f"m{number}", ws=loud)
    rows = sorted(key for key in db.dump() if key.startswith(keyspace.FEED))
    damage(db, rows[15])
    db.retention = Retention(feed_events=20, feed_ms=2**60)

    for number in range(30):
        db.accept(f"n{number}", ws=loud)

    assert len([fact for _, fact in db.feed() if fact["workspace"] == "quiet"]) == 6
    assert db.reads.meta().feed_oldest == db.feed()[0][0]


def test_a_damaged_line_of_activity_keeps_no_skipped_message_out(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(skipped=("s1",))
    newest = db.view().state.action_next - 1
    damage(db, keyspace.owned_numbered(keyspace.ACTIONS, 1, newest))

    accepted = db.accept("m1", skipped=("s2",))

    assert accepted.accepted == 1
    assert db.chat("c") is not None

"""A replay ends: done, cancelled, discarded, deleted."""

from typing import Any

import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.storage.transitions.repeating.replaying import Replaying, StartReplay
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.tests.storage.deleting import assert_sound, delete, delete_chat, erase
from hookbundle.tests.storage.scratch import NO, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import dead_letters, discard, waiting
from hookbundle.tests.storage.transitions.outcomes.failing import set_aside
from hookbundle.tests.storage.transitions.repeating.again import (
    BOTH,
    cancel,
    found,
    put_all,
    replay,
    resending,
    sent,
    some_of_each,
    step,
)


def test_a_cancelled_replay_takes_back_what_was_not_sent(db: ScratchDatabase) -> None:
    some_of_each(db)
    replay(db, *BOTH)
    put_all(db)
    assert sent(db, 1) == ["m1"]

    cancel(db)
    assert isinstance(db.begin(), Idle)  # at once: nothing of it is begun
    while not step(db).finished:
        pass

    job = found(db)
    assert (job.state, job.delivered, job.dropped, job.waiting) == ("cancelled", 1, 3, 0)
    assert resending(db) == []
    assert [letter.number for letter in db.dead_letters()] == [3]
    assert sent(db, 1) == ["m5"]
    assert isinstance(db.begin(), Idle)


def test_a_replay_is_cancelled_while_it_is_put(db: ScratchDatabase) -> None:
    dead_letters(db, "a", "b", "c", then=("d",))
    replay(db)
    step(db, 1)

    cancel(db)
    db.reopen()
    while not step(db).finished:
        pass

    assert [letter.number for letter in db.dead_letters()] == [1, 2, 3]
    assert waiting(db) == ["d"]
    assert sent(db, 1) == ["d"]


def test_what_is_being_sent_when_a_replay_is_cancelled_is_its_own_no_longer(
    db: ScratchDatabase,
) -> None:
    dead_letters(db, "a", "b")
    replay(db)
    put_all(db)
    db.wait()
    sending = db.begun()

    cancel(db)
    while not step(db).finished:
        pass
    db.finish(sending, NO)

    assert_sound(db)
    job = found(db)
    assert (job.state, job.released, job.dropped) == ("cancelled", 1, 1)
    assert waiting(db) == ["a"]
    assert [letter.number for letter in db.dead_letters()] == [2]


def test_a_dead_letter_that_is_taken_back_has_its_reason_again(db: ScratchDatabase) -> None:
    set_aside(db, "a", "b", "c")
    replay(db)
    put_all(db)

    cancel(db)
    while not step(db).finished:
        pass

    (letter,) = db.dead_letters()
    assert letter.dead_reason == "receiver_fails"
    assert db.view().state.fails == 1


def test_a_replay_that_is_over_is_not_cancelled(db: ScratchDatabase) -> None:
    dead_letters(db, "a")
    replay(db)
    put_all(db)
    sent(db, 1)
    step(db)

    with pytest.raises(Conflict) as refusal:
        cancel(db)

    assert refusal.value.code == Code.REPLAY_OVER


def test_discarding_everything_cancels_a_replay(db: ScratchDatabase) -> None:
    some_of_each(db)
    replay(db, *BOTH)
    step(db, 1)

    db.enable(discard=True)

    assert_sound(db)
    assert found(db).state == "cancelled"
    assert db.dues(DueKind.REPLAY) == []
    while not db.do(MoveDeliveries(1, 1, db.now_ms), Moved).finished:
        assert_sound(db)
    assert isinstance(db.begin(), Idle)
    db.accept("m6")
    assert sent(db, 1) == ["m6"]


def test_what_a_replay_waits_for_may_be_discarded(db: ScratchDatabase) -> None:
    some_of_each(db)
    replay(db, *BOTH)
    put_all(db)

    discard(db, 1)
    discard(db, 2)
    delete_chat(db, "odd")
    delete_chat(db, "even")
    erase(db)

    assert (found(db).dropped, found(db).waiting) == (4, 0)
    step(db)
    assert found(db).state == "done"


def test_a_damaged_delivery_holds_up_nothing_behind_it(db: ScratchDatabase) -> None:
    dead_letters(db, "a", "b")
    with db.env.write() as txn:
        txn.put(keyspace.owned_numbered(keyspace.DELIVERIES, 1, 1), b"\xc1")
    start = StartReplay(
        workspace_id="acme",
        wanted=ReplayFilter(states=("dead_letter",)),
        deliveries=2,
        messages=2,
        now_ms=db.now_ms,
        caller="ann",
    )
    db.do(start, Replaying)

    assert db.do(ReplayStep(1, 500, db.now_ms), Replayed).finished

    assert found(db).queued == 1
    assert sent(db, 1) == ["b"]


def test_a_webhook_does_not_wait_for_a_damaged_replay(db: ScratchDatabase) -> None:
    dead_letters(db, "a", then=("b",))
    replay(db)
    with db.env.write() as txn:
        txn.put(keyspace.owned_numbered(keyspace.REPLAYS, 1, 1), b"\xc1")
    assert db.do(ReplayStep(1, 500, db.now_ms), Replayed).finished

    assert sent(db, 1) == ["b"]


def test_a_damaged_replay_that_only_waits_is_followed_by_another_one(db: ScratchDatabase) -> None:
    dead_letters(db, "a", "b")
    replay(db)
    put_all(db, 50)
    with db.env.write() as txn:
        txn.put(keyspace.owned_numbered(keyspace.REPLAYS, 1, 1), b"\xc1")
    assert db.dues(DueKind.REPLAY) == []

    of: dict[str, Any] = {"workspace_id": "acme", "now_ms": db.now_ms, "caller": "ann"}
    wanted = ReplayFilter(states=BOTH)
    db.do(StartReplay(wanted=wanted, deliveries=1, messages=1, **of), Replaying)

    assert db.do(ReplayStep(1, 500, db.now_ms), Replayed).finished
    assert found(db, 2).state == "done"
    assert sent(db, 2) == ["a", "b"]


def test_the_last_twenty_replays_are_kept(db: ScratchDatabase) -> None:
    dead_letters(db, "a")
    for _ in range(23):
        replay(db, "delivered")
        step(db)

    kept = [key for key in db.dump() if key.startswith(keyspace.REPLAYS)]

    assert len(kept) == 20
    assert found(db, 23).state == "done"


def test_a_deleted_workspace_leaves_nothing_of_a_replay(db: ScratchDatabase) -> None:
    some_of_each(db)
    replay(db, *BOTH)
    step(db, 1)

    delete(db)
    assert_sound(db)
    erase(db)

    assert db.dues() == []
    assert not [key for key in db.dump() if key[:1] in (keyspace.REPLAYS, keyspace.RESENDS)]
    assert db.reads.meta().resending == 0


def test_a_replay_tells_when_it_begins_and_when_it_is_over(db: ScratchDatabase) -> None:
    dead_letters(db, "a")
    replay(db)
    put_all(db)
    sent(db, 1)
    step(db)

    (started,) = db.events("replay.started")
    assert started["data"] == {"replay": 1, "deliveries": 2, "messages": 2, "caller": "ann"}
    (ended,) = db.events("replay.ended")
    assert ended["data"] == {
        "replay": 1,
        "outcome": "done",
        "queued": 1,
        "delivered": 1,
        "failed": 0,
        "dropped": 0,
    }

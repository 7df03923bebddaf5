"""Many deliveries sent once more, by a filter: in their old order, before everything younger."""

import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Wanted
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.storage.transitions.repeating.replaying import Replaying, StartReplay
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.tests.storage.deleting import assert_sound, delete, delete_chat, erase
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import dead_letters, discard, waiting
from hookbundle.tests.storage.transitions.outcomes.failing import set_aside
from hookbundle.tests.storage.transitions.repeating.again import (
    BOTH,
    cancel,
    found,
    put_all,
    replay,
    resend,
    resending,
    step,
)


def sent(db: ScratchDatabase, count: int) -> list[str]:
    return [ids_in(db.attempt(OK))[0] for _ in range(count)]


def some_of_each(db: ScratchDatabase) -> None:
    """1 and 3 are dead letters, 2 and 4 were delivered, 5 is queued."""
    db.workspace(aggregation_ms=0)
    for number, outcome in ((1, NO), (2, OK), (3, NO), (4, OK)):
        db.accept(f"m{number}", chat="odd" if number % 2 else "even")
        for _ in range(3 if outcome is NO else 1):
            db.attempt(outcome)
        db.now_ms += HOUR_MS
    db.accept("m5")


def test_dead_letters_go_in_their_old_order_before_everything_younger(
    db: ScratchDatabase,
) -> None:
    dead_letters(db, "a", "b", then=("c",))

    replay(db)
    put_all(db)

    assert sent(db, 3) == ["a", "b", "c"]
    job = found(db)
    assert (job.state, job.queued, job.delivered, job.waiting) == ("sending", 2, 2, 0)
    assert step(db).finished
    assert found(db).state == "done"
    assert db.dues(DueKind.REPLAY) == []


def test_the_one_being_sent_is_finished_first(db: ScratchDatabase) -> None:
    dead_letters(db, "a", then=("b", "c"))
    db.wait()
    sending = db.begun()

    replay(db)
    put_all(db)

    db.finish(sending, OK)
    assert sent(db, 2) == ["a", "c"]


def test_nothing_younger_goes_before_what_is_still_to_be_put(db: ScratchDatabase) -> None:
    dead_letters(db, "a", "b", "c", then=("d",))
    db.wait()
    replay(db)
    assert isinstance(db.begin(), Idle)  # a is not put yet, and d must not go before it

    assert step(db, 1).wake == (1,)
    assert sent(db, 1) == ["a"]
    assert isinstance(db.begin(), Idle)

    put_all(db)
    assert sent(db, 3) == ["b", "c", "d"]


def test_both_kinds_go_in_the_order_of_their_numbers(db: ScratchDatabase) -> None:
    some_of_each(db)

    replay(db, *BOTH)
    put_all(db)

    assert resending(db) == [2, 4]
    assert sent(db, 5) == ["m1", "m2", "m3", "m4", "m5"]


def test_a_replay_keeps_its_place_over_a_crash(db: ScratchDatabase) -> None:
    some_of_each(db)
    replay(db, *BOTH)
    step(db, 1)
    before = found(db).place

    db.reopen()

    assert found(db).place == before
    put_all(db)
    assert found(db).queued == 4
    assert sent(db, 5) == ["m1", "m2", "m3", "m4", "m5"]


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ({"chat": "odd"}, ["m1", "m3"]),
        ({"chat": "even"}, ["m2", "m4"]),
        ({"http_status": 404}, ["m1", "m3"]),
        ({"http_status": 200}, ["m2", "m4"]),
        ({"http_status": 500}, []),
        ({"since": 1}, ["m2", "m3", "m4"]),
        ({"until": 2}, ["m1", "m2"]),
        ({"since": 1, "until": 3}, ["m2", "m3"]),
    ],
)
def test_a_filter_means_what_it_says(
    db: ScratchDatabase, wanted: dict[str, object], meant: list[str]
) -> None:
    some_of_each(db)
    sealed = [head.sealed_ms for n in range(1, 5) if (head := db.delivery(n))]
    by_time = {
        f"{name}_ms": sealed[place]
        for name, place in wanted.items()
        if name in ("since", "until") and isinstance(place, int)
    }
    others = {name: each for name, each in wanted.items() if name not in ("since", "until")}

    replay(db, *BOTH, **others, **by_time)
    put_all(db)

    assert found(db).queued == len(meant)
    assert sent(db, len(meant) + 1) == [*meant, "m5"]


def test_what_was_sealed_after_it_was_asked_for_is_not_meant(db: ScratchDatabase) -> None:
    dead_letters(db, "a")
    replay(db)
    step(db, 500)
    db.accept("b")
    assert sent(db, 2) == ["a", "b"]
    assert found(db).queued == 1


def test_a_replay_keeps_the_wait_after_an_error(db: ScratchDatabase) -> None:
    dead_letters(db, "a")

    replay(db)
    put_all(db)

    assert isinstance(db.begin(), Idle)
    assert db.view().state.next_attempt_ms > db.now_ms


def test_there_is_one_replay_of_a_webhook_at_a_time(db: ScratchDatabase) -> None:
    dead_letters(db, "a")
    replay(db)

    with pytest.raises(Conflict) as refusal:
        replay(db)

    assert refusal.value.code == Code.REPLAY_UNDER_WAY
    put_all(db)
    sent(db, 1)
    step(db)
    assert replay(db, *BOTH).number == 2


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


def test_a_replayed_dead_letter_may_become_one_again(db: ScratchDatabase) -> None:
    dead_letters(db, "a")
    replay(db)
    put_all(db)

    for _ in range(3):
        db.attempt(NO)

    assert_sound(db)
    assert [letter.number for letter in db.dead_letters()] == [1]
    assert (found(db).failed, found(db).waiting) == (1, 0)


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


def test_a_resend_that_waits_already_is_left_out(db: ScratchDatabase) -> None:
    some_of_each(db)
    resend(db, 2)

    replay(db, "delivered")
    put_all(db)

    assert found(db).queued == 1
    assert sent(db, 3) == ["m2", "m4", "m5"]


def test_enabling_queues_dead_letters_before_the_replay_comes_to_them(
    db: ScratchDatabase,
) -> None:
    dead_letters(db, "a", "b", then=("c",))
    db.disable()
    replay(db)
    step(db, 1)

    db.enable()
    assert_sound(db)
    put_all(db)

    assert found(db).queued == 1
    assert sent(db, 3) == ["a", "b", "c"]


def test_a_damaged_delivery_holds_up_nothing_behind_it(db: ScratchDatabase) -> None:
    dead_letters(db, "a", "b")
    with db.env.write() as txn:
        txn.put(keyspace.owned_numbered(keyspace.DELIVERIES, 1, 1), b"\xc1")
    start = StartReplay(
        workspace_id="acme",
        wanted=Wanted(states=("dead_letter",)),
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

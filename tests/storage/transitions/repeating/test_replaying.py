"""Many deliveries sent once more, by a filter: in their old order, before everything younger."""

import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import dead_letters
from hookbundle.tests.storage.transitions.repeating.again import (
    BOTH,
    found,
    put_all,
    replay,
    resend,
    resending,
    sent,
    some_of_each,
    step,
)


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


def test_a_replayed_dead_letter_may_become_one_again(db: ScratchDatabase) -> None:
    dead_letters(db, "a")
    replay(db)
    put_all(db)

    for _ in range(3):
        db.attempt(NO)

    assert_sound(db)
    assert [letter.number for letter in db.dead_letters()] == [1]
    assert (found(db).failed, found(db).waiting) == (1, 0)


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

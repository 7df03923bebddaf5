"""Commands for all that a webhook holds: effective at once, their rows moved step by step."""

from collections.abc import Callable

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads import totals
from hookbundle.storage.reads.delivery_view import DeliveryReads
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import CUT, NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import (
    discard,
    queued,
    retry,
    retry_dead_letters,
    waiting,
)
from hookbundle.tests.storage.transitions.timed.moving import (
    BOTH,
    IDS,
    move,
    move_all,
    rows_written,
    states,
)

# ---- what a command costs


@pytest.mark.parametrize("how", ["enable", "discard", "url", "retry"])
def test_a_command_for_many_deliveries_writes_as_few_rows_as_for_one(
    db: ScratchDatabase, how: str
) -> None:
    db.policy = BackoffPolicy(errors_max=1_000, rejections_max=1)
    dead_letters_of_one_rejection(db, 40)
    acts: dict[str, Callable[[], object]] = {
        "enable": db.enable,
        "discard": lambda: db.enable(discard=True),
        "url": lambda: db.change("acme", url="https://elsewhere.example/"),
        "retry": lambda: retry_dead_letters(db),
    }

    assert rows_written(db, acts[how]) <= 12
    assert_sound(db)


def dead_letters_of_one_rejection(db: ScratchDatabase, count: int) -> None:
    queued(db, *(f"m{number}" for number in range(count)))
    for _ in range(count):
        db.attempt(NO)
    assert len(db.dead_letters()) == count


def test_a_step_moves_no_more_than_it_may(rejected: ScratchDatabase) -> None:
    rejected.enable(discard=True)
    sizes = []

    def step() -> None:
        sizes.append(rows_written(rejected, lambda: move(rejected, 3)))

    for _ in range(3):
        step()

    assert max(sizes) <= 3 * 3 + 6
    assert set(states(rejected).values()) == {"discarded"}


# ---- discarding


def test_what_was_held_is_discarded_for_everybody_before_a_row_was_moved(
    rejected: ScratchDatabase,
) -> None:
    switched = rejected.enable(discard=True)

    state, meta = rejected.view().state, rejected.reads.meta()
    assert (switched.discarded_deliveries, switched.discarded_messages) == (7, 7)
    assert (state.queued, state.queued_messages) == (0, 0)
    assert (state.dead_letters, state.dead_letter_messages) == (0, 0)
    assert (meta.queued, meta.dead_letters, meta.totals.discarded) == (0, 0, 7)
    assert rejected.queued() == rejected.dead_letters() == []
    assert Listing(rejected.env).deliveries("acme", BOTH, 10).found == []
    assert rejected.begin() == Idle()
    assert_sound(rejected)


def test_it_becomes_history_in_steps_and_its_bytes_are_counted_all_the_time(
    rejected: ScratchDatabase,
) -> None:
    rejected.enable(discard=True)

    def counted() -> int:
        view = rejected.view()
        return view.state.waiting_bytes + view.usage.history_bytes

    before, sums = counted(), set[int]()
    steps = move_all(rejected, then=lambda: sums.add(counted()))

    assert steps == 4
    assert sums == {before}
    assert set(states(rejected).values()) == {"discarded"}
    assert (rejected.view().state.waiting_bytes, rejected.view().usage.history) == (0, 7)
    assert len(rejected.events("delivery.discarded")) == 1


def test_what_comes_after_the_command_is_kept_and_sent(rejected: ScratchDatabase) -> None:
    rejected.enable(discard=True)
    move(rejected)
    rejected.accept("m8")

    begun = rejected.begun()
    move_all(rejected)

    assert ids_in(begun) == ["m8"]
    assert waiting(rejected) == ["m8"]


def test_what_is_being_sent_stays_and_keeps_its_place_and_may_become_a_dead_letter(
    db: ScratchDatabase,
) -> None:
    queued(db, "m1", "m2", "m3")
    db.attempt(OK)
    begun = db.begun()
    switched = db.enable(discard=True)
    db.accept("m4")
    db.finish(begun, CUT)

    for _ in range(3):
        assert_sound(db)
        db.attempt(NO)

    assert switched.discarded_deliveries == 1
    assert [ids_in(each) for each in db.dead_letters()] == [["m2"]]
    assert waiting(db) == ["m4"]
    move_all(db, 1)
    assert [ids_in(each) for each in db.dead_letters()] == [["m2"]]


def test_what_was_kept_and_failed_goes_with_the_next_discard(db: ScratchDatabase) -> None:
    queued(db, "m1", "m2")
    begun = db.begun()
    db.enable(discard=True)
    db.finish(begun, failed())

    again = db.enable(discard=True)

    assert (again.discarded_deliveries, db.queued(), db.begin()) == (1, [], Idle())
    move_all(db, 1)
    assert set(states(db).values()) == {"discarded"}


def test_a_discarded_delivery_waits_no_longer(rejected: ScratchDatabase) -> None:
    waits = Listing(rejected.env).deliveries("acme", BOTH, 10).found
    rejected.enable(discard=True)

    for one in waits:
        with pytest.raises(Exception, match="waits no longer"):
            retry(rejected, one.delivery.number)
        with pytest.raises(Exception, match="waits no longer"):
            discard(rejected, one.delivery.number)
        assert DeliveryReads(rejected.env).delivery(one.id).delivery.state == "discarded"


def test_what_is_discarded_is_not_the_oldest_that_waits(rejected: ScratchDatabase) -> None:
    before = totals.waiting(rejected.env).oldest_ms
    rejected.enable(discard=True)
    none = totals.waiting(rejected.env).oldest_ms
    rejected.now_ms += 1_000
    rejected.accept("m8")

    assert before is not None
    assert (none, totals.waiting(rejected.env).oldest_ms) == (None, rejected.now_ms)


# ---- queuing again


@pytest.mark.parametrize("how", ["enable", "retry"])
def test_dead_letters_are_sent_in_their_old_places_before_and_after_they_are_moved(
    rejected: ScratchDatabase, how: str
) -> None:
    act = rejected.enable if how == "enable" else lambda: retry_dead_letters(rejected)
    returned = act().returned
    at_once = waiting(rejected)
    sent = []
    for _ in range(7):
        assert_sound(rejected)
        sent += ids_in(rejected.attempt(OK))
        if rejected.dues(DueKind.MOVE):
            move(rejected, 1)

    assert returned == 6
    assert at_once == sent == [*IDS, "m7"]
    assert rejected.dead_letters() == []


def test_moved_or_not_the_counters_and_the_lists_are_the_same(rejected: ScratchDatabase) -> None:
    rejected.enable()

    def shown() -> tuple[object, ...]:
        state, page = rejected.view().state, Listing(rejected.env).deliveries("acme", BOTH, 4)
        ids = [(each.id, each.dead_letter, each.delivery.rejections) for each in page.found]
        return state.queued, state.queued_messages, state.dead_letters, state.waiting_bytes, ids

    before, seen = shown(), []
    steps = move_all(rejected, then=lambda: seen.append(shown()))

    assert steps == 4
    assert seen == [before] * 4
    assert before[:3] == (7, 7, 0)


def test_a_page_goes_on_where_the_one_before_ended_while_rows_are_moved(
    rejected: ScratchDatabase,
) -> None:
    rejected.enable()
    listing = Listing(rejected.env)
    first = listing.deliveries("acme", BOTH, 3)
    move(rejected)
    assert first.position is not None

    second = listing.deliveries("acme", BOTH, 10, first.position)

    numbers = [each.delivery.number for each in (*first.found, *second.found)]
    assert numbers == list(range(1, 8))


def test_a_retry_of_all_forgets_no_rejection_of_what_was_queued(rejected: ScratchDatabase) -> None:
    rejected.attempt(NO)
    rejected.attempt(NO)

    retry_dead_letters(rejected)
    at_once = [each.rejections for each in rejected.queued()]
    move_all(rejected)

    assert at_once == [each.rejections for each in rejected.queued()] == [0] * 6 + [2]


def test_one_that_becomes_a_dead_letter_again_stays_one(rejected: ScratchDatabase) -> None:
    rejected.enable()
    for _ in range(3):
        rejected.attempt(NO)

    move_all(rejected)

    assert [ids_in(each) for each in rejected.dead_letters()] == [["m1"]]
    assert waiting(rejected) == [*IDS[1:], "m7"]


def test_one_whose_third_rejection_comes_after_a_retry_of_all_is_not_among_them(
    rejected: ScratchDatabase,
) -> None:
    rejected.attempt(NO)
    rejected.attempt(NO)
    rejected.wait()
    begun = rejected.begun()  # m7, which was rejected twice
    retry_dead_letters(rejected)
    rejected.finish(begun, NO)

    shown = [ids_in(each) for each in rejected.dead_letters()], waiting(rejected)
    move_all(rejected)

    assert shown == ([["m7"]], list(IDS))
    assert ([ids_in(each) for each in rejected.dead_letters()], waiting(rejected)) == shown
    assert retry_dead_letters(rejected).returned == 1
    assert waiting(rejected) == [*IDS, "m7"]

"""Commands for all that a webhook holds: effective at once, their rows moved step by step."""

from collections.abc import Callable

import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.tables import history
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.tests.storage.deleting import assert_sound, delete, delete_chat, erase
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import CUT, NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import (
    dead_letters,
    discard,
    queued,
    retry,
    retry_dead_letters,
    waiting,
)

BOTH = (keyspace.QUEUED, keyspace.DEAD_LETTERS)
IDS = tuple(f"m{number}" for number in range(1, 7))


def move(db: ScratchDatabase, most: int = 2) -> Moved:
    assert db.dues(DueKind.MOVE), "nothing is being moved"
    return db.do(MoveDeliveries(1, most, db.now_ms), Moved)


def move_all(db: ScratchDatabase, most: int = 2, *, then: Callable[[], None] = lambda: None) -> int:
    """Moves everything; the database is sound after each step. Returns the number of steps."""
    steps, last = 0, Moved(finished=False)
    while not last.finished:
        last = move(db, most)
        steps += 1
        assert_sound(db)
        then()
    assert db.dues(DueKind.MOVE) == []
    return steps


def rows_written(db: ScratchDatabase, act: Callable[[], object]) -> int:
    db.collected = {}
    act()
    written, db.collected = len(db.collected), None
    return written


def states(db: ScratchDatabase) -> dict[int, str]:
    found = (db.delivery(number) for number in range(1, db.reads.meta().delivery_next))
    return {each.number: each.state for each in found if each is not None}


@pytest.fixture
def parked(db: ScratchDatabase) -> ScratchDatabase:
    """m1 to m6 are dead letters, and m7 is queued behind them."""
    db.policy = db.policy.__class__(errors_max=100)
    dead_letters(db, *IDS, then=("m7",))
    return db


# ---- what a command costs


@pytest.mark.parametrize("how", ["enable", "discard", "url", "retry"])
def test_a_command_for_many_deliveries_writes_as_few_rows_as_for_one(
    db: ScratchDatabase, how: str
) -> None:
    db.policy = db.policy.__class__(errors_max=1_000, rejections_max=1)
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


def test_a_step_moves_no_more_than_it_may(parked: ScratchDatabase) -> None:
    parked.enable(discard=True)
    sizes = []

    def step() -> None:
        sizes.append(rows_written(parked, lambda: move(parked, 3)))

    for _ in range(3):
        step()

    assert max(sizes) <= 3 * 3 + 6
    assert set(states(parked).values()) == {"discarded"}


# ---- discarding


def test_what_was_held_is_discarded_for_everybody_before_a_row_was_moved(
    parked: ScratchDatabase,
) -> None:
    switched = parked.enable(discard=True)

    state, meta = parked.view().state, parked.reads.meta()
    assert (switched.discarded_deliveries, switched.discarded_messages) == (7, 7)
    assert (state.queued, state.queued_messages) == (0, 0)
    assert (state.dead_letters, state.dead_letter_messages) == (0, 0)
    assert (meta.queued, meta.dead_letters, meta.totals.discarded) == (0, 0, 7)
    assert parked.queued() == parked.dead_letters() == []
    assert Listing(parked.env).deliveries("acme", BOTH, 10).found == []
    assert parked.begin() == Idle()
    assert_sound(parked)


def test_it_becomes_history_in_steps_and_its_bytes_are_counted_all_the_time(
    parked: ScratchDatabase,
) -> None:
    parked.enable(discard=True)

    def counted() -> int:
        view = parked.view()
        return view.state.waiting_bytes + view.usage.history_bytes

    before, sums = counted(), set[int]()
    steps = move_all(parked, then=lambda: sums.add(counted()))

    assert steps == 4
    assert sums == {before}
    assert set(states(parked).values()) == {"discarded"}
    assert (parked.view().state.waiting_bytes, parked.view().usage.history) == (0, 7)
    assert len(parked.events("delivery.discarded")) == 1


def test_what_comes_after_the_command_is_kept_and_sent(parked: ScratchDatabase) -> None:
    parked.enable(discard=True)
    move(parked)
    parked.accept("m8")

    begun = parked.begun()
    move_all(parked)

    assert ids_in(begun) == ["m8"]
    assert waiting(parked) == ["m8"]


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


def test_a_discarded_delivery_is_not_found_any_more(parked: ScratchDatabase) -> None:
    waits = Listing(parked.env).deliveries("acme", BOTH, 10).found
    parked.enable(discard=True)

    for one in waits:
        with pytest.raises(Exception, match="not waiting"):
            retry(parked, one.delivery.number)
        with pytest.raises(Exception, match="not waiting"):
            discard(parked, one.delivery.number)
        with pytest.raises(Exception, match="not found"):
            Listing(parked.env).delivery(one.id)


# ---- queuing again


@pytest.mark.parametrize("how", ["enable", "retry"])
def test_dead_letters_are_sent_in_their_old_places_before_and_after_they_are_moved(
    parked: ScratchDatabase, how: str
) -> None:
    returned = (parked.enable if how == "enable" else lambda: retry_dead_letters(parked))().returned
    at_once = waiting(parked)
    sent = []
    for _ in range(7):
        assert_sound(parked)
        sent += ids_in(parked.attempt(OK))
        if parked.dues(DueKind.MOVE):
            move(parked, 1)

    assert returned == 6
    assert at_once == sent == [*IDS, "m7"]
    assert parked.dead_letters() == []


def test_moved_or_not_the_counters_and_the_lists_are_the_same(parked: ScratchDatabase) -> None:
    parked.enable()

    def shown() -> tuple[object, ...]:
        state, page = parked.view().state, Listing(parked.env).deliveries("acme", BOTH, 4)
        ids = [(each.id, each.dead_letter, each.delivery.rejections) for each in page.found]
        return state.queued, state.queued_messages, state.dead_letters, state.waiting_bytes, ids

    before, seen = shown(), []
    steps = move_all(parked, then=lambda: seen.append(shown()))

    assert steps == 4
    assert seen == [before] * 4
    assert before[:3] == (7, 7, 0)


def test_a_page_goes_on_where_the_one_before_ended_while_rows_are_moved(
    parked: ScratchDatabase,
) -> None:
    parked.enable()
    listing = Listing(parked.env)
    first = listing.deliveries("acme", BOTH, 3)
    move(parked)
    assert first.position is not None

    second = listing.deliveries("acme", BOTH, 10, first.position)

    numbers = [each.delivery.number for each in (*first.found, *second.found)]
    assert numbers == list(range(1, 8))


def test_one_that_becomes_a_dead_letter_again_meanwhile_stays_one(parked: ScratchDatabase) -> None:
    parked.enable()
    for _ in range(3):
        parked.attempt(NO)

    move_all(parked)

    assert [ids_in(each) for each in parked.dead_letters()] == [["m1"]]
    assert waiting(parked) == [*IDS[1:], "m7"]


def test_one_whose_third_rejection_comes_after_a_retry_of_all_is_not_among_them(
    parked: ScratchDatabase,
) -> None:
    parked.attempt(NO)
    parked.attempt(NO)
    parked.wait()
    begun = parked.begun()  # m7, which was rejected twice
    retry_dead_letters(parked)
    parked.finish(begun, NO)

    shown = [ids_in(each) for each in parked.dead_letters()], waiting(parked)
    move_all(parked)

    assert shown == ([["m7"]], list(IDS))
    assert ([ids_in(each) for each in parked.dead_letters()], waiting(parked)) == shown
    assert retry_dead_letters(parked).returned == 1
    assert waiting(parked) == [*IDS, "m7"]


# ---- one command after the other


def test_returned_and_then_discarded_they_are_discarded(parked: ScratchDatabase) -> None:
    parked.enable()
    move(parked)
    parked.accept("m8")

    switched = parked.enable(discard=True)

    assert switched.discarded_deliveries == 8
    assert (parked.queued(), parked.begin()) == ([], Idle())
    move_all(parked)
    assert set(states(parked).values()) == {"discarded"}


def test_discarded_and_then_returned_only_later_ones_are_queued(parked: ScratchDatabase) -> None:
    parked.enable(discard=True)
    move(parked, 1)
    parked.accept("m8", "m9")
    for _ in range(3):
        parked.attempt(NO)

    returned = parked.enable().returned

    assert returned == 1
    assert waiting(parked) == ["m8", "m9"]
    move_all(parked, 1)
    assert waiting(parked) == ["m8", "m9"]


@pytest.mark.parametrize("discard", [False, True])
def test_disabled_meanwhile_the_rows_are_moved_and_nothing_is_sent(
    parked: ScratchDatabase, *, discard: bool
) -> None:
    parked.enable(discard=discard)
    parked.disable()

    move_all(parked)

    assert parked.begin() == Idle()
    assert waiting(parked) == ([] if discard else [*IDS, "m7"])


@pytest.mark.parametrize("discard", [False, True])
def test_a_workspace_deleted_meanwhile_leaves_nothing(
    parked: ScratchDatabase, *, discard: bool
) -> None:
    parked.enable(discard=discard)
    move(parked)

    delete(parked)
    erase(parked)

    assert parked.dues() == []


@pytest.mark.parametrize("discard", [False, True])
def test_a_chat_deleted_meanwhile_is_counted_once(
    parked: ScratchDatabase, *, discard: bool
) -> None:
    parked.accept("d1", chat="d")
    parked.enable(discard=discard)
    move(parked)

    delete_chat(parked)
    erase(parked)
    move_all(parked)

    assert parked.reads.meta().totals.discarded == 7 + discard
    assert [ids_in(each) for each in parked.queued()] == ([] if discard else [["d1"]])


# ---- a crash, and damage


@pytest.mark.parametrize("discard", [False, True])
def test_after_a_crash_at_any_step_the_steps_go_on(
    parked: ScratchDatabase, *, discard: bool
) -> None:
    parked.enable(discard=discard)
    parked.reopen()

    move_all(parked, 1, then=parked.reopen)

    assert waiting(parked) == ([] if discard else [*IDS, "m7"])


@pytest.mark.parametrize("discard", [False, True])
def test_a_damaged_delivery_keeps_no_other_where_it_was(
    parked: ScratchDatabase, *, discard: bool
) -> None:
    key = history.key_of(1, 2)
    with parked.env.write() as txn:
        txn.put(key, b"damaged")
    parked.enable(discard=discard)

    while parked.dues(DueKind.MOVE):
        move(parked)

    heads = {n: parked.dump()[history.key_of(1, n)] for n in (1, 3, 4, 5, 6, 7)}
    found = {
        codec.unpack(history.key_of(1, n), value, Delivery).state for n, value in heads.items()
    }
    assert found == ({"discarded"} if discard else {"queued"})

"""What people do about a delivery over which its receiver fails."""

import pytest

from hookbundle.storage.transitions.attempting import Begun
from hookbundle.tests.storage.deleting import assert_sound, delete_chat
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import discard, retry, retry_dead_letters
from hookbundle.tests.storage.transitions.outcomes.failing import (
    OOPS,
    failing,
    moved,
    numbers,
    sent,
    set_aside,
)

OTHER_URL = "https://elsewhere.example/"


def test_enabling_leaves_it_where_it_is_and_returns_the_others(db: ScratchDatabase) -> None:
    set_aside(db, "m1", "m2", "m3", "m4")
    for _ in range(3):
        assert sent(db, NO) == 3
    db.disable()

    switched = db.enable()

    assert (switched.returned, switched.left) == (1, 1)
    assert numbers(db) == ([3, 4], [1])
    assert db.events("webhook.reset")[-1]["data"]["left"] == 1
    assert_sound(db)
    assert [sent(db, OK), sent(db, OK)] == [3, 4]
    moved(db)
    assert numbers(db) == ([], [1])
    assert_sound(db)


def test_enabling_with_nothing_but_such_moves_nothing(db: ScratchDatabase) -> None:
    set_aside(db, "m1", "m2")
    db.disable()

    assert (db.enable().returned, numbers(db)) == (0, ([], [1]))
    assert_sound(db)


@pytest.mark.parametrize("how", ["retry", "retry all", "url"])
def test_a_retry_or_another_url_puts_it_back_in_its_place(db: ScratchDatabase, how: str) -> None:
    set_aside(db, "m1", "m2", "m3")

    if how == "retry":
        retry(db, 1)
    elif how == "url":
        db.change("acme", url=OTHER_URL)
    else:
        assert retry_dead_letters(db).returned == 1

    assert numbers(db) == ([1, 3], [])
    assert_sound(db)
    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5  # it begins anew
    assert sent(db, OK) == 3
    moved(db)
    assert numbers(db) == ([], [1])
    assert_sound(db)


def test_enabling_begins_anew_with_a_head_that_was_compared(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2")
    assert sent(db, OOPS) == 2
    db.disable()
    db.enable()

    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5

    assert sent(db, OK) == 2
    assert numbers(db) == ([], [1])


def test_enabling_while_the_next_one_is_on_its_way_leaves_the_head(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2")
    db.wait()
    begun = db.begun()
    db.disable()
    db.enable()

    db.finish(begun, OK)

    assert (begun.delivery.number, numbers(db)) == (2, ([1], []))
    assert_sound(db)


def test_a_retry_of_all_while_the_next_one_is_on_its_way_does_not_return_the_head(
    db: ScratchDatabase,
) -> None:
    set_aside(db, "m1", "m2", "m3", "m4")
    assert [sent(db, OOPS) for _ in range(5)] == [3] * 5
    db.wait()
    begun = db.begun()
    assert begun.delivery.number == 4
    retry_dead_letters(db)
    assert_sound(db)

    db.finish(begun, OK)

    assert numbers(db) == ([1], [3])
    assert_sound(db)
    moved(db)
    assert numbers(db) == ([1], [3])
    assert_sound(db)


@pytest.mark.parametrize("gone", ["discarded", "deleted", "discarded with all"])
def test_a_head_that_is_gone_when_the_answer_comes_is_no_dead_letter(
    db: ScratchDatabase, gone: str
) -> None:
    failing(db, "m1")
    db.accept("m2", chat="other")
    db.wait()
    begun = db.begun()

    if gone == "discarded":
        discard(db, 1)
    elif gone == "deleted":
        delete_chat(db)
    else:
        db.disable()
        db.enable(discard=True)
    db.finish(begun, OK)

    assert db.events("delivery.dead_lettered") == []
    assert_sound(db)


def test_the_next_one_of_a_deleted_chat_is_passed_over(db: ScratchDatabase) -> None:
    failing(db, "m1")
    for number in range(3):
        db.accept(f"d{number}", chat="deleted")
    db.accept("m2", chat="other")
    delete_chat(db, "deleted")

    assert sent(db, OK) == 5
    assert numbers(db) == ([], [1])


def test_the_next_one_keeps_its_place_and_no_count_of_its_own(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2", "m3")
    assert sent(db, OOPS) == 2
    assert sent(db, OK) == 1

    assert [sent(db, OOPS) for _ in range(5)] == [2] * 5
    assert sent(db, OK) == 3
    assert numbers(db) == ([], [2])


def test_what_is_discarded_with_all_takes_such_ones_too(db: ScratchDatabase) -> None:
    set_aside(db, "m1", "m2", "m3")
    db.disable()

    db.enable(discard=True)
    assert_sound(db)
    moved(db)

    assert numbers(db) == ([], [])
    assert_sound(db)


def test_the_answer_may_come_with_the_next_begin(db: ScratchDatabase) -> None:
    failing(db, "m1", "m2", "m3")
    db.wait()
    begun = db.begun()

    following = db.finish(begun, OK, go_on=True)

    assert isinstance(following, Begun)
    assert following.delivery.number == 3
    assert_sound(db)

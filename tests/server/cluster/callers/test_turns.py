"""Turns for what anybody may cause: who comes too often waits."""

from itertools import pairwise

from hookbundle.server.cluster.callers import turns
from hookbundle.server.cluster.callers.turns import AT_ONCE, OWNERS_MAX, PER_S, Turns

LATER_S = 1_000.0


def taken(found: Turns, owner: str, now_s: float) -> list[float]:
    """How long it has to wait for each of its turns until it has none."""
    waits = []
    while (wait_s := found.wait_s(owner, now_s)) is not None:
        waits.append(wait_s)
    return waits


def test_some_come_at_once() -> None:
    found = Turns()

    assert [found.wait_s("a", LATER_S) for _ in range(AT_ONCE)] == [0.0] * AT_ONCE


def test_who_comes_too_often_waits_for_its_turn() -> None:
    waits = taken(Turns(), "a", LATER_S)

    late = [each for each in waits if each]
    assert waits[: len(waits) - len(late)] == [0.0] * (AT_ONCE + 1)
    assert [round(after - before, 6) for before, after in pairwise(late)] == [1 / PER_S] * (
        len(late) - 1
    )
    assert turns.WAIT_S_MAX - 1 / PER_S < late[-1] <= turns.WAIT_S_MAX


def test_who_had_no_turn_has_one_when_it_comes_later() -> None:
    found = Turns()
    taken(found, "a", LATER_S)

    assert found.wait_s("a", LATER_S) is None
    assert found.wait_s("a", LATER_S + turns.WAIT_S_MAX + AT_ONCE / PER_S) == 0.0


def test_who_came_with_good_reason_had_no_turn() -> None:
    found = Turns()

    for _ in range(4 * AT_ONCE):
        assert found.wait_s("a", LATER_S) == 0.0
        found.give_back("a")
    assert len(taken(found, "a", LATER_S)) > AT_ONCE


def test_nobody_waits_for_another_one() -> None:
    found = Turns()
    taken(found, "a", LATER_S)

    assert found.wait_s("b", LATER_S) == 0.0


def test_of_those_who_came_long_ago_nothing_is_kept() -> None:
    found = Turns()
    for number in range(2 * OWNERS_MAX):
        found.wait_s(str(number), LATER_S + number)

    assert len(found._next_s) <= OWNERS_MAX


def test_so_many_at_once_that_nobody_can_be_kept_are_forgotten() -> None:
    found = Turns()
    for number in range(2 * OWNERS_MAX):
        found.wait_s(str(number), LATER_S)

    assert len(found._next_s) <= OWNERS_MAX

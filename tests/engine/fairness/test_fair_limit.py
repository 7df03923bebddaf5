import pytest

from hookbundle.engine.error_codes import Term
from hookbundle.engine.errors import Overloaded, TooManyRequests
from hookbundle.engine.fairness.fair_limit import FairLimit


def limit_of(total: int) -> FairLimit[str]:
    return FairLimit("things", Term.CONNECTIONS, total)


def fill(limit: FairLimit[str], owner: str) -> int:
    """The owner takes until it is refused. Returns how much it holds."""
    try:
        while True:
            limit.take(owner)
    except TooManyRequests:
        return limit.held(owner)


def test_one_greedy_owner_gets_half() -> None:
    assert fill(limit_of(100), "greedy") == 50


def test_of_many_greedy_owners_each_leaves_room_for_the_next() -> None:
    limit = limit_of(100)
    greedy = [fill(limit, f"greedy {number}") for number in range(4)]
    assert all(greedy)
    limit.take("modest")
    assert limit.held("modest") == 1


def test_who_holds_nothing_gets_what_is_free_however_much_others_hold() -> None:
    limit = limit_of(100)
    limit.take("greedy", 90)
    limit.take("modest", 10)
    assert limit.used == 100


def test_when_nothing_is_left_it_is_not_the_owner_s_fault() -> None:
    limit = limit_of(2)
    limit.take("a")
    limit.take("b")
    with pytest.raises(Overloaded):
        limit.take("c")
    assert (limit.refused_all, limit.refused_owner) == (1, 0)


def test_what_is_given_back_can_be_taken_again() -> None:
    limit = limit_of(100)
    for _ in range(fill(limit, "greedy")):
        limit.give_back("greedy")
    assert limit.used == 0
    assert fill(limit, "greedy") == 50


def test_a_refusal_takes_nothing() -> None:
    limit = limit_of(10)
    limit.take("greedy", 5)
    with pytest.raises(TooManyRequests):
        limit.take("greedy", 1)
    assert (limit.used, limit.held("greedy"), limit.refused_owner) == (5, 5, 1)


def test_a_block_that_fails_gives_back_what_it_held() -> None:
    limit = limit_of(10)
    with pytest.raises(RuntimeError), limit.holding("a", 3):
        raise RuntimeError
    assert limit.used == 0

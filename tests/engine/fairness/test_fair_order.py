"""An order of work: an owner with much waits for itself, and none for ever."""

from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.fairness import fair_order
from hookbundle.engine.fairness.fair_order import FairOrder

T = TypeVar("T")
Pieces = list[tuple[int, int]]  # owner and weight, in the order in which they come
slices = st.sampled_from([1, 40, 500])
pieces = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 50)), max_size=60)


def order_of(given: Pieces, slice_weight: int = 1) -> FairOrder[int, tuple[int, int]]:
    order: FairOrder[int, tuple[int, int]] = FairOrder(slice_weight)
    for number, (owner, weight) in enumerate(given):
        order.add(owner, weight, (owner, number))
    return order


def next_of(order: FairOrder[int, T]) -> T:
    taken = order.take()
    assert taken is not None
    return taken[1]


@settings(deadline=None)
@given(pieces, slices)
def test_each_owners_pieces_stay_in_order_and_all_come(
    given_pieces: Pieces, slice_weight: int
) -> None:
    order = order_of(given_pieces, slice_weight)

    taken = [next_of(order) for _ in given_pieces]

    assert len(order) == 0
    assert sorted(taken, key=lambda piece: piece[1]) == [
        (owner, number) for number, (owner, _) in enumerate(given_pieces)
    ]
    for owner in range(5):
        numbers = [number for whose, number in taken if whose == owner]
        assert numbers == sorted(numbers)


@settings(deadline=None)
@given(pieces, st.integers(1, 50), slices)
def test_a_newcomer_waits_for_no_more_of_each_other_than_it_brings_and_a_slice(
    given_pieces: Pieces, weight: int, slice_weight: int
) -> None:
    order = order_of(given_pieces, slice_weight)
    order.add(9, weight, (9, 0))

    before: dict[int, int] = {}
    while (piece := next_of(order))[0] != 9:
        before[piece[0]] = before.get(piece[0], 0) + given_pieces[piece[1]][1]

    assert all(served < weight + slice_weight for served in before.values())


def test_within_a_slice_what_came_first_is_first() -> None:
    order = order_of([(1, 10)] * 20 + [(2, 10)] * 20, slice_weight=101)

    taken = [next_of(order)[0] for _ in range(40)]

    assert taken == [1] * 10 + [2] * 10 + [1] * 10 + [2] * 10


def test_while_all_have_work_each_owner_gets_the_same_weight() -> None:
    order = order_of([(1, 30)] * 100 + [(2, 1)] * 3_000 + [(3, 7)] * 500)
    served = {1: 0, 2: 0, 3: 0}
    weights = {1: 30, 2: 1, 3: 7}

    for _ in range(1_000):
        owner, _ = next_of(order)
        served[owner] += weights[owner]

    assert max(served.values()) - min(served.values()) <= 2 * 30


def test_light_work_that_never_ends_keeps_no_heavy_piece_waiting_for_ever() -> None:
    order = order_of([(1, 100), (2, 1)])
    taken = []

    for number in range(300):
        order.add(2, 1, (2, number))
        taken.append(next_of(order)[0])
        if taken[-1] == 1:
            break

    assert taken.count(1) == 1
    assert len(taken) <= 102


def test_a_piece_that_is_too_heavy_for_now_stays_the_next_one() -> None:
    order = order_of([(1, 10), (2, 20)])

    assert order.take(9) is None
    assert order.take(10) == (10, (1, 0))
    assert order.take(None) == (20, (2, 1))


def test_an_owner_of_which_nothing_waits_has_no_debt_and_is_forgotten() -> None:
    order = order_of([(1, 1_000)])
    next_of(order)
    order.add(1, 5, (1, 1))
    order.add(2, 6, (2, 1))

    assert next_of(order) == (1, 1)


def test_owners_are_forgotten_while_others_wait() -> None:
    order: FairOrder[int, int] = FairOrder()
    order.add(-1, 10**12, -1)  # waits all the time
    most = 3 * fair_order.OWNERS_REMEMBERED_MAX
    for owner in range(most):
        order.add(owner, 1, owner)
        assert next_of(order) == owner

    assert len(order._ends) <= fair_order.OWNERS_REMEMBERED_MAX + 1
    assert next_of(order) == -1

"""Which role follows which: every pair is drawn, and moves, or is refused."""

from itertools import product

import pytest

from hookbundle.engine.delivery.states import ForbiddenMoveError
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import ROLE_MOVES, CopyAt, Role, fresh, may_give_up, moved


def test_every_pair_moves_or_is_refused() -> None:
    for before, after in product(Role, repeat=2):
        if (before, after) in ROLE_MOVES:
            assert moved(before, after) is after
        else:
            with pytest.raises(ForbiddenMoveError, match=before.name):
                moved(before, after)


def test_nobody_owns_without_a_claim_and_every_copy_can_break() -> None:
    assert [before for before, after in ROLE_MOVES if after is Role.OWNER] == [Role.CLAIMING]
    assert {before for before, after in ROLE_MOVES if after is Role.BROKEN} == set(Role)


def at(role: Role, seq: int = 500, number: int = 2) -> CopyAt:
    return CopyAt(role, Generation(number, 1), seq)


@pytest.mark.parametrize(
    ("assigned", "copies", "gives_up"),
    [
        (("a", "b"), {"a": at(Role.OWNER), "b": at(Role.FOLLOWING)}, True),
        (("a", "b"), {"a": at(Role.OWNER), "b": at(Role.FOLLOWING, 400)}, True),
        (("a", "b"), {"a": at(Role.OWNER), "b": at(Role.FOLLOWING, 399)}, False),
        (("a", "b"), {"a": at(Role.OWNER), "b": at(Role.FOLLOWING, 900, number=1)}, False),
        (("a", "b"), {"a": at(Role.OWNER), "b": at(Role.JOINING)}, False),
        (("a", "b"), {"a": at(Role.OWNER), "b": at(Role.BROKEN)}, False),
        (("a", "b"), {"a": at(Role.OWNER)}, False),
        (("a",), {"a": at(Role.FOLLOWING)}, False),
        (("a",), {"a": at(Role.FOLLOWING), "b": at(Role.OWNER)}, True),
        (("a", "c"), {"a": at(Role.OWNER), "c": at(Role.FOLLOWING)}, False),
        ((), {"a": at(Role.OWNER)}, False),
    ],
)
def test_a_copy_is_given_up_when_all_that_are_to_hold_one_do_and_never_before(
    assigned: tuple[str, ...], copies: dict[str, CopyAt], gives_up: bool
) -> None:
    copies["c"] = at(Role.FOLLOWING)

    assert may_give_up("c", assigned, copies) is gives_up


@pytest.mark.parametrize(
    ("copies", "wanted"),
    [
        ({}, []),
        ({"a": at(Role.JOINING), "b": at(Role.BROKEN)}, []),
        ({"a": at(Role.FOLLOWING), "b": at(Role.FOLLOWING, 400)}, ["a", "b"]),
        ({"a": at(Role.FOLLOWING, 399), "b": at(Role.FOLLOWING)}, ["b"]),
        ({"a": at(Role.FOLLOWING, 900, number=1), "b": at(Role.FOLLOWING)}, ["b"]),
        ({"a": at(Role.OWNER), "b": CopyAt(Role.FOLLOWING)}, ["a"]),
        ({"a": at(Role.FOLLOWING), "b": at(Role.JOINING, 900)}, ["a"]),
    ],
)
def test_a_copy_that_is_far_behind_the_furthest_one_is_not_fresh(
    copies: dict[str, CopyAt], wanted: list[str]
) -> None:
    assert fresh(copies) == wanted

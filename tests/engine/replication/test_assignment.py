"""Who should own what: fair, the same for all who know the same nodes, and calm when one leaves."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbundle.engine.replication.assignment import (
    as_given,
    assign,
    claimant,
    given_to,
    may_claim,
    partition_of,
    ranking,
    yields,
)

NAMES = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=7, unique=True)


@given(st.integers(1, 64), NAMES, st.integers(1, 9))
def test_each_partition_has_an_owner_and_copies_elsewhere_and_no_node_more_than_its_share(
    partitions: int, nodes: list[str], copies: int
) -> None:
    assigned = assign(partitions, nodes, copies)

    owned = Counter(holders[0] for holders in assigned)
    assert len(assigned) == partitions
    assert max(owned.values()) <= -(-partitions // len(nodes))
    for holders in assigned:
        assert len(set(holders)) == len(holders) == min(copies, len(nodes))


@given(NAMES, st.randoms())
def test_the_order_in_which_nodes_are_known_does_not_matter(nodes: list[str], rng: object) -> None:
    other = sorted(nodes, reverse=True)

    assert assign(32, nodes, 2) == assign(32, other, 2)


def test_when_a_node_leaves_most_of_what_others_own_stays() -> None:
    nodes = ["a", "b", "c", "d"]
    before, after = assign(64, nodes, 2), assign(64, nodes[:3], 2)

    moved = [p for p in range(64) if before[p][0] != "d" and before[p][0] != after[p][0]]

    assert len(moved) <= 8
    assert assign(4, [], 2) == [()] * 4


def test_a_workspace_stays_in_its_partition() -> None:
    assert [partition_of(name, 32) for name in ("acme", "globex", "")] == PARTITIONS
    spread = Counter(partition_of(f"ws{n}", 8) for n in range(800))
    assert min(spread.values()) > 60


PARTITIONS = [1, 26, 20]  # they must never become others


def test_few_are_asked_to_yield_at_once_and_only_to_those_that_have_nearly_caught_up() -> None:
    assigned = [("b", "a"), ("b", "a"), ("a", "b"), ("b", "a"), ("b", "a")]
    owners = dict.fromkeys(range(4), "a")
    behind = {(0, "b"): 100, (1, "b"): 99, (3, "b"): 0, (4, "b"): 0}

    assert yields(owners, assigned, behind, 0) == [(1, "b"), (3, "b")]
    assert yields(owners, assigned, behind, 1) == [(1, "b")]
    assert yields(owners, assigned, behind, 2) == []
    assert yields(owners, assigned, {}, 0) == []


@pytest.mark.parametrize(
    ("owner_life", "may"),
    [
        ("", True),  # nobody has ever claimed it
        ("b1", False),  # its owner lives
        ("b0", True),  # its owner's process has ended, though its node is back
        ("c1", True),  # its owner's node is gone
        ("a0", True),  # an earlier life of this node
    ],
)
def test_a_live_owner_is_never_claimed_from_unless_it_has_released(
    owner_life: str, may: bool
) -> None:
    lives = {"a": "a1", "b": "b1"}

    assert may_claim(owner_life, lives, is_released=False) is may
    assert may_claim(owner_life, lives, is_released=True)


def test_what_was_given_by_command_moves_alone_and_keeps_as_many_copies() -> None:
    assigned = [("a", "b"), ("b", "c"), ("c", "a")]

    given = as_given(assigned, {"a": {}, "b": {0: 4}, "c": {1: 2}})

    assert given == [("b", "a"), ("c", "b"), ("c", "a")]


def test_of_two_that_were_given_a_partition_the_later_one_counts() -> None:
    assert given_to(3, {"a": {3: 5}, "b": {3: 4}}) == "a"
    assert given_to(3, {"a": {3: 5}, "b": {3: 6}}) == "b"
    assert given_to(3, {"a": {3: 5}, "b": {3: 5}}) == "b"
    assert given_to(2, {"a": {3: 5}}) == ""


@pytest.mark.parametrize(
    ("assigned", "having", "wanted"),
    [
        ((), ["a"], ""),
        (("a", "b"), [], "a"),
        (("a", "b"), ["b", "a"], "a"),
        (("a", "b"), ["b"], "b"),
        (("a", "b"), ["d"], "a"),  # of those that stay nobody has a copy
    ],
)
def test_who_has_a_fresh_copy_claims_what_is_assigned_to_one_that_has_none(
    assigned: tuple[str, ...], having: list[str], wanted: str
) -> None:
    assert claimant(7, assigned, having, ["a", "b", "c"]) == wanted


@given(st.integers(0, 63))
def test_of_several_with_fresh_copies_all_nodes_expect_the_same_one_to_claim(
    partition: int,
) -> None:
    liked = next(node for node in ranking(partition, "abcd") if node in "bcd")

    for having in ("bcd", "dcb"):
        assert claimant(partition, ("a", "b"), having, list("dcba")) == liked

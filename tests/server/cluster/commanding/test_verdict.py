"""Which copy is wrong, which may be made anew, and what a person is told."""

import pytest

from hookbundle.server.cluster.commanding.comparing import LookedOut
from hookbundle.server.cluster.commanding.verdict import Copy, Verdict
from hookbundle.storage.maintenance.check import Finding

RIGHT, WRONG, OTHER = {"chat": "1", "state": "1"}, {"chat": "1", "state": "2"}, {"chat": "3"}
FOUND = [Finding("chat c1", "is wrong", "acme")]


def copy(node: str, digests: dict[str, str], *, found: bool = False, why: str = "") -> Copy:
    return Copy(node, LookedOut(2, digests, FOUND if found else [], why))


def verdict(*copies: Copy, owner: str | None = "a") -> Verdict:
    return Verdict(7, owner, copies)


def test_equal_copies_need_nobody() -> None:
    found = verdict(copy("a", RIGHT), copy("b", RIGHT))

    assert found.to_be_remade() is None
    assert found.advice("") == []
    assert [found.shown(each, is_remade=False).same for each in found.copies] == [True, True]


def test_a_follower_that_differs_is_made_anew() -> None:
    found = verdict(copy("a", RIGHT), copy("b", RIGHT), copy("c", WRONG))

    assert found.to_be_remade() == "c"
    shown = found.shown(found.copies[2], is_remade=True)
    assert (shown.same, shown.differs, shown.remade) == (False, ["state"], True)
    assert "c make it anew" in found.advice("")[0]
    assert "c makes its copy" in found.advice("c")[0]


def test_one_of_several_is_made_anew_at_a_time() -> None:
    found = verdict(copy("a", RIGHT), copy("b", WRONG), copy("c", OTHER))

    assert found.to_be_remade() == "b"


def test_a_copy_with_a_page_that_can_not_be_read_is_made_anew() -> None:
    found = verdict(copy("a", RIGHT), copy("b", {}, found=True))

    assert found.to_be_remade() == "b"
    shown = found.shown(found.copies[1], is_remade=False)
    assert (shown.same, shown.differs, len(shown.findings)) == (False, [], 1)


@pytest.mark.parametrize(
    "copies",
    [
        (copy("a", WRONG), copy("b", RIGHT), copy("c", RIGHT)),
        (copy("a", WRONG, found=True), copy("b", RIGHT)),
        (copy("a", {}, found=True), copy("b", RIGHT), copy("c", WRONG, found=True)),
    ],
    ids=["outvoted", "finds something", "can't be read"],
)
def test_where_the_owners_is_the_wrong_one_another_is_to_own_first(
    copies: tuple[Copy, ...],
) -> None:
    found = verdict(*copies)

    assert found.to_be_remade() is None
    (advice,) = found.advice("")
    assert "a, which owns partition 7, is the one that is wrong" in advice
    assert "`hookbundle cluster move 7 b`" in advice


def test_what_all_copies_have_stands_in_the_log() -> None:
    found = verdict(copy("a", WRONG, found=True), copy("b", WRONG, found=True))

    assert found.to_be_remade() is None
    assert "stands in its log" in found.advice("")[0]


def test_the_only_copy_is_compared_with_none() -> None:
    found = verdict(copy("a", WRONG, found=True), copy("b", {}, why="it does not answer"))

    assert found.to_be_remade() is None
    assert found.shown(found.copies[0], is_remade=False).same is None
    assert "partitions/007 removed" in found.advice("")[0]
    assert verdict(copy("a", RIGHT)).advice("") == []


def test_without_an_owner_copies_are_compared_and_none_is_made_anew() -> None:
    found = verdict(copy("b", RIGHT), copy("c", WRONG), owner=None)

    assert found.to_be_remade() is None
    assert [found.shown(each, is_remade=False).same for each in found.copies] == [True, False]
    assert "has no owner" in found.advice("")[0]
    assert "no node that lives" in verdict(owner=None).advice("")[0]

"""What beats say of copies, as who assigns partitions asks it."""

from collections.abc import Mapping

import pytest

from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import CopyAt, Role
from hookbundle.server.cluster.partitions.holding import (
    Furthest,
    behind_of,
    copy_of,
    has_another_owner,
    owner_at,
    staying,
    stopped_at,
)


def beat(name: str, *, leaves: bool = False, **held: Held) -> Beat:
    """`held`: by `p` and the partition's number."""
    numbered = {int(number[1:]): each for number, each in held.items()}
    return Beat(name, f"life of {name}", "1", 0, 0, "", numbered, leaves=leaves)


def live(*beats: Beat) -> Mapping[str, Beat]:
    return {each.node: each for each in beats}


def test_nodes_that_leave_are_assigned_something_only_if_all_leave() -> None:
    leaving = beat("a", leaves=True)

    assert staying(live(beat("b"), leaving)) == ["b"]
    assert staying(live(beat("b", leaves=True), leaving)) == ["a", "b"]


def test_of_two_owners_the_one_of_the_later_epoch_owns() -> None:
    seen = live(beat("a", p0=Held(Role.OWNER, 3)), beat("b", p0=Held(Role.OWNER, 2)))

    assert owner_at(seen, 0) == "a"
    assert owner_at(seen, 1) is None
    assert has_another_owner(seen, "b", 0, 2)
    assert not has_another_owner(seen, "a", 0, 3), "one of an earlier epoch is fenced"
    assert not has_another_owner(live(beat("a", p0=Held(Role.FOLLOWING, 9))), "b", 0, 2)


@pytest.mark.parametrize(
    ("held", "entries"),
    [
        (Held(Role.FOLLOWING, 3, "2x1", 60), 40),
        (Held(Role.FOLLOWING, 3, "2x1", 101), 0),  # its beat is the later one
        (Held(Role.JOINING, 3, "2x1", 60), None),
        (Held(Role.FOLLOWING, 3, "1x0", 99), None),
        (None, None),
    ],
)
def test_a_copy_is_behind_its_owner_in_the_same_generation(
    held: Held | None, entries: int | None
) -> None:
    owner = beat("a", p0=Held(Role.OWNER, 3, "2x1", 100))
    other = beat("b") if held is None else beat("b", p0=held)

    assert behind_of(owner, other, 0) == entries


def test_a_generation_that_can_not_be_read_is_none() -> None:
    assert copy_of(Held(Role.FOLLOWING, 1, "?", 5)) == CopyAt(Role.FOLLOWING)
    assert copy_of(Held(Role.FOLLOWING, 1, "2x1", 5)) == CopyAt(Role.FOLLOWING, Generation(2, 1), 5)


def test_nodes_that_have_what_the_log_has_not_are_named() -> None:
    stopped = Held(Role.STOPPED, 1, "1x0", 5)

    assert stopped_at(live(beat("b", p0=stopped), beat("a", p0=stopped, p1=stopped)), 0) == [
        "a",
        "b",
    ]
    assert stopped_at(live(beat("a", p0=Held(Role.OWNER, 1))), 0) == []


def test_how_far_a_copy_had_come_is_known_also_when_its_node_is_gone() -> None:
    furthest = Furthest()
    assert (furthest.of(0), furthest.where(0)) == (None, "")

    furthest.note(live(beat("a", p0=Held(Role.OWNER, 1, "1x0", 5))))
    furthest.note(live(beat("a", p0=Held(Role.OWNER, 1, "1x0", 9))))
    furthest.note(live(beat("b", p0=Held(Role.FOLLOWING, 1, "1x0", 7))))
    furthest.note(live(beat("b", p0=Held(Role.BROKEN, 1, "1x0", 99))))

    assert furthest.of(0) == CopyAt(Role.OWNER, Generation(1, 0), 9)
    assert furthest.where(0) == "a"

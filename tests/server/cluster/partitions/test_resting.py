"""A broken copy is left alone for longer each time it breaks again."""

from itertools import pairwise

import pytest

from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.partitions.resting import (
    FIRST_S,
    FORGOTTEN_S,
    KEPT_MOST_S,
    MOST_S,
    Resting,
)

STEP_S = 0.25


def looks(
    resting: Resting, seconds: float, since_s: float = 0.0, *, is_kept: bool = False
) -> list[float]:
    """When a copy that is always broken is looked at."""
    times = [since_s + turn * STEP_S for turn in range(int(seconds / STEP_S))]
    return [now_s for now_s in times if not resting.rests(3, Role.BROKEN, now_s, is_kept=is_kept)]


def test_the_first_times_come_soon_and_later_ones_rarely() -> None:
    found = looks(Resting(), 3_600.0)

    assert found[0] == FIRST_S
    gaps = [after - before for before, after in pairwise(found)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 2 * FIRST_S + STEP_S
    assert gaps[-1] == MOST_S + STEP_S
    assert len(found) < 20


def test_a_copy_that_was_kept_is_tried_more_often() -> None:
    found = looks(Resting(), 600.0, is_kept=True)

    gaps = [after - before for before, after in pairwise(found)]
    assert gaps[-1] == KEPT_MOST_S + STEP_S


@pytest.mark.parametrize(("is_kept", "most_s"), [(True, KEPT_MOST_S), (False, MOST_S)])
def test_a_copy_that_is_broken_for_days_is_still_looked_at(is_kept: bool, most_s: float) -> None:
    """And so are the other partitions of its node, which are looked at after it."""
    resting, now_s, found = Resting(), 0.0, 0
    for _ in range(5_000):
        now_s += most_s
        found += not resting.rests(3, Role.BROKEN, now_s, is_kept=is_kept)

    assert found == 2_500


def test_a_copy_that_was_sound_for_a_while_begins_anew() -> None:
    resting = Resting()
    last_s = looks(resting, 100.0)[-1]
    assert not resting.rests(3, Role.FOLLOWING, last_s + 1.0)
    assert looks(resting, 4 * FIRST_S, last_s + 2.0) == [], "it was sound for a moment"
    until_s = last_s + 2.0 + MOST_S
    assert not resting.rests(3, Role.FOLLOWING, until_s + FORGOTTEN_S)

    assert looks(resting, 2 * FIRST_S, 2_000.0) == [2_000.0 + FIRST_S]


def test_other_copies_are_looked_at_meanwhile() -> None:
    resting = Resting()
    assert resting.rests(3, Role.BROKEN, 0.0)

    assert not resting.rests(4, Role.FOLLOWING, 0.0)
    assert not resting.rests(5, Role.JOINING, 0.0)

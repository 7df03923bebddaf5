"""Which role follows which: every pair is drawn, and moves, or is refused."""

from itertools import product

import pytest

from hookbundle.engine.delivery.states import ForbiddenMoveError
from hookbundle.engine.replication.roles import ROLE_MOVES, Role, moved


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

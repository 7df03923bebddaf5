"""Why a partition does not begin anew with the copy of one node: by what is heard of all."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.commanding.recovering import Recovering
from hookbundle.server.cluster.partitions.holding import Furthest
from hookbundle.server.http.schemas.cluster import RecoverIn

NUMBER = 3


def held(role: Role, seq: int = 5, generation: str = "1x0", epoch: int = 2) -> Held:
    return Held(role, epoch, generation, seq)


def beats(copies: dict[str, Held]) -> dict[str, Beat]:
    return {
        name: Beat(name, f"life of {name}", "1", 0, 0, "", {NUMBER: copy})
        for name, copy in copies.items()
    }


def recovering(live: dict[str, Beat], *gone: dict[str, Held]) -> Recovering:
    """At node a. `gone`: what was heard before."""
    furthest = Furthest()
    for each in (*map(beats, gone), live):
        furthest.note(each)
    node = SimpleNamespace(
        cluster=SimpleNamespace(node="a"),
        assigning=SimpleNamespace(furthest=furthest),
        live=lambda: live,
    )
    return Recovering(cast(Any, node), lambda fact: None)


def why_not(copies: dict[str, Held], *gone: dict[str, Held], force: bool = False) -> str:
    """Empty if it begins anew."""
    live = beats(copies)
    return recovering(live, *gone)._why_not(NUMBER, live, RecoverIn("a", force=force)) or ""


STOPPED, OWNER, FOLLOWING = held(Role.STOPPED), held(Role.OWNER), held(Role.FOLLOWING)


@pytest.mark.parametrize(
    ("copies", "gone", "why", "by_force"),
    [
        ({"a": STOPPED}, {}, "", ""),
        ({"a": STOPPED, "b": STOPPED}, {}, "", ""),
        ({"a": OWNER, "b": STOPPED}, {}, "", ""),
        ({"a": held(Role.JOINING), "b": STOPPED}, {}, "a has no copy", "a has no copy"),
        ({"b": STOPPED}, {}, "a has no copy", "a has no copy"),
        ({"a": FOLLOWING, "b": OWNER, "c": STOPPED}, {}, "recover from b", "recover from b"),
        ({"a": STOPPED, "b": OWNER}, {}, "b owns it and goes on; --force", ""),
        ({"a": STOPPED, "b": held(Role.STOPPED, 9)}, {}, "b has 4 entries more than a", ""),
        ({"a": STOPPED}, {"c": held(Role.OWNER, 9)}, "c has 4 entries more than a", ""),
        (
            {"a": STOPPED, "b": held(Role.STOPPED, 1, "2x2")},
            {},
            "b has entries of a later generation, 2x2, than a",
            "",
        ),
    ],
)
def test_what_is_not_safe_is_left_out_unless_it_is_forced(
    copies: dict[str, Held], gone: dict[str, Held], why: str, by_force: str
) -> None:
    for found, wanted in (
        (why_not(copies, gone), why),
        (why_not(copies, gone, force=True), by_force),
    ):
        assert wanted in found
        assert bool(found) == bool(wanted)


def test_a_partition_is_not_done_while_a_copy_has_what_its_owner_has_not() -> None:
    live = beats({"a": OWNER, "b": STOPPED})

    assert recovering(live)._unowned({NUMBER: None, 4: None}) == {NUMBER, 4}
    assert recovering(beats({"a": OWNER, "b": FOLLOWING}))._unowned({NUMBER: None}) == set()


def test_a_log_that_begins_anew_is_later_than_those_of_all_copies_heard_of() -> None:
    live = beats({"a": STOPPED, "b": held(Role.FOLLOWING, 1, "4x7")})
    found = recovering(live, {"c": held(Role.OWNER, 1, "9x9")})._above(NUMBER)

    assert {Generation(1, 0), Generation(4, 7), Generation(9, 9)} <= set(found)

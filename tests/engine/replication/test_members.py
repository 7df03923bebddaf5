"""Who lives, by what one node has heard."""

import msgspec
import pytest

from hookbundle.engine.replication.beats import Beat, Held, pack, read
from hookbundle.engine.replication.members import NODES_MAX, Members, behind, owners
from hookbundle.engine.replication.roles import Role

DEAD_AFTER_S = 3.0


def beat(node: str, life: str = "", wall_ms: int = 0, **more: object) -> bytes:
    said = Beat(node, life or f"{node}1", "1.0", wall_ms, 5, "d1", {}, **more)  # type: ignore[arg-type]
    return pack(said)


@pytest.fixture
def members() -> Members:
    return Members("a", "a1", DEAD_AFTER_S)


def test_a_node_lives_until_it_was_not_heard_for_so_long(members: Members) -> None:
    members.hear(beat("b"), 10.0, 0)

    assert list(members.live(12.9)) == ["b"]
    assert not members.live(13.0)
    assert members.life_of("b", 13.0) is None


def test_a_node_that_was_started_again_is_in_its_new_life(members: Members) -> None:
    members.hear(beat("b", "b1"), 10.0, 0)
    members.hear(beat("b", "b2"), 10.5, 0)

    assert members.life_of("b", 11.0) == "b2"
    assert members.life_of("a", 11.0) == "a1"


def test_who_has_just_begun_to_listen_gives_way_to_another_of_its_name(members: Members) -> None:
    members.hear(beat("a", "a9"), 1.0, 0)

    assert members.state.double == "a9"
    assert members.unheard_s(2.0) > 1_000


def test_who_was_frozen_gives_way_to_the_one_that_took_its_place(members: Members) -> None:
    for half in range(4):
        members.hear(beat("a"), half / 2, 0)

    members.hear(beat("a", "a9"), 60.0, 0)

    assert members.state.double == "a9"


def test_who_was_there_all_the_time_gives_way_only_to_one_that_stays(members: Members) -> None:
    doubles = []
    for half in range(12):
        members.hear(beat("a"), half / 2, 0)
        if half in (2, 5, 6, 7, 8):
            members.hear(beat("a", "a8" if half == 2 else "a9"), half / 2 + 0.1, 0)
        doubles.append(members.state.double)

    assert doubles == [""] * 8 + ["a9"] * 4


def test_for_how_long_a_node_has_heard_itself_without_a_break_is_known(members: Members) -> None:
    assert (members.heard_s(0.0), members.unheard_s(0.0)) == (0.0, float("inf"))
    for half in range(7):
        members.hear(beat("a"), half / 2, 0)
    assert (members.heard_s(3.0), members.unheard_s(3.0)) == (3.0, 0.0)

    assert members.heard_s(4.7) == 0.0
    members.hear(beat("a"), 5.0, 0)
    assert members.heard_s(5.25) == 0.25
    assert members.unheard_s(8.0) == 3.0


def test_how_far_clocks_are_apart_is_known(members: Members) -> None:
    members.hear(beat("b", wall_ms=61_000), 1.0, 1_000)

    assert members.live(1.0)["b"].ahead_ms == 60_000


def test_a_beat_that_came_late_says_nothing_of_a_clock(members: Members) -> None:
    members.hear(beat("b", wall_ms=1_000), 1.0, 1_000)
    members.hear(beat("b", wall_ms=1_500), 3.4, 3_400)

    assert members.live(3.4)["b"].ahead_ms == 0
    for _ in range(4):
        members.hear(beat("b", wall_ms=1_500), 3.4, 3_400)
    assert members.live(3.4)["b"].ahead_ms == -1_900  # all of them: it is the clock


def test_the_clock_of_a_node_that_is_silent_since_goes_on(members: Members) -> None:
    members.hear(beat("b", wall_ms=11_000), 1.0, 1_000)

    assert members.beats(3.9, 3_900)["b"].wall_ms == 13_900
    assert members.beats(4.1, 4_100) == {}  # it is taken for dead


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x90",
        bytes(70_000),
        msgspec.msgpack.encode(["b", "b1", "1", 0, 0, "", {300: ["owner"]}]),
        msgspec.msgpack.encode(["b", "b1", "1", 0, 0, "", {1: ["king"]}]),
        msgspec.msgpack.encode(["b", "b1", "1", 0, 0, "", {1: ["owner", -1]}]),
        msgspec.msgpack.encode(["b", "", "1", 0, 0, "", {}]),
        msgspec.msgpack.encode(["b.c", "b1", "1", 0, 0, "", {}]),
        msgspec.msgpack.encode(["b" * 90, "b1", "1", 0, 0, "", {}]),
        msgspec.msgpack.encode(["b", "b1", "1", 0, 1 << 63, "", {}]),
    ],
)
def test_what_is_no_beat_is_counted_and_ignored(members: Members, body: bytes) -> None:
    members.hear(body, 1.0, 0)

    assert members.state.ignored == 1
    assert not members.live(1.0)


def test_what_a_later_version_adds_to_a_beat_is_passed_over() -> None:
    later = msgspec.msgpack.encode(
        ["b", "b1", "2", 0, 0, "", {3: ["owner", 1, "1x0", 9]}, True, {}, 7]
    )

    found = read(later)

    assert found is not None
    assert (found.held[3], found.leaves) == (Held(Role.OWNER, 1, "1x0", 9), True)


def test_names_without_end_do_not_keep_a_live_node_from_being_heard(members: Members) -> None:
    for number in range(NODES_MAX + 5):
        members.hear(beat(f"n{number}"), 1.0, 0)
    assert members.state.ignored == 5

    members.hear(beat("b"), 9.0, 0)

    assert list(members.live(9.0)) == ["b"]


def test_what_the_dead_said_is_not_kept(members: Members) -> None:
    members.hear(beat("b"), 1.0, 0)
    members.hear(beat("c"), 3.0, 0)

    members.forget_dead(4.0)

    assert list(members.state.heard) == ["c"]


def test_of_two_owners_the_one_of_the_greater_epoch_is_believed() -> None:
    held = {
        "a": {0: Held(Role.OWNER, 3), 1: Held(Role.FOLLOWING, 2)},
        "b": {0: Held(Role.OWNER, 4), 1: Held(Role.YIELDING, 2)},
    }

    assert owners(held) == {0: "b"}
    assert owners({name: held[name] for name in ("b", "a")}) == {0: "b"}


def test_copies_are_behind_their_owner_and_incomparable_ones_are_left_out() -> None:
    held = {
        "a": {0: Held(Role.OWNER, 3, "1x0", 90), 1: Held(Role.OWNER, 1, "2x1", 5)},
        "b": {0: Held(Role.FOLLOWING, 3, "1x0", 70), 1: Held(Role.FOLLOWING, 1, "1x0", 900)},
        "c": {0: Held(Role.JOINING), 2: Held(Role.FOLLOWING, 1, "1x0", 4)},
        "d": {0: Held(Role.FOLLOWING, 3, "1x0", 91)},
    }

    assert behind(held) == {(0, "b"): 20, (0, "d"): 0}

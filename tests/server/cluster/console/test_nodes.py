"""What is said of a cluster, from what was heard of its nodes."""

from msgspec.structs import replace

from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.console.nodes import ClusterView, view_of

NOW_MS = 1_000_000
ROOM = 1 << 40


def node(name: str, **held: Held) -> Beat:
    of_number = {int(number.removeprefix("p")): each for number, each in held.items()}
    return Beat(name, f"life of {name}", "1.0", NOW_MS, ROOM, "", of_number)


def seen(*nodes: Beat, partitions: int = 1, copies: int = 2) -> ClusterView:
    return view_of({each.node: each for each in nodes}, partitions, copies, NOW_MS)


A = node("a", p0=Held(Role.OWNER, 3, "1x0", 500))
B = node("b", p0=Held(Role.FOLLOWING, 3, "1x0", 490))


def test_a_partition_has_its_owner_and_copies_with_their_distance() -> None:
    view = seen(A, B)
    (partition,) = view.partitions

    assert (partition.owner, partition.epoch, partition.seq) == ("a", 3, 500)
    assert [(copy.node, copy.behind) for copy in partition.copies] == [("b", 10)]
    assert [(each.name, each.owns, each.follows) for each in view.nodes] == [
        ("a", 1, 0),
        ("b", 0, 1),
    ]
    assert view.needs == ()


def test_of_two_that_call_themselves_owners_the_later_one_is_shown() -> None:
    view = seen(A, node("b", p0=Held(Role.OWNER, 4, "1x0", 501)))

    assert view.partitions[0].owner == "b"


def test_what_needs_a_person_is_said() -> None:
    apart = replace(B, wall_ms=NOW_MS - 5_000)
    full = replace(B, free_bytes=1)
    other = replace(B, version="1.1")
    broken = node("b", p0=Held(Role.BROKEN))
    behind = node("b", p0=Held(Role.FOLLOWING, 3, "1x0", 0))
    far = node("a", p0=Held(Role.OWNER, 3, "1x0", 5_000))

    def words(*nodes: Beat, **more: int) -> list[str]:
        return [each.word for each in seen(*nodes, **more).needs]

    assert words(B) == ["unowned"]
    assert words(A, B, partitions=2) == ["unowned", "copies"]
    assert words(A, node("b")) == ["copies"]
    assert words(A, broken) == ["copies", "broken"]
    assert words(far, behind) == ["behind"]
    assert words(A, apart) == ["clock"]
    assert words(A, full) == ["disk"]
    assert words(A, other) == ["versions"]


def test_how_far_a_copy_of_another_generation_is_nobody_can_say() -> None:
    view = seen(A, node("b", p0=Held(Role.FOLLOWING, 2, "2x3", 7)))

    assert view.partitions[0].copies[0].behind is None

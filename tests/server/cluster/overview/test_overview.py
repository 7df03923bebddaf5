"""What `cluster status` says needs a person, of what a node has heard."""

from msgspec.structs import replace

from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.overview.overview import Heard

A = Beat("a", "life of a", "1.0", 0, 1 << 40, "", {0: Held(Role.OWNER, 3, "1x0", 5_000)})
B = Beat("b", "life of b", "1.0", 0, 1 << 40, "", {0: Held(Role.FOLLOWING, 3, "1x0", 4_990)})


def test_a_log_server_that_the_others_miss_is_named_and_nothing_else_is() -> None:
    seen = Heard("a", 1, True, {"a": A, "b": B}, {}, away=("n2",)).overview()

    assert seen.log_servers_away == ["n2"]
    (words,) = seen.warnings
    assert "of the log servers n2 is down, cut off from the others, or behind them" in words
    assert "leave the others as they are" in words  # one more would stop the cluster
    assert "`hookbundle doctor`" in words


def test_logs_on_fewer_than_three_servers_are_named() -> None:
    seen = Heard("a", 1, True, {"a": A, "b": B}, {}, replicas=1).overview()

    assert seen.log_replicas == 1
    (words,) = seen.warnings
    assert words.startswith("log servers that store each entry of the logs: 1, ")


def test_nothing_is_said_while_all_log_servers_are_there() -> None:
    seen = Heard("a", 1, True, {"a": A, "b": B}, {}).overview()

    assert (seen.log_servers_away, seen.warnings) == ([], [])


def test_who_hears_nothing_does_not_say_of_others_what_it_can_not_know() -> None:
    seen = Heard("b", 1, False, {"b": B}, {}).overview()

    (words,) = seen.warnings
    assert words.startswith("b hears nothing from the log servers")
    assert "`hookbundle doctor`" in words


def test_a_full_disk_is_named_once_for_all_copies_on_it() -> None:
    held = {number: Held(Role.BROKEN) for number in range(3)}
    why = "StoreFull: the disk is full: /data/partitions/00{}: No space left on device"
    full = replace(B, held=held, free_bytes=5 << 20)
    live = {"a": replace(A, held=dict.fromkeys(range(3), A.held[0])), "b": full}

    own = Heard("b", 3, True, live, {number: why.format(number) for number in range(3)}).overview()
    other = Heard("a", 3, True, live, {}).overview()

    low = "the disk of b has 5 MiB left: make room; with less than storage.floor it gives its "
    for seen in own, other:
        copies, broken, disk = seen.warnings
        assert copies.startswith("partitions with fewer copies than the 2 there should be: 0, 1, 2")
        assert disk.startswith(low)
        assert broken.startswith("copies of b are broken, and made anew when they can be: 0, 1, 2 ")
    assert own.warnings[1].endswith(
        "(StoreFull: the disk is full: /data/partitions: No space left on device)"
    )
    assert other.warnings[1].endswith("(`hookbundle cluster status` there says why)")

"""Lines that say the same are one, where they are neighbours."""

from hookbundle.server.console.folding import folded


def test_neighbours_that_say_the_same_are_one_line() -> None:
    lines = [("500", 1), ("500", 2), ("ok", 3), ("500", 4)]

    found = folded(lines, lambda line: line[0])

    assert [(fold.count, fold.first, fold.last) for fold in found] == [
        (2, ("500", 1), ("500", 2)),
        (1, ("ok", 3), ("ok", 3)),
        (1, ("500", 4), ("500", 4)),
    ]


def test_what_is_never_the_same_stays_alone() -> None:
    found = folded([1, 1, 2], lambda line: line if line > 1 else None)

    assert [fold.lines for fold in found] == [(1,), (1,), (2,)]

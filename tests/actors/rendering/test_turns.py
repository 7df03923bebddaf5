"""Who waits to be rendered gets a turn, whatever the others bring."""

from hookbundle.actors.rendering.turns import LIGHT_US, RenderingTurns

SECOND = 1_000_000


def taken(turns: RenderingTurns[str, str]) -> list[str]:
    found = []
    while turns:
        found.append(turns.take())
    return found


def well(turns: RenderingTurns[str, str], workspace: int, owner: str) -> None:
    turns.add(workspace, owner, owner)
    turns.take()
    turns.took(workspace, owner, 1_000, well=True)


def test_the_bodies_of_one_workspace_stay_in_order() -> None:
    turns: RenderingTurns[str, str] = RenderingTurns()
    for name in "abc":
        turns.add(1, name, name)

    assert taken(turns) == ["a", "b", "c"]


def test_a_workspace_with_many_bodies_lets_the_others_in() -> None:
    turns: RenderingTurns[str, str] = RenderingTurns()
    for number in range(100):
        turns.add(1, f"many{number}", f"many{number}")
    turns.add(2, "one", "one")

    assert taken(turns).index("one") <= 2


def test_a_workspace_pays_for_the_time_that_its_bodies_took() -> None:
    turns: RenderingTurns[str, str] = RenderingTurns()
    for workspace, name in ((1, "heavy"), (1, "more"), (2, "a"), (2, "b"), (2, "c")):
        turns.add(workspace, name, name)
    assert turns.take() == "heavy"
    turns.took(1, "heavy", SECOND, well=True)

    turns.add(1, "last", "last")

    assert taken(turns) == ["more", "a", "b", "c", "last"] or taken(turns) == []


def test_what_was_well_waits_for_one_of_the_others_at_most() -> None:
    turns: RenderingTurns[str, str] = RenderingTurns()
    well(turns, 9, "healthy")
    for workspace in range(100, 1_100):
        turns.add(workspace, f"hostile{workspace}", "hostile")

    assert turns.take() == "hostile"
    turns.add(9, "healthy", "healthy")
    assert turns.take() == "healthy"


def test_what_was_well_does_not_stop_the_others() -> None:
    turns: RenderingTurns[str, str] = RenderingTurns()
    well(turns, 9, "healthy")
    for _ in range(10):
        turns.add(9, "healthy", "healthy")
    turns.add(1, "new", "new")

    assert taken(turns).index("new") <= 1


def test_a_heavy_body_or_one_past_a_limit_is_no_longer_well() -> None:
    turns: RenderingTurns[str, str] = RenderingTurns()
    for processor_us, is_well in ((LIGHT_US + 1, True), (10, False)):
        well(turns, 1, "owner")
        turns.add(1, "owner", "owner")
        turns.take()
        turns.took(1, "owner", processor_us, well=is_well)
        well(turns, 2, "healthy")
        turns.add(1, "owner", "owner")
        turns.add(2, "healthy", "healthy")

        first, second = turns.take(), turns.take()

        assert {first, second} == {"owner", "healthy"}
        turns.add(1, "owner", "owner")
        turns.add(3, "other", "other")
        assert taken(turns) == ["owner", "other"]

"""Which settings of nodes differ, by three characters of each."""

from hookbundle.engine.replication.beats import Short
from hookbundle.engine.replication.settings import OTHERS, differing, digest_of

OWN = {f"setting.{number}": number for number in range(20)}


def test_those_that_differ_are_named() -> None:
    assert differing(OWN, digest_of(OWN)) == ()
    assert differing(OWN, digest_of(OWN | {"setting.3": 4, "setting.19": "x"})) == (
        "setting.3",
        "setting.19",
    )


def test_a_node_that_says_nothing_differs_in_nothing() -> None:
    assert differing(OWN, "") == ()


def test_a_node_with_other_settings_can_not_be_compared() -> None:
    assert differing(OWN, digest_of(OWN | {"setting.new": 1})) == OTHERS
    assert differing(OWN, "x" * len(digest_of(OWN))) == OTHERS


def test_it_fits_into_a_beat() -> None:
    most = Short.__metadata__[0].max_length  # type: ignore[attr-defined]

    assert len(digest_of(OWN)) <= most

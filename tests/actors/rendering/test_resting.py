"""After three bodies in a row past a limit the rendering of a webhook rests."""

from hookbundle.actors.rendering import resting
from hookbundle.actors.rendering.resting import REST_MS, Rests


def test_three_in_a_row_make_it_rest_for_ten_minutes() -> None:
    rests: Rests[str] = Rests()
    for at_ms in (1, 2):
        rests.went_past("a", at_ms)
        assert rests.until_ms("a", at_ms) is None

    rests.went_past("a", 3)

    assert rests.until_ms("a", 4) == 3 + REST_MS
    assert rests.resting(4) == {"a": 3 + REST_MS}
    assert rests.until_ms("b", 4) is None
    assert REST_MS == 600_000


def test_one_that_was_well_between_them_makes_it_begin_anew() -> None:
    rests: Rests[str] = Rests()
    for _ in range(5):
        rests.went_past("a", 1)
        rests.went_past("a", 1)
        rests.was_well("a")

    assert rests.until_ms("a", 1) is None


def test_after_its_rest_it_has_three_again() -> None:
    rests: Rests[str] = Rests()
    for _ in range(3):
        rests.went_past("a", 0)
    assert rests.until_ms("a", REST_MS - 1) == REST_MS
    assert rests.until_ms("a", REST_MS) is None
    assert rests.resting(REST_MS) == {}

    rests.went_past("a", REST_MS)
    rests.went_past("a", REST_MS)
    assert rests.until_ms("a", REST_MS) is None
    rests.went_past("a", REST_MS)
    assert rests.until_ms("a", REST_MS) == 2 * REST_MS


def test_rests_that_are_over_are_forgotten() -> None:
    rests: Rests[int] = Rests()
    for owner in range(resting.FORGET_AT):
        for _ in range(3):
            rests.went_past(owner, 0)
    for _ in range(3):
        rests.went_past(-1, REST_MS)

    assert rests.resting(0) == {-1: 2 * REST_MS}

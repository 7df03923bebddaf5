"""What a webhook's last bodies took says which process gets the next one."""

from hookbundle.actors.rendering import paces as module
from hookbundle.actors.rendering.paces import DOUBT_MS, LIGHT_US, Owner, Pace, Paces

A, B, OTHER = Owner(1, 1), Owner(1, 2), Owner(2, 3)


def light(*owners: Owner) -> Paces:
    paces = Paces()
    for owner in owners:
        paces.was_quick(owner, LIGHT_US, well=True)
    return paces


def test_one_whose_last_body_was_rendered_and_light_is_light() -> None:
    paces = light(A)

    assert paces.of(A, 0) is Pace.LIGHT
    assert paces.of(B, 0) is Pace.UNKNOWN


def test_one_body_that_is_heavier_or_was_not_rendered_ends_that() -> None:
    for processor_us, well in ((LIGHT_US + 1, True), (10, False)):
        paces = light(A)

        paces.was_quick(A, processor_us, well=well)

        assert paces.of(A, 0) is Pace.UNKNOWN


def test_after_a_slow_body_it_takes_two_to_be_light() -> None:
    paces = Paces()
    paces.was_slow(A, 0)
    assert paces.of(A, 0) is Pace.SLOW

    paces.was_quick(A, 10, well=True)
    assert paces.of(A, 0) is Pace.UNKNOWN
    paces.was_quick(A, 10, well=True)
    assert paces.of(A, 0) is Pace.LIGHT


def test_a_light_one_that_was_slow_takes_its_workspace_from_the_light_ones_for_a_minute() -> None:
    paces = light(A, B, OTHER)

    paces.was_slow(A, 0)

    assert paces.of(B, DOUBT_MS - 1) is Pace.UNKNOWN
    assert paces.of(OTHER, 0) is Pace.LIGHT
    assert paces.of(B, DOUBT_MS) is Pace.LIGHT


def test_a_new_one_that_is_slow_takes_nothing_from_its_workspace() -> None:
    paces = light(B)

    paces.was_slow(A, 0)
    paces.was_slow(A, 1)

    assert paces.of(B, 1) is Pace.LIGHT


def test_those_of_longest_ago_are_forgotten() -> None:
    paces = Paces()
    for webhook in range(module.REMEMBERED_MAX):
        paces.was_slow(Owner(1, webhook), 0)
    paces.was_slow(Owner(1, 0), 0)

    paces.was_quick(OTHER, 10, well=True)

    assert paces.of(Owner(1, 0), 0) is Pace.SLOW
    assert paces.of(Owner(1, 1), 0) is Pace.UNKNOWN

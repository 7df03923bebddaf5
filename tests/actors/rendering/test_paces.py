"""What a webhook's last bodies took says which process gets the next one."""

from hookbundle.actors.rendering import paces as module
from hookbundle.actors.rendering.paces import DOUBT_MS, LIGHT_US, Owner, Pace, Paces

FORM, ANOTHER = 1, 2
A, B, OTHER = Owner(1, 1), Owner(1, 2), Owner(2, 3)


def light(*owners: Owner) -> Paces:
    paces = Paces()
    for owner in owners:
        paces.was_quick(owner, FORM, LIGHT_US, well=True)
    return paces


def test_one_whose_last_body_was_rendered_and_light_is_light() -> None:
    paces = light(A)

    assert paces.of(A, FORM, 0) is Pace.LIGHT
    assert paces.of(B, FORM, 0) is Pace.UNKNOWN


def test_one_body_that_is_heavier_or_was_not_rendered_ends_that() -> None:
    for processor_us, well in ((LIGHT_US + 1, True), (10, False)):
        paces = light(A)

        paces.was_quick(A, FORM, processor_us, well=well)

        assert paces.of(A, FORM, 0) is Pace.UNKNOWN


def test_after_a_slow_body_it_takes_two_to_be_light() -> None:
    paces = Paces()
    paces.was_slow(A, FORM, 0)
    assert paces.of(A, FORM, 0) is Pace.SLOW

    paces.was_quick(A, FORM, 10, well=True)
    assert paces.of(A, FORM, 0) is Pace.UNKNOWN
    paces.was_quick(A, FORM, 10, well=True)
    assert paces.of(A, FORM, 0) is Pace.LIGHT


def test_what_is_known_of_a_format_says_nothing_of_the_next_one() -> None:
    paces = light(A)
    paces.was_slow(B, FORM, 0)

    assert paces.of(A, ANOTHER, 0) is Pace.UNKNOWN
    assert paces.of(B, ANOTHER, 0) is Pace.UNKNOWN

    paces.was_quick(B, ANOTHER, 10, well=True)
    assert paces.of(B, ANOTHER, 0) is Pace.LIGHT


def test_a_light_one_that_was_slow_takes_its_workspace_from_the_light_ones_for_a_minute() -> None:
    paces = light(A, B, OTHER)

    paces.was_slow(A, FORM, 0)

    assert paces.of(B, FORM, DOUBT_MS - 1) is Pace.UNKNOWN
    assert paces.of(OTHER, FORM, 0) is Pace.LIGHT
    assert paces.of(B, FORM, DOUBT_MS) is Pace.LIGHT


def test_a_new_one_that_is_slow_takes_nothing_from_its_workspace() -> None:
    paces = light(B)

    paces.was_slow(A, FORM, 0)
    paces.was_slow(A, FORM, 1)

    assert paces.of(B, FORM, 1) is Pace.LIGHT


def test_those_of_longest_ago_are_forgotten() -> None:
    paces = Paces()
    for webhook in range(module.REMEMBERED_MAX):
        paces.was_slow(Owner(1, webhook), FORM, 0)
    paces.was_slow(Owner(1, 0), FORM, 0)

    paces.was_quick(OTHER, FORM, 10, well=True)

    assert paces.of(Owner(1, 0), FORM, 0) is Pace.SLOW
    assert paces.of(Owner(1, 1), FORM, 0) is Pace.UNKNOWN

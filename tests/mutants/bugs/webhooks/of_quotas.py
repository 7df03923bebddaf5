"""Bugs of what a webhook may hold, and of how large its bundles may be."""

from hookbundle.tests.mutants.mutant import Mutant

MODEL = "tests/reliability/lives/test_several.py"
FULL = "tests/storage/tables/routing/test_full_webhooks.py"
LIMITS = "tests/storage/tables/test_limits.py"
DAEMON = "tests/daemon/receivers/test_one_full_webhook.py"
STOMACH = "tests/daemon/receivers/test_small_stomach.py"
OFFERS = "storage/tables/routing/offers.py"
QUOTAS = "storage/tables/routing/quotas.py"
FULLNESS = "storage/tables/routing/fullness.py"
CHECKED = "    if overflowed:\n        _check_taken(offers, overflowed)\n"

QUOTA = (
    Mutant(
        name="b40",
        bug="a full webhook refuses a message for all",
        path=OFFERS,
        edits=((CHECKED, "    if overflowed:\n        raise overflowed[0].refusal\n"),),
        caught_by=(
            f"{MODEL}::test_a_full_webhook_misses_what_the_others_get",
            f"{FULL}::test_a_full_webhook_does_not_get_a_message_that_another_one_takes",
            f"{DAEMON}::test_the_other_goes_on_and_all_is_told_and_counted",
        ),
    ),
    Mutant(
        name="b41",
        bug="what a full webhook does not get is passed over in silence",
        path=FULLNESS,
        edits=(("    begins = not state.full_ms\n", "    begins = False\n"),),
        caught_by=(
            f"{FULL}::test_a_stretch_is_told_at_its_beginning_and_at_its_end",
            f"{DAEMON}::test_the_owner_hears_of_it_by_mail",
        ),
    ),
    Mutant(
        name="b42",
        bug="each of n webhooks may hold all, not its nth",
        path=QUOTAS,
        edits=(
            (
                "    share = len(settings.webhooks)\n    waiting =",
                "    share = 1\n    waiting =",
            ),
        ),
        caught_by=(
            f"{FULL}::test_each_of_n_webhooks_may_hold_an_nth",
            f"{FULL}::test_who_gets_what_is_as_a_naive_count_says",
        ),
    ),
    Mutant(
        name="b43",
        bug="a limit is judged after the message, not before it",
        path="storage/tables/windows.py",
        edits=(
            (
                "return frame + window.weight + weight <= webhook.bytes_max",
                "return frame + window.weight <= webhook.bytes_max",
            ),
        ),
        caught_by=(
            f"{LIMITS}::test_no_bundle_is_larger_than_the_limit_but_one_of_a_single_message",
        ),
    ),
    Mutant(
        name="b44",
        bug="one that sends and gets in turns is full and not full in turns",
        path=QUOTAS,
        edits=(("has * FREE_AGAIN <= most * rest for", "has <= most for"),),
        caught_by=(f"{FULL}::test_one_that_sends_as_much_as_it_gets_is_full_in_one_stretch",),
    ),
    Mutant(
        name="b45",
        bug="what only full webhooks want is accepted, and nobody gets it",
        path=OFFERS,
        edits=((CHECKED, ""),),
        caught_by=(
            f"{FULL}::test_a_message_is_refused_when_every_webhook_is_full_and_nothing_of_it_is_stored",
            f"{DAEMON}::test_both_full_is_429_and_nothing_is_stored",
        ),
    ),
    Mutant(
        name="b46",
        bug="a dead letter of a 413 does not say which limit to lower",
        path="storage/transitions/outcomes.py",
        edits=(("outcome.status == too_large.STATUS:", "outcome.status == 0:"),),
        caught_by=(
            f"{STOMACH}"
            "::test_a_dead_letter_says_which_limit_to_lower_and_the_next_ones_are_smaller",
        ),
    ),
    Mutant(
        name="b144",
        bug="who has a webhook disabled by a person is told to repair the receiver",
        path="storage/reads/paths/answers.py",
        edits=(
            (
                "    code = BecameCode.OVERFLOWED_BY_ERRORS if by_errors else "
                "BecameCode.OVERFLOWED_BY_A_PERSON\n",
                "    code = BecameCode.OVERFLOWED_BY_ERRORS if by_errors or became else "
                "BecameCode.OVERFLOWED_BY_A_PERSON\n",
            ),
        ),
        caught_by=(
            "tests/storage/reads/paths/test_full_webhooks_of_paths.py"
            "::test_one_that_somebody_had_disabled_has_to_be_enabled",
        ),
    ),
)

"""Bugs of formats and answers that only show over repeats and crashes; the lives find them."""

from hookbundle.tests.mutants.mutant import Mutant

LIVES = "tests/reliability/lives/test_receivers.py"

REPEATED_BODIES = (
    Mutant(
        name="lr1",
        bug="a repeat is rendered anew, in the format of its moment",
        path="storage/tables/rendering/jobs.py",
        edits=(
            (
                "bool(webhook.format) and not delivery.rendered_bytes and not delivery.attempts",
                "bool(webhook.format) and not delivery.resending",
            ),
        ),
        caught_by=(f"{LIVES}::test_a_repeat_has_the_same_bytes_over_a_crash_and_another_format",),
    ),
    Mutant(
        name="lr2",
        bug="an answer is judged by its status alone",
        path="engine/delivery/outcomes.py",
        edits=(
            (
                "        if success.rules and isinstance(outcome, Delivered):\n"
                "            return _by_rules(result, success, hidden, stood_still=stood_still)\n",
                "",
            ),
        ),
        caught_by=(f"{LIVES}::test_an_answer_means_what_its_webhook_takes_it_for",),
    ),
    Mutant(
        name="lr3",
        bug="an attempt begins without the rules for its answer",
        path="storage/transitions/attempting.py",
        edits=(
            ("success_of(webhook.success, webhook.success_rules)", "success_of(webhook.success)"),
        ),
        caught_by=(f"{LIVES}::test_an_answer_means_what_its_webhook_takes_it_for",),
    ),
)

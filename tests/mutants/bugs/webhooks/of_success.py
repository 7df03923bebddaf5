"""Bugs in what counts as delivered."""

from hookbundle.tests.mutants.mutant import Mutant

RULES = "tests/engine/delivery/answers/test_rules.py"
RULES_PY = "engine/delivery/answers/rules.py"
OUTCOMES = "engine/delivery/outcomes.py"

SUCCESS = (
    Mutant(
        name="su1",
        bug="the rules judge what is stored of an answer, not what was read",
        path=OUTCOMES,
        edits=(
            (
                "response.body if response.read is None else response.read",
                "response.body",
            ),
        ),
        caught_by=(f"{RULES}::test_all_that_was_read_is_judged_not_only_what_is_stored",),
    ),
    Mutant(
        name="su2",
        bug="rules are looked at where the status is no success",
        path=OUTCOMES,
        edits=(("if success.rules and isinstance(outcome, Delivered)", "if success.rules"),),
        caught_by=(f"{RULES}::test_rules_are_not_looked_at_where_the_status_is_no_success",),
    ),
    Mutant(
        name="su3",
        bug="an answer that can't be read counts as delivered",
        path=RULES_PY,
        edits=(("return Unmet(IS_NOT_JSON)", "return None"),),
        caught_by=(
            f"{RULES}::test_what_can_not_be_read_has_failed_even_where_an_unmet_rule_rejects",
        ),
    ),
    Mutant(
        name="su4",
        bug="1 equals true",
        path=RULES_PY,
        edits=(
            (
                "    if isinstance(found, bool) or isinstance(wanted, bool):\n"
                "        return found is wanted\n",
                "",
            ),
        ),
        caught_by=(f"{RULES}::test_a_rule_is_met_or_its_error_says_what_was_found",),
    ),
    Mutant(
        name="su5",
        bug="of a list only the 2xx are taken",
        path=OUTCOMES,
        edits=(("if status in success.statuses:", "if status in success.statuses & OF_2XX:"),),
        caught_by=(
            "tests/engine/delivery/test_outcomes.py::test_a_status_is_a_success_a_rejection_or_an_error",
        ),
    ),
    Mutant(
        name="su6",
        bug="the value that was found is shown with its secrets",
        path=RULES_PY,
        edits=(("value = bounded(hidden(value))", "value = bounded(value)"),),
        caught_by=(f"{RULES}::test_the_value_that_was_found_is_bounded_and_hides_secrets",),
    ),
)

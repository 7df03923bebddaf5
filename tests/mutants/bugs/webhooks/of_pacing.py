"""Bugs of rate and budget."""

from hookbundle.tests.mutants.mutant import Mutant

MODEL = "tests/reliability/lives/test_several.py"
RATE = "tests/storage/transitions/pacing/test_rate.py"
BUDGET = "tests/storage/transitions/pacing/test_budget.py"
DAEMON = "tests/daemon/receivers/test_budget.py"
API = "tests/server/http/resources/webhooks/test_rate_and_budget.py"
RATES = "tests/engine/delivery/test_rates.py"
PACE = "storage/tables/pacing/pace.py"

PACING = (
    Mutant(
        name="b20",
        bug="a budget forgets the request that a restart has cut short",
        path="storage/transitions/outcomes.py",
        edits=(
            (
                "    unit.state(webhook.number).flight = None\n",
                "    unit.state(webhook.number).flight = None\n"
                "    unit.state(webhook.number).budget_used = 0\n",
            ),
        ),
        caught_by=(
            f"{MODEL}::test_a_budget_is_known_after_a_restart_and_a_crash",
            f"{BUDGET}::test_errors_repeats_and_lost_attempts_are_requests_too",
            f"{DAEMON}::test_a_budget_survives_kill_9_also_with_a_request_under_way",
        ),
    ),
    Mutant(
        name="b21",
        bug="the day of a budget begins at 00:00 UTC",
        path=PACE,
        edits=(
            (
                "    return budgets.day_of(workspace.time_zone, stored, now_ms)\n",
                '    return budgets.day_of("UTC", stored, now_ms)\n',
            ),
        ),
        caught_by=(
            f"{BUDGET}::test_the_day_begins_at_midnight_of_the_workspaces_zone",
            f"{API}::test_the_budget_of_a_day_is_used_told_and_there_again"
            "_after_midnight_of_the_zone",
        ),
    ),
    Mutant(
        name="b22",
        bug="a retry passes rate and budget",
        path="storage/transitions/deliveries.py",
        edits=(
            (
                "    pace.judge(unit, settings, webhook, state, now_ms)\n"
                "    return state.paced_ms\n",
                "    state.paced_ms, state.budget_used, state.rate_used = 0, 0, ()\n    return 0\n",
            ),
        ),
        caught_by=(
            f"{RATE}::test_a_retry_does_not_pass_the_rate_and_says_until_when_it_waits",
            f"{BUDGET}::test_a_retry_does_not_pass_the_budget",
            f"{API}::test_a_raised_budget_and_none_go_on_at_once_and_a_retry_does_not_pass_one",
        ),
    ),
    Mutant(
        name="b23",
        bug="the owner is warned of his budget with each request",
        path=PACE,
        edits=(("state.budget_told, outcome = WARNED", "_, outcome = WARNED"),),
        caught_by=(f"{BUDGET}::test_a_budget_is_warned_of_once",),
    ),
    Mutant(
        name="b24",
        bug="a request counts from its begin on, though it may have come much later",
        path="engine/delivery/rates.py",
        edits=(
            (
                "    return counted(rate, Used(pairs, used.from_ms), now_ms, requests)\n",
                "    return used\n",
            ),
        ),
        caught_by=(
            f"{RATES}::test_no_stretch_has_more_whenever_requests_reach_the_receiver",
            f"{RATE}::test_slow_requests_count_from_their_ends_on",
        ),
    ),
    Mutant(
        name="b25",
        bug="another zone ends the day at its first midnight",
        path="engine/delivery/budgets.py",
        edits=(("DAY_MS_MIN = 20 * HOUR_MS", "DAY_MS_MIN = 1 * HOUR_MS"),),
        caught_by=(
            f"{BUDGET}::test_another_zone_ends_the_day_at_its_own_midnight"
            "_and_gives_no_second_budget",
        ),
    ),
    Mutant(
        name="b26",
        bug="a raised budget waits until midnight",
        path="storage/transitions/webhooks/changing.py",
        edits=(("        pace.changed(settings.workspace", "        (settings.workspace"),),
        caught_by=(
            f"{BUDGET}::test_a_raised_budget_goes_on_at_once_and_may_be_told_anew",
            f"{API}::test_a_raised_budget_and_none_go_on_at_once_and_a_retry_does_not_pass_one",
        ),
    ),
)

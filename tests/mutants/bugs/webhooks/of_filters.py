"""Bugs by which a webhook gets what its filter does not want, or misses what it wants."""

from hookbundle.tests.mutants.mutant import Mutant

MODEL = "tests/reliability/lives/test_several.py"
JUDGING = "tests/engine/filters/test_judging.py"
PARSING = "tests/engine/filters/test_parsing.py"
ORACLE = "tests/engine/filters/test_oracle.py"
ROUTING = "tests/storage/tables/routing/test_filtering.py"
WEIGHTS = "tests/storage/tables/routing/test_filters_of_webhooks.py"
PAST = "tests/storage/reads/past/test_past_messages.py"
PAGE = "tests/server/console/pages/test_filters.py"
LISTING = "tests/server/console/pages/webhooks/test_listing.py"
MERGING = "tests/server/console/pages/webhooks/test_merging.py"
PAGES = "tests/server/console/pages/test_webhooks.py"
ACCEPTANCE = "tests/storage/reads/paths/test_acceptance.py"
WITHOUT = "tests/storage/reads/paths/test_webhooks_without_it.py"
API = "tests/server/http/resources/webhooks/test_filters.py"

FILTERS = (
    Mutant(
        name="b10",
        bug="a filter is judged when a window is sealed, not when a message is accepted",
        path="storage/transitions/sealing.py",
        edits=(
            (
                "    found = windows.members(unit.get_raw, webhook, chat, window)\n",
                "    found = windows.members(unit.get_raw, webhook, chat, window)\n"
                "    if webhook.filter:\n"
                "        from hookbundle.engine.filters.compiled import compiled\n"
                "        from hookbundle.engine.filters.subject import Subject\n\n"
                "        of = {'account': window.account, 'chat': window.chat}\n"
                "        keeps = compiled(webhook.filter).keeps\n"
                "        found = [m for m in found if keeps(Subject(message=m.message, **of))]\n",
            ),
        ),
        caught_by=(
            f"{MODEL}::test_a_changed_filter_touches_no_open_window",
            f"{WEIGHTS}::test_a_message_is_judged_by_the_filter_of_its_moment_and_never_again",
            f"{API}::test_a_changed_filter_does_not_touch_what_was_accepted",
        ),
    ),
    Mutant(
        name="b11",
        bug="one condition that holds is enough",
        path="engine/filters/conditions.py",
        edits=(
            (
                "        if failed is not None:\n            return failed\n    return None",
                "        if failed is None:\n            return None\n    return failed",
            ),
            ("    for condition in group:\n", "    failed = None\n    for condition in group:\n"),
        ),
        caught_by=(
            f"{JUDGING}::test_a_dropped_message_names_the_first_condition_that_fails",
            f"{ORACLE}::test_a_filter_judges_as_the_contract_reads",
        ),
    ),
    Mutant(
        name="b12",
        bug="a chat without labels has each of those that are wanted",
        path="engine/filters/conditions.py",
        edits=(
            ("if self.some and self.some", "if labels and self.some and self.some"),
            ("if not self.every <= labels", "if labels and not self.every <= labels"),
        ),
        caught_by=(f"{JUDGING}::test_what_is_empty_matches_nothing",),
    ),
    Mutant(
        name="b13",
        bug="a message that no webhook wants is not known when it comes again",
        path="storage/transitions/accepting.py",
        edits=(
            (
                "seen_ids.remember(unit, number, chat, record, fresh, transition.now_ms)",
                "kept = [one for one in fresh if one not in list(routed.unrouted)]\n"
                "        seen_ids.remember(unit, number, chat, record, kept, transition.now_ms)",
            ),
        ),
        caught_by=(
            f"{ROUTING}::test_what_no_webhook_wants_is_accepted_counted_and_known",
            f"{API}::test_what_no_webhook_wants_is_known_and_told",
        ),
    ),
    Mutant(
        name="b14",
        bug="phones are compared as they are written",
        path="engine/filters/subject.py",
        edits=(('return digits_of(phone).removeprefix("00")', "return phone"),),
        caught_by=(f"{JUDGING}::test_a_message_that_is_as_wanted_is_kept",),
    ),
    Mutant(
        name="b15",
        bug="a list of groups without a group keeps everything",
        path="engine/checked.py",
        edits=(
            (
                "    if not value:\n"
                "        faults.append(fault(path, FaultCode.EMPTY))\n"
                "    elif len(value) > most:",
                "    if len(value) > most:",
            ),
        ),
        caught_by=(f"{PARSING}::test_a_fault_is_named_with_its_path",),
    ),
    Mutant(
        name="b16",
        bug="what a filter takes to look through long texts is nobody's",
        path="storage/tables/routing/offers.py",
        edits=((" + looked // CHARS_PER_WEIGHT", ""),),
        caught_by=(f"{WEIGHTS}::test_filters_that_look_through_long_texts_weigh_what_they_cost",),
    ),
    Mutant(
        name="b60",
        bug="the page of a delivery shows the state of the workspace's first webhook",
        path="server/console/pages/deliveries.py",
        edits=(("hook = view.named(found.webhook)", "hook = view.first"),),
        caught_by=(f"{PAGES}::test_a_delivery_goes_by_the_state_of_its_own_webhook",),
    ),
    Mutant(
        name="b61",
        bug="a filter is saved that nobody has seen judged",
        path="server/console/pages/filters/page.py",
        edits=((' or form.get("tried", "") != _digest(judged)', ""),),
        caught_by=(f"{PAGE}::test_nothing_is_saved_that_was_not_judged_on_a_page_before",),
    ),
    Mutant(
        name="b62",
        bug="a replay that is asked for in the console is of the first webhook, not the chosen one",
        path="server/console/pages/replays.py",
        edits=(('form["webhook"].strip() or view.first.webhook.id', "view.first.webhook.id"),),
        caught_by=(f"{MERGING}::test_a_replay_is_of_the_webhook_that_was_chosen",),
    ),
    Mutant(
        name="b63",
        bug="what an enabled webhook collects is said to be held by its workspace",
        path="server/console/pages/workspaces.py",
        edits=((" for each in self.hooks if not each.state.enabled)", " for each in self.hooks)"),),
        caught_by=(f"{LISTING}::test_each_webhook_stands_with_its_state_and_what_it_holds_itself",),
    ),
    Mutant(
        name="b140",
        bug="a message's path asks the filter of today, not the fact of that moment",
        path="storage/reads/paths/acceptance.py",
        edits=(
            ("            if each.id in told and each", "            if each.filter and each"),
            (
                "Group(told[each.id], ",
                "Group(Became(code=BecameCode.FILTERED, webhook=each.id), ",
            ),
        ),
        caught_by=(
            f"{WITHOUT}::test_the_filter_of_that_moment_is_told_and_not_the_present_one",
            f"{API}::test_a_message_s_path_says_which_webhook_s_filter_did_not_keep_it",
        ),
    ),
    Mutant(
        name="b141",
        bug="what a filter dropped of a request is said of all its messages",
        path="storage/reads/paths/acceptance.py",
        edits=(("        if places is None or place in places\n", ""),),
        caught_by=(f"{ACCEPTANCE}::test_the_fact_tells_each_message_s_own_webhooks",),
    ),
    Mutant(
        name="b142",
        bug="a fact that stands before others of an earlier time is not found",
        path="storage/reads/paths/acceptance.py",
        edits=(
            (
                "        if fact is None:\n            after",
                "        if not self.seen:\n            after",
            ),
        ),
        caught_by=(f"{ACCEPTANCE}::test_a_fact_is_found_before_rows_of_what_waited_longer",),
    ),
    Mutant(
        name="b143",
        bug="a webhook is said to have dropped what came before it was made",
        path="storage/reads/paths/acceptance.py",
        edits=((" and each.created_ms <= self.seen.arrived_ms", ""),),
        caught_by=(f"{WITHOUT}::test_a_webhook_that_was_made_later_has_no_line",),
    ),
)

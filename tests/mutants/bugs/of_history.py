"""Bugs in what is kept: history, the logs that point into it, seen ids, and counters of bytes."""

from hookbundle.tests.mutants.mutant import Mutant

TRIMMING = "tests/storage/transitions/timed/test_trimming.py"
SEEN_IDS = "tests/storage/tables/test_seen_ids.py"
DAMAGED = "tests/storage/transitions/test_damaged_records.py"
ERASING = "tests/storage/transitions/test_erasing_many.py"
ROWS = "tests/storage/database/test_collecting_rows.py"
ARRIVALS = "tests/storage/tables/test_arrivals_of_bodies.py"
CHAT_FACTS = "tests/storage/database/test_chat_facts.py"
PATHS = "tests/storage/reads/paths"

HISTORY = (
    Mutant(
        name="m21",
        bug="the log points to an attempt that was trimmed",
        path="storage/transitions/timed/trimming.py",
        edits=(
            (
                "        if delivery_number in kept.of(webhook_number):\n"
                "            passed_over = True\n            continue\n",
                "",
            ),
        ),
        caught_by=(f"{TRIMMING}::test_what_the_detailed_log_shows_stays_however_old",),
    ),
    Mutant(
        name="m22",
        bug="a delivery counts as ended from its sealing on, so its body is trimmed while queued",
        path="storage/tables/queue.py",
        edits=(
            (
                "    contacts.remember(unit, webhook.workspace, chat_id.encode(), contact.phone)\n",
                "    contacts.remember(unit, webhook.workspace, chat_id.encode(), contact.phone)\n"
                "    row = keyspace.ended(webhook.workspace, now_ms, number, webhook.number)\n"
                "    unit.put_flag(row)\n",
            ),
        ),
        caught_by=(f"{TRIMMING}::test_queued_deliveries_and_dead_letters_are_never_trimmed",),
    ),
    Mutant(
        name="m23",
        bug="the bytes of an attempt are counted twice",
        path="storage/tables/detailed_log.py",
        edits=(
            (
                "    delivery.attempt_bytes += unit.put(key, attempt)\n",
                "    delivery.attempt_bytes += 2 * unit.put(key, attempt)\n",
            ),
        ),
        caught_by=(
            f"{TRIMMING}::test_a_delivered_delivery_stays_with_its_body_and_its_attempts",
            f"{ROWS}::test_a_life_followed_row_by_row_leaves_an_equal_and_sound_database",
        ),
    ),
    Mutant(
        name="m24",
        bug="a row that failed comes first for ever",
        path="storage/tables/postponed.py",
        edits=(("            postpone(unit, row, now_ms)\n", "            continue\n"),),
        caught_by=(
            f"{DAMAGED}::test_a_damaged_chat_is_postponed_and_the_other_windows_are_sealed",
        ),
    ),
    Mutant(
        name="m25",
        bug="an id is forgotten while the window of its message is open",
        path="storage/tables/seen_ids.py",
        edits=(("            if is_young or may_wait:\n", "            if is_young:\n"),),
        caught_by=(f"{SEEN_IDS}::test_an_id_stays_known_while_its_window_is_open",),
    ),
    Mutant(
        name="m76a",
        bug="a deleted chat is still found by its phone when it began anew",
        path="storage/transitions/erasing.py",
        edits=(("    contacts.forget(unit, number, chat)\n", ""),),
        caught_by=(
            f"{ERASING}"
            "::test_the_phones_of_a_deleted_chat_are_gone_at_once_and_those_it_has_then_stay",
        ),
    ),
    Mutant(
        name="m76b",
        bug="the sender erases all that was deleted in one transaction",
        path="storage/tables/erasures.py",
        edits=(("        budget.spend(size.weight, size.rows, records=1)\n", ""),),
        caught_by=(
            f"{ERASING}::test_the_sender_comes_past_what_was_deleted_in_bounded_transactions",
        ),
    ),
    Mutant(
        name="m76c",
        bug="the chain of the lowest number goes on until its end",
        path="actors/due_rows.py",
        edits=(
            (
                "budget.part, but=claims.until_ms, lap=claims.lap",
                "budget.part, but=claims.until_ms, lap=Lap()",
            ),
        ),
        caught_by=(
            "tests/actors/fairness/test_chains.py"
            "::test_what_is_discarded_goes_a_step_at_a_time_of_each_workspace",
        ),
    ),
    Mutant(
        name="m76d",
        bug="all windows that are due are sealed in one transaction, however full they are",
        path="storage/tables/postponed.py",
        edits=(("        if unit.weight >= most:\n", "        if False:\n"),),
        caught_by=(
            "tests/storage/transitions/test_sealing.py::test_so_many_windows_are_sealed"
            "_in_one_transition_as_it_may_and_the_others_stay_due",
        ),
    ),
    Mutant(
        name="x1",
        bug="arrivals stand in the order in which messages came, not in that of the body",
        path="storage/transitions/sealing.py",
        edits=(
            (
                "bodies.packed_arrivals(found, window.opened_ms)",
                "bodies.packed_arrivals(sorted(found, key=lambda each: each.arrived_ms), "
                "window.opened_ms)",
            ),
        ),
        caught_by=(f"{ARRIVALS}::test_each_message_of_a_body_has_the_time_at_which_it_arrived",),
    ),
    Mutant(
        name="x2",
        bug="the row of a duplicate outlives its fact",
        path="storage/database/feed_rows.py",
        edits=(
            (
                "            unit.delete(keyspace.chat_fact(owner, chat, "
                "last - row.count + 1 + position))\n",
                "",
            ),
        ),
        caught_by=(
            f"{CHAT_FACTS}::test_a_row_goes_when_its_fact_is_too_old",
            f"{CHAT_FACTS}::test_a_row_goes_when_its_fact_is_thinned_away_and_those_of_others_stay",
        ),
    ),
    Mutant(
        name="x3",
        bug="a message that was skipped is said to have never come",
        path="storage/transitions/accepting.py",
        edits=(("        if duplicates or skipped or routed", "        if duplicates or routed"),),
        caught_by=(
            f"{PATHS}/test_message_path.py::test_a_message_that_was_skipped_is_none_that_never_came",
            "tests/storage/transitions/test_table.py"
            "::test_every_message_is_in_one_place_and_every_counter_knows_it",
        ),
    ),
    Mutant(
        name="x4",
        bug="a search that is cut says that the message never came",
        path="storage/reads/paths/message_path.py",
        edits=(("NEVER_CAME if search.is_over and not search.was_found else None", "NEVER_CAME"),),
        caught_by=(
            f"{PATHS}/test_message_search.py::test_a_search_that_is_not_over_says_so_and_goes_on",
        ),
    ),
    Mutant(
        name="x5",
        bug="what comes between two pages of a history is on the second one",
        path="storage/reads/paths/asking.py",
        edits=(
            (
                "        return cls(meta.delivery_next, meta.feed_next)",
                "        return cls(END, END)",
            ),
        ),
        caught_by=(
            f"{PATHS}/test_chat_history.py"
            "::test_pages_repeat_nothing_and_miss_nothing_while_the_chat_moves",
        ),
    ),
    Mutant(
        name="x6",
        bug="a deleted chat shows what was skipped before its deletion",
        path="storage/reads/paths/chat_facts.py",
        edits=(("            if fact.type == CHAT_DELETED:\n                return\n", ""),),
        caught_by=(f"{PATHS}/test_message_path.py::test_a_chat_that_was_deleted_shows_that_alone",),
    ),
    Mutant(
        name="x7",
        bug="all that is trimmed is said to be known still",
        path="storage/transitions/timed/trimming.py",
        edits=(("        usage.trimmed_ms = max(usage.trimmed_ms, ended_ms)\n", ""),),
        caught_by=(
            f"{PATHS}/test_message_path.py::test_a_message_whose_delivery_was_trimmed_did_come",
        ),
    ),
    Mutant(
        name="x8",
        bug="the answer to a resend that failed is told as the one that took the delivery",
        path="storage/reads/paths/answers.py",
        edits=(("    if resends.has_failed(state, delivery):\n", "    if not delivery:\n"),),
        caught_by=(
            f"{PATHS}/test_message_path.py"
            "::test_a_resend_is_told_and_one_that_failed_takes_no_delivery_back",
        ),
    ),
    Mutant(
        name="x9",
        bug="a phone that only collects is found as it was written alone",
        path="storage/reads/chats/names.py",
        edits=(("    return bool(digits) and", "    return not digits and"),),
        caught_by=(
            "tests/storage/reads/chats/test_finding.py"
            "::test_a_chat_is_found_by_what_somebody_has_of_it",
        ),
    ),
    Mutant(
        name="x10",
        bug="a page of a chat's past has any number of ids that came again",
        path="storage/reads/paths/chat_history.py",
        edits=(("        self._work.spend(fact.size)\n", "        self._work.spend()\n"),),
        caught_by=(
            f"{PATHS}/test_sent_again.py"
            "::test_a_page_ends_when_what_came_again_names_too_many_bytes",
        ),
    ),
)

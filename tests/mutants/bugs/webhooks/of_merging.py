"""Bugs of merges, and of the warnings before a webhook is disabled."""

from hookbundle.tests.mutants.mutant import Mutant

MODEL = "tests/reliability/lives/test_several.py"
MERGING = "tests/storage/transitions/timed/test_merging.py"
MEANWHILE = "tests/storage/transitions/timed/test_merging_meanwhile.py"
AT_RANDOM = "tests/storage/transitions/timed/test_merging_at_random.py"
WARNINGS = "tests/storage/transitions/outcomes/test_warnings.py"
STEPS = "storage/transitions/timed/merge_steps.py"
TABLE = "storage/tables/merging/merges.py"
WARNING = "storage/transitions/webhooks/warnings.py"
LEFT = "    left, messages = transition.most, MESSAGES_AT_ONCE\n"
BEGINS = "test_a_step_looks_at_few_deliveries_and_begins_where_the_last_one_ended"
HEAVY = "        if more is None or weight + more.part.weight > size:\n"
PLACE, NAMED = "        number=first.number,\n", "        named=unit.meta.delivery_next,\n"
TIMES = "test_times_rise_with_numbers_also_where_a_merged_one_is_merged_again"
KEEPS = "test_settings_that_say_it_is_disabled_keep_it_so_after_the_merge"
FRESH = "        number=unit.meta.delivery_next + 1,\n"

MERGE = (
    Mutant(
        name="b30",
        bug="a merge passes over a delivery of the chat that can't be merged, and so reorders",
        path=STEPS,
        edits=((f"{HEAVY}            break\n", f"{HEAVY}            continue\n"),),
        caught_by=(f"{MEANWHILE}::test_a_damaged_one_stays_as_it_is_and_is_counted",),
    ),
    Mutant(
        name="b31",
        bug="a delivery that was attempted is merged: its receiver may have it already",
        path=TABLE,
        edits=(("        and not delivery.attempts\n", ""),),
        caught_by=(f"{MERGING}::test_what_was_attempted_stays_as_it_is",),
    ),
    Mutant(
        name="b32",
        bug="the place of a merge is forgotten: each step begins at the start",
        path=STEPS,
        edits=((LEFT, f"{LEFT}    merge.place = 1\n"),),
        caught_by=(f"{MEANWHILE}::{BEGINS}",),
    ),
    Mutant(
        name="b33",
        bug="a webhook sends while it is merging",
        path="storage/tables/readiness.py",
        edits=((" and not state.merging\n", "\n"),),
        caught_by=(f"{MEANWHILE}::test_an_enabled_webhook_that_backs_off_is_merged_and_goes_on",),
    ),
    Mutant(
        name="b34",
        bug="the merged delivery goes to the end of the queue, not to the place of the oldest",
        path=TABLE,
        edits=(
            (f"{PLACE}{NAMED}", f"{FRESH}{NAMED}"),
            ("    unit.meta.delivery_next += 1\n", "    unit.meta.delivery_next += 2\n"),
        ),
        caught_by=(
            f"{MODEL}::test_a_merge_is_in_order_over_a_crash_and_passes_nothing_of_its_chat",
            f"{MERGING}::test_the_deliveries_of_a_chat_become_one_in_the_place_of_the_oldest",
            f"{AT_RANDOM}::test_what_is_merged_and_then_sent_is_in_order",
        ),
    ),
    Mutant(
        name="b35",
        bug="the owner is warned at every error",
        path=WARNING,
        edits=((" or errors not in STEPS or errors >= of:", " or errors >= of:"),),
        caught_by=(f"{WARNINGS}::test_the_owner_is_warned_at_5_8_and_10_of_11_errors",),
    ),
    Mutant(
        name="b36",
        bug="a warning takes the hour of the mail about a disabling",
        path="storage/tables/outbox.py",
        edits=(
            (
                'DISABLED, FULL, WARNING = "disabled", "full", "warning"',
                'DISABLED, FULL, WARNING = "disabled", "full", "disabled"',
            ),
        ),
        caught_by=(f"{WARNINGS}::test_a_disabling_does_not_wait_for_the_hour_of_a_warning",),
    ),
    Mutant(
        name="b37",
        bug="what a merge has made is not found once what it changed places with is trimmed",
        path="storage/tables/merging/places.py",
        edits=(("named if key is None else key_fields.number(key)", "named"),),
        caught_by=(f"{MERGING}::test_ids_are_found_when_what_was_merged_is_history_no_longer",),
    ),
    Mutant(
        name="b38",
        bug="what stands at its old number has the time of its merge, so a search by time is lost",
        path="storage/database/delivery_records.py",
        edits=(("if 0 < self.named < self.number else", "if self.named and self.ended_ms else"),),
        caught_by=(f"{MERGING}::{TIMES}",),
    ),
    Mutant(
        name="b39",
        bug="settings that say a webhook is disabled do not keep it so after its merge",
        path="storage/transitions/webhooks/changing.py",
        edits=(("        state.merging.enable = False", "        state.merging.enable |= False"),),
        caught_by=(f"{MEANWHILE}::{KEEPS}",),
    ),
)

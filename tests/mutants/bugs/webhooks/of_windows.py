"""Bugs of what ends a window."""

from hookbundle.tests.mutants.mutant import Mutant

MODEL = "tests/reliability/lives/test_several.py"
ENDS = "tests/engine/windows/test_ends.py"
CHANGES = "tests/engine/windows/test_clock_changes.py"
SLOT = f"{CHANGES}::test_a_slot_is_a_time_of_the_zones_clock"
OPENING = f"{CHANGES}::test_an_opening_is_between_times_of_the_zones_clock"
FAULTS = "tests/engine/windows/test_faults.py"
SIMULATION = "tests/engine/windows/test_simulation.py"
WALK = (
    "tests/engine/windows/test_oracle.py"
    "::test_a_window_ends_when_a_walk_through_its_minutes_says_so"
)

WINDOWS = (
    Mutant(
        name="wi1",
        bug="a chat that is never quiet is never sent",
        path="engine/windows/ends.py",
        edits=(
            (
                'return End(quiet_at, "quiet") if quiet_at <= max_at else End(max_at, "max")',
                'return End(quiet_at, "quiet") if max_at else End(max_at, "max")',
            ),
        ),
        caught_by=(
            f"{MODEL}::test_a_chat_that_is_never_quiet_is_sent_at_its_maximum",
            f"{ENDS}::test_quiet_ends_with_a_silence_and_at_the_latest_with_max",
            WALK,
        ),
    ),
    Mutant(
        name="wi2",
        bug="a slot has the offset of the window's opening, also over a change of the clock",
        path="engine/windows/slots.py",
        edits=(
            (
                "            slots = (moment_of(there, local, minute) for minute in at.minutes)\n",
                "            midnight = moment_of(there, _day_of(there, begin), 0)\n"
                "            days = (local - _day_of(there, begin)).days\n"
                "            first = midnight + days * DAY_MS\n"
                "            slots = (first + minute * 60_000 for minute in at.minutes)\n",
            ),
        ),
        caught_by=(
            f"{MODEL}::test_a_time_of_the_day_is_that_of_the_clock_after_it_was_changed",
            SLOT,
            WALK,
        ),
    ),
    Mutant(
        name="wi3",
        bug="a message of the very minute of a slot is sealed in that minute",
        path="engine/windows/slots.py",
        edits=(
            (
                "return found[bisect_right(found, after_ms)]",
                "return found[bisect_right(found, after_ms - 1)]",
            ),
            ("if slot > begin]", "if slot >= begin]"),
        ),
        caught_by=(
            f"{CHANGES}::test_a_slot_is_strictly_after_the_millisecond_that_opened_the_window",
            SLOT,
        ),
    ),
    Mutant(
        name="wi4",
        bug="a time that comes twice is taken the second time",
        path="engine/windows/slots.py",
        edits=(("local.replace(tzinfo=zone).", "local.replace(tzinfo=zone, fold=1)."),),
        caught_by=(SLOT, OPENING, WALK),
    ),
    Mutant(
        name="wi5",
        bug="a time that is skipped is as late after the change as it was meant to be",
        path="engine/windows/slots.py",
        edits=(("replace(tzinfo=None) == local:", "replace(tzinfo=None) >= local:"),),
        caught_by=(SLOT, OPENING, WALK),
    ),
    Mutant(
        name="wi6",
        bug="hours do not cross midnight",
        path="engine/windows/slots.py",
        edits=(("last = local + DAY if over_midnight else local", "last = local"),),
        caught_by=(f"{ENDS}::test_hours_that_end_before_they_begin_cross_midnight", OPENING),
    ),
    Mutant(
        name="wi7",
        bug="a whole day of 25 hours is not open in its last one",
        path="engine/windows/slots.py",
        edits=(
            (
                "_days_from(_day_of(there, begin) - DAY)",
                "_days_from(_day_of(there, begin - DAY_MS))",
            ),
        ),
        caught_by=(OPENING,),
    ),
    Mutant(
        name="wi8",
        bug="max ends a window outside of its hours",
        path="engine/windows/ends.py",
        edits=(("    if hours is None:\n", '    if hours is None or end.why == "max":\n'),),
        caught_by=(
            f"{ENDS}::test_hours_move_an_end_to_the_next_opening_also_past_max",
            WALK,
        ),
    ),
    Mutant(
        name="wi9",
        bug="a weekly time that hours move keeps a window open for two weeks",
        path="engine/windows/ends.py",
        edits=(
            (
                "End(min(opening_ms, opened_ms + limits.WINDOW_LONGEST_MS), end.why)",
                "End(opening_ms, end.why)",
            ),
        ),
        caught_by=(f"{ENDS}::test_no_window_is_longer_than_eight_days",),
    ),
    Mutant(
        name="wi10",
        bug="`first: now` sends at once outside of the hours",
        path="engine/windows/ends.py",
        edits=(("zone, now_ms) == now_ms\n", "zone, now_ms) >= now_ms\n"),),
        caught_by=(f"{ENDS}::test_outside_of_hours_nothing_leaves_at_once",),
    ),
    Mutant(
        name="wi11",
        bug="a range of days that wraps over Sunday is empty",
        path="engine/windows/reading.py",
        edits=(("range((end - begin) % 7 + 1)", "range(end - begin + 1)"),),
        caught_by=(
            "tests/engine/windows/test_parsing.py"
            "::test_days_are_a_list_of_days_and_ranges_which_may_wrap",
        ),
    ),
    Mutant(
        name="wi12",
        bug="`max` may be shorter than `quiet`, which then never counts",
        path="engine/windows/parsing.py",
        edits=(("        if 0 < max_ms < quiet_ms:\n", "        if 0 < max_ms < 1_000:\n"),),
        caught_by=(f"{FAULTS}::test_a_fault_is_named_with_its_path",),
    ),
    Mutant(
        name="wi13",
        bug="a rule without a match takes what the rules after it are for",
        path="engine/windows/parsing.py",
        edits=(("        if value in (None, {}):", "        if value == []:"),),
        caught_by=(f"{FAULTS}::test_a_fault_is_named_with_its_path",),
    ),
    Mutant(
        name="wi14",
        bug="the last rule that matches is taken, not the first",
        path="engine/windows/rule.py",
        edits=(
            (
                "for number, choice in enumerate(self.choices):",
                "for number, choice in reversed(list(enumerate(self.choices))):",
            ),
        ),
        caught_by=(
            "tests/engine/windows/test_setting.py::test_the_first_rule_that_matches_is_taken",
        ),
    ),
    Mutant(
        name="wi15",
        bug="a simulation has the message that comes at a window's end in that window",
        path="engine/windows/simulation.py",
        edits=(("window.end.at_ms <= now_ms:", "window.end.at_ms < now_ms:"),),
        caught_by=(
            f"{SIMULATION}::test_calls_are_made_as_windows_end",
            f"{SIMULATION}::test_any_arrivals_make_the_calls_that_a_naive_reading_finds",
        ),
    ),
    Mutant(
        name="wi16",
        bug="a simulation counts a window that `first` has left empty as a call",
        path="engine/windows/simulation.py",
        edits=(
            (
                "            if window.arrivals:\n                yield window.call()\n",
                "            yield window.call()\n",
            ),
        ),
        caught_by=(
            f"{SIMULATION}::test_calls_are_made_as_windows_end",
            f"{SIMULATION}::test_any_arrivals_make_the_calls_that_a_naive_reading_finds",
        ),
    ),
)

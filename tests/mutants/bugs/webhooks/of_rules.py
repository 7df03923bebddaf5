"""Bugs of windows by rule, where they are stored: what goes into one, and when it is sealed."""

from hookbundle.tests.mutants.mutant import Mutant

MODEL = "tests/reliability/lives/test_several.py"
BY_RULE = "tests/storage/transitions/windows/test_by_rule.py"
FIRST = "tests/storage/transitions/windows/test_first.py"
ZONES = "tests/storage/transitions/windows/test_zones_and_clocks.py"
RETIMED = "tests/storage/transitions/windows/test_rules_retimed.py"
REMEMBERING = "tests/storage/transitions/windows/test_remembering.py"
TAKING = "storage/transitions/collecting/by_rule.py"

RULES = (
    Mutant(
        name="wr1",
        bug="the first message leaves at once, and is in the bundle too",
        path=TAKING,
        edits=(
            (
                "                return wake | self._send_first(message, rule, choice)\n",
                "                wake |= self._send_first(message, rule, choice)\n"
                "                window = self.collecting.window\n"
                "                return wake | self._put(window, message, weight)\n",
            ),
        ),
        caught_by=(
            f"{MODEL}::test_a_first_message_leaves_at_once_and_is_not_in_the_bundle",
            f"{FIRST}::test_the_first_message_leaves_at_once_and_is_not_in_the_bundle",
        ),
    ),
    Mutant(
        name="wr2",
        bug="a message moves the end of a quiet window, and forgets its maximum",
        path=TAKING,
        edits=(("self._end_of(rule, window.opened_ms)", "self._end_of(rule, self.asked.now_ms)"),),
        caught_by=(
            f"{MODEL}::test_a_chat_that_is_never_quiet_is_sent_at_its_maximum",
            f"{BY_RULE}::test_a_chat_that_never_falls_quiet_is_sealed_at_its_maximum",
        ),
    ),
    Mutant(
        name="wr3",
        bug="the row of a quiet window stays where it was",
        path=TAKING,
        edits=(("if due_ms != window.due_ms:", "if due_ms < window.due_ms:"),),
        caught_by=(f"{BY_RULE}::test_a_quiet_window_ends_when_nothing_came_for_so_long",),
    ),
    Mutant(
        name="wr4",
        bug="a message for a quiet window that is over keeps it open",
        path=TAKING,
        edits=(
            (
                "    wake = taking.end_if_over()\n",
                "    silent_ms, collecting.arrived_ms = collecting.arrived_ms, asked.now_ms\n"
                "    wake = taking.end_if_over()\n"
                "    collecting.arrived_ms = silent_ms\n",
            ),
        ),
        caught_by=(
            f"{BY_RULE}"
            "::test_a_quiet_window_that_is_over_is_sealed_before_a_message_that_comes_first",
        ),
    ),
    Mutant(
        name="wr5",
        bug="a window keeps its time of the day when its workspace gets another zone",
        path="storage/transitions/settings.py",
        edits=(("        changing.follow_zone(unit, after)\n", ""),),
        caught_by=(f"{ZONES}::test_windows_follow_the_zone_of_their_workspace",),
    ),
    Mutant(
        name="wr6",
        bug="whatever finds no open window is the first of a conversation",
        path=TAKING,
        edits=(
            (
                "before_ms, collecting.arrived_ms = collecting.arrived_ms,",
                "before_ms, collecting.arrived_ms = 0,",
            ),
        ),
        caught_by=(f"{FIRST}::test_a_message_is_the_first_again_after_the_windows_length",),
    ),
    Mutant(
        name="wr7",
        bug="a window that stayed empty makes a call",
        path="storage/transitions/sealing.py",
        edits=(("    if not window.count:\n", "    if not window.count and not window.first:\n"),),
        caught_by=(f"{FIRST}::test_a_window_that_stays_empty_calls_nobody_and_a_fact_says_so",),
    ),
    Mutant(
        name="wr8",
        bug="a chat is forgotten after two days, though its window's length is a week",
        path="storage/transitions/timed/forgetting.py",
        edits=(("    if until_ms > now_ms:\n", "    if until_ms < 0:\n"),),
        caught_by=(
            f"{REMEMBERING}"
            "::test_a_chat_is_remembered_for_a_week_if_the_first_since_then_leaves_at_once",
        ),
    ),
    Mutant(
        name="wr9",
        bug="open windows keep the numbers of their rules in new settings",
        path="storage/transitions/timed/retiming.py",
        edits=(("    judging.judge_again(unit, webhook, chat, window)\n", ""),),
        caught_by=(f"{RETIMED}::test_the_opening_message_chooses_again_by_new_rules",),
    ),
    Mutant(
        name="wr10",
        bug="a window that re-timing has not reached ends by the number that its rule had before",
        path="storage/tables/rules/judging.py",
        edits=(("    return after is not None and ", "    return after == b'x' and "),),
        caught_by=(
            f"{RETIMED}"
            "::test_a_window_that_re_timing_has_not_reached_has_its_new_rule_when_it_is_over",
        ),
    ),
    Mutant(
        name="wr11",
        bug="a window is judged again by the labels of its newest message",
        path="storage/tables/rules/judging.py",
        edits=(("details.of_first(window)", "details._of(window)"),),
        caught_by=(f"{RETIMED}::test_it_chooses_by_the_labels_that_its_own_chat_had",),
    ),
)

"""Bugs of what is known of arrivals, of simulations, and of the meter."""

from hookbundle.tests.mutants.mutant import Mutant

RECORDING = "tests/storage/tables/arrivals/test_recording.py"
STEPS = "tests/storage/transitions/timed/test_arrival_steps.py"
ERASING = "tests/storage/tables/arrivals/test_erasing.py"
SIMULATING = "tests/storage/reads/past/test_simulating.py"
METER = "tests/storage/tables/test_meter.py"
ROWS = "storage/tables/arrivals/rows.py"

ARRIVALS = (
    Mutant(
        name="ar1",
        bug="of a deleted chat it stays known when its messages came",
        path="storage/transitions/timed/erase_steps.py",
        edits=(
            ("        if not _erase_arrivals(unit, settings, chat, erasure, budget):\n", ""),
            ("            break\n        done = True\n", "        done = True\n"),
        ),
        caught_by=(f"{ERASING}::test_a_deleted_chat_has_none_for_any_webhook",),
    ),
    Mutant(
        name="ar2",
        bug="a simulation counts a day more than was asked",
        path="storage/reads/past/simulating.py",
        edits=(("now_ms - days * DAY_MS", "now_ms - (days + 1) * DAY_MS"),),
        caught_by=(f"{SIMULATING}::test_no_message_of_an_earlier_day_is_counted",),
    ),
    Mutant(
        name="ar3",
        bug="all messages of a call waited as long as its first one",
        path="engine/windows/simulation.py",
        edits=(("_counted_as(call.at_ms - arrived_ms)", "_counted_as(call.at_ms - call[2][0])"),),
        caught_by=(f"{SIMULATING}::test_it_says_calls_delays_and_the_biggest_bundle",),
    ),
    Mutant(
        name="ar4",
        bug="what came after a chat was deleted is erased with what came before",
        path=ROWS,
        edits=(("if key_fields.number(after) > until_ms:", "if until_ms < 0:"),),
        caught_by=(f"{ERASING}::test_a_chat_that_began_anew_keeps_what_came_since",),
    ),
    Mutant(
        name="ar5",
        bug="who deletes a chat of which only arrivals are left deletes nothing",
        path="storage/transitions/erasing.py",
        edits=(
            (
                "    return next(arrivals.of_chat(unit, settings, chat), None) is not None\n",
                "    return False\n",
            ),
        ),
        caught_by=(f"{ERASING}::test_a_chat_of_which_nothing_else_is_left_is_erased",),
    ),
    Mutant(
        name="ar6",
        bug="a chat that is forgotten, or not yet, keeps or takes along what it knew of arrivals",
        path="storage/transitions/timed/forgetting.py",
        edits=(("    recording.move(unit, settings, row.subject, record, now_ms)\n", ""),),
        caught_by=(
            f"{RECORDING}::test_a_forgotten_chat_leaves_its_arrivals",
            f"{SIMULATING}::test_a_chat_that_is_forgotten_is_still_in_it",
        ),
    ),
    Mutant(
        name="ar7",
        bug="arrivals of two days stand in a chat's record as if they were of one",
        path="storage/tables/arrivals/recording.py",
        edits=(
            (
                "    move(unit, settings, chat, kept, now_ms)\n"
                "    if collecting.arrivals:\n"
                "        _move(unit, settings, chat, collecting, now_ms)\n",
                "",
            ),
        ),
        caught_by=(f"{RECORDING}::test_a_new_day_begins_with_an_empty_record",),
    ),
    Mutant(
        name="ar8",
        bug="of two rows of the same millisecond the first is lost",
        path=ROWS,
        edits=(('(known.packed if known else b"") + arrivals', "arrivals"),),
        caught_by=(f"{RECORDING}::test_what_is_moved_in_the_same_millisecond_is_not_lost",),
    ),
    Mutant(
        name="ar9",
        bug="a day of arrivals is kept until its first message is ten days old, and no longer",
        path=ROWS,
        edits=(
            ("(day + 1 + limits.ARRIVALS_DAYS) * DAY_MS", "(day + limits.ARRIVALS_DAYS) * DAY_MS"),
        ),
        caught_by=(f"{STEPS}::test_a_day_is_kept_until_its_last_message_is_ten_days_old",),
    ),
    Mutant(
        name="ar10",
        bug="a workspace may fill the disk with arrivals of one day",
        path=ROWS,
        edits=(
            (
                "    if usage.arrival_bytes >= limits.ARRIVALS_BYTES_MAX * 5 // 4:\n",
                "    if usage.arrival_bytes < 0:\n",
            ),
        ),
        caught_by=(
            f"{RECORDING}::"
            "test_a_workspace_past_its_bound_keeps_no_more_of_today_and_says_since_when_it_knows",
        ),
    ),
    Mutant(
        name="ar11",
        bug="days went for want of room, and nobody says that they are not known",
        path="storage/transitions/timed/arrival_steps.py",
        edits=(
            (
                "max(usage.arrivals_since_ms, (day + 1) * DAY_MS)",
                "usage.arrivals_since_ms",
            ),
        ),
        caught_by=(f"{RECORDING}::test_a_workspace_past_its_bound_loses_its_oldest_days_first",),
    ),
    Mutant(
        name="ar12",
        bug="a deleted chat is simulated until its last row is erased",
        path="storage/reads/past/arrivals.py",
        edits=(("return erasure.at_ms if erasure else -1", "return -1"),),
        caught_by=(f"{SIMULATING}::test_a_deleted_chat_is_in_none_also_while_its_rows_are_erased",),
    ),
    Mutant(
        name="ar13",
        bug="a chat with rows is two chats: one of the rows, one of its record",
        path="storage/reads/past/arrivals.py",
        edits=(
            (
                "any(self._has_rows(txn, day, chat) for day in self._days)",
                "False",
            ),
        ),
        caught_by=(
            f"{SIMULATING}::test_a_chat_is_one_whatever_days_and_places_its_arrivals_are_in",
        ),
    ),
    Mutant(
        name="ar14",
        bug="a simulation knows nothing of messages that still wait in their window",
        path="storage/reads/past/arrivals.py",
        edits=(("        if kept.window is not None:\n", "        if kept is None:\n"),),
        caught_by=(f"{SIMULATING}::test_messages_of_an_open_window_are_in_it",),
    ),
    Mutant(
        name="ar15",
        bug="merged deliveries count as the calls that they were",
        path="storage/tables/merging/merges.py",
        edits=(("messages=0, calls=-1)", "messages=0, calls=0)"),),
        caught_by=(
            f"{METER}::test_merged_deliveries_are_one_call_and_their_messages_stay_on_their_days",
        ),
    ),
    Mutant(
        name="ar16",
        bug="arrivals of a day that has not come stay for years, after a clock that was wrong",
        path="storage/transitions/clock_recovery.py",
        edits=(
            (
                "                arrivals.schedule(unit, workspace.number, 0)\n",
                "                pass\n",
            ),
        ),
        caught_by=(f"{STEPS}::test_a_day_that_has_not_come_goes_with_the_clock_that_brought_it",),
    ),
    Mutant(
        name="ar18",
        bug="all messages of a bundle came on the day of the first one",
        path="engine/windows/arrivals.py",
        edits=(
            (
                "        days.setdefault(day, []).append(arrival)\n",
                "        days.setdefault(min(days, default=day), []).append(arrival)\n",
            ),
        ),
        caught_by=(
            "tests/engine/windows/test_arrivals.py::test_each_day_is_a_piece",
            f"{RECORDING}::test_a_window_of_several_days_is_noted_on_each",
        ),
    ),
    Mutant(
        name="ar17",
        bug="a chat that lives keeps for ever when the last message of a webhook came",
        path="storage/transitions/timed/forgetting.py",
        edits=(
            (
                "    recording.move(unit, settings, row.subject, record, now_ms)\n"
                "    if record.last_ms + limits.REMEMBERED_MS > now_ms:\n",
                "    if record.last_ms + limits.REMEMBERED_MS <= now_ms:\n"
                "        recording.move(unit, settings, row.subject, record, now_ms)\n"
                "    else:\n",
            ),
        ),
        caught_by=(
            f"{RECORDING}::test_a_live_chat_keeps_no_old_arrivals_of_a_webhook_that_gets_nothing_any_more",
        ),
    ),
)

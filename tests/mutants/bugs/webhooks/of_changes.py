"""Bugs of edits, deletions and closes."""

from hookbundle.tests.mutants.mutant import Mutant

HERE = "tests/storage/transitions/changing"
CHANGING, EARLY = f"{HERE}/test_changing.py", f"{HERE}/test_early_changes.py"
DETAILS, STEPS = f"{HERE}/test_details.py", f"{HERE}/test_changes_in_steps.py"
HTTP = "tests/server/http/resources/messages/test_changes.py"

CHANGES = (
    Mutant(
        name="x60",
        bug="an edit past the size limit is made, and a bundle gets too large",
        path="storage/tables/windows.py",
        edits=(
            ("    if more <= 0:\n        return True\n", "    if more:\n        return True\n"),
        ),
        caught_by=(f"{CHANGING}::test_an_edit_past_the_size_limit_seals_first_and_is_late",),
    ),
    Mutant(
        name="x61",
        bug="a window that a deletion empties stays open",
        path="storage/transitions/changing/changing.py",
        edits=(("        if not window.count:\n", "        if window.count < 0:\n"),),
        caught_by=(f"{CHANGING}::test_a_window_that_a_deletion_empties_ends_without_a_call",),
    ),
    Mutant(
        name="x62",
        bug="the edit that comes last wins, however old it is",
        path="storage/transitions/changing/changing.py",
        edits=(("at_ms >= before_ms and not is_same", "not is_same"),),
        caught_by=(f"{CHANGING}::test_the_latest_edit_wins_whenever_it_comes",),
    ),
    Mutant(
        name="x63",
        bug="one wrong clock has the last word",
        path="storage/transitions/changing/changing.py",
        edits=(("min(change.edited_ms or now_ms, now_ms)", "change.edited_ms or now_ms"),),
        caught_by=(f"{CHANGING}::test_an_edit_from_the_future_counts_as_of_its_arrival",),
    ),
    Mutant(
        name="x64",
        bug="a message deleted before it came is not known when it comes again",
        path="storage/tables/changing/early.py",
        edits=(("Arrived(stayed + deleted, ", "Arrived(stayed, "),),
        caught_by=(f"{EARLY}::test_a_message_deleted_before_it_came_is_known_and_goes_nowhere",),
    ),
    Mutant(
        name="x65",
        bug="the details of a deleted newest message stay",
        path="storage/tables/changing/opened.py",
        edits=(("            self._tell_of_the_rest()\n", ""),),
        caught_by=(
            f"{DETAILS}::test_account_chat_and_link_are_those_of_the_messages_that_are_left",
        ),
    ),
    Mutant(
        name="x66",
        bug="who had the details of a deleted message has those of another one",
        path="storage/tables/changing/opened.py",
        edits=(("            self._pass_on()\n", ""),),
        caught_by=(f"{DETAILS}::test_who_shared_the_details_of_a_deleted_message_has_them_still",),
    ),
    Mutant(
        name="x67",
        bug="a change whose message does not come is kept for good",
        path="storage/tables/changing/early.py",
        edits=(("    unit.put_due(due_of(key, workspace, kept))\n", ""),),
        caught_by=(f"{EARLY}::test_a_minute_later_it_is_dropped_counted_and_told",),
    ),
    Mutant(
        name="x68",
        bug="a change is late for every webhook that does not have the message open",
        path="storage/transitions/changing/changing.py",
        edits=(
            (
                "sealed.webhooks_with(unit, settings, chat, wanted) if wanted else {}",
                "wanted",
            ),
        ),
        caught_by=(
            f"{CHANGING}::test_a_webhook_whose_filter_dropped_the_message_is_not_late",
            f"{CHANGING}::test_a_change_of_what_was_deleted_before_is_nowhere",
        ),
    ),
    Mutant(
        name="x69",
        bug="a close seals as a flush does",
        path="storage/transitions/sealing.py",
        edits=(("    reason = transition.reason\n", '    reason = "flush"\n'),),
        caught_by=(f"{HTTP}::test_a_chat_is_closed_with_a_reason",),
    ),
    Mutant(
        name="x70",
        bug="a workspace may keep any number of changes for messages that never come",
        path="storage/tables/changing/early.py",
        edits=(
            (
                "    if usage.changes >= limits.EARLY_CHANGES_MAX:\n",
                "    if usage.changes < 0:\n",
            ),
        ),
        caught_by=(f"{EARLY}::test_a_workspace_has_a_bound_whatever_chats_it_names",),
    ),
    Mutant(
        name="x71",
        bug="the changes of a chat go before its messages",
        path="engine/messages/changes.py",
        edits=(
            (
                "    before = len(chats[chat_id][0]) if chat_id in chats else 0\n",
                "    before = 0\n",
            ),
        ),
        caught_by=(f"{HTTP}::test_changes_among_messages_are_made_in_their_order",),
    ),
    Mutant(
        name="x72",
        bug="an edit reads the large windows of all webhooks in one transition",
        path="storage/transitions/changing/changing.py",
        edits=(("        if unit.weight >= heavy:\n", "        if unit.weight < 0:\n"),),
        caught_by=(f"{STEPS}::test_no_step_weighs_more_than_a_step_and_one_window",),
    ),
    Mutant(
        name="x73",
        bug="each step of an edit tells what those before have told",
        path="storage/transitions/changing/telling.py",
        edits=((" in one.applied - one.told:", " in one.applied:"),),
        caught_by=(f"{STEPS}::test_each_step_tells_what_it_changed_and_a_message_counts_once",),
    ),
    Mutant(
        name="x74",
        bug="short messages are made long past all that a webhook may hold",
        path="storage/tables/routing/quotas.py",
        edits=(("    return more <= 0 or waiting", "    return more < 1_000_000 or waiting"),),
        caught_by=(f"{CHANGING}::test_past_its_share_of_bytes_a_webhook_gets_no_longer_text",),
    ),
    Mutant(
        name="x75",
        bug="an edit has the room that was beside the account and chat of a deleted message",
        path="storage/transitions/changing/changing.py",
        edits=(("        opened.tell_of_the_rest()\n", "        pass\n"),),
        caught_by=(
            f"{DETAILS}::test_after_a_deletion_an_edit_has_room_beside_the_details_that_are_left",
        ),
    ),
)

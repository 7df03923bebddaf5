"""Bugs of resends and replays."""

from hookbundle.tests.mutants.mutant import Mutant

HERE = "tests/storage/transitions/repeating"

REPEATING = (
    Mutant(
        name="r1",
        bug="a resend has other bytes than the first time",
        path="storage/transitions/attempting.py",
        edits=(
            (
                "    body = bodies.sent(unit.get_raw, webhook.number, delivery)\n",
                "    body = bodies.sent(unit.get_raw, webhook.number, delivery)\n"
                "    body += b' ' * delivery.resending\n",
            ),
        ),
        caught_by=(f"{HERE}/test_resending.py::test_a_resend_has_the_same_id_and_the_same_bytes",),
    ),
    Mutant(
        name="r2",
        bug="a replay forgets its place, and what it has put, with a crash",
        path="storage/transitions/timed/replay_steps.py",
        edits=(
            (
                "    replays.keep(unit, webhook.workspace, replay)\n    return is_whole, put\n",
                "    return is_whole, put\n",
            ),
        ),
        caught_by=(f"{HERE}/test_replaying.py::test_a_replay_keeps_its_place_over_a_crash",),
    ),
    Mutant(
        name="r3",
        bug="a resend that is rejected three times becomes a dead letter",
        path="storage/transitions/outcomes.py",
        edits=(("        if is_rejected and delivery.resending:\n", "        if not state:\n"),),
        caught_by=(
            f"{HERE}/test_resending.py"
            "::test_three_rejections_end_a_resend_and_it_is_no_dead_letter",
        ),
    ),
    Mutant(
        name="r4",
        bug="younger deliveries overtake those that a replay has still to put",
        path="storage/tables/queue.py",
        edits=((" or 0 < state.gate <= number:", ":"),),
        caught_by=(
            f"{HERE}/test_replaying.py::test_nothing_younger_goes_before_what_is_still_to_be_put",
        ),
    ),
    Mutant(
        name="r5",
        bug="a cancelled replay forgets to take resends back",
        path="storage/transitions/timed/replay_steps.py",
        edits=(
            (
                "        if delivery is not None and delivery.replay == replay.number:\n",
                "        if delivery is not None and delivery.replay == replay.number "
                "and not delivery.resending:\n",
            ),
        ),
        caught_by=(
            f"{HERE}/test_ends_of_replays.py::test_a_cancelled_replay_takes_back_what_was_not_sent",
        ),
    ),
    Mutant(
        name="r6",
        bug="resends that were discarded with all that was held are counted twice",
        path="storage/tables/repeating/resends.py",
        edits=(
            (
                "    if is_waiting(state, delivery):\n        _count(unit, state, delivery, -1)\n",
                "    _count(unit, state, delivery, -1)\n",
            ),
        ),
        caught_by=(
            f"{HERE}/test_ends_of_resends.py"
            "::test_discarding_everything_ends_all_resends_but_the_one_being_sent",
        ),
    ),
    Mutant(
        name="r7",
        bug="a resend is trimmed while it waits",
        path="storage/tables/repeating/resends.py",
        edits=(("    history.hide(unit, webhook, delivery)\n", ""),),
        caught_by=(f"{HERE}/test_ends_of_resends.py::test_a_resend_is_not_trimmed_while_it_waits",),
    ),
    Mutant(
        name="r8",
        bug="a dead letter that a cancelled replay takes back has lost its reason",
        path="storage/tables/queue.py",
        edits=(
            (
                'put_back(unit, webhook, delivery, reason if replay else "")',
                "put_back(unit, webhook, delivery)",
            ),
        ),
        caught_by=(
            f"{HERE}/test_ends_of_replays.py::test_a_dead_letter_that_is_taken_back_has_its_reason_again",
        ),
    ),
    Mutant(
        name="r9",
        bug="the count before a replay counts deliveries of deleted chats as well",
        path="storage/reads/replays.py",
        edits=(
            (
                "    return not is_erased(txn, view.usage, view.settings.number, head)\n",
                "    return True\n",
            ),
        ),
        caught_by=("tests/storage/reads/test_replays.py::test_the_count_is_what_the_replay_puts",),
    ),
)

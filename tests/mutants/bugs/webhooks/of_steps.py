"""Bugs of work that is more than a step, and of how long others wait for it."""

from hookbundle.tests.mutants.mutant import Mutant

TURNS = "tests/actors/fairness/test_turns.py"
CHATS = "tests/actors/fairness/test_steps_of_chats.py"
MANY = "tests/storage/transitions/windows/test_many_end.py"
BEHIND = "tests/engine/fairness/test_behind.py"

STEPS = (
    Mutant(
        name="st1",
        bug="a message seals in its own transition all windows that it ends",
        path="storage/transitions/accepting.py",
        edits=(
            (
                "        if are_many := len(routed.offers) > 1:\n",
                "        if are_many := len(routed.offers) > limits.WEBHOOKS_MAX:\n",
            ),
        ),
        caught_by=(
            f"{MANY}::test_they_are_sealed_some_at_a_time_and_then_the_message_is_taken",
            f"{MANY}::test_no_step_weighs_more_than_a_step_and_one_window",
        ),
    ),
    Mutant(
        name="st2",
        bug="what comes for a chat overtakes a message that is not finished",
        path="actors/store_queue.py",
        edits=(
            (
                "        return Unfinished(transition) if waits else None\n",
                "        return None\n",
            ),
        ),
        caught_by=(
            f"{CHATS}::test_a_chats_messages_keep_their_order_and_others_have_their_turns_in_between",
        ),
    ),
    Mutant(
        name="st3",
        bug="what waited behind a message that was not finished comes after what came later",
        path="engine/fairness/behind.py",
        edits=(("                line.append(rest)\n", "                line.insert(1, rest)\n"),),
        caught_by=(
            f"{BEHIND}::test_what_comes_for_the_key_meanwhile_is_done_after_it_in_its_order",
        ),
    ),
    Mutant(
        name="st4",
        bug="a full window that is left to the timer waits for its time",
        path="storage/transitions/accepting.py",
        edits=(
            (
                "            windows.retime(unit, webhook, chat, window, now_ms)\n        else:\n",
                "            pass\n        else:\n",
            ),
        ),
        caught_by=(
            f"{MANY}::test_full_windows_that_are_too_many_are_sealed_by_the_timer_and_are_full",
        ),
    ),
    Mutant(
        name="st5",
        bug="webhooks that became ready in a former step are not woken",
        path="storage/transitions/accepting.py",
        edits=(
            (
                "    wake = [*transition.wake]\n",
                "    wake = []\n",
            ),
        ),
        caught_by=(f"{MANY}::test_they_are_sealed_some_at_a_time_and_then_the_message_is_taken",),
    ),
    Mutant(
        name="st6",
        bug="a flush says what its last step has sealed",
        path="storage/transitions/sealing.py",
        edits=(
            (
                "    before = transition.sealed or Sealed(0, ())\n",
                "    before = Sealed(0, ())\n",
            ),
        ),
        caught_by=(
            f"{MANY}::test_a_flush_seals_some_at_a_time_and_says_how_many_messages_it_sealed",
        ),
    ),
    Mutant(
        name="st7",
        bug="a group goes on for an owner that has had its share of it while others wait",
        path="actors/turns.py",
        edits=(
            (
                "had.get(next_owner, 0) > SLICE_WEIGHT:\n",
                "had.get(next_owner, 0) > GROUP_WEIGHT:\n",
            ),
        ),
        caught_by=(
            f"{TURNS}::test_a_group_with_others_work_ends_half_way_for_who_has_had_his_share",
        ),
    ),
    Mutant(
        name="st8",
        bug="a light step that is not the last is told to its submitter as the result",
        path="actors/store.py",
        edits=(
            (
                "                if isinstance(results[-1], Unfinished):\n"
                "                    self._queue.begin(work)\n",
                "                    if isinstance(results[-1], Unfinished):\n"
                "                        self._queue.begin(work)\n",
            ),
        ),
        caught_by=(f"{CHATS}::test_a_step_that_is_lighter_than_it_was_thought_is_no_result",),
    ),
)

"""Bugs that let receivers, or tenants with their test requests, take what all need to send."""

from hookbundle.tests.mutants.mutant import Mutant

SLOTS = "tests/actors/fairness/test_attempt_slots.py"
HELD = "tests/actors/fairness/test_held_slots.py"
LOOK_UPS = "tests/actors/outbound/test_look_ups.py"
NAMES = "tests/actors/outbound/test_names.py"
DAEMON = "tests/reliability/hostility/test_hanging_receivers.py"
ALLOWANCE = "tests/engine/fairness/test_allowance.py"
TESTING = "tests/server/http/resources/test_testing.py"

WAY_OUT = (
    Mutant(
        name="w1",
        bug="failing webhooks may hold as many slots as new ones",
        path="actors/slot_lanes.py",
        edits=(("Lane.TROUBLED: 1 / 2", "Lane.TROUBLED: 3 / 4"),),
        caught_by=(f"{SLOTS}::test_one_that_was_never_called_waits_for_none_that_fail",),
    ),
    Mutant(
        name="w2",
        bug="no slot is kept for webhooks that work",
        path="actors/slot_lanes.py",
        edits=(("Lane.NEW: 3 / 4, Lane.LONG: 7 / 8", "Lane.NEW: 1, Lane.LONG: 1"),),
        caught_by=(f"{SLOTS}::test_however_many_fail_one_that_works_has_a_slot_at_once",),
    ),
    Mutant(
        name="w3",
        bug="a webhook's attempts give way every time",
        path="actors/attempt_slots.py",
        edits=(("if past is not None and past.gave_way:", "if False:"),),
        caught_by=(f"{SLOTS}::test_an_attempt_gives_way_at_most_every_second_time",),
    ),
    Mutant(
        name="w4",
        bug="an attempt that gave way is always the receiver's error",
        path="actors/attempt_slots.py",
        edits=(("return gave_way and not (past is not None and past.timed_out)", "return False"),),
        caught_by=(
            f"{SLOTS}::test_one_that_gives_way_is_an_error_only_if_it_timed_out_before",
            "tests/daemon/test_isolation.py"
            "::test_more_silent_receivers_than_slots_give_way_after_their_time",
        ),
    ),
    Mutant(
        name="w17",
        bug="an answer that rules judge, cut off for others, is its receiver's error",
        path="engine/delivery/outcomes.py",
        edits=(
            (
                "bool(success.rules) and result.status in success.statuses and not result.in_time",
                "False",
            ),
        ),
        caught_by=(
            "tests/actors/attempts/test_giving_way.py"
            "::test_an_answer_cut_off_for_others_is_no_error_of_its_receiver",
        ),
    ),
    Mutant(
        name="w5",
        bug="a late 200 is as good as a quick one",
        path="actors/slot_lanes.py",
        edits=(("max(took_s - SLOW_S, 0.0)", "0.0"),),
        caught_by=(
            f"{SLOTS}::test_a_receiver_that_is_slow_but_right_is_troubled_until_that_is_forgotten",
        ),
    ),
    Mutant(
        name="s1",
        bug="what is delivered in less than three seconds may hold every slot",
        path="actors/slot_lanes.py",
        edits=(("LONG_S = 0.5", "LONG_S = 3.0"),),
        caught_by=(f"{HELD}::test_however_many_take_seconds_one_that_is_quick_has_a_slot_at_once",),
    ),
    Mutant(
        name="s2",
        bug="webhooks that hold slots for long have no part of their own",
        path="actors/slot_lanes.py",
        edits=(("return Lane.LONG if past", "return Lane.TROUBLED if past"),),
        caught_by=(f"{HELD}::test_what_takes_seconds_is_not_among_what_fails",),
    ),
    Mutant(
        name="s3",
        bug="what a full disk keeps from moving hides a timer that is gone",
        path="server/daemon/watch.py",
        edits=(
            (
                "if still and all(each.reason is Reason.INTAKE_CLOSED for each in found):",
                "if still and not found:",
            ),
        ),
        caught_by=(
            "tests/server/daemon/test_watch_reasons.py"
            "::test_a_timer_that_is_gone_is_told_beside_a_full_disk",
        ),
    ),
    Mutant(
        name="s4",
        bug="a refusal after a TLS handshake is hidden by the write that fails",
        path="actors/outbound/connection.py",
        edits=(("        if self.uses == 1:\n            await self._read_what_came()\n", ""),),
        caught_by=(
            "tests/actors/outbound/test_tls.py::test_a_refusal_that_came_and_ended_the_connection_before_the_first_write_is_read",
        ),
    ),
    Mutant(
        name="w6",
        bug="a slot counts in no lane that is full until its attempt begins",
        path="actors/attempt_slots.py",
        edits=(
            ("slot = Slot(webhook, Lane.TROUBLED)", "slot = Slot(webhook, Lane.NEW)"),
            (
                "            self.counts[Lane.TROUBLED].used += 1\n            return slot",
                "            self.counts[Lane.NEW].used += 1\n            return slot",
            ),
        ),
        caught_by=(f"{DAEMON}::test_after_a_start_webhooks_that_failed_leave_slots_to_others",),
    ),
    Mutant(
        name="w7",
        bug="look-ups have no shares",
        path="actors/outbound/look_ups.py",
        edits=(
            (
                "            self._limit.take(owner)\n",
                "            owner = object()\n            self._limit.take(owner)\n",
            ),
        ),
        caught_by=(
            f"{LOOK_UPS}::test_a_workspace_with_its_share_is_refused_and_costs_others_nothing",
        ),
    ),
    Mutant(
        name="w8",
        bug="a look-up that the daemon had no room for is the receiver's error",
        path="actors/outbound/look_ups.py",
        edits=(
            (
                "raise LookUpError(ErrorClass.LOOK_UPS_FULL, detail)",
                "raise LookUpError(ErrorClass.DNS, detail)",
            ),
        ),
        caught_by=(
            f"{LOOK_UPS}::test_a_look_up_that_nobody_waits_for_holds_its_share_until_it_has_ended",
        ),
    ),
    Mutant(
        name="w9",
        bug="a look-up that timed out fails also those who came a moment ago",
        path="actors/outbound/look_ups.py",
        edits=(("isinstance(found, LookUpTimeoutError) and not is_new", "False"),),
        caught_by=(
            f"{LOOK_UPS}::test_a_look_up_whose_time_was_up_does_not_end_that_of_a_later_asker",
        ),
    ),
    Mutant(
        name="w10",
        bug="a look-up ends with the first who gives up",
        path="actors/outbound/look_ups.py",
        edits=(
            (
                "            done, _ = await asyncio.wait({task}, timeout=until_s - loop.time())\n",
                "            await asyncio.wait_for(task, until_s - loop.time())\n"
                "            done = True\n",
            ),
        ),
        caught_by=(f"{LOOK_UPS}::test_whoever_asks_first_may_give_up_without_harm_to_the_others",),
    ),
    Mutant(
        name="w11",
        bug="all look-ups share a channel of c-ares",
        path="actors/outbound/resolvers.py",
        edits=(
            (
                "            question = _Question(self._servers or None, "
                "timeout=within_s / THIRDS, tries=TRIES)\n",
                "            question = self.__dict__.get('one') or _Question(\n"
                "                self._servers or None, timeout=within_s / THIRDS, tries=TRIES\n"
                "            )\n"
                "            self.one = question\n",
            ),
            ("            await question.close()\n", "            pass\n"),
        ),
        caught_by=(
            f"{NAMES}::test_an_answer_that_is_no_answer_fails_no_other_look_up",
            f"{LOOK_UPS}::test_a_name_that_failed_is_asked_for_again",
        ),
    ),
    Mutant(
        name="w12",
        bug="the 61st test request is sent",
        path="engine/fairness/allowance.py",
        edits=(("if len(uses) >= self._most:", "if len(uses) > self._most:"),),
        caught_by=(f"{ALLOWANCE}::test_within_any_hour_there_are_so_many_and_no_more",),
    ),
    Mutant(
        name="w13",
        bug="a refused test request names no true time",
        path="engine/fairness/allowance.py",
        edits=((".after(wait_s)", ".after(1)"),),
        caught_by=(f"{TESTING}::test_sixty_an_hour_are_sent_and_the_next_is_told_when",),
    ),
    Mutant(
        name="w14",
        bug="test requests that hang have no share",
        path="server/http/resources/webhooks/testing.py",
        edits=(("with self.under_way.holding(workspace_id):", "if workspace_id:"),),
        caught_by=(f"{TESTING}::test_tests_that_hang_take_a_share_of_their_own_and_no_slots",),
    ),
    Mutant(
        name="w15",
        bug="all addresses of a name are tried, however many it has",
        path="actors/outbound/resolvers.py",
        edits=(("if taken[family] <= ADDRESSES_MAX:", "if taken[family]:"),),
        caught_by=(f"{NAMES}::test_of_a_name_with_thousands_of_addresses_a_few_are_tried",),
    ),
    Mutant(
        name="w16",
        bug="a receiver may send heads without end",
        path="actors/outbound/answer.py",
        edits=(("self.received_bytes > RECEIVED_BYTES_MAX", "not data"),),
        caught_by=(
            "tests/actors/outbound/test_failures.py"
            "::test_a_malformed_response_is_classified_without_quoting_it",
        ),
    ),
)

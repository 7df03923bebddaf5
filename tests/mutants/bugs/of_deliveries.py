"""Bugs that change a delivery between attempts, or the count of errors."""

from hookbundle.tests.mutants.mutant import Mutant

CRASH = "tests/daemon/test_crash.py"
ATTEMPTING = "tests/storage/transitions/test_attempting.py"
FAILING = "tests/storage/transitions/outcomes/test_failing.py"
PEOPLE = "tests/storage/transitions/outcomes/test_failing_and_people.py"
COUNTER = "tests/daemon/test_counter.py"
SIMULATION = "tests/reliability/lives/test_simulation.py"
MOVING = "tests/storage/transitions/timed/test_moving.py"
SWITCHING = "tests/storage/transitions/test_switching.py"
LIVES = f"{SIMULATION}::test_whatever_happens_in_weeks_every_promise_is_kept"

DELIVERIES = (
    Mutant(
        name="m4",
        bug="a bundle is rebuilt when it is sent again",
        path="storage/transitions/attempting.py",
        edits=(
            (
                "    attempt = delivery.attempts + 1\n",
                "    attempt = delivery.attempts + 1\n"
                "    if delivery.attempts:\n"
                "        import msgspec\n"
                "        body = msgspec.json.decode(delivery.body)\n"
                '        delivery.body = msgspec.json.encode(body, order="sorted")\n',
            ),
        ),
        caught_by=(
            "tests/daemon/test_bodies.py::test_every_attempt_has_the_same_id_and_bytes",
            "tests/storage/transitions/test_lost_attempts.py"
            "::test_an_attempt_lost_in_a_crash_is_found_and_made_again_with_the_same_bytes",
            LIVES,
        ),
    ),
    Mutant(
        name="m5",
        bug="a delivery gets a new id when it is sent again",
        path="storage/tables/queue.py",
        edits=(
            (
                "    return id_of(delivery.epoch, webhook, delivery.own_number)\n",
                "    number = delivery.number + (delivery.attempts << 32)\n"
                "    return id_of(delivery.epoch, webhook, number)\n",
            ),
        ),
        caught_by=(
            "tests/actors/test_webhook.py::test_after_an_error_the_same_delivery_comes_first",
            "tests/daemon/test_bodies.py::test_every_attempt_has_the_same_id_and_bytes",
            LIVES,
        ),
    ),
    Mutant(
        name="m6",
        bug="the error count is lost at a start",
        path="storage/database/unit.py",
        edits=(
            (
                "            self._states[webhook] = state\n        return state\n",
                "            self._states[webhook] = state\n"
                "            if (self.identity.epoch, webhook) not in COUNTED:\n"
                "                state.consecutive_errors = 0\n"
                "            COUNTED.add((self.identity.epoch, webhook))\n"
                "        return state\n",
            ),
            (
                "\n\nclass Unit(Writes):\n",
                "\nCOUNTED: set[tuple[str, int]] = set()\n\n\nclass Unit(Writes):\n",
            ),
        ),
        caught_by=(f"{CRASH}::test_the_error_count_and_the_next_attempt_survive_a_crash",),
    ),
    Mutant(
        name="m7a",
        bug="the 10th error disables",
        path="storage/transitions/outcomes.py",
        edits=(
            (
                "consecutive_errors > ended.policy.errors_max",
                "consecutive_errors >= ended.policy.errors_max",
            ),
        ),
        caught_by=(
            f"{ATTEMPTING}::test_ten_errors_then_success_keep_the_webhook_and_reset_the_count",
            f"{COUNTER}::test_ten_errors_and_a_success_leave_it_enabled_with_a_count_of_zero",
            LIVES,
        ),
    ),
    Mutant(
        name="m7b",
        bug="only the 12th error disables",
        path="storage/transitions/outcomes.py",
        edits=(
            (
                "consecutive_errors > ended.policy.errors_max",
                "consecutive_errors > ended.policy.errors_max + 1",
            ),
        ),
        caught_by=(
            f"{ATTEMPTING}"
            "::test_the_eleventh_error_disables_and_writes_one_mail_in_the_same_commit",
            f"{COUNTER}"
            "::test_the_eleventh_error_disables_tells_the_owner_once_and_stops_all_attempts",
            LIVES,
        ),
    ),
    Mutant(
        name="m8",
        bug="a redirect resets the error count",
        path="storage/transitions/outcomes.py",
        edits=(
            (
                "        asked_ms = outcome.retry_after_ms",
                "        if 300 <= ended.result.status < 400:\n"
                "            state.consecutive_errors = 0\n"
                "        asked_ms = outcome.retry_after_ms",
            ),
        ),
        caught_by=(
            f"{COUNTER}::test_any_error_counts_and_a_success_between_them_resets_the_count",
            LIVES,
        ),
    ),
    Mutant(
        name="v1",
        bug="a time limit counts as well while the machine stood still",
        path="engine/delivery/outcomes.py",
        edits=(("    if stood_still and was_late", "    if False and was_late"),),
        caught_by=(
            "tests/actors/test_whose_fault.py"
            "::test_a_time_limit_that_passed_while_we_stood_still_does_not_count",
            "tests/daemon/machine/test_standing_still.py"
            "::test_after_a_blocked_loop_no_webhook_has_an_error",
            LIVES,
        ),
    ),
    Mutant(
        name="v2",
        bug="faults of this machine are forgiven without end",
        path="engine/delivery/outcomes.py",
        edits=(("own_faults >= OWN_FAULTS_MAX", "own_faults > OWN_FAULTS_MAX"),),
        caught_by=(
            "tests/actors/test_whose_fault.py"
            "::test_a_receiver_that_hangs_and_keeps_us_busy_each_time_is_disabled",
            "tests/storage/transitions/outcomes/test_own_faults.py"
            "::test_they_wait_by_the_steps_and_the_fourth_in_a_row_counts",
        ),
    ),
    Mutant(
        name="v3",
        bug="a host without a route is always this machine's fault",
        path="engine/delivery/routes.py",
        edits=((">= 2", ">= 1"), ("        return False\n", "        pass\n")),
        caught_by=(
            "tests/actors/test_whose_fault.py"
            "::test_a_host_without_a_route_while_others_are_reached_is_disabled_and_mailed",
        ),
    ),
    Mutant(
        name="v4",
        bug="enabling queues again what makes its receiver fail",
        path="storage/transitions/switching.py",
        edits=(("kinds.ALL if fails_too else kinds.BY_ENABLING", "kinds.ALL"),),
        caught_by=(
            f"{PEOPLE}::test_enabling_leaves_it_where_it_is_and_returns_the_others",
            LIVES,
        ),
    ),
    Mutant(
        name="v5",
        bug="the question is asked again and again",
        path="storage/tables/failing.py",
        edits=(("    head.compared = True\n", ""),),
        caught_by=(
            f"{FAILING}::test_a_receiver_that_takes_neither_is_broken_and_is_asked_once",
            LIVES,
        ),
    ),
    Mutant(
        name="v6",
        bug="the head is given up, although its receiver did not take the next one",
        path="storage/tables/failing.py",
        edits=(("    if delivered:\n", "    if True:\n"),),
        caught_by=(
            f"{FAILING}::test_a_receiver_that_takes_neither_is_broken_and_is_asked_once",
            LIVES,
        ),
    ),
    Mutant(
        name="m14",
        bug="the webhook actor swallows every error",
        path="actors/webhook.py",
        edits=(
            ("        except (Conflict, NotFound) as exc:\n", "        except Exception as exc:\n"),
        ),
        caught_by=(
            "tests/actors/test_webhook.py"
            "::test_a_damaged_delivery_ends_in_quarantine_and_frees_its_slot",
            LIVES,
        ),
    ),
    Mutant(
        name="m19",
        bug="a type of the feed is spelt another way",
        path="storage/daemon_facts.py",
        edits=(("{'_'.join(verb)}", "{'-'.join(verb)}"),),
        caught_by=(
            "tests/storage/test_facts.py"
            "::test_every_event_type_has_the_name_and_the_fields_of_the_contract",
        ),
    ),
    Mutant(
        name="m20",
        bug="no delivery may become a dead letter",
        path="engine/delivery/states.py",
        edits=(("        (DeliveryState.IN_FLIGHT, DeliveryState.DEAD_LETTER),\n", ""),),
        caught_by=(
            f"{ATTEMPTING}::test_the_third_rejection_makes_a_dead_letter_and_the_next_delivery_gets_its_turn",
        ),
    ),
    Mutant(
        name="m75a",
        bug="discarding everything takes what is being sent, too",
        path="storage/tables/moving.py",
        edits=(("    if state.flight is None:\n        return None\n", "    return None\n"),),
        caught_by=(
            f"{MOVING}::test_what_is_being_sent_stays_and_keeps_its_place_and_may_become_a_dead_letter",
        ),
    ),
    Mutant(
        name="m75b",
        bug="what became a dead letter again while others are queued again is queued again as well",
        path="storage/tables/moving.py",
        edits=(("            kinds.pass_by(moving, kind, number)\n", "            pass\n"),),
        caught_by=(f"{MOVING}::test_one_that_becomes_a_dead_letter_again_stays_one",),
    ),
    Mutant(
        name="m75c",
        bug="a rejection told after a retry of all is undone by it",
        path="storage/tables/moving.py",
        edits=(("kinds.FAILING else flight.delivery", "kinds.FAILING else 0"),),
        caught_by=(
            f"{MOVING}::test_one_whose_third_rejection_comes_after_a_retry_of_all_is_not_among_them",
        ),
    ),
    Mutant(
        name="m75d",
        bug="the sender reads the queue's rows though they are being moved",
        path="storage/tables/queue.py",
        edits=(("    if state.moving is None and not after:\n", "    if not after:\n"),),
        caught_by=(
            f"{MOVING}::test_what_was_held_is_discarded_for_everybody_before_a_row_was_moved",
            f"{MOVING}"
            "::test_dead_letters_are_sent_in_their_old_places_before_and_after_they_are_moved",
            LIVES,
        ),
    ),
    Mutant(
        name="m75e",
        bug="rejections from before a new URL count",
        path="storage/tables/moving.py",
        edits=(("    return 0 if is_past or is_back", "    return 0 if is_back"),),
        caught_by=(
            f"{SWITCHING}"
            "::test_a_queued_delivery_s_rejections_are_forgotten_as_those_of_dead_letters",
            LIVES,
        ),
    ),
    Mutant(
        name="m75f",
        bug="what a command has discarded is counted again when its chat is deleted",
        path="storage/tables/erasures.py",
        edits=(
            (
                "    if seen is DeliveryState.DISCARDED:"
                "  # by a command that has counted and told it\n"
                "        return size\n"
                "    states.move(DELIVERY_MOVES, seen, DeliveryState.DISCARDED)\n",
                "",
            ),
        ),
        caught_by=(
            "tests/storage/transitions/timed/test_moving_on.py"
            "::test_a_chat_deleted_meanwhile_is_counted_once",
        ),
    ),
)

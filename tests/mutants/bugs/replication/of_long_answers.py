"""Bugs of long answers, of nodes that end while they wait, and of what is kept for who is gone."""

from hookbundle.tests.mutants.mutant import Mutant

HELD = "tests/server/cluster/long_answers/test_held.py"
PASSED_ON = "tests/server/cluster/long_answers/test_passed_on.py"
QUIET = "tests/server/cluster/partitions/test_quiet.py"

HOLDING = "server/cluster/long_answers/held.py"
FETCHING = "server/cluster/long_answers/fetching.py"
STOPPING = "tests/server/cluster/test_stopping.py"
FAILING = "tests/server/cluster/partitions/test_failing.py"
COMPACTING = "tests/server/cluster/commanding/test_compacting.py"
ENVELOPES = "tests/engine/replication/test_envelopes.py"
CONNECTION = "tests/actors/replication/nats/test_connection.py"

LONG_ANSWERS = (
    Mutant(
        name="fg1",
        bug="a handler does not wait until what it has written was taken",
        path=HOLDING,
        edits=(("        await self._is_taken.wait()\n", ""),),
        caught_by=(f"{HELD}::test_what_was_not_asked_for_is_not_made",),
    ),
    Mutant(
        name="fg2",
        bug="a part whose answer was lost is passed over",
        path=HOLDING,
        edits=(
            (
                "            elif number != str(held.number):  # else its answer was lost\n"
                "                return GONE\n",
                "            else:\n                held.last = await self._next(name, held)\n",
            ),
        ),
        caught_by=(f"{HELD}::test_a_part_whose_answer_was_lost_is_given_again_and_no_other_one",),
    ),
    Mutant(
        name="fg3",
        bug="an answer over which the handler has failed looks like a whole one",
        path=HOLDING,
        edits=(
            (
                "            self._held.pop(name, None)\n            return BROKEN\n",
                "            self._held.pop(name, None)\n"
                "            return Answered(200, (), part)\n",
            ),
        ),
        caught_by=(f"{HELD}::test_an_answer_that_fails_later_has_no_end",),
    ),
    Mutant(
        name="fg4",
        bug="an answer goes on at its owner when its client has left",
        path=FETCHING,
        edits=(("        await rest.drop()\n", "        pass\n"),),
        caught_by=(f"{PASSED_ON}::test_a_client_that_leaves_ends_it_at_the_owner",),
    ),
    Mutant(
        name="fg5",
        bug="an answer ends well when the owner is lost in the midst of it",
        path=FETCHING,
        edits=(
            (
                "                if pause_s is None:\n                    break\n",
                "                if pause_s is None:\n"
                '                    return Answered(200, (), b"")\n',
            ),
        ),
        caught_by=(f"{PASSED_ON}::test_a_client_is_cut_off_if_the_owner_is_lost",),
    ),
    Mutant(
        name="fg6",
        bug="a partition whose owner is dead is looked at as seldom as a quiet one",
        path="server/cluster/partitions/views.py",
        edits=(
            (
                "(role is Role.FOLLOWING and not self._has_owner(host, live))",
                "False",
            ),
        ),
        caught_by=(f"{QUIET}::test_a_partition_without_a_live_owner_is_looked_at_each_time",),
    ),
    Mutant(
        name="fg7",
        bug="partitions stay assigned as they were when a node comes or goes",
        path="server/cluster/partitions/views.py",
        edits=(("        if self._view != view or not", "        if not"),),
        caught_by=(f"{QUIET}::test_partitions_are_assigned_anew_when_who_lives_has_changed",),
    ),
    Mutant(
        name="fg8",
        bug="rows that were deleted stay in a copy",
        path="storage/database/replication/position.py",
        edits=(
            (
                "            for key in deleted:\n                txn.delete(key)\n",
                "",
            ),
        ),
        caught_by=(
            "tests/storage/database/replication/test_position.py"
            "::test_rows_of_another_and_the_position_after_them_are_stored_together",
        ),
    ),
)

ENDING = (
    Mutant(
        name="cz1",
        bug="a node that is to end waits until its log servers are there again",
        path="server/cluster/partitions/hosting.py",
        edits=(("        self._log.give_up()\n", ""),),
        caught_by=(
            f"{STOPPING}::test_a_node_whose_log_servers_are_gone_ends_and_its_copies_are_whole",
        ),
    ),
    Mutant(
        name="cz2",
        bug="a copy is not gone on with if its node ended while it read the log",
        path="actors/replication/held_copy.py",
        edits=(("        if isinstance(why, GivenUp):\n", "        if False:\n"),),
        caught_by=(
            f"{STOPPING}::test_a_copy_whose_node_ended_while_it_read_the_log_is_gone_on_with",
        ),
    ),
    Mutant(
        name="cz3",
        bug="a node that is to end waits until its copy is written anew",
        path="actors/replication/role.py",
        edits=(
            (
                "aside(partial(rewrite_copy, path, self._host.go_on))",
                "aside(partial(rewrite_copy, path, lambda: None))",
            ),
        ),
        caught_by=(
            f"{STOPPING}::test_a_node_does_not_end_before_it_has_stopped_to_write_a_copy_anew",
        ),
    ),
    Mutant(
        name="cz4",
        bug="a role that can't say what became of its claim stays so for ever",
        path="actors/replication/role.py",
        edits=(("            if self.state.role in BETWEEN:\n", "            if False:\n"),),
        caught_by=(f"{FAILING}::test_a_node_ends_if_it_can_not_say_what_became_of_its_claim",),
    ),
    Mutant(
        name="cz5",
        bug="a copy that was written anew for an earlier compaction is done for this one",
        path="server/cluster/commanding/rewriting.py",
        edits=(("if work is None or of != asked.began_ms:", "if work is None:"),),
        caught_by=(
            f"{COMPACTING}::"
            "test_a_copy_that_was_written_anew_for_an_earlier_command_is_written_anew",
        ),
    ),
    Mutant(
        name="cz6",
        bug="a log that was being renewed before the command is taken for the one asked for",
        path="actors/replication/maintenance.py",
        edits=(
            (
                "return self.state.making or self._follower.log.generation",
                "return self._follower.log.generation",
            ),
        ),
        caught_by=(
            f"{COMPACTING}::test_a_log_that_was_being_made_anew_already_is_made_anew_once_more",
        ),
    ),
    Mutant(
        name="cz7",
        bug="a part that is asked for again while it is made is the part before",
        path="server/cluster/long_answers/held.py",
        edits=(
            (
                "                held.last = await self._next(name, held)\n"
                "                held.number += 1\n",
                "                held.number += 1\n"
                "                held.last = await self._next(name, held)\n",
            ),
            ("        async with held.turn:\n", "        if True:\n"),
        ),
        caught_by=(f"{HELD}::test_a_part_that_is_asked_for_again_while_it_is_made_is_that_part",),
    ),
    Mutant(
        name="cz8",
        bug="a long answer of which nobody asks for more is kept for ever",
        path="server/cluster/long_answers/held.py",
        edits=(("        task.add_done_callback(lambda _: self._forget(name))\n", ""),),
        caught_by=(f"{HELD}::test_an_answer_whose_reader_is_gone_is_forgotten",),
    ),
    Mutant(
        name="cz9",
        bug="the numbers of lives that are over are kept for ever",
        path="engine/replication/envelopes.py",
        edits=(("        if len(self._of) >= SENDERS_MAX:\n", "        if False:\n"),),
        caught_by=(
            f"{ENVELOPES}::test_lives_of_nodes_come_and_go_and_what_is_over_says_nothing_new",
        ),
    ),
    Mutant(
        name="cz10",
        bug="a client that could not be made for an unknown reason is not tried again",
        path="actors/replication/nats/connection.py",
        edits=(
            (
                "            except Exception as exc:  # who ends this ends",
                "            except ZeroDivisionError as exc:  # who ends this ends",
            ),
        ),
        caught_by=(
            f"{CONNECTION}::test_a_client_that_can_not_be_made_for_whatever_reason_is_tried_again",
        ),
    ),
    Mutant(
        name="cz11",
        bug="a test request shares numbers of webhooks with other partitions",
        path="server/http/resources/webhooks/testing.py",
        edits=(
            (
                "            webhook=first + webhook.number,\n",
                "            webhook=webhook.number,\n",
            ),
        ),
        caught_by=(
            "tests/server/cluster/test_sharing.py::"
            "test_a_test_request_has_the_access_token_of_its_own_webhook",
        ),
    ),
    Mutant(
        name="cz12",
        bug="rows that could not be written are taken for written",
        path="actors/replication/follower.py",
        edits=(
            (
                "which would be left without these rows.\n            self.start_again()\n",
                "which would be left without these rows.\n",
            ),
        ),
        caught_by=(
            "tests/actors/replication/test_following.py::"
            "test_what_could_not_be_written_for_whatever_reason_is_read_once_more",
        ),
    ),
    Mutant(
        name="cz13",
        bug="a token of which its owner can't say anything is refused",
        path="server/cluster/tokens.py",
        edits=(("    if answered.status == 404:\n", "    if answered.status != 200:\n"),),
        caught_by=(
            "tests/server/cluster/hostile/test_tokens.py::"
            "test_a_token_of_which_its_owner_can_not_say_anything_is_not_refused",
        ),
    ),
    Mutant(
        name="cz14",
        bug="a source of which its owner can't say anything is said to be gone",
        path="server/cluster/callers/sources.py",
        edits=(
            (
                "            if answered.status == 404:\n",
                "            if answered.status != 200:\n",
            ),
        ),
        caught_by=(
            "tests/server/cluster/hostile/test_sources.py::"
            "test_a_source_of_which_its_owner_can_not_say_anything_is_not_said_to_be_gone",
        ),
    ),
    Mutant(
        name="cz15",
        bug="a long answer is cut off when the connection is lost for a moment",
        path="server/cluster/long_answers/fetching.py",
        edits=(("(AnswerLost, NotAsked):\n", "AnswerLost:\n"),),
        caught_by=(
            "tests/server/cluster/long_answers/test_passed_on.py::"
            "test_a_connection_that_is_lost_for_a_moment_cuts_nobody_off",
        ),
    ),
    Mutant(
        name="cz16",
        bug="a partition that came back between two looks is on its way for ever",
        path="server/cluster/assigning.py",
        edits=(
            (
                "self._yielding &= set(owned.items())\n",
                "self._yielding = {each for each in self._yielding if each[0] in owned}\n",
            ),
        ),
        caught_by=(
            "tests/server/cluster/commanding/test_giving.py::"
            "test_a_partition_that_came_back_between_two_looks_can_be_given_away",
        ),
    ),
)

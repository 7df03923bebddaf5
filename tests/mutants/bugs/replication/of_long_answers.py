"""Bugs of long answers between nodes, and of what nodes leave out to save work."""

from hookbundle.tests.mutants.mutant import Mutant

HELD = "tests/server/cluster/long_answers/test_held.py"
PASSED_ON = "tests/server/cluster/long_answers/test_passed_on.py"
QUIET = "tests/server/cluster/partitions/test_quiet.py"

HOLDING = "server/cluster/long_answers/held.py"
FETCHING = "server/cluster/long_answers/fetching.py"

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
                "        elif number != str(held.number):  # else its answer was lost\n"
                "            return GONE\n",
                "        else:\n            held.last = await self._next(name, held)\n",
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
                "            except NotAsked:\n                break\n",
                '            except NotAsked:\n                return Answered(200, (), b"")\n',
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

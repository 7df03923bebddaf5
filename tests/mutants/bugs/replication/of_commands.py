"""Bugs of commands on a cluster: who keeps what was moved, and what a compaction leaves behind."""

from hookbundle.tests.mutants.mutant import Mutant

GIVING = "tests/server/cluster/commanding/test_giving.py"
COMPACTING = "tests/server/cluster/commanding/test_compacting.py"
AWAY = "tests/server/cluster/commanding/test_away.py"
FORGETTING = "tests/server/cluster/commanding/test_forgetting.py"
ASSIGNMENT = "tests/engine/replication/test_assignment.py"
MEMBERSHIP = "tests/actors/replication/nats/test_membership.py"

CLUSTER_COMMANDS = (
    Mutant(
        name="cc1",
        bug="a partition that was moved goes back at once",
        path="server/cluster/partitions/views.py",
        edits=(("live[name].given for name in names", "{} for name in names"),),
        caught_by=(f"{GIVING}::test_a_partition_is_moved_and_stays_and_no_other_one_moves",),
    ),
    Mutant(
        name="cc2",
        bug="what was not moved in time is moved later",
        path="server/cluster/commanding/giving.py",
        edits=(("TakeIn(number, undo=True)", "TakeIn(number, epoch)"),),
        caught_by=(f"{GIVING}::test_what_is_not_moved_in_time_is_not_moved_later",),
    ),
    Mutant(
        name="cc3",
        bug="a partition is given to a node without a copy of it",
        path="server/cluster/commanding/giving.py",
        edits=(("if owner is None or not (owner == to or is_fresh):", "if owner is None:"),),
        caught_by=(f"{GIVING}::test_what_can_not_be_moved_is_refused_and_stays",),
    ),
    Mutant(
        name="cc4",
        bug="room on the disk ends a drain",
        path="server/cluster/assigning.py",
        edits=(
            (
                "        await self._neighbours.leave(leaves=self._keeps_none or "
                "self._is_full)\n        return True",
                "        await self._neighbours.leave(leaves=self._is_full)\n        return True",
            ),
        ),
        caught_by=(f"{GIVING}::test_room_on_the_disk_does_not_end_a_drain",),
    ),
    Mutant(
        name="cc5",
        bug="of two that were given a partition the earlier one counts",
        path="engine/replication/assignment.py",
        edits=(("return max(found)[1]", "return min(found)[1]"),),
        caught_by=(f"{ASSIGNMENT}::test_of_two_that_were_given_a_partition_the_later_one_counts",),
    ),
    Mutant(
        name="cc6",
        bug="the copy of the owner is not written anew",
        path="server/cluster/commanding/compacting.py",
        edits=(
            ("if name != owner), left[0] if left else None)", "if name != owner), None)"),
            ("*self._held(number)} - done\n", "*self._held(number)} - done - {owner}\n"),
        ),
        caught_by=(f"{COMPACTING}::test_no_deleted_byte_is_left_in_any_log_or_copy",),
    ),
    Mutant(
        name="cc7",
        bug="a compaction is over while former logs are there",
        path="server/cluster/commanding/rewriting.py",
        edits=(("maintenance.state.left == 0", "True"),),
        caught_by=(
            f"{COMPACTING}::test_a_log_that_goes_on_in_a_new_generation_is_not_tidy_before_it_was_looked_at",
        ),
    ),
    Mutant(
        name="cc8",
        bug="a node that lives is forgotten",
        path="server/cluster/commanding/commands.py",
        edits=(("if wanted.node in self._neighbours.live():", "if False:"),),
        caught_by=(f"{FORGETTING}::test_a_node_that_was_stopped_is_forgotten_once",),
    ),
    Mutant(
        name="cc9",
        bug="a name that is a pattern forgets all nodes",
        path="actors/replication/nats/membership.py",
        edits=(("not NODE.fullmatch(node) or ", ""),),
        caught_by=(
            f"{MEMBERSHIP}::test_a_node_is_forgotten_alone_and_known_again_when_it_comes_back",
        ),
    ),
    Mutant(
        name="ce1",
        bug="a compaction does not name the nodes that do not run",
        path="server/cluster/commanding/compacting.py",
        edits=(('            self._leaves_out("it does not run")\n', ""),),
        caught_by=(f"{AWAY}::test_a_node_that_does_not_run_is_left_out_by_name",),
    ),
    Mutant(
        name="ce2",
        bug="a node that was away for its turn has none when it is back",
        path="server/cluster/commanding/compacting.py",
        edits=(("        await self._catch_up(missed)\n", ""),),
        caught_by=(f"{AWAY}::test_a_node_that_was_away_for_its_turn_has_one_when_it_is_back",),
    ),
    Mutant(
        name="ce3",
        bug="only nodes that were there once can be left out of a compaction",
        path="server/cluster/commanding/compacting.py",
        edits=(("{*recorded, *asked, *self._held(number)} - done", "asked - done"),),
        caught_by=(f"{AWAY}::test_a_node_that_does_not_run_is_left_out_by_name",),
    ),
    Mutant(
        name="ce4",
        bug="a compaction takes an owner that is gone for one that holds something",
        path="server/cluster/commanding/compacting.py",
        edits=(("held = live[owner].held[number]", "held = self._held(number)[owner]"),),
        caught_by=(
            f"{AWAY}::test_an_owner_that_is_gone_from_one_moment_to_the_next_is_waited_for",
        ),
    ),
    Mutant(
        name="ce5",
        bug="a partition that is just on its way from one node to another can't be moved",
        path="server/cluster/commanding/giving.py",
        edits=(
            (
                "        await becomes(lambda: self._can_give(number, to) is not None, SOON_S)\n",
                "",
            ),
        ),
        caught_by=(
            "tests/server/cluster/commanding/test_giving.py::"
            "test_a_partition_that_is_just_on_its_way_is_moved_when_it_has_an_owner",
        ),
    ),
    Mutant(
        name="ce6",
        bug="a compaction asks once which nodes there are, and goes on without",
        path="server/cluster/commanding/compacting.py",
        edits=(
            (
                "while (found := await self._read()) is None:",
                "if not (found := await self._read()):",
            ),
            (
                "                    await asyncio.sleep(AGAIN_S)\n        except",
                "                    raise TimeoutError\n        except",
            ),
        ),
        caught_by=(f"{AWAY}::test_who_can_not_say_at_once_which_nodes_there_are_is_asked_again",),
    ),
)

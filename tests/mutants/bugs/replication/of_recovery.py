"""Bugs of logs that have lost something: copies that are kept, and logs that begin anew."""

from hookbundle.tests.mutants.mutant import Mutant

STOPPING = "tests/actors/replication/test_stopping.py"
ANEW = "tests/actors/replication/test_beginning_anew.py"
RECOVERING = "tests/server/cluster/commanding/test_recovering.py"
ROLE = "tests/actors/replication/test_role.py"

RECOVERY = (
    Mutant(
        name="rv1",
        bug="a copy that is ahead of its log is made anew from it",
        path="actors/replication/held_copy.py",
        edits=(("            if isinstance(why, LogDamaged):\n", "            if False:\n"),),
        caught_by=(
            f"{STOPPING}::test_a_node_that_is_started_keeps_what_its_log_has_lost_and_claims_nothing",
        ),
    ),
    Mutant(
        name="rv2",
        bug="a node with an older copy claims on a shortened log, while another one has more",
        path="server/cluster/assigning.py",
        edits=(("            and not stopped_at(live, number)\n", ""),),
        caught_by=(
            f"{RECOVERING}::test_an_owner_that_hears_of_a_copy_with_more_asks_its_log_and_goes_on",
        ),
    ),
    Mutant(
        name="rv3",
        bug="what was heard of those who are gone is forgotten, and claimed over",
        path="actors/replication/role_state.py",
        edits=(("if furthest is None or not is_further(furthest, mine):", "if True:"),),
        caught_by=(
            f"{STOPPING}::test_a_node_that_has_read_less_than_was_heard_of_claims_nothing_and_says_so",
        ),
    ),
    Mutant(
        name="rv4",
        bug="a log that was shortened and has grown again is taken for the same",
        path="actors/replication/follower.py",
        edits=(("        if at.mark:\n", "        if False:\n"),),
        caught_by=(
            f"{STOPPING}::test_a_node_that_is_started_keeps_what_its_log_has_lost_and_claims_nothing",
        ),
    ),
    Mutant(
        name="rv5",
        bug="an owner passes over entries of another one whose claim it has not seen",
        path="actors/replication/log.py",
        edits=(("            if self.chain.unclaimed > unclaimed:\n", "            if False:\n"),),
        caught_by=(
            f"{STOPPING}::test_an_owner_is_not_led_astray_by_what_another_has_written_since_the_log_was_shortened",
        ),
    ),
    Mutant(
        name="rv6",
        bug="a log that begins anew has the epoch of before, so that numbers are given twice",
        path="storage/maintenance/replication/anew.py",
        edits=(("epoch=secrets.token_hex(EPOCH_BYTES))", "epoch=env.identity.epoch)"),),
        caught_by=(f"{ANEW}::test_a_log_begins_anew_with_the_copy_of_one_node_under_a_new_epoch",),
    ),
    Mutant(
        name="rv7",
        bug="nodes begin with the new log before nobody can write to the old one",
        path="actors/replication/recovery.py",
        edits=(("    is_ours = await _is_claimed(follower, claim)\n", "    is_ours = False\n"),),
        caught_by=(
            f"{ANEW}::test_a_partition_whose_log_is_writable_is_claimed_before_it_begins_anew",
        ),
    ),
    Mutant(
        name="rv8",
        bug="the copy of before is deleted before a new one is whole",
        path="storage/database/replication/base.py",
        edits=(
            (
                "        files.clear_leftovers(self._path)\n        self._staging.mkdir",
                "        (self._path / DATA).unlink(missing_ok=True)\n"
                "        files.clear_leftovers(self._path)\n        self._staging.mkdir",
            ),
        ),
        caught_by=(
            f"{ROLE}::test_a_copy_that_cannot_be_used_is_made_anew_and_stays_until_that_is_whole",
        ),
    ),
    Mutant(
        name="rv9",
        bug="an older copy is taken without a word",
        path="server/cluster/commanding/recovering.py",
        edits=(("        if is_further(furthest, mine):\n", "        if False:\n"),),
        caught_by=(
            f"{RECOVERING}::test_a_copy_that_another_node_has_more_than_is_taken_only_by_force",
        ),
    ),
    Mutant(
        name="rv10",
        bug="callers of a partition that has stopped wait for an owner that will not come",
        path="server/cluster/routing.py",
        edits=(("            if self._others.is_stopped(number):\n", "            if False:\n"),),
        caught_by=(
            f"{RECOVERING}::test_lost_logs_stop_all_and_begin_anew_with_the_copies_of_a_node",
        ),
    ),
    Mutant(
        name="rv11",
        bug="partitions begin empty though nobody said so",
        path="server/cluster/commanding/recovering.py",
        edits=(("                if wanted.empty:\n", "                if True:\n"),),
        caught_by=(f"{RECOVERING}::test_what_nobody_has_begins_empty_only_if_that_is_said",),
    ),
    Mutant(
        name="crn2",
        bug="an owner that has nothing to write does not notice that its log is gone",
        path="actors/replication/role.py",
        edits=(("                await self._recognise()\n", ""),),
        caught_by=(
            "tests/actors/replication/test_stopping.py::"
            "test_an_owner_that_has_nothing_to_write_notices_what_its_log_has_lost",
        ),
    ),
)

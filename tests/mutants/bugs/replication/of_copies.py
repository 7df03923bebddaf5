"""Bugs of copies: who has one, how many there are, whose is good enough to go on with, and how they
are split off the database of a daemon alone."""

from hookbundle.tests.mutants.mutant import Mutant

COMMANDS = "tests/reliability/cluster/operating/test_commands.py"
COPIES = "tests/server/cluster/test_copies.py"
READING = "tests/actors/replication/nats/test_reading.py"
ROLES = "tests/engine/replication/test_roles.py"
SPLIT = "tests/storage/maintenance/splitting/test_splitting.py"
RULES = "tests/storage/maintenance/splitting/test_rules.py"
REFUSED = "tests/storage/maintenance/splitting/test_refusing.py"

COPIES_OF_NODES = (
    Mutant(
        name="clp1",
        bug="a node with a complete copy claims, however far behind it is",
        path="engine/replication/roles.py",
        edits=(
            (
                "    return [node for node, copy in whole.items() if _is_near(copy, best)]\n",
                "    return list(whole) if best else []\n",
            ),
        ),
        caught_by=(
            f"{COPIES}::test_a_partition_is_not_claimed_by_a_node_whose_copy_is_far_behind",
            f"{ROLES}::test_a_copy_that_is_far_behind_the_furthest_one_is_not_fresh",
        ),
    ),
    Mutant(
        name="clp2",
        bug="a copy that is not wanted any more stays",
        path="engine/replication/roles.py",
        edits=(
            (
                "    return all(each in copies and _is_near(copies[each], owner)",
                "    return not all(True",
            ),
        ),
        caught_by=(f"{COPIES}::test_each_partition_has_its_copies_whatever_nodes_come_and_go",),
    ),
    Mutant(
        name="clp3",
        bug="the partition with the tokens for all is followed by its holders alone",
        path="server/cluster/assigning.py",
        edits=(
            (
                "holds=self._node in assigned or number == OF_ALL or stays,",
                "holds=self._node in assigned or stays,",
            ),
        ),
        caught_by=(
            f"{COPIES}::test_a_token_for_all_is_known_to_a_node_without_copies_that_asks_nobody",
        ),
    ),
    Mutant(
        name="clp4",
        bug="a copy of an earlier generation is as fresh as its number is great",
        path="engine/replication/roles.py",
        edits=(("key=lambda copy: (copy.generation, copy.seq))", "key=lambda copy: copy.seq)"),),
        caught_by=(f"{ROLES}::test_a_copy_that_is_far_behind_the_furthest_one_is_not_fresh",),
    ),
    Mutant(
        name="clp5",
        bug="a node that still reads what it missed is given partitions",
        path="actors/replication/role_state.py",
        edits=(("and not self.follower.has_caught_up:", "and False:"),),
        caught_by=(
            f"{COPIES}::test_a_partition_is_not_given_to_a_node_that_still_reads_what_it_missed",
        ),
    ),
    Mutant(
        name="clp6",
        bug="a node that joins reads much of all its logs at once",
        path="actors/replication/nats/log.py",
        edits=(
            ("        if self.state.is_behind:\n", "        if False:\n"),
            ("min(LITTLE_BYTES, READ_BYTES)", "READ_BYTES"),
        ),
        caught_by=(f"{READING}::test_much_is_read_of_few_logs_at_a_time_and_a_little_of_any",),
    ),
    Mutant(
        name="clp7",
        bug="partition 0 is shown as none",
        path="commands/cluster/looking.py",
        edits=(
            (
                '["-" if each is None else each for each in found.values()]',
                '[each or "-" for each in found.values()]',
            ),
        ),
        caught_by=(f"{COMMANDS}::test_partitions_are_moved_and_drained_and_a_node_is_forgotten",),
    ),
    Mutant(
        name="clp8",
        bug="who got an answer has come to the end of the log",
        path="actors/replication/follower.py",
        edits=(("|= left == 0 and not has_ended", "|= left is not None"),),
        caught_by=(
            f"{COPIES}::test_a_partition_is_not_given_to_a_node_that_still_reads_what_it_missed",
        ),
    ),
    Mutant(
        name="crn1",
        bug="while the pages of a copy are looked through, no copy of its node is followed",
        path="actors/replication/held_copy.py",
        edits=(
            (
                "self._host.in_turn(self._host.open_copy)",
                "self._host.in_thread(self._host.open_copy)",
            ),
        ),
        caught_by=(
            "tests/server/cluster/test_damaged.py::"
            "test_while_the_pages_of_a_copy_are_looked_through_the_others_are_followed",
        ),
    ),
)

SPLITTING = (
    Mutant(
        name="sp1",
        bug="a partition begins to count anew, and gives numbers that its records have",
        path="storage/maintenance/splitting/parted.py",
        edits=(('"delivery_next", "mail_next", "feed_next"', '"mail_next", "feed_next"'),),
        caught_by=(
            f"{SPLIT}::test_counters_come_to_what_they_were_and_no_number_is_given_twice",
            f"{SPLIT}::test_a_partition_goes_on_with_old_ids_and_new_ones_of_its_own",
        ),
    ),
    Mutant(
        name="sp2",
        bug="all partitions have the identity of the source",
        path="storage/maintenance/splitting/splitting.py",
        edits=(("epoch=secrets.token_hex(5))", "epoch=source.epoch)"),),
        caught_by=(
            f"{SPLIT}::test_the_feed_is_parted_keeps_its_numbers_and_says_that_it_begins_anew",
        ),
    ),
    Mutant(
        name="sp3",
        bug="early changes have no rule",
        path="storage/database/keyspace.py",
        edits=(("    REPLAYS,\n    EARLY_CHANGES,\n)", "    REPLAYS,\n)"),),
        caught_by=(f"{RULES}::test_each_kind_of_key_has_one_rule",),
    ),
    Mutant(
        name="sp4",
        bug="a daemon may start on the source while it is split",
        path="storage/maintenance/splitting/splitting.py",
        edits=(
            ("            stack.enter_context(files.locked_to_read(path))\n", "            pass\n"),
        ),
        caught_by=(
            f"{REFUSED}::test_no_daemon_starts_while_the_source_is_read",
            f"{REFUSED}::test_a_database_in_use_is_refused",
        ),
    ),
    Mutant(
        name="sp5",
        bug="totals are counted for each partition, and too many in all",
        path="storage/maintenance/splitting/parted.py",
        edits=(("sealed=source.totals.sealed - others.sealed,", "sealed=source.totals.sealed,"),),
        caught_by=(f"{SPLIT}::test_counters_come_to_what_they_were_and_no_number_is_given_twice",),
    ),
)

"""Bugs of the split of a daemon's database into the partitions of a cluster."""

from hookbundle.tests.mutants.mutant import Mutant

SPLIT = "tests/storage/maintenance/splitting/test_splitting.py"
RULES = "tests/storage/maintenance/splitting/test_rules.py"
REFUSED = "tests/storage/maintenance/splitting/test_refusing.py"

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

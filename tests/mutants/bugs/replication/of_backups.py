"""Bugs of a cluster's backup, of a cluster made of one, and of what a node says to Prometheus."""

from hookbundle.tests.mutants.mutant import Mutant

BACKING_UP = "tests/server/cluster/backing_up/test_backing_up.py"
REFUSING = "tests/server/cluster/backing_up/test_refusing.py"
MANIFEST = "tests/storage/maintenance/replication/test_manifest.py"
MEASURING = "tests/server/cluster/measuring/test_measuring.py"
FROM_BACKUP = "tests/commands/cluster/test_init_from_backup.py"
CLOSING = "tests/storage/database/test_stoppable_copy.py"

BACKUPS = (
    Mutant(
        name="bk1",
        bug="a copy that is behind is backed up as it is",
        path="server/cluster/backing_up/taking.py",
        edits=(("if reached_by(follower.env) >= least:", "if True:"),),
        caught_by=(f"{BACKING_UP}::test_a_copy_that_is_behind_is_waited_for_or_the_log_is_read",),
    ),
    Mutant(
        name="bk2",
        bug="an owner says how far it has come without asking its log",
        path="server/cluster/backing_up/reaching.py",
        edits=(("    await owned.partition.store_queue.confirmed()\n", ""),),
        caught_by=(f"{REFUSING}::test_log_servers_that_do_not_answer_are_waited_for_a_while",),
    ),
    Mutant(
        name="bk3",
        bug="a backup that failed leaves what it has written",
        path="server/cluster/backing_up/backing_up.py",
        edits=(("            await asyncio.to_thread(_clear, into)\n", ""),),
        caught_by=(f"{REFUSING}::test_a_backup_that_fails_leaves_nothing_and_the_next_one_works",),
    ),
    Mutant(
        name="bk4",
        bug="a copy that is to be closed waits until it was read",
        path="storage/database/environment.py",
        edits=(
            (
                "        if self._is_closing:\n            raise Overloaded.of(Code.STOPPING)\n\n"
                "    def _is_for_want",
                "\n    def _is_for_want",
            ),
        ),
        caught_by=(f"{CLOSING}::test_a_long_read_ends_when_the_database_is_closed",),
    ),
    Mutant(
        name="bk5",
        bug="the partitions of a backup need not be those that its list names",
        path="storage/maintenance/splitting/of_backups.py",
        edits=(("    manifest.check_whole(backup, found)\n", ""),),
        caught_by=(f"{MANIFEST}::test_partitions_that_are_gone_or_are_another_backups_are_named",),
    ),
    Mutant(
        name="bk6",
        bug="of twice as many partitions, two neighbours are made of one",
        path="storage/maintenance/splitting/of_backups.py",
        edits=(
            (
                "range(number, partitions, has)",
                "range(number * partitions // has, (number + 1) * partitions // has)",
            ),
        ),
        caught_by=(f"{BACKING_UP}::test_as_many_partitions_or_a_multiple_can_be_made_of_it",),
    ),
    Mutant(
        name="bk7",
        bug="a cluster made of a backup begins with a generation that old copies may have followed",
        path="commands/cluster/making.py",
        edits=(
            ("first=FIRST if backup is None else _after(backup, record.created_ms)", "first=FIRST"),
        ),
        caught_by=(
            f"{FROM_BACKUP}::"
            "test_its_logs_begin_with_a_generation_that_the_cluster_before_never_had",
        ),
    ),
    Mutant(
        name="bk8",
        bug="a node's counters are those of the databases that it owns now",
        path="server/cluster/measuring/counting.py",
        edits=(("return msgspec.structs.replace(now, totals=dict(totals))", "return now"),),
        caught_by=(
            f"{MEASURING}::"
            "test_no_counter_goes_back_and_nothing_is_counted_twice_when_a_partition_moves",
        ),
    ),
    Mutant(
        name="bk9",
        bug="what was counted in a partition is forgotten when it moves away",
        path="server/cluster/partitions/hosting.py",
        edits=(("            self._shared.ended(owned)\n", ""),),
        caught_by=(
            f"{MEASURING}::"
            "test_no_counter_goes_back_and_nothing_is_counted_twice_when_a_partition_moves",
        ),
    ),
    Mutant(
        name="bk10",
        bug="the room on a node's disk is counted once for each partition",
        path="server/cluster/figures.py",
        edits=(('LEAST = {"free_bytes", "room_bytes"}', 'LEAST = {"free_bytes"}'),),
        caught_by=(f"{MEASURING}::test_the_disk_of_a_node_is_counted_once_whatever_it_owns",),
    ),
)

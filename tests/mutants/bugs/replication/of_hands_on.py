"""Bugs that were found by hand, with real nodes: what proxies hear, and copies out of backups."""

from hookbundle.tests.mutants.mutant import Mutant

READINESS = "tests/server/cluster/test_readiness.py"
COPIES = "tests/storage/database/replication/test_copies.py"
CLOCKS = "tests/server/cluster/partitions/test_clocks.py"
SETTINGS = "tests/commands/cluster/test_settings.py"

HANDS_ON = (
    Mutant(
        name="cy1",
        bug="a partition without an owner makes all nodes unready",
        path="server/cluster/serving.py",
        edits=(("if reason not in SAME_ELSEWHERE", "if reason"),),
        caught_by=(
            f"{READINESS}::test_a_partition_that_nobody_serves_keeps_no_node_from_being_ready",
            f"{READINESS}::test_partitions_whose_time_stands_still_keep_no_node_from_being_ready",
        ),
    ),
    Mutant(
        name="cy2",
        bug="a partition that is given away makes its node unready",
        path="server/cluster/serving.py",
        edits=((" if owned.state.ready else ()", ""),),
        caught_by=(f"{READINESS}::test_a_partition_that_is_on_its_way_keeps_its_node_ready",),
    ),
    Mutant(
        name="cy3",
        bug="nothing makes a node unready",
        path="server/cluster/serving.py",
        edits=(("if reason not in SAME_ELSEWHERE", "if reason in SAME_ELSEWHERE"),),
        caught_by=(f"{READINESS}::test_a_node_that_hears_nothing_or_stops_is_not_ready",),
    ),
    Mutant(
        name="cy4",
        bug="a copy out of a backup that was made while it was open is gone on with",
        path="storage/database/replication/copy_state.py",
        edits=((" and state.inode in (0, inode)", ""),),
        caught_by=(
            f"{COPIES}::test_a_copy_that_came_from_a_backup_of_its_file_while_it_was_open_"
            "is_not_gone_on_with",
        ),
    ),
    Mutant(
        name="cy6",
        bug="a partition that was ahead stays so, and its timers stand at each owner",
        path="server/cluster/partitions/owned.py",
        edits=(("> APART_MS and self.is_synchronised()", "> APART_MS and False"),),
        caught_by=(
            f"{CLOCKS}::test_an_owner_with_a_time_server_goes_back_from_a_time_that_was_far_ahead",
        ),
    ),
    Mutant(
        name="cy7",
        bug="the time of a partition goes back by what clocks of nodes always differ",
        path="server/cluster/partitions/owned.py",
        edits=(("return stored_ms - self.wall_ms() > APART_MS and ", "return "),),
        caught_by=(f"{CLOCKS}::test_nobody_goes_back_for_as_much_as_nodes_differ",),
    ),
    Mutant(
        name="cy8",
        bug="a partition that changes hands is told as something that stands still",
        path="server/daemon/watch.py",
        edits=(("if self.is_started() and status.is_ready", "if status.is_ready"),),
        caught_by=(
            f"{READINESS}::test_the_log_says_in_which_partition_something_stands_and_nothing_of_"
            "one_on_its_way",
        ),
    ),
    Mutant(
        name="cy5",
        bug="a node may be called as a flag is",
        path="engine/replication/names.py",
        edits=(("(?!-)", ""),),
        caught_by=(f"{SETTINGS}::test_a_node_s_name_can_be_part_of_a_subject_and_a_command",),
    ),
)

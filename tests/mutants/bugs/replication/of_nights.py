"""Bugs that an operator meets at night: servers, keys and clocks that are not as they should be."""

from hookbundle.tests.mutants.mutant import Mutant

CREDENTIALS = "tests/actors/replication/nats/test_credentials.py"
DOCTOR = "tests/commands/doctor/test_cluster.py"
ELSEWHERE = "tests/actors/replication/nats/test_elsewhere.py"
INIT = "tests/commands/cluster/test_init.py"
MEMBERS = "tests/engine/replication/test_members.py"
MEMBERSHIP = "tests/actors/replication/nats/test_membership.py"
OVERVIEW = "tests/server/cluster/overview/test_overview.py"
NEEDS = "server/cluster/overview/needs.py"
READINESS = "tests/server/cluster/measuring/test_readiness.py"
COPIES = "tests/storage/database/replication/test_copies.py"
CLOCKS = "tests/server/cluster/partitions/test_clocks.py"
SETTINGS = "tests/commands/cluster/test_settings.py"

AT_NIGHT = (
    Mutant(
        name="cw1",
        bug="a log server with a bad certificate stops a node that tries it first",
        path="actors/replication/nats/client.py",
        edits=(("            self._io_reader = self._io_writer = None\n", ""),),
        caught_by=(
            f"{CREDENTIALS}::test_a_server_whose_certificate_is_bad_keeps_nobody_from_the_others",
        ),
    ),
    Mutant(
        name="cw2",
        bug="who is refused to make a cluster is left with a key of no cluster",
        path="commands/cluster/making.py",
        edits=(
            (
                "            asyncio.run(may_be_made(servers, names, insecure=insecure))\n",
                "            pass\n",
            ),
        ),
        caught_by=(
            f"{INIT}::test_who_types_init_at_a_second_node_is_told_how_nodes_join_and_gets_no_key",
        ),
    ),
    Mutant(
        name="cw3",
        bug="a log server that is behind the others counts as one of them",
        path="actors/replication/nats/records.py",
        edits=(("each.offline or not each.current", "each.offline"),),
        caught_by=(f"{MEMBERSHIP}::test_a_log_server_that_the_others_miss_is_known_by_its_name",),
    ),
    Mutant(
        name="cw4",
        bug="the clock of a node that was lost is said to be wrong",
        path="engine/replication/members.py",
        edits=(("replace(each.beat, wall_ms=wall_ms + each.ahead_ms)", "each.beat"),),
        caught_by=(f"{MEMBERS}::test_the_clock_of_a_node_that_is_silent_since_goes_on",),
    ),
    Mutant(
        name="cw5",
        bug="one beat that came late makes a clock wrong",
        path="engine/replication/members.py",
        edits=(("return max(self.apart_ms)", "return self.apart_ms[-1]"),),
        caught_by=(f"{MEMBERS}::test_a_beat_that_came_late_says_nothing_of_a_clock",),
    ),
    Mutant(
        name="cw6",
        bug="nobody is told that a log server is gone",
        path=NEEDS,
        edits=(("    if cluster.log_servers_away:\n", "    if False:\n"),),
        caught_by=(
            f"{OVERVIEW}::test_a_log_server_that_the_others_miss_is_named_and_nothing_else_is",
        ),
    ),
    Mutant(
        name="cw10",
        bug="nobody is told that a log is on one server alone",
        path=NEEDS,
        edits=(("if cluster.log_replicas < REPLICAS:", "if cluster.log_replicas < 1:"),),
        caught_by=(f"{OVERVIEW}::test_logs_on_fewer_than_three_servers_are_named",),
    ),
    Mutant(
        name="cw7",
        bug="a node that hears nothing says that partitions have no owner",
        path=NEEDS,
        edits=(("if unowned and cluster.hears:", "if unowned:"),),
        caught_by=(
            f"{OVERVIEW}::test_who_hears_nothing_does_not_say_of_others_what_it_can_not_know",
        ),
    ),
    Mutant(
        name="cw8",
        bug="a node stays at a log server that is cut off from the others",
        path="actors/replication/nats/elsewhere.py",
        edits=(("                await self._connection.leave()\n", ""),),
        caught_by=(
            f"{ELSEWHERE}::test_a_server_that_is_cut_off_is_left_for_one_that_knows_the_cluster",
        ),
    ),
    Mutant(
        name="cw9",
        bug="doctor asks a log server that is cut off what the cluster's record is",
        path="commands/doctor/cluster.py",
        edits=(("urls=able or reached", "urls=reached[:1]"),),
        caught_by=(
            f"{DOCTOR}::test_a_server_that_is_cut_off_from_the_others_is_named_and_nothing_is_said_"
            "of_the_record",
        ),
    ),
)

HANDS_ON = (
    Mutant(
        name="cy1",
        bug="a partition without an owner keeps a proxy from all nodes",
        path="server/http/resources/status.py",
        edits=((" and each.reason not in left_out", ""),),
        caught_by=(
            f"{READINESS}::test_a_partition_that_nobody_serves_keeps_a_proxy_from_no_node",
            f"{READINESS}::test_partitions_whose_time_stands_still_keep_a_proxy_from_no_node",
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
        bug="nothing keeps a proxy from a node",
        path="server/http/resources/status.py",
        edits=(("each.reason not in left_out", "each.reason in left_out"),),
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

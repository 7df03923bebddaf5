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

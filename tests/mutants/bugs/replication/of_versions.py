"""Bugs of a cluster of two versions: what is written too early, or by whom, and who is not told."""

from hookbundle.tests.mutants.mutant import Mutant

ROLES = "tests/actors/replication/test_schemas.py"
CHAIN = "tests/engine/replication/test_chain.py"
COMMAND = "tests/server/cluster/commanding/test_upgrading.py"
MEMBERSHIP = "tests/actors/replication/nats/test_membership.py"
PROCESSES = "tests/reliability/cluster/operating/test_upgrading.py"
RECORDS = "tests/engine/replication/test_cluster.py"

OF_VERSIONS = (
    Mutant(
        name="vr1",
        bug="a node writes the latest schema that it knows, whatever the cluster writes",
        path="server/cluster/partitions/making.py",
        edits=(("Life(life, neighbours.schema, clock.now_ms)", "Life(life, 99, clock.now_ms)"),),
        caught_by=(
            f"{COMMAND}::test_nodes_of_two_versions_take_over_from_each_other_in_the_earlier_schema",
        ),
    ),
    Mutant(
        name="vr2",
        bug="the next owner goes back to the schema that it has heard of",
        path="actors/replication/role.py",
        edits=(("        life.schema = max(life.schema, self.state.schema())\n", ""),),
        caught_by=(
            f"{ROLES}::test_the_next_owner_goes_on_in_the_schema_of_the_log_though_it_has_not_heard"
            "_of_it",
        ),
    ),
    Mutant(
        name="vr3",
        bug="a node takes over rows that it can't read",
        path="actors/replication/role.py",
        edits=(("if not self.state.can_read(self._known):", "if False:"),),
        caught_by=(
            f"{ROLES}::test_a_node_that_knows_no_later_schema_takes_over_until_it_is_raised_and_not"
            "_after",
        ),
    ),
    Mutant(
        name="vr4",
        bug="what is written is raised though a node on record can't read it",
        path="actors/replication/nats/membership.py",
        edits=(("if possible is None or possible.behind:", "if possible is None:"),),
        caught_by=(
            f"{MEMBERSHIP}::test_what_is_written_is_raised_once_and_not_while_a_node_that_is"
            "_recorded_is_behind",
        ),
    ),
    Mutant(
        name="vr5",
        bug="a node hears of what is written by its next start alone",
        path="server/cluster/commanding/upgrading.py",
        edits=(("if heard > before:", "if False:"),),
        caught_by=(
            f"{COMMAND}::test_all_nodes_hear_of_it_and_each_partition_says_once_that_it_was_raised",
        ),
    ),
    Mutant(
        name="vr6",
        bug="a node that can't read what is written goes on",
        path="server/cluster/commanding/upgrading.py",
        edits=(("                self._failed(exc)\n", ""),),
        caught_by=(
            f"{COMMAND}::test_a_node_that_can_not_read_what_is_written_owns_nothing_and_ends",
        ),
    ),
    Mutant(
        name="vr7",
        bug="an entry of a later format is void",
        path="engine/replication/chain.py",
        edits=(("if entry.format > FORMAT:", "if False:"),),
        caught_by=(
            f"{CHAIN}::test_an_entry_of_a_later_format_is_not_void_and_nothing_is_read_from_there"
            "_on",
        ),
    ),
    Mutant(
        name="vr8",
        bug="what came with a schema is used before the schema is raised",
        path="tests/reliability/cluster/operating/later.py",
        edits=((">= {LATER}:", ">= 0:"),),
        caught_by=(
            f"{PROCESSES}::test_two_nodes_are_replaced_by_a_later_version_and_then_the_schema_is"
            "_raised",
        ),
    ),
    Mutant(
        name="vr9",
        bug="followers do not know that the schema of their copy was raised",
        path="storage/database/replication/position.py",
        edits=(
            (
                "            env.identity = codec.unpack(key, value, Identity)\n",
                "            pass\n",
            ),
        ),
        caught_by=(
            f"{ROLES}::test_an_owner_raises_its_partition_when_it_hears_of_it_and_followers_have_it"
            "_by_the_log",
        ),
    ),
    Mutant(
        name="vr10",
        bug="an upgrade drops what a later version has put into the cluster's record",
        path="engine/replication/cluster.py",
        edits=(("{**fields, ", "{"),),
        caught_by=(
            f"{RECORDS}::test_only_what_is_written_is_raised_in_a_record_of_which_more_is_known"
            "_elsewhere",
        ),
    ),
    Mutant(
        name="vr11",
        bug="a partition is not raised by the owner that hears of it",
        path="actors/replication/role.py",
        edits=(
            (
                "                    self._host.raise_schema(self._life.schema)\n",
                "                    pass\n",
            ),
        ),
        caught_by=(
            f"{ROLES}::test_an_owner_that_is_killed_before_it_could_raise_its_rows_leaves_that_to"
            "_the_next_one",
        ),
    ),
)

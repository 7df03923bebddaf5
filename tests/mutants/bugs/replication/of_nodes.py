"""Bugs of a node: where a request goes, what may be asked twice, who may be believed."""

from hookbundle.tests.mutants.mutant import Mutant

LANE = "tests/server/cluster/partitions/test_node_lane.py"
UNDECIDED = "test_a_request_that_the_log_does_not_decide_is_answered_and_holds_its_places"
PLAIN = "tests/server/cluster/partitions/test_plain_intake.py"
HANDING = "tests/server/cluster/test_handing_over.py"
LISTS = "tests/server/cluster/test_lists.py"
TOKENS = "tests/server/cluster/test_tokens.py"
ALONE = "tests/server/cluster/test_alone.py"

NODES = (
    Mutant(
        name="cn1",
        bug="whatever got no answer is asked again",
        path="server/cluster/routing.py",
        edits=(
            ("                if not may_be_repeated(asked):\n", "                if False:\n"),
        ),
        caught_by=(
            f"{HANDING}::test_an_answer_that_is_lost_is_a_504_where_it_may_not_be_asked_again",
        ),
    ),
    Mutant(
        name="cn2",
        bug="a node that hears nothing answers reads",
        path="server/cluster/assigning.py",
        edits=(
            ("        return is_stale or number in self._doubtful\n", "        return False\n"),
        ),
        caught_by=(
            f"{HANDING}::test_a_node_that_hears_nothing_is_replaced_and_does_no_harm_later",
        ),
    ),
    Mutant(
        name="cn3",
        bug="a partition that did not answer is left out of a sum",
        path="server/cluster/merging.py",
        edits=(("        if missing:\n", "        if False:\n"),),
        caught_by=(f"{LISTS}::test_a_partition_that_does_not_answer_is_named",),
    ),
    Mutant(
        name="cn4",
        bug="a list ends with its first partition",
        path="server/cluster/merging.py",
        edits=(
            (
                "                if cursor or len(found) >= limit:\n",
                "                if True:\n",
            ),
            (
                "_cursor(partition, cursor) if partition < self._partitions else None",
                "_cursor(partition, cursor) if cursor else None",
            ),
        ),
        caught_by=(f"{LISTS}::test_a_list_goes_through_all_partitions_page_by_page",),
    ),
    Mutant(
        name="cn5",
        bug="a token that this node does not know is nobody's",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(("                if token is not None:\n", "                if False:\n"),),
        caught_by=(f"{TOKENS}::test_a_token_is_good_on_every_node_until_it_is_revoked",),
    ),
    Mutant(
        name="cn6",
        bug="a change waits for a log that does not answer as long as that takes",
        path="server/cluster/partitions/under_way.py",
        edits=(("        if self._stalled_s() > STALLED_S:\n", "        if False:\n"),),
        caught_by=(
            f"{HANDING}::test_a_change_whose_log_does_not_answer_is_refused_and_reads_go_on",
        ),
    ),
    Mutant(
        name="cq4",
        bug="a key by which a request is known again is passed over in what is passed on",
        path="server/cluster/partitions/plain_intake.py",
        edits=(("        if lower not in NAMES or (", "        if ("),),
        caught_by=(f"{PLAIN}::test_the_shorter_way_answers_what_the_whole_one_answers",),
    ),
    Mutant(
        name="cq5",
        bug="a node that others may have replaced takes the messages that are passed on to it",
        path="server/cluster/partitions/plain_intake.py",
        edits=(("self._router.owned_at(", "self._router._owned.get("),),
        caught_by=(f"{PLAIN}::test_a_node_that_may_own_no_more_does_not_take_what_is_passed_on",),
    ),
    Mutant(
        name="cq6",
        bug="of what is published in one turn of the loop only the first is sent",
        path="actors/replication/nats/client.py",
        edits=(("        if rest and self._transport", "        if not rest and self._transport"),),
        caught_by=(
            "tests/actors/replication/nats/test_connection.py"
            "::test_what_is_published_in_one_turn_arrives_whole_and_in_its_order",
        ),
    ),
    Mutant(
        name="cq7",
        bug="a partition is given away before its changes were made",
        path="server/cluster/partitions/under_way.py",
        edits=(("        while self._waiting:\n", "        while False:\n"),),
        caught_by=(
            "tests/server/cluster/partitions/test_under_way.py"
            "::test_what_is_given_away_has_made_all_changes_before",
        ),
    ),
    Mutant(
        name="cq8",
        bug="who was told that nobody knows has its places in the Store's queue again",
        path="server/cluster/partitions/node_lane.py",
        edits=(("        if taken.waits.made.done():\n", "        if True:\n"),),
        caught_by=(f"{LANE}::{UNDECIDED}",),
    ),
    Mutant(
        name="cq9",
        bug="what another node has said of a token for one request lets in others",
        path="server/cluster/partitions/node_lane.py",
        edits=(("self._tokens.remembered(digest)", "self._tokens.find(digest)"),),
        caught_by=(f"{LANE}::test_what_another_node_has_said_of_a_token_is_not_for_the_lane",),
    ),
    Mutant(
        name="cq10",
        bug="the lane of a node takes messages for a partition that others may own",
        path="server/cluster/partitions/node_lane.py",
        edits=(("return router.owned_at(", "return router._owned.get("),),
        caught_by=(f"{LANE}::test_what_a_node_may_own_no_more_is_not_for_its_lane",),
    ),
    Mutant(
        name="cq11",
        bug="a request in the lane of a node waits for its log as long as that takes",
        path="server/cluster/partitions/node_lane.py",
        edits=(("        taken.under_way.begin(self.made, self._tell)\n", ""),),
        caught_by=(f"{LANE}::{UNDECIDED}",),
    ),
    Mutant(
        name="cn7",
        bug="a daemon alone begins with nothing in a node's directory",
        path="storage/database/opening.py",
        edits=(("                _check_no_partitions(path)\n", ""),),
        caught_by=(f"{ALONE}::test_a_daemon_alone_refuses_the_directory_of_a_node",),
    ),
    Mutant(
        name="cn8",
        bug="a node without room takes partitions again at once",
        path="server/cluster/assigning.py",
        edits=(("(ROOM_AGAIN if self._is_full else 1)", "1"),),
        caught_by=(f"{HANDING}::test_a_node_without_room_on_its_disk_gives_its_partitions_away",),
    ),
)

"""Bugs of what nodes send each other, and of who claims."""

from hookbundle.tests.mutants.mutant import Mutant

CLUSTER = "tests/server/cluster"

AT_REQUESTS = (
    Mutant(
        name="cv61",
        bug="parts of a request that found no room keep the room that they have",
        path="engine/replication/held_parts.py",
        edits=(
            (
                "            self._drop(key)\n            raise NoRoom\n",
                "            raise NoRoom\n",
            ),
        ),
        caught_by=(
            "tests/engine/replication/test_envelopes.py::test_a_request_that_finds_no_room_is_dropped_with_all_its_parts",
        ),
    ),
    Mutant(
        name="cv62",
        bug="a digit of one proven header may be made one of the next",
        path="engine/replication/envelopes.py",
        edits=(
            (
                'said = "\\n".join([*(headers.get(name, "") for name in PROVEN), reply_to]).en'
                "code()",
                'said = "".join([*(headers.get(name, "") for name in PROVEN), reply_to]).encode()',
            ),
        ),
        caught_by=(
            "tests/engine/replication/test_envelopes.py::test_digits_can_not_move_from_one_header_to_the_next",
        ),
    ),
    Mutant(
        name="cv63",
        bug="who a partition is assigned to does not claim it though its copy is fresh",
        path="engine/replication/assignment.py",
        edits=(
            (
                "    if not ready or assigned[0] in ready:",
                "    if not ready:",
            ),
        ),
        caught_by=(
            "tests/engine/replication/test_assignment.py::test_who_has_a_fresh_copy_claims_what_is_assigned_to_one_that_has_none",
        ),
    ),
    Mutant(
        name="cv65",
        bug="a page that goes on into the next partition asks that for a place in the one before",
        path="server/cluster/merging.py",
        edits=(
            (
                'request.rel_url.without_query_params("cursor").update_query',
                "request.rel_url.update_query",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/test_lists.py::test_a_list_goes_through_all_partitions_page_by_page",
        ),
    ),
    Mutant(
        name="cv66",
        bug="what a check finds does not say in which partition",
        path="server/cluster/merging.py",
        edits=(('{**each, "where": f"partition {number}: {each[\'where\']}"}', "each"),),
        caught_by=(f"{CLUSTER}/test_lists.py::test_what_a_check_finds_names_its_partition",),
    ),
)

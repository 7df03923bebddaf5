"""Bugs of readers of several partitions, of lists of all, and of what is passed on."""

from hookbundle.tests.mutants.mutant import Mutant

CLUSTER = "tests/server/cluster"

AT_READERS = (
    Mutant(
        name="cv15",
        bug="a webhook of a partition that does not answer is said not to exist",
        path="server/cluster/feed/source.py",
        edits=(
            (
                "unknown &= set(looked.webhooks if looked else ())",
                "unknown &= set(looked.webhooks if looked else unknown)",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_merged.py::test_who_does_not_answer_says_nothing_of_filters",
        ),
    ),
    Mutant(
        name="cv16",
        bug="a workspace of a partition that does not answer is said not to exist",
        path="server/cluster/feed/source.py",
        edits=(
            (
                "missing.update(looked.workspaces if looked else ())",
                "missing.update(looked.workspaces if looked else workspaces)",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_merged.py::test_who_does_not_answer_says_nothing_of_filters",
        ),
    ),
    Mutant(
        name="cv17",
        bug="who reads one partition on with a cursor of several hears all of it again",
        path="server/cluster/feed/source.py",
        edits=(
            (
                "if len(numbers) > 1 or numbers[0] in given:",
                "if len(numbers) > 1:",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_merged.py::test_a_cursor_of_several_partitions_is_good_for_fewer_and_for_more",
        ),
    ),
    Mutant(
        name="cv18",
        bug="of a partition of which a cursor says nothing the past is left out",
        path="server/cluster/feed/source.py",
        edits=(
            (
                "return {number: given.get(number, cursors.OLDEST) for number in numbers}",
                'return {number: given.get(number, "now") for number in numbers}',
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_merged.py::test_a_cursor_of_several_partitions_is_good_for_fewer_and_for_more",
        ),
    ),
    Mutant(
        name="cv19",
        bug="who does not answer is said again with each page",
        path="server/cluster/feed/reading.py",
        edits=(
            (
                "            self._told = silent\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_who_does_not_answer_is_said_once_with_a_cursor_before_what_follows",
        ),
    ),
    Mutant(
        name="cv20",
        bug="that all answer again comes with a cursor behind a page that was not sent yet",
        path="server/cluster/feed/reading.py",
        edits=(
            (
                "found.append(Unanswered(before, silent))",
                "found.append(Unanswered(self.cursor, silent))",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_who_does_not_answer_is_said_once_with_a_cursor_before_what_follows",
        ),
    ),
    Mutant(
        name="cv21",
        bug="a gap does not say in which partition it is",
        path="server/cluster/feed/reading.py",
        edits=(
            (
                "placed.append(replace(frame, cursor=cursor, partition=part.number))",
                "placed.append(replace(frame, cursor=cursor))",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_gaps_stand_where_events_are_missing_and_say_of_which_partition",
        ),
    ),
    Mutant(
        name="cv22",
        bug="a gap has a cursor behind the page in which it stands",
        path="server/cluster/feed/reading.py",
        edits=(
            (
                "cursor = self._cursor_with({part.number: frame.cursor})",
                "cursor = self.cursor",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_gaps_stand_where_events_are_missing_and_say_of_which_partition",
        ),
    ),
    Mutant(
        name="cv23",
        bug="the second gap of a page of another node stands before the event that it follows",
        path="server/cluster/feed/pages.py",
        edits=(
            (
                "for place, gap in reversed(self.gaps):",
                "for place, gap in self.gaps:",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_gaps_stand_where_events_are_missing_and_say_of_which_partition",
        ),
    ),
    Mutant(
        name="cv24",
        bug="a client may have its answer sent in parts, as only nodes may",
        path="server/cluster/asked.py",
        edits=(
            (
                '        "hb-in-parts",  # only nodes may say that\n',
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_passed_on.py::test_no_token_is_sent_to_another_node_nor_a_partition_of_the_caller_s",
        ),
    ),
    Mutant(
        name="cv25",
        bug="a packed body is unpacked at two nodes",
        path="server/cluster/asked.py",
        edits=(
            (
                '        "content-encoding",  # the body is sent on unpacked\n',
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_passed_on.py::test_what_was_packed_is_sent_on_unpacked",
        ),
    ),
    Mutant(
        name="cv26",
        bug="an owner holds the share of a body that it has answered",
        path="server/cluster/answering.py",
        edits=(
            (
                "        finally:\n            let_go(request)\n",
                "        finally:\n            pass\n",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_passed_on.py::test_a_body_that_was_answered_is_held_by_neither_node",
        ),
    ),
    Mutant(
        name="cv27",
        bug="a page over several partitions has more entries than were asked for",
        path="server/cluster/merging.py",
        edits=(
            (
                "page = _paged(asked, request, limit - len(found), cursor)",
                "page = _paged(asked, request, limit, cursor)",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/test_lists.py::test_a_list_goes_through_all_partitions_page_by_page",
        ),
    ),
    Mutant(
        name="cv28",
        bug="a cursor of odd characters is a fault of the node",
        path="server/cluster/merging.py",
        edits=(
            (
                "except (binascii.Error, ValueError):",
                "except binascii.Error:",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/test_lists.py::test_a_list_goes_through_all_partitions_page_by_page",
        ),
    ),
    Mutant(
        name="cv29",
        bug="a delivery that is gone was never there, as another partition says",
        path="server/cluster/merging.py",
        edits=(
            (
                "            if before is not None and before.status == 410:\n"
                "                answered = before\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/test_lists.py::test_a_delivery_is_found_by_its_id_alone_whoever_has_it",
        ),
    ),
    Mutant(
        name="cv30",
        bug="a body that is no object is a fault of the node",
        path="server/cluster/merging.py",
        edits=(
            (
                "found = document.get(name) if isinstance(document, dict) else None",
                "found = document.get(name)",
            ),
        ),
        caught_by=(f"{CLUSTER}/test_lists.py::test_a_workspace_is_made_where_its_id_belongs",),
    ),
    Mutant(
        name="cv31",
        bug="a body that is no JSON is a fault of the node",
        path="server/cluster/merging.py",
        edits=(
            (
                "except (msgspec.DecodeError, UnicodeDecodeError):",
                "except UnicodeDecodeError:",
            ),
        ),
        caught_by=(f"{CLUSTER}/test_lists.py::test_a_workspace_is_made_where_its_id_belongs",),
    ),
)

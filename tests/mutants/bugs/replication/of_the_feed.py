"""Bugs of the feed and of the console over the partitions of a cluster."""

from hookbundle.tests.mutants.mutant import Mutant

MERGED = "tests/server/cluster/feed/test_merged.py"
MOVING = "tests/server/cluster/feed/test_moving.py"
CURSORS = "tests/storage/reads/several/test_cursors.py"
SESSIONS = "tests/server/cluster/console/test_sessions.py"
PAGES = "tests/server/cluster/console/test_pages.py"
NODES = "tests/server/cluster/overview/test_needs.py"
TAIL = "tests/daemon/commands/test_tail_ends.py"

FEED = "server/cluster/feed"
CONSOLE = "server/cluster/console"

FEED_OF_ALL = (
    Mutant(
        name="fd1",
        bug="a page is asked for once more after it was sent",
        path=f"{FEED}/part.py",
        edits=(
            (
                "        self.wanted = msgspec.structs.replace(self.wanted, since=page.cursor)\n",
                "        self.wanted = msgspec.structs.replace(self.wanted)\n",
            ),
        ),
        caught_by=(
            f"{MERGED}::test_who_goes_on_at_a_cursor_misses_nothing_and_hears_nothing_twice",
        ),
    ),
    Mutant(
        name="fd2",
        bug="a partition that does not answer is left out in silence",
        path=f"{FEED}/reading.py",
        edits=(("            part.is_silent = True\n", "            pass\n"),),
        caught_by=(
            f"{MERGED}::test_a_partition_that_does_not_answer_is_named_and_its_events_come_later",
        ),
    ),
    Mutant(
        name="fd3",
        bug="a partition that did not answer is not asked any more",
        path=f"{FEED}/reading.py",
        edits=(
            (
                "                    is_on = page is not None and page.behind > 0\n",
                "                    if page is None:\n                        continue\n"
                "                    is_on = page.behind > 0\n",
            ),
        ),
        caught_by=(
            f"{MERGED}::test_a_partition_that_does_not_answer_is_named_and_its_events_come_later",
        ),
    ),
    Mutant(
        name="fd4",
        bug="the cursor of a page of one partition stands in a stream of several",
        path=f"{FEED}/reading.py",
        edits=(
            (
                "        if not self.is_merged:\n            return list",
                "        if True:\n            return list",
            ),
        ),
        caught_by=(f"{MERGED}::test_server_sent_events_have_an_id_where_a_page_ends",),
    ),
    Mutant(
        name="fd5",
        bug="a cursor of one partition begins the others at their oldest events",
        path=f"{FEED}/source.py",
        edits=(
            ('        if since.startswith("cur_") and len(numbers) > 1:\n', "        if False:\n"),
        ),
        caught_by=(f"{MERGED}::test_what_is_no_place_in_all_partitions_is_refused",),
    ),
    Mutant(
        name="fd6",
        bug="a workspace is looked for in every partition that is read",
        path=f"{FEED}/source.py",
        edits=(
            (
                "    return msgspec.structs.replace(wanted, since=since, workspaces=own)\n",
                "    return msgspec.structs.replace(wanted, since=since)\n",
            ),
        ),
        caught_by=(f"{MERGED}::test_workspaces_of_several_partitions_are_read_together",),
    ),
    Mutant(
        name="fd7",
        bug="a cursor may name partitions that the cluster does not have",
        path="storage/reads/several/cursors.py",
        edits=(("    if len(found) < len(places):\n", "    if False:\n"),),
        caught_by=(f"{CURSORS}::test_what_is_no_cursor_of_this_cluster_is_refused",),
    ),
    Mutant(
        name="fd8",
        bug="tail ends when one partition has come to its end",
        path="commands/feed/ends.py",
        edits=(
            (
                "return all(reached.get(epoch, -1) >= last",
                "return any(reached.get(epoch, -1) >= last",
            ),
        ),
        caught_by=(f"{TAIL}::test_the_end_of_a_cluster_is_reached_when_that_of_each_partition_is",),
    ),
    Mutant(
        name="fd9",
        bug="who signs out keeps the record of the session",
        path=f"{CONSOLE}/sessions.py",
        edits=(
            ("            await self._records.delete(_place_of(name))\n", "            pass\n"),
        ),
        caught_by=(f"{SESSIONS}::test_who_signs_out_at_one_node_is_signed_out_at_all",),
    ),
    Mutant(
        name="fd10",
        bug="a session outlives its token",
        path=f"{CONSOLE}/sessions.py",
        edits=(("        return found if is_same else None\n", "        return found\n"),),
        caught_by=(f"{SESSIONS}::test_a_revoked_token_ends_its_sessions_at_all_nodes",),
    ),
    Mutant(
        name="fd11",
        bug="a session's place alone opens it, whatever secret comes with it",
        path=f"{CONSOLE}/sessions.py",
        edits=(("return (record, written) if is_its else None", "return record, written"),),
        caught_by=(f"{SESSIONS}::test_a_place_without_its_secret_opens_nothing",),
    ),
    Mutant(
        name="fd12",
        bug="an open page does not hear that its session has ended",
        path=f"{CONSOLE}/sessions.py",
        edits=(
            (
                "session.ended = session.ended or await self._good(name) is None",
                "await self._good(name)",
            ),
        ),
        caught_by=(f"{SESSIONS}::test_an_open_page_hears_nothing_more_once_its_session_is_over",),
    ),
    Mutant(
        name="fd13",
        bug="the list of workspaces ends with the first partition",
        path=f"{CONSOLE}/lists.py",
        edits=(("            number += not after\n", "            number = self.partitions\n"),),
        caught_by=(f"{PAGES}::test_the_list_shows_the_workspaces_of_all_partitions_page_by_page",),
    ),
    Mutant(
        name="fd14",
        bug="an overview leaves out who does not answer",
        path=f"{CONSOLE}/lists.py",
        edits=(
            ("        if missing:\n", "        if False:\n"),
            (
                "        return found\n\n    async def _answer(",
                "        return [each for each in found if each.status == 200]\n\n"
                "    async def _answer(",
            ),
        ),
        caught_by=(f"{PAGES}::test_a_page_that_would_leave_a_partition_out_names_it_instead",),
    ),
    Mutant(
        name="fd15",
        bug="a broken copy counts for a copy",
        path="server/cluster/overview/needs.py",
        edits=(
            (
                "if sum(c.role in USABLE for c in each.copies) < wanted]",
                "if len(each.copies) < wanted]",
            ),
        ),
        caught_by=(f"{NODES}::test_what_needs_a_person_is_said",),
    ),
    Mutant(
        name="fd16",
        bug="who read a copy that is ahead of its owner is told that it is another database",
        path=f"{FEED}/pages.py",
        edits=(("    await _caught_up(owned, wanted.since)\n", ""),),
        caught_by=(f"{MOVING}::test_who_read_a_copy_that_is_ahead_of_its_owner_goes_on_there",),
    ),
)

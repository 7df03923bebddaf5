"""Bugs by which one tenant's long work holds up the event loop for all."""

from hookbundle.tests.mutants.mutant import Mutant

SHARE = "tests/engine/fairness/test_loop_share.py"
LISTS = "tests/server/http/test_lists.py"
PARTS = "tests/server/http/resources/messages/test_message_parts.py"
ANSWERS = "tests/actors/test_results.py"
FEED = "tests/server/feed/test_limits.py"
TOTALS = "tests/storage/reads/test_totals.py"
UNREAD = "tests/server/http/test_unread_bodies.py"
PACES = "tests/server/http/sockets/test_paces.py"
BODIES = "tests/server/http/test_request_bodies.py"
SLICES = "tests/engine/messages/test_slices.py"
ACCEPTING = "tests/storage/transitions/test_accepting.py"

LOOP = (
    Mutant(
        name="l1",
        bug="a page of a list is read at once, between two passes of the loop",
        path="storage/reads/listing.py",
        edits=(("ROWS_MOST = 64\n", "ROWS_MOST = 2_000\n"),),
        caught_by=(f"{LISTS}::test_no_list_is_read_between_two_passes_of_the_loop",),
    ),
    Mutant(
        name="l2",
        bug="several slices of long work run between two passes of the loop",
        path="engine/fairness/loop_share.py",
        edits=(
            ("        await self._turn.acquire()\n", "        await asyncio.sleep(0)\n"),
            (
                "            loop.call_later(loop.time() - began_s, self._turn.release)\n",
                "            loop.call_later(loop.time() - began_s, lambda: None)\n",
            ),
        ),
        caught_by=(f"{SHARE}::test_between_two_passes_there_is_one_slice_however_many_owners_ask",),
    ),
    Mutant(
        name="l3",
        bug="all long work of an owner is in the line for slices at once",
        path="engine/fairness/loop_share.py",
        edits=(("            async with line.lock:\n", "            if line.lock:\n"),),
        caught_by=(f"{SHARE}::test_an_owner_with_much_to_do_delays_another_by_one_slice",),
    ),
    Mutant(
        name="l4",
        bug="a large request tells all chats of a portion at once",
        path="engine/fairness/loop_share.py",
        edits=(("CHATS_AT_ONCE = 128\n", "CHATS_AT_ONCE = 1_024\n"),),
        caught_by=(
            f"{PARTS}::test_between_two_passes_few_chats_are_told_however_many_requests_there_are",
        ),
    ),
    Mutant(
        name="l5",
        bug="all results of a commit are passed on in one pass of the loop",
        path="actors/results/passing_on.py",
        edits=(("min(len(answers), most)", "len(answers)"),),
        caught_by=(
            f"{ANSWERS}::test_of_many_results_some_are_passed_on_in_each_pass_of_the_loop_in_their_order",
        ),
    ),
    Mutant(
        name="l6",
        bug="a caller's result stands in a line behind those of attempts",
        path="actors/results/passing_on.py",
        edits=(("self.asked if type(work.transition) in ASKED else self.others", "self.others"),),
        caught_by=(
            f"{ANSWERS}::test_a_callers_result_stands_in_no_line_behind_those_of_attempts_and_of_the_timer",
        ),
    ),
    Mutant(
        name="p1",
        bug="the thread that reads a large request computes nearly without a rest",
        path="engine/fairness/loop_share.py",
        edits=(
            (
                "        sleep(max(thread_time() - began_s, REST_S_MIN))\n",
                "        sleep(REST_S_MIN)\n",
            ),
        ),
        caught_by=(
            f"{PARTS}::test_the_thread_that_reads_a_large_request_leaves_others_as_much_time",
            f"{SHARE}::test_work_in_a_thread_rests_after_each_piece_as_long_as_that_has_taken",
        ),
    ),
    Mutant(
        name="p1t",
        bug="an owner's next read in a thread begins at once, and one thread always computes",
        path="engine/fairness/loop_share.py",
        edits=(
            ("            await asyncio.sleep(took_s)\n", "            await asyncio.sleep(0)\n"),
        ),
        caught_by=(
            f"{SHARE}::test_of_an_owner_the_next_work_in_a_thread_waits_as_long_as_the_last_has_taken",
        ),
    ),
    Mutant(
        name="p1g",
        bug="what a caller has asked for is counted, and begun, though the caller has left",
        path="server/http/lists.py",
        edits=(("    if request.transport is None:\n", "    if request.method is None:\n"),),
        caught_by=(
            f"{LISTS}::test_a_count_whose_caller_has_left_goes_no_further_and_starts_no_replay",
        ),
    ),
    Mutant(
        name="p2",
        bug="a chat is written though all that it got were duplicates",
        path="storage/transitions/accepting.py",
        edits=(
            (
                "    record = unit.find_chat(key, transition.head) or",
                "    record = unit.chat(number, chat) or",
            ),
        ),
        caught_by=(f"{ACCEPTING}::test_messages_that_add_nothing_to_a_chat_write_no_row_of_it",),
    ),
    Mutant(
        name="p3",
        bug="a chat that was changed is written only if it is new",
        path="storage/transitions/accepting.py",
        edits=(
            (
                "        unit.keep_chat(key, record, transition.head)\n",
                "        if not record.seen:\n            unit.keep_chat(key, record)\n",
            ),
        ),
        caught_by=(f"{ACCEPTING}::test_a_duplicate_in_a_group_keeps_what_the_group_has_changed",),
    ),
    Mutant(
        name="p4",
        bug="a reader of the feed that has closed its connection is missed at the next ping",
        path="server/feed/unix_socket.py",
        edits=(("    if any(event & select.POLLHUP", "    if any(event & select.POLLPRI"),),
        caught_by=(f"{FEED}::test_a_reader_that_closes_its_connection_frees_its_place_at_once",),
    ),
    Mutant(
        name="p5",
        bug="a reader of the feed that closes its half is taken for one that has left",
        path="server/feed/unix_socket.py",
        edits=(
            ("    if any(event & select.POLLHUP for _, event in end.poll(0)):\n", "    if end:\n"),
        ),
        caught_by=(f"{FEED}::test_a_reader_that_closes_its_half_stays",),
    ),
    Mutant(
        name="p6",
        bug="one damaged chat hides the windows of all",
        path="storage/reads/damaged.py",
        edits=(("        say(exc)\n        return None\n", "        say(exc)\n        raise\n"),),
        caught_by=(f"{TOTALS}::test_a_damaged_chat_is_named_and_hides_no_other",),
    ),
    Mutant(
        name="p7",
        bug="what is refused of a body is received as fast as it is sent",
        path="server/http/wire.py",
        edits=(("(lost.wait(), self._pace.rest_s(self.owner, size))", "(lost.wait(), 0.0)"),),
        caught_by=(
            f"{PACES}::test_what_is_refused_comes_at_a_pace_that_its_owner_alone_has_to_keep",
        ),
    ),
    Mutant(
        name="p8",
        bug="a workspace has to keep the pace of unauthenticated clients that name it",
        path="server/http/bodies.py",
        edits=(
            (
                '    return "" if caller is None else caller.workspace_id or ',
                '    return (caller.workspace_id if caller else "") or ',
            ),
        ),
        caught_by=(
            f"{PACES}::test_what_is_refused_comes_at_a_pace_that_its_owner_alone_has_to_keep",
        ),
    ),
    Mutant(
        name="p9",
        bug="what is not even looked at is received as fast as it is sent",
        path="server/http/wire.py",
        edits=(
            (
                "            if data:\n                self._rest",
                "            if not data:\n                self._rest",
            ),
        ),
        caught_by=(f"{PACES}::test_nor_is_more_received_at_once_of_what_is_not_even_looked_at",),
    ),
    Mutant(
        name="p10",
        bug="who sends large bodies without end is received as fast as he sends",
        path="server/http/bodies.py",
        edits=(("        if rest_s:\n", "        if not rest_s:\n"),),
        caught_by=(f"{BODIES}::test_a_caller_who_sends_much_has_to_keep_a_pace_and_no_other_has",),
    ),
    Mutant(
        name="p11",
        bug="a slice of a large request is as large as any small request",
        path="engine/messages/slices.py",
        edits=(("SLICE_BYTES = 16 * 1024 ", "SLICE_BYTES = 64 * 1024 "),),
        caught_by=(
            f"{SLICES}"
            "::test_of_a_large_request_few_messages_are_read_before_others_have_the_interpreter",
        ),
    ),
    Mutant(
        name="p12",
        bug="chunks of a byte are received in large pieces",
        path="server/http/sockets/framing.py",
        edits=(("FIRST_RECEIVED_BYTES = 4 * 1024 ", "FIRST_RECEIVED_BYTES = 16 * 1024 "),),
        caught_by=(f"{UNREAD}::test_small_chunks_are_refused_before_they_have_cost_much",),
    ),
    Mutant(
        name="p13",
        bug="all owners have one pace together",
        path="engine/fairness/loop_share.py",
        edits=(
            (
                "rests[owner] = max(rests.get(owner, now_s), now_s)",
                "rests[0] = max(rests.get(0, now_s), now_s)",
            ),
        ),
        caught_by=(
            f"{SHARE}::test_an_owner_has_one_pace_on_all_connections_and_no_other_has_to_keep_it",
        ),
    ),
)

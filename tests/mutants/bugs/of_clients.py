"""Bugs by which a client takes what others need, or decides the work before it is known."""

from hookbundle.tests.mutants.mutant import Mutant

BODIES = "tests/server/http/test_request_bodies.py"
SHARES = "tests/server/http/test_connection_shares.py"
ODD = "tests/server/http/test_odd_requests.py"
SLICES = "tests/engine/messages/test_slices.py"
SESSIONS = "tests/server/console/pages/test_shares_of_sessions.py"
WIRE = "tests/server/http/test_wire.py"
UNREAD = "tests/server/http/test_unread_bodies.py"
LARGE = "tests/server/http/test_large_answers.py"
LIVE = "tests/server/console/pages/test_live_pages.py"
SSE = "tests/server/feed/test_sse.py"

CLIENTS = (
    Mutant(
        name="m40",
        bug="bodies are not counted",
        path="server/http/bodies.py",
        edits=(("        self.budget.take(self.owner, size)\n        self.amount += size\n", ""),),
        caught_by=(
            f"{BODIES}::test_unfinished_bodies_of_one_caller_leave_room_for_the_others",
            f"{BODIES}::test_a_body_is_held_until_its_request_is_answered",
        ),
    ),
    Mutant(
        name="m41",
        bug="what a body held is never given back",
        path="server/http/middleware.py",
        edits=(("            let_go(request)\n", ""),),
        caught_by=(f"{BODIES}::test_what_a_body_holds_is_given_back_whatever_became_of_it",),
    ),
    Mutant(
        name="m42",
        bug="a large body is decoded at once, on the loop",
        path="server/http/resources/messages.py",
        edits=(("if size <= READ_AT_ONCE_BYTES:", "if body:"),),
        caught_by=(f"{BODIES}::test_a_large_body_is_read_off_the_loop",),
    ),
    Mutant(
        name="m43",
        bug="all faults of a large body are looked for",
        path="engine/messages/slices.py",
        edits=(("        if len(faults) > limits.FAULTS_LISTED_MAX:\n", "        if False:\n"),),
        caught_by=(f"{SLICES}::test_nothing_is_read_past_the_last_fault_that_is_listed",),
    ),
    Mutant(
        name="m44",
        bug="a slice ends at the first place that looks like the end of a message",
        path="engine/messages/slices.py",
        edits=(("if found and not _is_json(piece):", "if not found and not _is_json(piece):"),),
        caught_by=(
            f"{SLICES}::test_the_messages_are_those_read_at_once",
            f"{SLICES}::test_a_message_larger_than_a_slice_is_read_whole",
        ),
    ),
    Mutant(
        name="m45",
        bug="who is in the middle of a request makes no room",
        path="server/http/connection_guard.py",
        edits=(
            (
                "longest = next(iter(self._of[None]), None) or",
                "longest = next((one for one in self._of[None] if not one.served), None) or",
            ),
        ),
        caught_by=(
            f"{SHARES}::test_unfinished_requests_of_the_unknown_make_room_for_who_is_known",
        ),
    ),
    Mutant(
        name="m46",
        bug="a body may take as long as it likes",
        path="server/http/bodies.py",
        edits=(
            (
                "asyncio.timeout(request.app[BODY_LIMITS].within_s - waited_s(request))",
                "asyncio.timeout(None)",
            ),
        ),
        caught_by=(f"{SHARES}::test_an_unfinished_request_ends_by_itself",),
    ),
    Mutant(
        name="m47",
        bug="a workspace may have all connections",
        path="server/http/connection_guard.py",
        edits=(
            ("        self._shares.take(owner)\n", ""),
            ("            self._shares.give_back(owner)\n", ""),
        ),
        caught_by=(f"{SHARES}::test_a_workspace_has_its_share_and_is_told_so",),
    ),
    Mutant(
        name="m48",
        bug="an answer may wait for its reader for ever",
        path="server/http/connection_guard.py",
        edits=((">= self.limits.unread_s:", ">= self.limits.unread_s * 1_000:"),),
        caught_by=(f"{SHARES}::test_who_takes_nothing_of_an_answer_is_cut_off",),
    ),
    Mutant(
        name="m49",
        bug="a token is looked up whatever its bytes are",
        path="server/http/authentication.py",
        edits=(
            (
                "return bool(text) and text.isascii() and len(text)",
                "return bool(text) and len(text)",
            ),
        ),
        caught_by=(f"{ODD}::test_an_odd_header_is_refused_or_ignored",),
    ),
    Mutant(
        name="m50",
        bug="bodies are unpacked as they arrive, for anybody",
        path="server/http/wire.py",
        edits=(("auto_decompress=False,", "auto_decompress=True,"),),
        caught_by=(f"{BODIES}::test_nothing_is_unpacked_for_somebody_unknown",),
    ),
    Mutant(
        name="m51",
        bug="the error about what is no request keeps all of it",
        path="server/http/wire.py",
        edits=(
            (
                "            self._is_deaf = True\n            self._messages[-1] = _ErrInfo(",
                "            _ = _ErrInfo(",
            ),
            ("_forgetting(error.exc)", "error.exc"),
        ),
        caught_by=(f"{WIRE}::test_what_is_no_request_leaves_nothing_behind",),
    ),
    Mutant(
        name="m52",
        bug="a number is converted before its length is known",
        path="server/http/requests.py",
        edits=((" and len(text) <= len(str(most))):", "):"),),
        caught_by=(f"{ODD}::test_an_odd_query_is_refused_or_ignored",),
    ),
    Mutant(
        name="m61",
        bug="the session that was seen longest ago gives way, however many others have",
        path="server/console/sessions.py",
        edits=(("self._end(self._to_spare())", "self._end(next(iter(self._sessions)))"),),
        caught_by=(f"{SESSIONS}::test_tenants_that_sign_in_again_and_again_sign_nobody_else_out",),
    ),
    Mutant(
        name="m53",
        bug="a body that is read away counts as a head",
        path="server/http/connection_guard.py",
        edits=(("if was_in_body or inner.heads != heads:", "if inner.heads != heads:"),),
        caught_by=(
            f"{UNREAD}::test_a_connection_is_as_good_as_before_after_a_large_body_was_refused",
        ),
    ),
    Mutant(
        name="m54",
        bug="the connection is closed at once while its client is still sending",
        path="server/http/wire.py",
        edits=(
            (
                "                    await self._until_lost()\n",
                "                    break_off = True  # noqa: F841\n",
            ),
        ),
        caught_by=(f"{UNREAD}::test_who_is_still_sending_hears_the_last_answer_and_is_not_reset",),
    ),
    Mutant(
        name="m55",
        bug="chunks may be as small as they like",
        path="server/http/sockets/framing.py",
        edits=(("is_too_much = framing > FRAMING_BYTES + share", "is_too_much = framing < 0"),),
        caught_by=(f"{UNREAD}::test_small_chunks_are_refused_before_they_have_cost_much",),
    ),
    Mutant(
        name="m56",
        bug="a live page keeps its place until something is written to it",
        path="server/http/wire.py",
        edits=(("            self.on_lost()\n", "            pass\n"),),
        caught_by=(
            f"{LIVE}::test_a_page_that_is_closed_leaves_its_place_at_once",
            f"{SSE}::test_a_reader_that_hangs_up_leaves_its_place_at_once",
        ),
    ),
    Mutant(
        name="m57",
        bug="all readers of a log are read for at once",
        path="server/http/resources/logs.py",
        edits=(("            async with turn:\n", "            async with asyncio.Lock():\n"),),
        caught_by=(
            f"{LARGE}::test_readers_of_one_log_keep_one_thread_busy_and_others_have_theirs",
        ),
    ),
    Mutant(
        name="m58",
        bug="an entry is read for a reader who has left",
        path="server/http/resources/logs.py",
        edits=(("if request.transport is None:", "if not turn.locked():"),),
        caught_by=(f"{LARGE}::test_nothing_is_read_for_those_who_left_before_their_turn",),
    ),
    Mutant(
        name="m59",
        bug="a connection that was closed before is an error of the daemon",
        path="server/http/bodies.py",
        edits=(
            (
                "if isinstance(exc, RuntimeError) and request.transport is not None:",
                "if isinstance(exc, RuntimeError):",
            ),
        ),
        caught_by=(
            f"{UNREAD}::test_a_body_of_a_closed_connection_is_a_lost_connection_and_no_fault",
        ),
    ),
    Mutant(
        name="m60",
        bug="what had come of a body is kept with the error that ended it",
        path="server/http/bodies.py",
        edits=(("        exc.__traceback__ = None", "        exc.__suppress_context__ = True"),),
        caught_by=(f"{WIRE}::test_a_body_that_ends_too_soon_leaves_nothing_behind",),
    ),
    Mutant(
        name="m63",
        bug="the error of a lost connection goes by way of what its writer waits for",
        path="server/http/wire.py",
        edits=(("super().connection_lost(None)", "super().connection_lost(exc)"),),
        caught_by=(f"{LARGE}::test_a_reader_that_is_gone_leaves_nothing_behind",),
    ),
)

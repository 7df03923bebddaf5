"""Bugs by which the lane lets something pass, loses something, or says it to somebody else."""

from hookbundle.tests.mutants.mutant import Mutant

CONNECTION = "server/http/lane/connection.py"
LANE = "server/http/lane/lane.py"
HEADS = "server/http/lane/heads.py"
OF_HEADS = "tests/server/http/lane/test_heads.py"
OF_LANE = "tests/server/http/lane/test_lane.py"
OF_SLOW = "tests/server/http/lane/test_slow_bodies.py"
OF_ENDS = "tests/server/http/lane/test_ends.py"
TWINS = "tests/server/http/lane/test_twins.py"

THE_LANE = (
    Mutant(
        name="ln1",
        bug="the lane looks at no Host header",
        path=LANE,
        edits=((" or not _is_ours(known.host, self.guard.limits.hosts)", ""),),
        caught_by=(f"{OF_LANE}::test_a_name_that_is_no_longer_ours_is_refused",),
    ),
    Mutant(
        name="ln2",
        bug="in the lane a token is good for every workspace",
        path=LANE,
        edits=((' or token.workspace_id not in ("", workspace_id)', ""),),
        caught_by=(f"{OF_LANE}::test_a_token_of_another_workspace_is_refused",),
    ),
    Mutant(
        name="ln3",
        bug="in the lane a connection stays unauthenticated, though its caller is known",
        path=LANE,
        edits=(("return connection.owner == token.workspace_id", "return True"),),
        caught_by=(f"{OF_LANE}::test_a_connection_belongs_to_who_sends_on_it",),
    ),
    Mutant(
        name="ln4",
        bug="the lane waits for a body as long as it takes",
        path=CONNECTION,
        edits=(("            if self._alarm is None:\n", "            if not held:\n"),),
        caught_by=(f"{OF_SLOW}::test_a_body_that_does_not_come_has_the_deadline_of_all",),
    ),
    Mutant(
        name="ln5",
        bug="the lane reads ahead without end",
        path=CONNECTION,
        edits=(("            self._pause_transport_reading()\n", ""),),
        caught_by=(f"{OF_LANE}::test_answers_are_in_the_order_of_requests_and_few_are_read_ahead",),
    ),
    Mutant(
        name="ln6",
        bug="a connection whose request the lane answers while the daemon stops stays open",
        path=CONNECTION,
        edits=(("if is_last or self._close or self._force_close:", "if is_last:"),),
        caught_by=(f"{OF_ENDS}::test_a_request_under_way_is_answered_when_the_daemon_stops",),
    ),
    Mutant(
        name="ln7",
        bug="what the lane answers is not counted",
        path=CONNECTION,
        edits=(("        self._lane.count(status, now_s - self._began_s)\n", ""),),
        caught_by=(f"{OF_LANE}::test_all_but_the_first_of_a_connection_are_taken",),
    ),
    Mutant(
        name="ln8",
        bug="a head with chunks is learnt",
        path=HEADS,
        edits=(
            ("        if lower not in PLAIN or lower in given", "        if lower in given"),
            ("    if message.should_close or message.upgrade or message.chunked:\n", "    if 0:\n"),
        ),
        caught_by=(
            f"{OF_HEADS}::test_a_head_about_which_there_is_something_to_say_is_neither_known_nor_learnt",
        ),
    ),
    Mutant(
        name="ln9",
        bug="what was sent behind a request is lost",
        path=CONNECTION,
        edits=(
            (
                "behind, self._behind, self._held = self._behind,",
                "behind, self._behind, self._held = bytes(),",
            ),
        ),
        caught_by=(f"{OF_LANE}::test_answers_are_in_the_order_of_requests_and_few_are_read_ahead",),
    ),
    Mutant(
        name="ln10",
        bug="all connections of the lane share one request",
        path=CONNECTION,
        edits=(
            (
                "            lane.tell(taken, self)\n",
                "            LAST[:] = LAST or [self]\n            lane.tell(taken, LAST[0])\n",
            ),
            ("FOR_GOOD = -1\n", "FOR_GOOD = -1\nLAST: list[Any] = []\n"),
        ),
        caught_by=(f"{OF_LANE}::test_each_client_has_its_own_answer",),
    ),
    Mutant(
        name="ln11",
        bug="the lane serves who takes none of its answers",
        path=CONNECTION,
        edits=(("if self._paused or self._force_close", "if self._force_close"),),
        caught_by=(f"{OF_ENDS}::test_who_takes_no_answer_is_not_served_any_further",),
    ),
    Mutant(
        name="ln12",
        bug="a connection whose request is under way ends for being idle",
        path=CONNECTION,
        edits=(
            (
                "        self._put_away, self._waiter = waiter, None\n",
                "        self._put_away = waiter\n",
            ),
        ),
        caught_by=(f"{OF_ENDS}::test_a_connection_is_not_idle_while_its_request_is_under_way",),
    ),
    Mutant(
        name="ln13",
        bug="a request of the lane takes no places of its workspace's share",
        path=LANE,
        edits=((" or not store.places.has_taken(number, portion.places)", ""),),
        caught_by=(f"{OF_LANE}::test_a_workspace_has_its_share_of_places_and_no_more",),
    ),
    Mutant(
        name="ln14",
        bug="a request of the lane never gives its places back",
        path=CONNECTION,
        edits=(
            (
                "        self._taken = None\n        self._lane.give_back(taken)\n",
                "        self._taken = None\n",
            ),
        ),
        caught_by=(f"{OF_LANE}::test_a_workspace_has_its_share_of_places_and_no_more",),
    ),
    Mutant(
        name="ln15",
        bug="on a connection that ends with the daemon the lane's answer does not say so",
        path=CONNECTION,
        edits=(
            (
                "        return isinstance(self._manager, OwnServer) and self._manager.is_ending\n",
                "        return False\n",
            ),
        ),
        caught_by=(f"{OF_ENDS}::test_the_last_answer_says_so_where_a_socket_outlives_the_daemon",),
    ),
    Mutant(
        name="ln16",
        bug="a request that has begun when the daemon stops is not answered",
        path=CONNECTION,
        edits=(
            (
                "            self._hand_over()\n        super().close()",
                "            pass\n        super().close()",
            ),
        ),
        caught_by=(f"{OF_ENDS}::test_a_request_that_has_begun_is_answered_when_the_daemon_stops",),
    ),
    Mutant(
        name="ln17",
        bug="an oddly written head is taken for one that was understood",
        path=HEADS,
        edits=(
            (
                "    return len(head) if data.startswith(head) else 0\n",
                '    return data.find(b"\\r\\n\\r\\n") + 4\n',
            ),
        ),
        caught_by=(f"{OF_HEADS}::test_where_an_oddly_written_head_ends_is_not_known",),
    ),
    Mutant(
        name="ln18",
        bug="a known head may have anything in the place of a workspace",
        path=HEADS,
        edits=(
            ("letters.decode() if WORKSPACE.fullmatch(letters) else None", "letters.decode('L1')"),
        ),
        caught_by=(f"{OF_HEADS}::test_whatever_is_known_is_what_the_parser_reads",),
    ),
    Mutant(
        name="ln19",
        bug="where a request ended is not looked at: half of one may wait in aiohttp's parser",
        path=CONNECTION,
        edits=(
            (
                "if known is None or self._left or waiter is None",
                "if known is None or waiter is None",
            ),
        ),
        caught_by=(f"{OF_LANE}::test_what_follows_half_a_head_belongs_to_it",),
    ),
    Mutant(
        name="ln20",
        bug="a workspace that was made anew meanwhile is not found",
        path=CONNECTION,
        edits=(("        if isinstance(error, NotFound) and is_open:\n", "        if False:\n"),),
        caught_by=(f"{OF_LANE}::test_a_workspace_made_anew_meanwhile_gets_the_messages",),
    ),
    Mutant(
        name="ln21",
        bug="what comes behind a body in pieces is read with the body",
        path=CONNECTION,
        edits=(
            (
                "            self._hand_over()\n            self._pass_on(data)\n",
                "            self._held += data\n            self._hand_over()\n",
            ),
        ),
        caught_by=(f"{TWINS}::test_what_is_odd_is_answered_as_by_aiohttp",),
    ),
    Mutant(
        name="ln22",
        bug="fields that are not known are dropped in silence",
        path="engine/messages/known/details.py",
        edits=(
            ("    Incoming,\n    PartsByChat", "    Incoming,\n    MessageIn,\n    PartsByChat"),
            ("    message: StrictMessage\n", "    message: MessageIn\n"),
        ),
        caught_by=(f"{OF_LANE}::test_a_field_that_is_not_known_is_said_as_ever",),
    ),
)

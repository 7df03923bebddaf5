"""Bugs of what a source posts on its way to intake, and of what is kept of it."""

from hookbundle.tests.mutants.mutant import Mutant

OVER_HTTP = "tests/server/http/resources/sources"
ANSWERS = f"{OVER_HTTP}/test_answers.py"
REMEMBERING = f"{OVER_HTTP}/test_remembering.py"
KEPT = f"{OVER_HTTP}/test_kept_requests.py"
PROVEN = f"{OVER_HTTP}/test_proofs_over_http.py"
SHARES = f"{OVER_HTTP}/test_shares.py"
OBSERVING = f"{OVER_HTTP}/test_observing.py"
BODIES = "tests/engine/sources/test_rules_of_bodies.py"
HIDING = "tests/engine/sources/intake/test_hiding.py"
SORTING = "tests/engine/sources/intake/test_sorting.py"
SENDERS = "tests/sources/test_retrying_senders.py"
INTAKE = "server/http/resources/sources/intake.py"
HTTP = "server/http/resources/sources"

SOURCE_INTAKE = (
    Mutant(
        name="si1",
        bug="a source is told that its message was taken before that is on disk",
        path=INTAKE,
        edits=(
            (
                "            return await self._take(share, workspace, portions)\n",
                "            import asyncio\n"
                "            asyncio.ensure_future(self._take(share, workspace, portions))\n"
                "            return AcceptedOut(1, 0, [])\n",
            ),
        ),
        caught_by=(f"{ANSWERS}::test_a_message_is_durable_before_the_answer",),
    ),
    Mutant(
        name="si2",
        bug="a request is read while the one before it still teaches",
        path=INTAKE,
        edits=(("        await self._lessons.over(entered.key)\n", ""),),
        caught_by=(
            f"{REMEMBERING}::test_a_request_is_not_read_before_what_the_one_before_it_taught",
        ),
    ),
    Mutant(
        name="si3",
        bug="what a source teaches is forgotten",
        path=f"{HTTP}/learning.py",
        edits=(("        if not learned:\n", "        if True:\n"),),
        caught_by=(f"{REMEMBERING}::test_a_restart_keeps_what_was_taught",),
    ),
    Mutant(
        name="si4",
        bug="a chat is no longer new after a message that was refused",
        path=f"{HTTP}/learning.py",
        edits=(("= self._remember(key, others)", "= self._remember(key, learned)"),),
        caught_by=(f"{REMEMBERING}::test_a_chat_stays_new_until_its_first_message_is_taken",),
    ),
    Mutant(
        name="si5",
        bug="a body that is too large is refused, and sent ten times more",
        path=INTAKE,
        edits=(("if exc.code != Code.BODY_TOO_LARGE:", "if exc.code:"),),
        caught_by=(f"{ANSWERS}::test_a_body_that_is_too_large_is_taken_in_and_not_sent_again",),
    ),
    Mutant(
        name="si6",
        bug="a body of any size is taken in",
        path="server/http/bodies.py",
        edits=(
            (
                "                if arrived > bytes_max:\n                    return False\n",
                "",
            ),
        ),
        caught_by=(f"{ANSWERS}::test_a_body_without_end_is_refused",),
    ),
    Mutant(
        name="si7",
        bug="a request without its proof is taken",
        path=f"{HTTP}/taking.py",
        edits=(("        if refused is not None:\n            return refused\n", ""),),
        caught_by=(f"{PROVEN}::test_vectors_are_judged_over_http_as_they_should",),
    ),
    Mutant(
        name="si8",
        bug="what is no JSON is 200, as if it had been understood",
        path=INTAKE,
        edits=(
            (
                '                raise self._refused(entered, error, {"unreadable": 1})\n',
                '                self._refused(entered, error, {"unreadable": 1})\n'
                "                return _answer(entered.source, SourceAnswer(0, 0, 0))\n",
            ),
        ),
        caught_by=(f"{ANSWERS}::test_what_is_no_json_is_400",),
    ),
    Mutant(
        name="si9",
        bug="requests without a message are written one by one",
        path=f"{HTTP}/observing.py",
        edits=(
            ("loop.call_later(WRITTEN_EVERY_S, self._begin)", "loop.call_later(0, self._begin)"),
        ),
        caught_by=(f"{KEPT}::test_a_flood_of_acks_is_noted_with_one_transition",),
    ),
    Mutant(
        name="si10",
        bug="a source takes no places of its workspace's share",
        path="server/http/resources/messages.py",
        edits=(
            (
                "        with self.store.places.holding(workspace_number, places):\n",
                "        if places:\n",
            ),
        ),
        caught_by=(f"{SHARES}::test_a_flood_takes_no_place_of_others",),
    ),
    Mutant(
        name="si11",
        bug="the path of a source is told with its token",
        path="server/http/problems.py",
        edits=(('return f"{SOURCES_PATH}…" if', "return path if"),),
        caught_by=(f"{KEPT}::test_no_token_and_no_secret_is_in_any_output",),
    ),
    Mutant(
        name="si12",
        bug="every header of a request is kept as it came",
        path="engine/sources/intake/hiding.py",
        edits=(("if name in SHOWN else HIDDEN", "if name else HIDDEN"),),
        caught_by=(
            f"{KEPT}::test_no_token_and_no_secret_is_in_any_output",
            f"{HIDING}::test_of_headers_only_those_are_shown_that_hold_no_secret",
        ),
    ),
    Mutant(
        name="si13",
        bug="the keys of the other system are kept with a body",
        path="engine/sources/intake/hiding.py",
        edits=(
            (
                "of_json.sub(_hidden, without(begins, secrets))",
                "without(begins, secrets)",
            ),
        ),
        caught_by=(
            f"{KEPT}::test_no_token_and_no_secret_is_in_any_output",
            f"{HIDING}::test_fields_that_hold_secrets_of_the_other_system_are_hidden",
        ),
    ),
    Mutant(
        name="si13b",
        bug="the keys of the other system are kept with a form",
        path="engine/sources/intake/hiding.py",
        edits=(("    if begins.lstrip()[:1] not in JSON_BEGINS:\n", "    if not begins:\n"),),
        caught_by=(f"{HIDING}::test_fields_that_hold_secrets_of_the_other_system_are_hidden",),
    ),
    Mutant(
        name="si13c",
        bug="a key of the other system that is a number is kept",
        path="engine/sources/intake/hiding.py",
        edits=((' + text + b"|" + number + b")"', ' + text + b")"'),),
        caught_by=(f"{HIDING}::test_fields_that_hold_secrets_of_the_other_system_are_hidden",),
    ),
    Mutant(
        name="si14",
        bug="of a secret at the end of what is kept, the beginning can be read",
        path="engine/sources/intake/hiding.py",
        edits=(("    if len(given) > bytes_max:\n", "    if len(given) < 0:\n"),),
        caught_by=(f"{HIDING}::test_a_secret_that_the_end_of_what_is_kept_cuts_is_hidden",),
    ),
    Mutant(
        name="si15",
        bug="a change comes before the message of its own request",
        path="engine/sources/intake/sorting.py",
        edits=((".append((before, change))", ".append((0, change))"),),
        caught_by=(f"{SORTING}::test_a_change_keeps_its_place_among_the_messages_of_its_chat",),
    ),
    Mutant(
        name="si16",
        bug="a deletion is taken for an edit that is long gone",
        path="engine/sources/intake/sorting.py",
        edits=(
            (
                '            _change(found, chat_id, message_id, "", 0)\n',
                '            found.counts["ignored.delete"] += 1\n',
            ),
        ),
        caught_by=(f"{ANSWERS}::test_edits_and_deletions_change_the_open_window",),
    ),
    Mutant(
        name="si17",
        bug="a change of a chat that can be none goes to intake",
        path="engine/sources/intake/sorting.py",
        edits=(
            (
                "    if faults := faults_of_chat(chat_id):\n"
                "        _refuse(found, faults)\n        return\n    before",
                "    before",
            ),
        ),
        caught_by=(f"{SORTING}::test_a_chat_that_can_be_none_is_invalid_and_the_rest_is_taken",),
    ),
    Mutant(
        name="si18",
        bug="the thread that reads a large request of a source computes without a rest",
        path="engine/sources/events.py",
        edits=(("        self.rest()\n", ""),),
        caught_by=(
            f"{SHARES}::test_the_thread_that_reads_a_large_request_of_a_source_leaves_others_as_much_time",
        ),
    ),
    Mutant(
        name="si19",
        bug="a short body of thousands of events is read on the loop",
        path=f"{HTTP}/taking.py",
        edits=((" and not _has_many_parts(request.body)", ""),),
        caught_by=(
            f"{SHARES}::test_the_thread_that_reads_a_large_request_of_a_source_leaves_others_as_much_time",
        ),
    ),
    Mutant(
        name="si20",
        bug="a body of millions of values is decoded in one go",
        path="engine/sources/bodies.py",
        edits=(("and parts_of(body) > PARTS_MAX", "and not body"),),
        caught_by=(f"{BODIES}::test_a_body_of_too_many_parts_is_not_read",),
    ),
    Mutant(
        name="si21",
        bug="a source of a full workspace is told never to send it again",
        path=INTAKE,
        edits=(
            (
                "                raise NotFound.of(Code.NO_SOURCE) from None\n            raise\n",
                "                raise NotFound.of(Code.NO_SOURCE) from None\n"
                "            raise HookbundleError.of(Code.SOURCE_NOT_PROVEN) from None\n",
            ),
        ),
        caught_by=(f"{SENDERS}::test_over_a_full_quota_all_is_taken_of_those_that_send_again",),
    ),
    Mutant(
        name="si22",
        bug="a kill takes messages along that their source was told are taken",
        path=INTAKE,
        edits=(
            (
                "            return await self._take(share, workspace, portions)\n",
                "            import asyncio\n"
                "            asyncio.ensure_future(self._take(share, workspace, portions))\n"
                "            return AcceptedOut(0, 0, [])\n",
            ),
        ),
        caught_by=(
            f"{SENDERS}::test_over_kills_in_the_midst_of_traffic_nothing_is_lost_and_nothing_comes_twice",
        ),
    ),
    Mutant(
        name="si23",
        bug="what the headers of a request hold until they are written is not counted",
        path=f"{HTTP}/entering.py",
        edits=((", *chain(*self.asked.headers.items()))", ", *chain())"),),
        caught_by=(f"{OBSERVING}::test_all_that_a_request_holds_is_counted",),
    ),
    Mutant(
        name="si24",
        bug="a request for which there is no room pushes out another",
        path=f"{HTTP}/observing.py",
        edits=(("(line[0].size if is_full", "(line.popleft().size if is_full"),),
        caught_by=(f"{OBSERVING}::test_a_request_for_which_there_is_no_room_pushes_out_none",),
    ),
    Mutant(
        name="si25",
        bug="an owner is shown what was noted before, as another one asks at the same time",
        path=f"{HTTP}/observing.py",
        edits=(("if of == workspace]", "if not of]"),),
        caught_by=(
            f"{OBSERVING}::test_who_asks_waits_for_what_was_noted_of_the_own_sources_and_of_no_others",
        ),
    ),
    Mutant(
        name="si26",
        bug="what has come of a body that is too large is held until the rest has come",
        path="server/http/bodies.py",
        edits=(("    held.let_go()  # what has come is not kept\n", ""),),
        caught_by=(
            f"{ANSWERS}::test_of_a_body_that_is_too_large_nothing_is_held_while_the_rest_comes",
        ),
    ),
    Mutant(
        name="si27",
        bug="two large bodies are read at once, each in a thread of its own",
        path="engine/fairness/loop_share.py",
        edits=(("self.one_of(owner), self._large:", "self.one_of(owner):"),),
        caught_by=(
            "tests/engine/fairness/test_loop_share.py"
            "::test_of_what_is_large_one_is_read_at_a_time_whoever_it_is_of",
        ),
    ),
)

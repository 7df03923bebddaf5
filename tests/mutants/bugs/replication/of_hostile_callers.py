"""Bugs by which a caller of a cluster gets what is others', or has them pay for it; and of what a
node says of itself."""

from hookbundle.tests.mutants.mutant import Mutant

HOSTILE = "tests/server/cluster/hostile"
KEPT_GOOD = f"{HOSTILE}/test_tokens.py::test_a_slow_request_keeps_no_revoked_token_good"
SHARE = f"{HOSTILE}/test_tokens.py::test_a_client_has_a_share_of_what_is_asked_for_unknown_tokens"
NO_TOKEN = f"{HOSTILE}/test_tokens.py::test_where_no_token_is_wanted_none_is_asked_for"
NOWHERE = (
    f"{HOSTILE}/test_sources.py::test_nobody_reads_what_is_posted_to_an_address_that_leads_nowhere"
)
TOO_LARGE = (
    f"{HOSTILE}/test_sources.py::test_what_is_too_large_is_taken_and_ignored_as_by_the_owner"
)
ENVELOPES = "tests/engine/replication/test_envelopes.py"

HOSTILE_CALLERS = (
    Mutant(
        name="nd1",
        bug="what an owner has said of a token is good while a request with it is under way",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(
            (
                "                self.tokens.ended(digest)\n                with",
                "                with",
            ),
        ),
        caught_by=(KEPT_GOOD,),
    ),
    Mutant(
        name="nd2",
        bug="an unauthenticated client may have as many tokens asked for as it likes",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(("        with self.limit.holding(address_of(request)):\n", "        if True:\n"),),
        caught_by=(SHARE,),
    ),
    Mutant(
        name="nd3",
        bug="a token that was found before takes a place again",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(("        if place is not None:\n", "        if False:\n"),),
        caught_by=(SHARE,),
    ),
    Mutant(
        name="nd4",
        bug="a token is asked for where nobody looks at it",
        path="server/cluster/callers/unknown_tokens.py",
        edits=((" or needs_no_token(request)", ""),),
        caught_by=(NO_TOKEN,),
    ),
    Mutant(
        name="nd5",
        bug="what is posted to a source of another node is read before the source is known",
        path="server/cluster/routing.py",
        edits=(("            await self.posters.let_in(number, request)\n", "            pass\n"),),
        caught_by=(
            NOWHERE,
            f"{HOSTILE}/test_sources.py"
            "::test_a_source_s_workspace_pays_for_its_body_and_its_connection",
        ),
    ),
    Mutant(
        name="nd6",
        bug="what a source posts and is too large is refused by a node that does not own it",
        path="server/cluster/routing.py",
        edits=(("asked_of_source if is_of_source else asked_of\n", "asked_of\n"),),
        caught_by=(TOO_LARGE,),
    ),
    Mutant(
        name="nd7",
        bug="a target is read as a URL, and a mark in a path ends it",
        path="server/cluster/answering.py",
        edits=(('    if not target.startswith("/"):\n', "    if True:\n"),),
        caught_by=(f"{HOSTILE}/test_paths.py::test_a_target_is_read_as_off_a_connection",),
    ),
    Mutant(
        name="nd8",
        bug="parts of large requests keep small ones out",
        path="engine/replication/held_parts.py",
        edits=(("        if part.parts == 1:\n", "        if False:\n"),),
        caught_by=(
            f"{ENVELOPES}::test_a_request_of_one_part_finds_room_where_parts_have_used_it_up",
        ),
    ),
    Mutant(
        name="nd9",
        bug="beats say nothing of settings",
        path="server/cluster/node.py",
        edits=(("lambda: digest_of(shaping(self.config, cluster))", 'lambda: ""'),),
        caught_by=(
            "tests/server/cluster/test_shaping.py"
            "::test_a_node_with_other_settings_is_named_with_them",
        ),
    ),
    Mutant(
        name="nd10",
        bug="a key that the service manager gives is refused",
        path="commands/cluster/settings.py",
        edits=((" and not _is_given(path):\n", ":\n"),),
        caught_by=(
            "tests/commands/cluster/test_settings.py"
            "::test_a_key_that_the_service_manager_gives_may_look_as_if_its_group_could_read_it",
        ),
    ),
    Mutant(
        name="nd11",
        bug="a reload changes nothing of what is kept",
        path="server/daemon/way_out.py",
        edits=(
            (
                "            store=replace(before.store, retention=config.store.retention),\n",
                "",
            ),
        ),
        caught_by=(
            "tests/server/daemon/test_reloaded_retention.py::test_what_is_kept_changes_by_a_reload",
        ),
    ),
    Mutant(
        name="nd12",
        bug="the caller's token is sent to the owner",
        path="server/cluster/asked.py",
        edits=(('OF_THE_CALLER = frozenset({"authorization"})', "OF_THE_CALLER = frozenset(())"),),
        caught_by=(
            f"{HOSTILE}/test_passed_on.py::test_no_token_is_sent_to_another_node_nor_a_partition_of_the_caller_s",
        ),
    ),
    Mutant(
        name="nd13",
        bug="an owner keeps an answer for another node however large it is",
        path="server/cluster/answering.py",
        edits=(
            ("        if len(self.body) + len(chunk) > KEPT_BYTES_MAX:\n", "        if False:\n"),
        ),
        caught_by=(
            "tests/server/cluster/long_answers/test_held.py"
            "::test_who_can_not_take_parts_is_refused_what_can_not_be_held",
        ),
    ),
)

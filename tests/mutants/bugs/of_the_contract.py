"""Bugs in what the API promises: safe create, tags, parameters, ends of tokens, forms, names."""

from hookbundle.tests.mutants.mutant import Mutant

ETAGS = "tests/server/http/parameters/test_etags.py"
QUERIES = "tests/server/http/parameters/test_queries.py"
CREATE = "tests/server/http/resources/test_safe_create.py"
FORMS = "tests/server/http/resources/test_forms_of_names.py"
FORMER = "tests/storage/reads/test_former_names.py"
TOKENS = "tests/server/http/callers/test_token_ends.py"

CONTRACT = (
    Mutant(
        name="k1",
        bug="a PUT without If-Match replaces what is there",
        path="server/http/resources/workspaces.py",
        edits=(("                must_match=whole,\n", "                must_match=False,\n"),),
        caught_by=(f"{CREATE}::test_a_put_with_only_a_name_does_not_wipe_the_rest",),
    ),
    Mutant(
        name="k2",
        bug="disabling leaves the version as it was",
        path="storage/transitions/switching.py",
        edits=(
            (
                "    If by errors, an e-mail to the owner is in the outbox. "
                "`only_switched`: see `switch_on`.\n"
                '    """\n'
                "    unit.keep_settings("
                "settings.next_version(webhook, only_switched=only_switched))\n",
                "    If by errors, an e-mail to the owner is in the outbox. "
                "`only_switched`: see `switch_on`.\n"
                '    """\n',
            ),
        ),
        caught_by=(
            f"{ETAGS}::test_a_stale_tag_does_not_enable_what_errors_have_disabled",
            f"{ETAGS}::test_each_switch_is_one_version_and_switching_to_the_same_is_none",
        ),
    ),
    Mutant(
        name="k3",
        bug="a weak tag is as good as a strong one for a change",
        path="server/http/parameters/etags.py",
        edits=(('"If-Match", weak=False', '"If-Match", weak=True'),),
        caught_by=(f"{ETAGS}::test_nothing_is_changed_if_no_tag_is",),
    ),
    Mutant(
        name="k4",
        bug="of a parameter that is given twice, the first one counts",
        path="server/http/parameters/queries.py",
        edits=(
            (
                "[name for name, _ in request.query.items()]",
                "list(request.query)",
            ),
        ),
        caught_by=(f"{QUERIES}::test_all_of_them_are_named_at_once",),
    ),
    Mutant(
        name="k5",
        bug="an expired token goes on as long as its session in the console",
        path="server/http/callers/token_check.py",
        edits=(
            (
                "        if token is None or self.is_expired(token):\n",
                "        if token is None:\n",
            ),
        ),
        caught_by=(f"{TOKENS}::test_its_end_ends_its_sessions_in_the_console",),
    ),
    Mutant(
        name="k6",
        bug="each request writes the last use of its token",
        path="server/http/callers/token_uses.py",
        edits=(("WRITTEN_EVERY_MS = 3_600_000\n", "WRITTEN_EVERY_MS = 0\n"),),
        caught_by=(f"{TOKENS}::test_its_last_use_is_written_once_an_hour",),
    ),
    Mutant(
        name="k7",
        bug="a line of the activity about a test request joins nothing",
        path="storage/reads/requests_made.py",
        edits=(('        test_id = row.test.id if row.test else ""\n', ""),),
        caught_by=(f"{FORMS}::test_a_line_of_the_activity_is_found_in_the_detailed_log",),
    ),
    Mutant(
        name="k8",
        bug="a reader who asks for a type by its former name gets nothing",
        path="engine/delivery/former_names.py",
        edits=(
            ("    return (name,) if former is None else (name, former)\n", "    return (name,)\n"),
        ),
        caught_by=(f"{FORMER}::test_a_reader_may_ask_by_either_name",),
    ),
    Mutant(
        name="k9",
        bug="facts that were stored under former names of states are shown with them",
        path="storage/reads/feed.py",
        edits=(("former_names.fact_data_of(fact.data)", "fact.data"),),
        caught_by=(f"{FORMER}::test_facts_have_the_names_of_today",),
    ),
    Mutant(
        name="k10",
        bug="an upgrade looks for former names in dead letters only",
        path="storage/maintenance/migration/feed.py",
        edits=((', b"delivery.retried", b"delivery.discarded")', ",)"),),
        caught_by=(
            "tests/storage/maintenance/migration/test_former_names.py"
            "::test_facts_are_written_with_the_states_of_today",
        ),
    ),
    Mutant(
        name="k11",
        bug="the former name of a state is unknown to the API",
        path="server/http/parameters/searches.py",
        edits=(("former_names.state_of(name.strip())", "name.strip()"),),
        caught_by=(
            "tests/server/http/resources/test_deliveries.py"
            "::test_a_state_may_be_asked_for_by_its_former_name",
        ),
    ),
    Mutant(
        name="k12",
        bug="old lines of the activity are shown as they were written",
        path="storage/reads/requests_made.py",
        edits=(("former_names.state_of(action.outcome)", "action.outcome"),),
        caught_by=(f"{FORMER}::test_lines_of_the_activity_have_the_names_of_today",),
    ),
)


# ---- the API's edge: conditions of actions, cursors, open streams, tokens of a workspace

CONDITIONS = "tests/server/http/parameters/test_conditions.py"
CURSORS = "tests/server/http/parameters/test_cursors.py"
STREAMS = "tests/server/http/callers/test_stream_ends.py"
LIVE = "tests/server/console/pages/test_live_pages.py"
TOKEN_INDEX = "tests/storage/transitions/test_tokens.py"

EDGE = (
    Mutant(
        name="n1",
        bug="enabling does not look at the condition",
        path="storage/transitions/switching.py",
        edits=(
            (
                "    check_either(wanted, settings.workspace, webhook, "
                "of_webhook=transition.of_webhook)\n    if not webhook.url:\n",
                "    if not webhook.url:\n",
            ),
        ),
        caught_by=(
            f"{CONDITIONS}::test_a_stale_tag_does_not_enable_what_was_disabled_meanwhile",
            f"{CONDITIONS}::test_every_change_honours_a_condition_or_refuses_it",
        ),
    ),
    Mutant(
        name="n2",
        bug="a condition that a path does not honour is ignored",
        path="server/http/parameters/queries.py",
        edits=(("for name in conditions if name not in honoured", "for name in ()"),),
        caught_by=(f"{CONDITIONS}::test_every_change_honours_a_condition_or_refuses_it",),
    ),
    Mutant(
        name="n3",
        bug="a cursor is good for every list",
        path="server/http/requests.py",
        edits=((", person=of.encode())", ")"),),
        caught_by=(f"{CURSORS}::test_that_of_another_list_is_refused",),
    ),
    Mutant(
        name="n4",
        bug="an open stream outlives the token of its reader",
        path="server/feed/subscription.py",
        edits=(("while not feed.ended and self._may_go_on():", "while not feed.ended:"),),
        caught_by=(f"{STREAMS}::test_it_ends_as_soon_as_the_token_is_revoked",),
    ),
    Mutant(
        name="n5",
        bug="a live page reads all that has happened since long ago",
        path="server/console/pages/recent/news.py",
        edits=(("back_most=BACK_MOST", "back_most=None"),),
        caught_by=(f"{LIVE}::test_a_page_that_comes_from_long_ago_reads_nothing_of_it",),
    ),
    Mutant(
        name="n6",
        bug="a damaged token keeps workspaces from being deleted",
        path="storage/transitions/tokens.py",
        edits=(("codec.readable(key, value, Token)", "codec.unpack(key, value, Token)"),),
        caught_by=(f"{TOKEN_INDEX}::test_a_damaged_token_does_not_keep_it",),
    ),
)

"""Bugs at the API's edge: conditions of actions, cursors, open streams, tokens of a workspace."""

from hookbundle.tests.mutants.mutant import Mutant

CONDITIONS = "tests/server/http/parameters/test_conditions.py"
CURSORS = "tests/server/http/parameters/test_cursors.py"
STREAMS = "tests/server/http/callers/test_stream_ends.py"
LIVE = "tests/server/console/pages/test_live_pages.py"
TOKENS = "tests/storage/transitions/test_tokens.py"

EDGE = (
    Mutant(
        name="n1",
        bug="enabling does not look at the condition",
        path="storage/transitions/switching.py",
        edits=(
            (
                "    check(transition.precondition, settings.workspace.version, "
                "settings.workspace.id)\n"
                "    webhook = settings.outbound\n"
                "    if not webhook.url:\n",
                "    webhook = settings.outbound\n    if not webhook.url:\n",
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
        path="server/console/pages/activity.py",
        edits=(("back_most=BACK_MOST", "back_most=None"),),
        caught_by=(f"{LIVE}::test_a_page_that_comes_from_long_ago_reads_nothing_of_it",),
    ),
    Mutant(
        name="n6",
        bug="a damaged token keeps workspaces from being deleted",
        path="storage/transitions/tokens.py",
        edits=(("codec.readable(key, value, Token)", "codec.unpack(key, value, Token)"),),
        caught_by=(f"{TOKENS}::test_a_damaged_token_does_not_keep_it",),
    ),
)

"""Bugs by which a token is good for longer than it may be."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/server/http/callers/test_known_tokens.py"

TOKENS = (
    Mutant(
        name="tk1",
        bug="a revoked token is remembered as good",
        path="storage/transitions/tokens.py",
        edits=(
            (
                "            unit.tokens.begin()\n            unit.delete(key)\n",
                "            unit.delete(key)\n",
            ),
        ),
        caught_by=(
            f"{TESTS}::test_a_revoked_token_is_refused_from_the_answer_on_on_every_connection",
        ),
    ),
    Mutant(
        name="tk2",
        bug="the tokens of a deleted workspace are remembered as good",
        path="storage/transitions/tokens.py",
        edits=(
            (
                "        unit.tokens.begin()\n        unit.delete(key_of(digest))\n",
                "        unit.delete(key_of(digest))\n",
            ),
        ),
        caught_by=(f"{TESTS}::test_the_tokens_of_a_deleted_workspace_are_refused_at_once",),
    ),
    Mutant(
        name="tk3",
        bug="after one change nothing is remembered any more",
        path="server/http/callers/token_check.py",
        edits=(("            self._version = changes.version\n        token", "        token"),),
        caught_by=(f"{TESTS}::test_a_token_is_read_once",),
    ),
    Mutant(
        name="tk4",
        bug="between the commit and its end a revoked token is still good",
        path="server/http/callers/token_check.py",
        edits=(("        if changes.under_way:\n", "        if False:\n"),),
        caught_by=(f"{TESTS}::test_while_a_change_is_under_way_everybody_reads",),
    ),
    Mutant(
        name="tk5",
        bug="a token whose last use was written is written again with every request",
        path="storage/transitions/tokens.py",
        edits=(
            (
                "        if token is not None and token.used_ms < use.used_ms:\n"
                "            unit.tokens.begin()\n",
                "        if token is not None and token.used_ms < use.used_ms:\n",
            ),
        ),
        caught_by=(f"{TESTS}::test_a_use_that_was_written_is_known",),
    ),
    Mutant(
        name="tk6",
        bug="what was remembered before a change is believed after it",
        path="server/http/callers/token_check.py",
        edits=(
            (
                "            self._known.clear()\n            self._version",
                "            self._version",
            ),
        ),
        caught_by=(f"{TESTS}::test_what_is_read_just_before_a_change_is_not_believed_after_it",),
    ),
)

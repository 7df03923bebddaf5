"""Bugs of what lasts longer than a request in a cluster: streams, compactions, shared renderers."""

from hookbundle.tests.mutants.mutant import Mutant

STREAMS = "tests/server/cluster/feed/test_tokens_of_streams.py"
SHARING = "tests/server/cluster/test_sharing.py"
RENDERING = "tests/actors/attempts/test_rendering.py"
CLOSING = "tests/server/cluster/test_closing_copies.py"
COMPACTING = "tests/server/cluster/commanding/test_compacting.py"
TELLING = "tests/server/cluster/commanding/test_telling.py"
UNFINISHED = "test_what_a_node_has_not_ended_is_named_by_the_others_and_done_by_another_command"

ERASING = (
    Mutant(
        name="ca1",
        bug="a stream outlives a token that only its owner knows",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(("if not is_known and not await", "if False and not await"),),
        caught_by=(f"{STREAMS}::test_it_ends_with_a_token_that_only_the_owner_knows",),
    ),
    Mutant(
        name="ca2",
        bug="a stream ends while the copy that knows its token is rewritten",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(("if is_known and not is_stream:", "if is_known:"),),
        caught_by=(f"{STREAMS}::test_it_goes_on_while_the_copy_that_knew_its_token_is_gone",),
    ),
    Mutant(
        name="ca3",
        bug="an owner that does not answer ends streams",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(
            (
                "            if not is_known and not await asked_for(self.ask, place, digest):\n",
                "            try:\n"
                "                is_known = is_known or await asked_for(self.ask, place, digest)\n"
                "            except HookbundleError:\n"
                "                is_known = False\n"
                "            if not is_known:\n",
            ),
        ),
        caught_by=(f"{STREAMS}::test_who_can_not_say_ends_no_stream",),
    ),
    Mutant(
        name="ca4",
        bug="a partition that is given away ends the rendering of all others",
        path="server/daemon/way_out.py",
        edits=(
            ("self.rendering if first is None else self.rendering.apart(first)", "self.rendering"),
        ),
        caught_by=(f"{SHARING}::test_bodies_are_rendered_in_a_partition_that_stays",),
    ),
    Mutant(
        name="ca5",
        bug="a webhook rests for one of another partition that has its number",
        path="actors/attempts/rendering.py",
        edits=(("self.first + render.webhook\n", "render.webhook\n"),),
        caught_by=(
            f"{RENDERING}"
            "::test_of_partitions_that_share_a_renderer_one_ends_alone_and_their_numbers_differ",
        ),
    ),
    Mutant(
        name="ca6",
        bug="a copy is synced on the loop",
        path="actors/replication/held_copy.py",
        edits=(("await aside(follower.env.close)", "follower.env.close()"),),
        caught_by=(f"{CLOSING}::test_a_node_answers_while_a_copy_is_synced",),
    ),
    Mutant(
        name="ca7",
        bug="other nodes do not know of a compaction",
        path="server/cluster/commanding/commands.py",
        edits=(("            self.known.hear(live, self._wall_ms())\n", ""),),
        caught_by=(f"{COMPACTING}::{UNFINISHED}",),
    ),
    Mutant(
        name="ca8",
        bug="a node that was started again is taken for one that still compacts",
        path="server/cluster/commanding/known.py",
        edits=(("beat is None or beat.life != latest.life", "beat is None"),),
        caught_by=(f"{TELLING}::test_a_compaction_has_stopped_when_the_life_that_did_it_is_over",),
    ),
    Mutant(
        name="ca9",
        bug="that a compaction has stopped is told again and again",
        path="server/cluster/commanding/commands.py",
        edits=(("        self.known.take(replace(latest, is_told=True))\n", ""),),
        caught_by=(f"{COMPACTING}::{UNFINISHED}",),
    ),
    Mutant(
        name="ca10",
        bug="a second compaction begins at another node",
        path="server/cluster/commanding/going_through.py",
        edits=(("if is_ours or self._known", "if is_ours and self._known"),),
        caught_by=(f"{COMPACTING}::test_no_deleted_byte_is_left_in_any_log_or_copy",),
    ),
    Mutant(
        name="ca11",
        bug="a command that was refused stands in the feed",
        path="server/cluster/commanding/commands.py",
        edits=(
            (
                "        if wanted.node in self._neighbours.live():\n",
                "        self._telling.tell(NodeForgotten(node=wanted.node, caller=caller))\n"
                "        if wanted.node in self._neighbours.live():\n",
            ),
        ),
        caught_by=(f"{TELLING}::test_what_is_refused_is_no_fact",),
    ),
)

"""Bugs of what was left of a cluster: lost answers, nodes that are too late or away, what needs a
person, and floods of tokens that nobody knows."""

from hookbundle.tests.mutants.mutant import Mutant

LOST = "tests/server/cluster/commanding/test_lost_answers.py"
MOMENTS = "tests/server/cluster/commanding/test_moments.py"
NEEDS = "tests/server/cluster/overview/test_needs.py"
LANE = "tests/server/cluster/partitions/test_node_lane.py"
FLOODS = "tests/server/cluster/hostile/test_floods.py"
TURNS = "tests/server/cluster/callers/test_turns.py"
TOKENS = "server/cluster/callers/unknown_tokens.py"
AWAY = "tests/server/cluster/commanding/test_away.py"
COMPACTING = "server/cluster/commanding/compacting.py"
GIVING = "server/cluster/commanding/giving.py"

LOST_ANSWERS = (
    Mutant(
        name="cx1",
        bug="a move whose answer is lost fails, and may happen later all the same",
        path=GIVING,
        edits=(("        except (AnswerLost, TimeoutError):\n            return False\n", ""),),
        caught_by=(
            f"{LOST}::test_a_partition_is_moved_although_the_answer_of_its_node_is_lost",
            f"{LOST}::test_what_is_not_moved_after_a_lost_answer_is_not_moved_later",
        ),
    ),
    Mutant(
        name="cx2",
        bug="a partition is said not to be moved although its node may take it",
        path=GIVING,
        edits=(
            (
                "        except TimeoutError:\n            return False\n",
                "        except TimeoutError:\n            return True\n",
            ),
        ),
        caught_by=(f"{LOST}::test_it_is_said_that_nobody_knows_if_a_move_could_not_be_taken_back",),
    ),
    Mutant(
        name="cx3",
        bug="a node that is gone for a moment keeps what it was given",
        path="server/cluster/commanding/asking.py",
        edits=(("except (NotAsked, AnswerLost):", "except AnswerLost:"),),
        caught_by=(f"{LOST}::test_a_node_that_is_gone_for_a_moment_is_told_that_it_takes_no_more",),
    ),
    Mutant(
        name="cx4",
        bug="a drain is said to be done of which its node has not heard",
        path=GIVING,
        edits=(("if not is_told and now.leaves == wanted.undo:", "if False:"),),
        caught_by=(f"{LOST}::test_a_drain_of_which_the_node_has_not_heard_is_not_said_to_be_done",),
    ),
    Mutant(
        name="cx5",
        bug="who asks too late for a copy hears that its node is stopped",
        path="server/cluster/commanding/comparing.py",
        edits=(("raise NotComparedError(TOO_LATE)", "raise Overloaded.of(Code.STOPPING)"),),
        caught_by=(f"{MOMENTS}::test_who_asks_too_late_is_told_so",),
    ),
    Mutant(
        name="cx6",
        bug="one silent node keeps a check waiting until the others hold their copies no more",
        path="server/cluster/commanding/checking.py",
        edits=(("asyncio.timeout(ANSWER_S)", "asyncio.timeout(None)"),),
        caught_by=(f"{MOMENTS}::test_a_node_that_does_not_answer_spoils_the_check_of_no_other",),
    ),
    Mutant(
        name="cx7",
        bug="what the page of a cluster says needs a person the status does not say",
        path="server/cluster/overview/needs.py",
        edits=(
            ('Need("left_out", first, 0, COMPACT, (line,))', 'Need("left_out", first, 0, COMPACT)'),
        ),
        caught_by=(f"{NEEDS}::test_the_status_says_what_the_page_says",),
    ),
    Mutant(
        name="cx8",
        bug="an unknown token is looked for in all partitions again when it is refused",
        path="server/cluster/tokens.py",
        edits=(("return None if NOWHERE.get() == digest else", "return"),),
        caught_by=(f"{FLOODS}::test_an_unknown_token_is_looked_for_once",),
    ),
    Mutant(
        name="cx9",
        bug="an unknown token is asked for although this node owns where it would be",
        path=TOKENS,
        edits=(("if not self.owns(each)]", "]"),),
        caught_by=(f"{FLOODS}::test_an_unknown_token_is_looked_for_once",),
    ),
    Mutant(
        name="cx10",
        bug="a flood of unknown tokens has all partitions looked through for each",
        path=TOKENS,
        edits=(("        await self._turn(address_of(request))\n", ""),),
        caught_by=(f"{FLOODS}::test_a_flood_from_one_address_is_refused_at_the_cost_of_two_looks",),
    ),
    Mutant(
        name="cx11",
        bug="a flood of unknown tokens keeps out a token that this node knows",
        path=TOKENS,
        edits=(
            ("        token = token or self.tokens.found_in(digest, self._places(request))\n", ""),
        ),
        caught_by=(f"{FLOODS}::test_a_token_that_was_just_made_is_good_beside_a_flood",),
    ),
    Mutant(
        name="cx12",
        bug="the lane looks for an unknown token in all partitions",
        path="server/cluster/partitions/node_lane.py",
        edits=(("self._tokens.remembered(digest)", "self._tokens.known(digest)"),),
        caught_by=(f"{LANE}::test_a_token_that_was_never_found_is_looked_for_nowhere_by_the_lane",),
    ),
    Mutant(
        name="cx13",
        bug="who comes too often is refused at once and not told to wait",
        path="server/cluster/callers/turns.py",
        edits=(("if wait_s > WAIT_S_MAX:", "if wait_s:"),),
        caught_by=(f"{TURNS}::test_who_comes_too_often_waits_for_its_turn",),
    ),
    Mutant(
        name="cx14",
        bug="a node that is back a moment after its turn is not left out of a compaction by name",
        path=COMPACTING,
        edits=(
            (
                "        for node in sorted(away):",
                "        for node in sorted(away - {*self._nodes.live()}):",
            ),
        ),
        caught_by=(
            f"{AWAY}::test_a_node_that_is_back_a_moment_after_its_turn_is_left_out_by_name",
        ),
    ),
    Mutant(
        name="cx15",
        bug="a node that has not opened its copies yet is taken for one that has none",
        path=COMPACTING,
        edits=(("is_done = await self._does(node, NO_COPY, number)", "is_done = True"),),
        caught_by=(
            f"{AWAY}::test_a_node_that_has_not_opened_its_copies_yet_has_its_turn_when_it_has",
        ),
    ),
    Mutant(
        name="cx16",
        bug="a copy that was made of an old log while a compaction went on is not written anew",
        path=COMPACTING,
        edits=(("{*recorded, *asked, *self._held(number)}", "{*recorded, *asked}"),),
        caught_by=(
            f"{AWAY}::test_a_node_that_comes_while_old_logs_are_deleted_has_its_copy_written_anew",
        ),
    ),
    Mutant(
        name="cx17",
        bug="good tokens that a node sees for the first time take the turns of their address",
        path=TOKENS,
        edits=(
            (
                "                    self.turns.give_back(address_of(request))\n"
                "                    if len",
                "                    if len",
            ),
        ),
        caught_by=(f"{FLOODS}::test_tokens_that_are_found_elsewhere_take_no_turns",),
    ),
)

"""Bugs of commands that go on between nodes: lost answers, nodes that are silent or too late."""

from hookbundle.tests.mutants.mutant import Mutant

LOST = "tests/server/cluster/commanding/test_lost_answers.py"
MOMENTS = "tests/server/cluster/commanding/test_moments.py"
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
                "        return False\n\n    def _owner_of",
                "        return True\n\n    def _owner_of",
            ),
        ),
        caught_by=(f"{LOST}::test_it_is_said_that_nobody_knows_if_a_move_could_not_be_taken_back",),
    ),
    Mutant(
        name="cx3",
        bug="a node that is gone for a moment keeps what it was given",
        path=GIVING,
        edits=(("with suppress(NotAsked, AnswerLost):", "with suppress(AnswerLost):"),),
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
)

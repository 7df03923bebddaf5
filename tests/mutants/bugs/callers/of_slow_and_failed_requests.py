"""Bugs in what the lane does with a request that comes slowly, or over which it fails."""

from hookbundle.tests.mutants.mutant import Mutant

CONNECTION = "server/http/lane/connection.py"
LANE = "server/http/lane/lane.py"
HEADS = "server/http/lane/heads.py"
OF_HEADS = "tests/server/http/lane/test_heads.py"
OF_FAULTS = "tests/server/http/lane/test_faults.py"
OF_GUARD = "tests/server/http/lane/test_guarded.py"
OF_SLOW = "tests/server/http/lane/test_slow_bodies.py"

SLOW_AND_FAILED_REQUESTS = (
    Mutant(
        name="ln30",
        bug="a request over which the lane fails before the chat has it is nobody's",
        path=CONNECTION,
        edits=(
            (
                "        except Exception as exc:  # noqa: BLE001 - no chat has the messages yet\n",
                "        except HookbundleError as exc:\n",
            ),
        ),
        caught_by=(f"{OF_FAULTS}::test_what_fails_before_the_chat_has_it_is_answered_by_aiohttp",),
    ),
    Mutant(
        name="ln31",
        bug="who waits for an answer that the lane can't make waits for ever",
        path=CONNECTION,
        edits=(
            (
                "            self._apologise(exc)\n            return\n        self._answer(202",
                "            raise exc\n        self._answer(202",
            ),
        ),
        caught_by=(
            f"{OF_FAULTS}::test_what_fails_later_is_an_internal_error_that_is_logged_and_counted",
        ),
    ),
    Mutant(
        name="ln32",
        bug="what the lane has failed over is not counted",
        path=LANE,
        edits=(("        self.meters.lane.failed += 1\n", ""),),
        caught_by=(
            f"{OF_FAULTS}::test_what_fails_later_is_an_internal_error_that_is_logged_and_counted",
        ),
    ),
    Mutant(
        name="ln33",
        bug="a body has its time once more after the lane has waited for it",
        path="server/http/bodies.py",
        edits=((" - waited_s(request)", ""),),
        caught_by=(f"{OF_SLOW}::test_how_long_the_lane_has_waited_counts_for_aiohttp",),
    ),
    Mutant(
        name="ln34",
        bug="how long the lane waited for one body counts for the next as well",
        path="server/http/wire.py",
        edits=(
            (
                "protocol.waited_s, protocol.held_s = protocol.held_s, 0.0",
                "protocol.waited_s = protocol.held_s",
            ),
        ),
        caught_by=(f"{OF_SLOW}::test_how_long_the_lane_has_waited_counts_for_aiohttp",),
    ),
    Mutant(
        name="ln35",
        bug="a connection that has half a message in the lane passes for idle",
        path=CONNECTION,
        edits=(("                lane.guard.began(guarded)\n", ""),),
        caught_by=(f"{OF_GUARD}::test_who_has_half_a_message_in_the_lane_is_served",),
    ),
    Mutant(
        name="ln36",
        bug="the lane's answers are no sign of life of their connection",
        path=CONNECTION,
        edits=(
            ("            self._lane.guard.ended(self._guarded, now_s)\n", "            pass\n"),
        ),
        caught_by=(
            f"{OF_GUARD}::test_connections_have_their_share_and_the_one_idle_longest_makes_room",
        ),
    ),
    Mutant(
        name="ln37",
        bug="a length with zeros before it is a length",
        path=HEADS,
        edits=((" if LENGTH.fullmatch(digits) else None", ""),),
        caught_by=(f"{OF_HEADS}::test_a_length_that_could_be_read_in_two_ways_is_not_known",),
    ),
)

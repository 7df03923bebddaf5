"""Bugs of readers who wait for a partition."""

from hookbundle.tests.mutants.mutant import Mutant

CLUSTER = "tests/server/cluster"

AT_WAITS = (
    Mutant(
        name="cv56",
        bug="an owner that can't answer for a moment ends the readers of its partition",
        path="server/cluster/feed/part.py",
        edits=(
            (
                "        if answered.status == 503:\n            return None\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_an_owner_that_can_not_answer_now_is_asked_again_and_no_reader_is_ended",
        ),
    ),
    Mutant(
        name="cv57",
        bug="a reader whose partition can't be read any further is not told why",
        path="server/cluster/feed/reading.py",
        edits=(
            (
                "            await self.send(encode(Refusal(str(exc), code=exc.code)), write)\n",
                "            pass\n",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_a_reader_is_told_why_a_partition_is_not_read_any_further",
        ),
    ),
    Mutant(
        name="cv58",
        bug="that a partition answers again is said when something happens there",
        path="server/cluster/feed/part.py",
        edits=(
            (
                "may_wait = not self.is_silent and self.common.waits < WAITS_MAX",
                "may_wait = self.common.waits < WAITS_MAX",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_reading.py::test_nobody_waits_for_news_of_a_partition_that_was_said_not_to_answer",
        ),
    ),
    Mutant(
        name="cv59",
        bug="a damaged copy ends the readers at its node, though its owner's is whole",
        path="server/cluster/feed/part.py",
        edits=(
            (
                "        except CorruptRecord:\n"
                "            return None  # the owner's may be whole\n",
                "        except ZeroDivisionError:\n"
                "            return None  # the owner's may be whole\n",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_part.py::test_what_a_damaged_copy_can_not_read_comes_from_the_owner",
        ),
    ),
    Mutant(
        name="cv60",
        bug="who comes from a place that was given up waits for it for ever",
        path="server/cluster/feed/pages.py",
        edits=(
            (
                "if seq >= feed.next and owned.stalled_s() > 0:",
                "if seq >= feed.next:",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/feed/test_part.py::test_who_comes_from_a_place_that_was_never_reached_is_told_so",
        ),
    ),
)

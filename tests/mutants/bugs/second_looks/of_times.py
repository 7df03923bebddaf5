"""Bugs of what goes on for long, or ends in silence."""

from hookbundle.tests.mutants.mutant import Mutant

CLUSTER = "tests/server/cluster"

AT_TIMES = (
    Mutant(
        name="cv32",
        bug="a copy that was broken for six hours ends the looks at all partitions of its node",
        path="server/cluster/partitions/resting.py",
        edits=(("rest.times = min(rest.times + 1, TIMES_MAX)", "rest.times += 1"),),
        caught_by=(
            f"{CLUSTER}/partitions/test_resting.py::test_a_copy_that_is_broken_for_days_is_still_looked_at",
        ),
    ),
    Mutant(
        name="cv33",
        bug="a stream goes on for good once the look at its token has failed",
        path="server/cluster/watching.py",
        edits=(
            (
                "            except Exception as exc:  # who ends this",
                "            except ZeroDivisionError as exc:  # who ends this",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_watching.py::test_whatever_a_look_raises_the_next_one_comes",
        ),
    ),
    Mutant(
        name="cv64",
        bug="a log that has just gone on in a new generation has nothing left, as before",
        path="actors/replication/maintenance.py",
        edits=(
            (
                "state.is_finishing, state.left = True, None",
                "state.is_finishing = True",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/commanding/test_compacting.py::test_a_log_that_goes_on_in_a_new_generation_is_not_tidy_before_it_was_looked_at",
        ),
    ),
    Mutant(
        name="cv67",
        bug="who signs out while a page is made is signed in again by that page",
        path="server/cluster/console/sessions.py",
        edits=(
            (
                "self._records.renew(_place_of(name), written, ",
                "self._records.put(_place_of(name), ",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/console/test_owners_of_sessions.py::test_who_signs_out_while_a_page_is_made_stays_signed_out",
        ),
    ),
    Mutant(
        name="cv68",
        bug="a session's record is renewed over whatever is there by now",
        path="actors/replication/nats/sessions.py",
        edits=(("if stored is None or b64decode(stored.data) != before:", "if stored is None:"),),
        caught_by=(
            "tests/actors/replication/nats/test_sessions.py::test_a_record_is_renewed_as_long_as_it_is_what_was_read",
        ),
    ),
)

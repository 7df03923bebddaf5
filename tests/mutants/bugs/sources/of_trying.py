"""Bugs where settings of a source are tried on a body."""

from hookbundle.tests.mutants.mutant import Mutant

ENGINE = "engine/sources/intake/trying.py"
TESTS = "tests/engine/sources/intake/test_trying.py"
OVER_HTTP = "tests/server/http/resources/sources/test_trying.py"
CONSOLE = "tests/server/console/pages/sources/test_trying.py"

SOURCE_TRIALS = (
    Mutant(
        name="ty1",
        bug="every event of a body is told in full, however many there are",
        path=ENGINE,
        edits=(("        if len(self.events) < EVENTS_MAX:\n", "        if self.counts:\n"),),
        caught_by=(f"{TESTS}::test_of_many_events_all_are_counted_and_the_first_are_told",),
    ),
    Mutant(
        name="ty2",
        bug="a body of any length is tried",
        path="server/http/resources/sources/trying.py",
        edits=(("    if len(body) <= BODY_BYTES_MAX:\n", "    if body:\n"),),
        caught_by=(f"{OVER_HTTP}::test_what_is_wrong_is_said_by_its_path",),
    ),
    Mutant(
        name="ty3",
        bug="who tries changed settings in the console saves them",
        path="server/console/pages/sources/trying.py",
        edits=(('return form.get("do") == "try"', 'return form.get("do") == "tried"'),),
        caught_by=(f"{CONSOLE}::test_changed_settings_are_tried_and_the_source_stays_as_it_is",),
    ),
)

"""Bugs in the pages on which it is set how a webhook is called, and what it sends."""

from hookbundle.tests.mutants.mutant import Mutant

CALLING = "tests/server/console/pages/webhooks/test_calling.py"
FORMATS = "tests/server/console/pages/webhooks/test_formats.py"
FIELDS = "server/console/pages/calling/fields.py"

CALLED_PAGES = (
    Mutant(
        name="cp1",
        bug="a header whose field is left empty loses its value",
        path=FIELDS,
        edits=(("dict(SET) if is_set and not value else value", "value"),),
        caught_by=(f"{CALLING}::test_what_was_typed_is_set_and_what_is_left_empty_stays",),
    ),
    Mutant(
        name="cp2",
        bug="a token URL of another host drops the secret, and nobody is told",
        path="server/console/pages/calling/page.py",
        edits=(("        if changed.dropped:\n", "        if changed.created:\n"),),
        caught_by=(f"{CALLING}::test_each_kind_of_credentials_is_set_and_a_part_of_it_changed",),
    ),
    Mutant(
        name="cp3",
        bug="another host loses the credentials without a question",
        path="server/console/pages/consequences.py",
        edits=(("        if dropped:\n", "        if dropped and waiting:\n"),),
        caught_by=(f"{CALLING}::test_a_url_of_another_host_asks_before_values_are_dropped",),
    ),
    Mutant(
        name="cp4",
        bug="a preview is saved",
        path="server/console/pages/formats/page.py",
        edits=(('if form.get("do") == "try":', 'if form.get("do") == "look":'),),
        caught_by=(f"{FORMATS}::test_a_template_is_seen_of_the_last_conversation_and_saved",),
    ),
    Mutant(
        name="cp5",
        bug="of two headers of one name the first is dropped in silence",
        path=FIELDS,
        edits=(("        if name in found:\n", "        if name in found and not value:\n"),),
        caught_by=(f"{CALLING}::test_faults_are_told_at_their_fields_and_nothing_typed_is_shown",),
    ),
)

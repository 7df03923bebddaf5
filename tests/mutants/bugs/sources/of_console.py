"""Bugs in the console's pages of sources: what is secret is shown, what is asked is not heard."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/server/console/pages/sources"
MAKING, WATCHING = f"{TESTS}/test_making.py", f"{TESTS}/test_watching.py"
HOSTILE = f"{TESTS}/test_hostile_posts.py"
FORMS = "server/console/pages/sources/forms.py"
PAGE = "server/console/pages/sources/page.py"

SOURCE_PAGES = (
    Mutant(
        name="cs1",
        bug="a secret is a field like others, with its value in it",
        path="server/console/pages/sources/fields.py",
        edits=(
            ("label, hint, Form.SECRET, is_common=True", "label, hint, Form.TEXT, is_common=True"),
        ),
        caught_by=(f"{MAKING}::test_a_secret_is_never_shown_and_is_replaced_kept_and_taken_away",),
    ),
    Mutant(
        name="cs2",
        bug="a secret's field that is left empty ends the former of two secrets",
        path=FORMS,
        edits=(
            (
                "            return _has_secret(each.name, form)\n",
                "            return each.name in form\n",
            ),
        ),
        caught_by=(f"{MAKING}::test_while_a_secret_is_rotated_both_count",),
    ),
    Mutant(
        name="cs3",
        bug="a form that was open while somebody changed the source overwrites that",
        path=PAGE,
        edits=(("wanted, visit.caller, at_version(seen)", "wanted, visit.caller, None"),),
        caught_by=(f"{MAKING}::test_a_form_filled_in_before_another_change_is_refused_and_kept",),
    ),
    Mutant(
        name="cs4",
        bug="the body of a request is a part of the page",
        path="server/console/isolating.py",
        edits=(("written = str(escape(text))", "written = str(text)"),),
        caught_by=(f"{HOSTILE}::test_hostile_requests_are_shown_as_they_are",),
    ),
    Mutant(
        name="cs5",
        bug="what came in the last second is not on the page yet",
        path=PAGE,
        edits=(
            (
                "        await self.sources.write(visit.ws)\n",
                "        self.reads.workspace(visit.ws)\n",
            ),
        ),
        caught_by=(f"{WATCHING}::test_what_came_of_each_request_is_told_in_words",),
    ),
    Mutant(
        name="cs6",
        bug="the first event shows only once a message has come",
        path=PAGE,
        edits=(("asks_again=not it.notes.seen_ms or since_ms < AWAKE_MS,", "asks_again=False,"),),
        caught_by=(f"{WATCHING}::test_the_first_event_is_seen_as_it_arrives",),
    ),
    Mutant(
        name="cs7",
        bug="chats of two numbers are mixed and nobody is told",
        path="server/console/pages/sources/numbers.py",
        edits=(("if len(found) > 1 else []", "if len(found) > 2 else []"),),
        caught_by=(
            f"{WATCHING}::test_keeping_chats_apart_is_offered_when_a_second_number_shows_up",
        ),
    ),
    Mutant(
        name="cs8",
        bug="a source is deleted without a question",
        path=PAGE,
        edits=(
            (
                'Consequence("source_erased", text=source_id)\n        ):\n',
                'Consequence("source_erased", text=source_id)\n        ) and False:\n',
            ),
        ),
        caught_by=(f"{WATCHING}::test_it_is_deleted_once_that_is_agreed_to",),
    ),
    Mutant(
        name="cs9",
        bug="a fault is kept without the values of its sentence, and Arabic says less",
        path="server/http/resources/sources/entering.py",
        edits=(
            (
                "KeptFault(each.code, each.path, each.detail, each.values)",
                "KeptFault(each.code, each.path, each.detail)",
            ),
        ),
        caught_by=(f"{HOSTILE}::test_pages_of_sources_are_arabic_with_all_that_is_on_them",),
    ),
    Mutant(
        name="cs10",
        bug="an owner is offered to keep apart what is no phone, and gets all conversations anew",
        path="server/console/pages/sources/numbers.py",
        edits=(("return is_plain and KINDS[source.kind].chats_are_phones", "return is_plain"),),
        caught_by=(f"{TESTS}/test_numbers.py::test_a_conversation_of_chatwoot_is_of_one_number",),
    ),
    Mutant(
        name="cs11",
        bug="each refresh of a page reads the bodies of all requests for what it does not show",
        path=PAGE,
        edits=(("is_whole=not visit.is_partial", "is_whole=True"),),
        caught_by=(f"{WATCHING}::test_a_page_that_is_shown_already_gets_what_is_new_and_no_offer",),
    ),
    Mutant(
        name="cs12",
        bug="a secret that is written replaces the present one, although both should count",
        path="server/console/pages/sources/forms.py",
        edits=(("known[:1] if form.get(name + KEEP) == TICKED else ()", "()"),),
        caught_by=(f"{TESTS}/test_making.py::test_while_a_secret_is_rotated_both_count",),
    ),
    Mutant(
        name="cs13",
        bug="when the former secret ends, it is the newer one that goes",
        path="server/console/pages/sources/forms.py",
        edits=(("return known[0] if known", "return known[-1] if known"),),
        caught_by=(f"{TESTS}/test_making.py::test_while_a_secret_is_rotated_both_count",),
    ),
    Mutant(
        name="cs14",
        bug="a tick that takes a secret away leaves it",
        path="server/console/pages/sources/forms.py",
        edits=(("if known and form.get(name + AWAY) != TICKED", "if known and AWAY not in name"),),
        caught_by=(
            f"{TESTS}/test_making.py::test_a_secret_is_never_shown_and_is_replaced_kept_and_taken_away",
        ),
    ),
)

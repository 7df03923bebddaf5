"""Bugs in the texts of the contract, and in the page that shows them."""

from hookbundle.tests.mutants.mutant import Mutant

PAGE = "tests/server/http/contract/test_reference_page.py"
TEXTS = "tests/server/http/contract/test_descriptions.py"

REFERENCE = (
    Mutant(
        name="ad1",
        bug="a refusal does not list the codes of the operation's own",
        path="server/http/contract/operations.py",
        edits=(("dict.fromkeys((*of_status, *shared))", "dict.fromkeys(shared)"),),
        caught_by=(f"{TEXTS}::test_each_code_of_an_operation_is_of_a_status_that_it_answers_with",),
    ),
    Mutant(
        name="ad2",
        bug="the page takes a text for HTML",
        path="server/http/contract/page.py",
        edits=(
            ("return found + escape(text[at:])", "return found + Markup(text[at:])"),
            (
                "found += escape(text[at : mark.start()])",
                "found += Markup(text[at : mark.start()])",
            ),
        ),
        caught_by=(f"{PAGE}::test_a_text_is_shown_as_it_is",),
    ),
    Mutant(
        name="ad3",
        bug="every reader of the page has it made anew",
        path="server/http/contract/serving.py",
        edits=(("if self._making is None or (", "if True or ("),),
        caught_by=(f"{PAGE}::test_what_is_asked_for_by_many_at_once_is_made_once",),
    ),
    Mutant(
        name="ad4",
        bug="a page that could not be made is never made",
        path="server/http/contract/serving.py",
        edits=((" or (self._making.done() and self._making.exception())", ""),),
        caught_by=(f"{PAGE}::test_what_could_not_be_made_is_tried_again",),
    ),
    Mutant(
        name="ad5",
        bug="the reference wants a token",
        path="server/http/authentication.py",
        edits=(("CONTRACT_PATH, REFERENCE_PATH, ERRORS_PATH})", "CONTRACT_PATH, ERRORS_PATH})"),),
        caught_by=(f"{PAGE}::test_the_page_needs_no_token_and_no_other_host",),
    ),
    Mutant(
        name="ad6",
        bug="each start makes the document",
        path="server/http/contract/serving.py",
        edits=(
            (
                "    described = [*routes, own]\n",
                "    described = [*routes, own]\n    document(described, version)\n",
            ),
        ),
        caught_by=(f"{PAGE}::test_the_document_is_not_made_before_somebody_asks",),
    ),
)

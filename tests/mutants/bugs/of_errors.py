"""Bugs in what an error says: its code, its words in another language, what it quotes."""

from hookbundle.tests.mutants.mutant import Mutant

CODES = "tests/server/http/test_error_codes.py"
TABLE = "tests/engine/test_error_table.py"
ARABIC = "tests/server/console/test_arabic_errors.py"
DETAILS = "tests/server/console/test_arabic_details.py"

ERRORS = (
    Mutant(
        name="e1",
        bug="pages show the English text of an error in every language",
        path="server/console/wording.py",
        edits=(
            (
                "        if self._words is None:\n            return bdi(",
                "        if isinstance(said, ShownError) or self._words is None:\n"
                "            return bdi(",
            ),
        ),
        caught_by=(
            f"{ARABIC}::test_a_free_text_is_told_by_its_code_alone",
            f"{ARABIC}::test_what_really_goes_wrong",
        ),
    ),
    Mutant(
        name="e2",
        bug="what a client sent is quoted whole",
        path="engine/error_codes.py",
        edits=(("given[: QUOTED_CHARS_MAX - 1]", "given"),),
        caught_by=(
            f"{TABLE}::test_a_hostile_value_is_quoted_bounded_and_escaped",
            f"{ARABIC}::test_a_hostile_value_is_isolated_bounded_and_escaped",
        ),
    ),
    Mutant(
        name="e3",
        bug="an error raised with its code is answered with that of its class",
        path="engine/errors.py",
        edits=(("self.code = code or self.other", "self.code = self.other"),),
        caught_by=(
            f"{CODES}::test_a_refusal_has_a_code_of_its_own",
            f"{TABLE}::test_a_code_is_said_with_what_it_is_about",
        ),
    ),
    Mutant(
        name="e4",
        bug="a bug is logged with another id than its caller was told",
        path="server/http/problems.py",
        edits=(
            (
                "    request_id = response.headers[REQUEST_ID]\n    log.error",
                "    request_id = new_request_id()\n    log.error",
            ),
        ),
        caught_by=(f"{CODES}::test_a_bug_is_logged_with_the_id_that_the_caller_was_told",),
    ),
    Mutant(
        name="e5",
        bug="a fault that is worded in no table is shown in English",
        path="server/console/wording.py",
        edits=(
            (
                "text = SENTENCES[FaultCode(said.code)] if known else NOT_VALID",
                "text = SENTENCES[FaultCode(said.code)] if known else said.detail",
            ),
        ),
        caught_by=(f"{ARABIC}::test_a_free_text_is_told_by_its_code_alone",),
    ),
    Mutant(
        name="e6",
        bug="an admin token of one workspace is told that it may only send messages",
        path="server/http/authentication.py",
        edits=(
            (
                "        return NotAllowed.of(Code.OPERATORS_ONLY, own=own)",
                "        return NotAllowed.of(Code.INTAKE_TOKEN)",
            ),
        ),
        caught_by=(f"{CODES}::test_a_token_is_told_what_it_is_for",),
    ),
    Mutant(
        name="e7",
        bug="a value is filled into a page without being isolated",
        path="server/console/wording.py",
        edits=(
            (
                "return bdi(bounded(value) if isinstance(value, str) else value)",
                "return escape(bounded(value) if isinstance(value, str) else value)",
            ),
        ),
        caught_by=(f"{ARABIC}::test_a_hostile_value_is_isolated_bounded_and_escaped",),
    ),
    Mutant(
        name="e8",
        bug="what an attempt failed with is shown in English on every page",
        path="server/console/details.py",
        edits=(
            (
                "        if self._words is None:\n            if cause is UNKNOWN:\n",
                "        if self._words is None or cause:\n            if True:\n",
            ),
        ),
        caught_by=(
            f"{DETAILS}::test_every_error_of_an_attempt_on_every_page_that_shows_it",
            f"{DETAILS}::test_what_is_known_has_words_that_say_more_than_that_it_failed",
        ),
    ),
    Mutant(
        name="e9",
        bug="what people did is worded as if an attempt had failed with it",
        path="server/console/details.py",
        edits=(
            (
                "            return bdi(detail)\n        for",
                "            return bdi(detail)\n        return self.failed(detail)\n        for",
            ),
        ),
        caught_by=(f"{DETAILS}::test_what_people_did_shows_in_arabic",),
    ),
    Mutant(
        name="e10",
        bug="the page of errors lists no faults",
        path="server/console/pages/errors.py",
        edits=(("faults=faults)", "faults=[])"),),
        caught_by=(
            f"{CODES}::test_the_type_of_an_error_leads_to_its_entry_without_a_token",
            f"{ARABIC}::test_the_list_of_errors_is_arabic",
        ),
    ),
    Mutant(
        name="e11",
        bug="a quoted text is escaped whole as soon as one character of it is invisible",
        path="engine/error_codes.py",
        edits=(("    return repr(bounded(given))", "    return ascii(bounded(given))"),),
        caught_by=(f"{TABLE}::test_what_can_be_read_stays_readable_beside_what_is_invisible",),
    ),
    Mutant(
        name="e12",
        bug="a fault shows a value that is not allowed whole",
        path="engine/faults.py",
        edits=(("            return quoted(value)", "            return repr(value)"),),
        caught_by=(f"{TABLE}::test_a_fault_quotes_a_value_as_an_error_does",),
    ),
    Mutant(
        name="e13",
        bug="a message with an unknown field is decoded strictly twice",
        path="engine/messages/parsing.py",
        edits=(
            (
                "            return _refused_once(body, strict=strict)",
                "            return _parsed(ONE, body, alone, strict=strict)",
            ),
        ),
        caught_by=(
            "tests/engine/messages/test_parsing.py::test_one_message_is_decoded_strictly_once",
        ),
    ),
    Mutant(
        name="e14",
        bug="an Arabic name in an English mail is not isolated",
        path="actors/mails/text.py",
        edits=(("turns = self._is_from_right or any(", "turns = self._is_from_right and any("),),
        caught_by=(
            "tests/actors/mails/test_text.py"
            "::test_a_name_written_from_the_right_turns_nothing_around_it_in_an_english_mail",
        ),
    ),
)

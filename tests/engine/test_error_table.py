"""The table of errors: each code has its words, and hostile values stay small and visible."""

import re
import string
from typing import Literal

import pytest

from hookbundle.engine.error_codes import QUOTED_CHARS_MAX, Code, Term, bounded, in_english, quoted
from hookbundle.engine.error_table import MEANINGS, TITLES
from hookbundle.engine.errors import Changed, Conflict, HookbundleError, NotFound, TooManyRequests
from hookbundle.engine.faults import SENTENCES, FaultCode, fault, not_one_of
from hookbundle.engine.messages.checking import collect_faults
from hookbundle.engine.messages.timestamps import NoTime, parse_ms

HOSTILE = "\u202e\x1b[2J'\n<script>" + "x" * 5_000


def gaps(*texts: str) -> set[str]:
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_has_its_meaning_and_every_status_its_title() -> None:
    assert list(MEANINGS) == list(Code)
    assert {meaning.status for meaning in MEANINGS.values()} == set(TITLES)
    assert set(SENTENCES) == set(FaultCode)
    for meaning in MEANINGS.values():
        assert meaning.sentence
        assert meaning.remedy
        assert not meaning.sentence.endswith(".")


@pytest.mark.parametrize("code", Code)
def test_a_code_is_said_with_what_it_is_about(code: Code) -> None:
    meaning = MEANINGS[code]
    names = gaps(meaning.sentence, meaning.remedy)

    error = NotFound.of(code, **{name: f"<{name}>" for name in names})

    assert (error.code, error.status) == (code, meaning.status)
    assert all(f"'<{name}>'" in str(error) for name in names)
    assert "{" not in str(error)


def test_a_hostile_value_is_quoted_bounded_and_escaped() -> None:
    said = str(NotFound.of(Code.NO_WORKSPACE, workspace=HOSTILE))

    assert len(said) < len(MEANINGS[Code.NO_WORKSPACE].sentence) + 2 * QUOTED_CHARS_MAX
    assert said.isprintable()
    assert r"'\u202e\x1b[2J\'\n<script>xxx" in said.replace('"', "'") or r"\u202e" in said
    assert "{workspace}" in str(NotFound.of(Code.NO_WORKSPACE, workspace="{workspace}"))


def test_a_fault_quotes_a_value_as_an_error_does() -> None:
    shown = quoted(HOSTILE)

    assert (
        not_one_of("strict", ("0", "1"), HOSTILE).detail == f"must be one of '0', '1'; is {shown}"
    )
    with pytest.raises(NoTime, match=re.escape(shown)):
        parse_ms(HOSTILE)
    assert [each.detail for each in collect_faults(HOSTILE, Literal["in", "out"], "")] == [
        f"must be one of 'in', 'out'; is {shown}"
    ]


def test_what_can_be_read_stays_readable_beside_what_is_invisible() -> None:
    assert quoted("متجر\u200e") == r"'متجر\u200e'"
    assert len(bounded("x" * 81)) == QUOTED_CHARS_MAX


@pytest.mark.parametrize(
    ("value", "shown"), [(5, "5"), (True, "true"), (1.5, "1.5"), ("5", "'5'"), ([], "an array")]
)
def test_a_value_is_shown_as_what_it_is(value: object, shown: str) -> None:
    assert not_one_of("", ("a",), value).detail == f"must be one of 'a'; is {shown}"


def test_a_number_and_a_term_are_not_quoted() -> None:
    said = in_english(MEANINGS[Code.ALLOWANCE_USED], {"most": 60, "what": Term.TESTS, "minutes": 2})

    assert said == (
        "this workspace has had its 60 test requests under way; the next one is possible in 2 min"
    )


def test_a_text_of_its_own_has_the_code_of_its_class() -> None:
    assert NotFound("none").code is Code.NOT_FOUND
    assert Conflict("no").status == 409
    assert Changed("no").status == 412
    assert HookbundleError("odd").status == 500
    assert (TooManyRequests("no", retry_after_s=9)).retry_after_s == 9


def test_a_fault_keeps_what_it_was_made_from() -> None:
    made = fault("limit", FaultCode.NO_LIMIT, most=9, got="'x'")

    assert made.detail == "must be 1 to 9; got 'x'"
    assert (made.code, dict(made.values)) == ("no_limit", {"most": "9", "got": "'x'"})

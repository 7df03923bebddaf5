"""Causes in words for owners: each kind of error has its own, whatever way it was stored."""

from pathlib import Path

import pytest

from hookbundle.actors.mails.causes import BY_CLASS, UNKNOWN, explanation_of, status_or_code
from hookbundle.engine.delivery.outcomes import CODES, Cause, ErrorClass

OTHERS = [cause for cause in Cause if cause not in (Cause.STATUS, Cause.NOT_SUCCESS)]


@pytest.mark.parametrize("error_class", [*ErrorClass, *OTHERS])
def test_each_class_of_error_has_words_of_its_own(error_class: ErrorClass | Cause) -> None:
    cause = explanation_of(f"{error_class}: whatever the client says of it")

    assert cause == BY_CLASS[error_class]
    assert [each.happened for each in BY_CLASS.values()].count(cause.happened) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("status 201", "takes only 200"),
        ("status 207", "takes only 200"),
        ("answered 201; this webhook takes only 200 as success", "takes only 200"),
        ("not_success: answered 204; this webhook takes only 200 as success", "takes only 200"),
        ("not_success: answered 204; this webhook takes only 200, 202 as success", "only 200, 202"),
        ("status 301", "redirect"),
        ("status 401", "refused access"),
        ("status 404", "does not know the address"),
        ("status 410", "does not know the address"),
        ("status 413", "too large"),
        ("status 418", "rejected"),
        ("status 429", "more requests than it allows"),
        ("status 500", "an error of its own"),
        ("status 503", "not available"),
        ("status 599", "an error of its own"),
        ("status 799", "The last attempt failed."),
    ],
)
def test_a_status_is_told_by_what_it_means(error: str, words: str) -> None:
    cause = explanation_of(error)

    assert words in cause.happened % cause.gaps
    assert str(cause.status) in error


@pytest.mark.parametrize(
    "error", ["", "status", "status 2000", "status 200", "Timeout!", "a: b: c", "\x00", ": x"]
)
def test_what_nobody_knows_is_only_said_to_have_failed(error: str) -> None:
    cause = explanation_of(error)

    assert (cause.happened, cause.advice) == (UNKNOWN.happened, UNKNOWN.advice)


def test_the_code_of_an_error_is_the_same_in_all_languages() -> None:
    errors = (
        *("status 503", "not_success: answered 201; this webhook takes only 200 as success"),
        *("tls: certificate refused: it has expired", "What now", ""),
    )

    assert [status_or_code(error) for error in errors] == ["503", "201", "tls", "", ""]


def test_the_operators_guide_has_every_code() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = guide.partition("| code | what it says |")[2].partition("\n\n")[0]
    first_column = "".join(row.split("|")[1] for row in table.splitlines()[2:])

    assert set(first_column.replace(",", " ").replace("`", "").split()) == CODES

"""The words in both languages: nothing is missing, and nothing is filled in wrongly."""

import ast
import re
from pathlib import Path

import pytest

from hookbundle.actors.mails import text as mails_text
from hookbundle.engine.clock import SystemClock
from hookbundle.server.console import catalogues
from hookbundle.server.console.catalogues import ARABIC, CONTEXT, ENGLISH, FOLDER
from hookbundle.server.console.rendering import HERE, Renderer

MAILS = Path(mails_text.__file__).parent
SAYING = {"said": 1, "gettext": 1, "ngettext": 2}  # how many of the arguments are said
PLACE = re.compile(r"%\(\w+\)s")


def asked_for() -> set[str]:
    """What the templates want to say, in the form of a catalogue's keys."""
    environment = Renderer(SystemClock())._environments["en"]
    found = set()
    for path in (HERE / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        for _, function, words in environment.extract_translations(source):  # type: ignore[attr-defined]
            parts = [words] if isinstance(words, str) else [part for part in words if part]
            context = f"{parts.pop(0)}{CONTEXT}" if "pgettext" in function else ""
            found.add(context + "\0".join(parts))
    return found


def asked_for_in_mails() -> set[str]:
    """The same of the e-mails, which are said by the names of gettext's functions."""
    found = set()
    for path in MAILS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                texts = node.args[: SAYING.get(node.func.id, 0)]
                words = [text.value for text in texts if isinstance(text, ast.Constant)]
                found |= {"\0".join(map(str, words))} if words else set()
    return found


def arabic() -> dict[str, str]:
    return catalogues.entries((FOLDER / "ar.po").read_text(encoding="utf-8"))


def test_arabic_says_all_that_is_said_and_nothing_else() -> None:
    assert set(arabic()) - {""} == asked_for() | asked_for_in_mails()


def test_translations_have_the_places_that_are_filled_in() -> None:
    for key, value in arabic().items():
        if "\0" not in key:
            assert set(PLACE.findall(value)) == set(PLACE.findall(key)), key
        else:
            assert len(value.split("\0")) == 6, key
            assert set(PLACE.findall(value)) <= set(PLACE.findall(key)), key


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "ساعة واحدة"), (2, "ساعتين"), (3, "3 ساعات"), (11, "11 ساعة"), (103, "103 ساعات")],
)
def test_arabic_counts_in_its_six_ways(number: int, words: str) -> None:
    translations = catalogues.translations(ARABIC)

    said = translations.ngettext("%(num)s hour", "%(num)s hours", number)

    assert said % {"num": number} == words


def test_arabic_has_another_dual_for_a_length_that_stands_alone() -> None:
    translations = catalogues.translations(ARABIC)

    said = translations.npgettext("alone", "%(num)s hour", "%(num)s hours", 2)

    assert said == "ساعتان"


def test_what_a_catalogue_lacks_shows_in_english() -> None:
    assert catalogues.translations(ARABIC).gettext("not translated yet") == "not translated yet"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("ar", "en", ARABIC),
        (None, "ar-EG,ar;q=0.9,en;q=0.8", ARABIC),
        (None, "fr,he;q=0.5", ENGLISH),
        ("xx", "", ENGLISH),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers(
    chosen: str | None, accepted: str, language: catalogues.Language
) -> None:
    assert catalogues.choose(chosen, accepted) is language
